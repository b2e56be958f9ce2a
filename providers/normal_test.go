package providers

import (
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// clock is the instant the tests of this package happen at.
func clock() time.Time { return time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC) }

func TestEmployeeBandsOfEveryVendor(t *testing.T) {
	t.Parallel()
	const open = galena.OpenEnd
	for _, c := range []struct {
		count, band string
		lo, hi      int64
	}{
		// LinkedIn, as three vendors write it
		{"", "11-50", 11, 50}, {"", "10001+", 10001, open}, {"", "501-1,000", 501, 1000}, {"", "10,001+", 10001, open},
		{"", "1 employee", 1, 1}, {"", "0-1", 0, 1}, {"", "2-10", 2, 10}, {"", "1,001-5,000", 1001, 5000},
		{"", "51–200 employees", 51, 200},
		// Clearbit
		{"", "1-10", 1, 10}, {"", "5K-10K", 5000, 10_000}, {"", "10K-50K", 10_000, 50_000}, {"", "50K-100K", 50_000, 100_000},
		{"", "51-250", 51, 250}, {"", "251-1K", 251, 1000}, {"", "1K-5K", 1000, 5000}, {"", "100K+", 100_000, open},
		// The Companies API
		{"", "10-50", 10, 50}, {"", "200-500", 200, 500}, {"", "1k-5k", 1000, 5000}, {"", "5k-10k", 5000, 10_000}, {"", "under-10", 0, 10},
		{"", "50-200", 50, 200}, {"", "500-1k", 500, 1000}, {"", "over-10k", 10_000, open},
		// Lusha and Abstract
		{"", "11 to 50", 11, 50}, {"", "<10", 0, 10}, {"", ">10,000", 10_000, open}, {"", "1\u00a0001\u20135\u00a0000", 1001, 5000},
		{"", "201 - 500", 201, 500}, {"", "1000-5000", 1000, 5000}, {"", "1000+", 1000, open},
		// a count, alone or in the place of the band
		{"420", "", 420, 420}, {"11-50", "", 11, 50}, {"75", "51-250", 75, 75},
		// a count made from the band, one outside it, and zero
		{"51", "51-200", 51, 200}, {"7458", "1001-5000", 1001, 5000}, {"0", "11-50", 11, 50}, {"1", "1-10", 1, 10},
		{"", "0", 0, 0}, {"11-50", "51-200", 11, 50},
	} {
		if v := Employees(c.count, c.band); v.Lo != c.lo || v.Hi != c.hi {
			t.Errorf("%q in %q is %d to %d, want %d to %d", c.count, c.band, v.Lo, v.Hi, c.lo, c.hi)
		}
	}
	for _, nothing := range []string{"", "0", "unknown", "-5", "many"} {
		if v := Employees(nothing, nothing); v.Type != "" {
			t.Errorf("%q is %v, want unknown", nothing, v)
		}
	}
}

func TestRevenue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reported, band, currency string
		lo, hi                   int64
	}{
		{"", "$10M-$25M", "", 10e6, 25e6}, {"", "$0-$1M", "", 0, 1e6}, {"", "$10B+", "", 10e9, galena.OpenEnd},
		{"", "under-1m", "", 0, 1e6}, {"", "200m-1b", "", 200e6, 1e9}, {"$1,000,000", "", "USD", 1e6, 1e6},
		{"100000000", "$1M-$200M", "usd", 100e6, 100e6}, {"0", "$1M-$10M", "", 1e6, 10e6}, {"5000000000", "", "", 5e9, 5e9},
		{"10MM", "", "", 10e6, 10e6}, {"$1.5bn", "", "", 1.5e9, 1.5e9}, {"", "$50m-$100m", "", 50e6, 100e6}, {"", "100M", "", 100e6, 100e6},
		{"US$ 12.5 million", "", "", 12.5e6, 12.5e6}, {"3000000000", "", "", 3e9, 3e9}, {"-", "$1M-$10M", "", 1e6, 10e6},
	} {
		if v := Revenue(c.reported, c.band, c.currency); v.Lo != c.lo || v.Hi != c.hi || v.Type == "" {
			t.Errorf("%q %q is %v", c.reported, c.band, v)
		}
	}
	for _, v := range []galena.Value{Revenue("5000000", "", "EUR"), Revenue("€10M", "", ""), Revenue("£1m", "", ""), Revenue("EUR 5m", "", ""),
		Revenue("C$10M", "", ""), Revenue("R$ 10M", "", ""), Revenue("10 Cr INR", "", ""), Revenue("¥900M", "", ""), Revenue("0", "0", ""), Revenue("", "", ""), Revenue("-3", "", "")} {
		if v.Type != "" {
			t.Errorf("%v, want unknown", v)
		}
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"germany": "DE", "Germany": "DE", "DE": "DE", "us": "US", "USA": "US", "DEU": "DE", "UK": "GB", "GBR": "GB",
		"United Kingdom": "GB", "England": "GB", "Korea, Republic of": "KR", "South Korea": "KR", "Czech Republic": "CZ",
		"the netherlands": "NL", "Holland": "NL", "Russian Federation": "RU", "Viet Nam": "VN", "Türkiye": "TR", "Turkey": "TR",
		"Brasil": "BR", "Deutschland": "DE", "España": "ES", "Côte d'Ivoire": "CI", "Ivory Coast": "CI", "United States": "US",
		"U.S.A.": "US", "Hong Kong": "HK", "Taiwan": "TW", "Iran, Islamic Republic of": "IR", "IR": "IR", "KP": "KP",
		"North Korea": "KP", "Syria": "SY", "Cuba": "CU", "EL": "GR", "Estados Unidos": "US", "Schweiz": "CH",
		"": "", "XX": "", "Atlantis": "", "EU": "", "Europe": "", "ZZ": "", "001": "",
	} {
		if v := CountryOf(raw); v.Text != want {
			t.Errorf("%q is %q, want %q", raw, v.Text, want)
		}
	}
	if v := CountryOf("", "Italy"); v.Text != "IT" {
		t.Errorf("a name beside a missing code is %q", v.Text)
	}
}

func TestIndustryTablesAreSound(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]map[string]string{"industries": industries, "technologies": technologies, "countries": countrySynonyms} {
		owner := map[string]string{}
		for meaning, spellings := range table {
			if name != "countries" && galena.Slug(meaning) != meaning {
				t.Errorf("%s: %q is no slug", name, meaning)
			}
			for s := range strings.SplitSeq(spellings, ";") {
				f := fold(s)
				if other, taken := owner[f]; taken && f != "" && other != meaning {
					t.Errorf("%s: %q means both %s and %s", name, s, other, meaning)
				}
				if _, is := table[galena.Slug(s)]; is && galena.Slug(s) != meaning {
					t.Errorf("%s: %q stands under %s and is a meaning itself", name, s, meaning)
				}
				owner[f] = meaning
			}
		}
	}
}

func TestIndustries(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"Internet Software & Services": "software", "computer software": "software", "Software Development": "software",
		"software": "software", "Financial Services": "financial-services", "fintech": "fintech", "Health Care": "healthcare",
		"Retail": "retail", "Construction": "construction", "Manufacturing": "manufacturing", "Education": "education",
		"Media": "media", "Logistics": "logistics", "IT Services and IT Consulting": "it-services", "e-commerce": "e-commerce",
		"E-Commerce": "e-commerce", "Computer & Network Security": "cybersecurity", "industrial-automation": "industrial-automation",
		"non-profit": "non-profit", "Hospital & Health Care": "healthcare", "developer-tools": "developer-tools", "energy": "energy",
		"agriculture": "agriculture", "government": "government", "telecommunications": "telecom", "Banking": "financial-services",
	} {
		if v, ok := Industry(raw); !ok || v.Text != want || v.Raw != raw {
			t.Errorf("%q is %q, want %q", raw, v.Text, want)
		}
	}
	if v, ok := Industry("", "Cow Leasing", "Software & Services"); !ok || v.Text != "software" {
		t.Errorf("the less telling label is not used: %v", v)
	}
	if _, ok := Industry("Cow Leasing"); ok {
		t.Error("an unknown label was mapped")
	}
}

func TestNamesDomainsAndTheRest(t *testing.T) {
	t.Parallel()
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	same("lower-cased name", Name("acme robotics gmbh & co. kg"), "Acme Robotics GmbH & Co. KG")
	same("cased name", Name("eBay Inc"), "eBay Inc")
	same("a form with dots", Name("société fictive s.a.s."), "Société Fictive S.A.S.")
	same("a public one", Name("exempel ab (publ)"), "Exempel AB (publ)")
	same("a danish one", Name("eksempel a/s"), "Eksempel A/S")
	same("name of one word", Name("öresund"), "Öresund")
	same("website", Domain("https://www.Acme.example:443/about?x"), "acme.example")
	same("without a scheme", Domain("//www.acme.example/"), "acme.example")
	same("idn", Domain("münchen.example"), "xn--mnchen-3ya.example")
	same("no domain", Domain("acme"), "")
	same("handle", LinkedIn("company/acme").Text, "https://linkedin.com/company/acme")
	same("scheme-less", LinkedIn("www.linkedin.com/company/acme").Text, "https://www.linkedin.com/company/acme")
	same("another site", LinkedIn("evil.example/company/acme").Text, "")
	same("type", CompanyType("Privately Held").Text, "private")
	same("unknown type", CompanyType("guild").Text, "")
	same("technologies", Technologies([]string{"google_apps", "Google Workspace", strings.Repeat("buy now ", 9), "AI", "HTTP/3", "google_cloud", "aws", "My Tool", "Gmail", "Mobile Friendly", "Remote", "Reviews"}).String(),
		"aws,google-cloud,google-workspace,my-tool")
	for raw, want := range map[string]int64{"2015": 2015, "August 1, 2011": 2011, "+2010-00-00T00:00:00Z": 2010, "0": 0, "2031": 0, "": 0, "12": 0, "20155": 0} {
		if v := Year(raw, clock()); v.Lo != want {
			t.Errorf("year of %q is %d, want %d", raw, v.Lo, want)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answered string
		aliases  []string
		want     bool
	}{
		{"acme.example", nil, true}, {"https://www.ACME.example/", nil, true}, {"shop.acme.example", nil, true},
		{"facet.example", []string{"acme.example"}, true}, {"facet.example", []string{"www.acme.example"}, true},
		{"piedpiper.com", nil, false}, {"", nil, false}, {"notacme.example", nil, false}, {"example", nil, false},
		{"acme.example.evil.example", nil, false},
	} {
		err := CheckSubject("x.enrich", "acme.example", c.answered, c.aliases)
		if (err == nil) != c.want || err != nil && galena.KindOf(err) != galena.WrongSubject {
			t.Errorf("%q %v: %v", c.answered, c.aliases, err)
		}
	}
	for _, bad := range []string{"", "acme", "acme.example/x", "acme.example:80", "a b.example", "acme..example", ".example", "ACME.example", "a.example?x", "a.example#"} {
		if askable(bad) {
			t.Errorf("%q would be asked for", bad)
		}
	}
}

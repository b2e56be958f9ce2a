package providers

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/galenahq/galena"
)

// Employees makes one headcount of a count and a band, either of which may be
// empty or, with some vendors, hold the other. Zero is how vendors write
// "unknown". A count that equals the lower end of the band was made from the
// band, and one outside it contradicts a number people report themselves: the
// band stands in both cases.
func Employees(count, band string) galena.Value {
	c, okCount := interval("company.employee_count", count)
	b, okBand := interval("company.employee_count", band)
	switch {
	case !okCount:
		return b
	case !okBand || !c.Exact():
		return c
	case c.Lo <= b.Lo || c.Lo > b.Hi:
		return b
	default:
		return c
	}
}

// Revenue makes one yearly revenue in dollars of a reported figure and a
// modelled band; the reported one wins. Another currency is not converted: the
// field stays unknown.
func Revenue(reported, band, currency string) galena.Value {
	if currency != "" && !strings.EqualFold(currency, "USD") {
		return galena.Value{}
	}
	if v, ok := interval("company.annual_revenue_usd", reported); ok {
		return v
	}
	v, _ := interval("company.annual_revenue_usd", band)
	return v
}

// interval reads a number or a band; false when it says nothing, as 0 does.
func interval(field, raw string) (galena.Value, bool) {
	if raw == "" {
		return galena.Value{}, false
	}
	f, _ := galena.LookupField(field)
	v, err := galena.ParseValue(f, raw)
	if err != nil || v.Type == "" || v.Hi == 0 {
		return galena.Value{}, false
	}
	return v, true
}

var yearPattern = regexp.MustCompile(`\b(1[0-9]{3}|20[0-9]{2})\b`)

// Year finds the year of a founding in a number or a date; the future and 0
// are no years.
func Year(raw string, now time.Time) galena.Value {
	n, err := strconv.Atoi(yearPattern.FindString(raw))
	if err != nil || n > now.Year() {
		return galena.Value{}
	}
	return galena.Number(int64(n))
}

// When reads the day or instant for which a vendor vouches, zero when it says
// none or one that has not come yet.
func When(raw string, now time.Time) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, raw); err == nil && !t.After(now) && t.Year() > 1990 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// companyTypes folds how vendors call the legal nature of a company.
var companyTypes = map[string]string{
	"private": "private", "privately-held": "private", "private-company": "private",
	"public": "public", "public-company": "public", "publicly-held": "public", "publicly-traded": "public",
	"nonprofit": "nonprofit", "non-profit": "nonprofit", "nonprofit-organization": "nonprofit",
	"government": "government", "government-agency": "government",
	"education": "education", "educational": "education", "educational-institution": "education",
	"partnership": "partnership", "self-employed": "self-employed", "self-owned": "self-employed",
	"sole-proprietorship": "self-employed",
}

// CompanyType maps a vendor's word to private, public, nonprofit, government,
// education, partnership or self-employed; empty when it is none of them.
func CompanyType(raw string) galena.Value {
	v := galena.EnumValue(companyTypes[galena.Slug(raw)])
	v.Raw = raw
	return v
}

// LinkedIn makes an https address of an address without scheme or of a handle
// such as "company/acme"; empty for another site.
func LinkedIn(raw string) galena.Value {
	s := strings.TrimPrefix(strings.TrimPrefix(raw, "https://"), "http://")
	if strings.HasPrefix(s, "company/") || strings.HasPrefix(s, "school/") {
		s = "linkedin.com/" + s
	}
	u, err := url.Parse("https://" + s)
	if err != nil || u.User != nil || !strings.HasSuffix("."+u.Host, ".linkedin.com") || len(u.Path) < 2 {
		return galena.TextValue("")
	}
	return galena.TextValue("https://" + u.Host + u.Path)
}

// legalForms are words of a name that have a spelling of their own.
var legalForms = map[string]string{
	"inc": "Inc", "inc.": "Inc.", "llc": "LLC", "ltd": "Ltd", "ltd.": "Ltd.", "gmbh": "GmbH", "ag": "AG",
	"se": "SE", "kg": "KG", "kgaa": "KGaA", "ug": "UG", "ohg": "OHG", "e.v.": "e.V.", "a/s": "A/S", "aps": "ApS", "asa": "ASA", "oyj": "Oyj",
	"s.a.s.": "S.A.S.", "s.r.l.": "S.r.l.", "s.l.": "S.L.", "n.v.": "N.V.", "l.l.c.": "L.L.C.", "(publ)": "(publ)", "s.r.o.": "s.r.o.", "o.o.": "o.o.", "co.": "Co.", "ab": "AB", "as": "AS", "oy": "Oy", "bv": "BV", "b.v.": "B.V.",
	"nv": "NV", "sa": "SA", "s.a.": "S.A.", "sas": "SAS", "sarl": "SARL", "srl": "SRL", "spa": "SpA",
	"s.p.a.": "S.p.A.", "plc": "PLC", "llp": "LLP", "lp": "LP", "corp": "Corp", "corp.": "Corp.",
	"and": "and", "of": "of", "for": "for", "the": "the", "de": "de", "und": "und", "et": "et", "y": "y",
}

// Name writes a name as people do. Some vendors lower-case everything; a name
// with any capital in it is left as it is.
func Name(raw string) string {
	if strings.ContainsFunc(raw, unicode.IsUpper) {
		return strings.TrimSpace(raw)
	}
	words := strings.Fields(raw)
	for i, w := range words {
		if form, ok := legalForms[w]; ok && i > 0 {
			words[i] = form
			continue
		}
		r := []rune(w)
		r[0] = unicode.ToUpper(r[0])
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// maxDescription bounds a vendor's prose.
const maxDescription = 1000

// Description cuts prose to a length that pages and CRMs can hold.
func Description(raw string) string {
	raw = strings.TrimSpace(raw)
	if len(raw) <= maxDescription && utf8.ValidString(raw) {
		return raw
	}
	r := []rune(raw)
	if len(r) > maxDescription {
		r = append(r[:maxDescription-1], '…')
	}
	return string(r)
}

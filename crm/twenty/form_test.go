package twenty

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

func TestValuesTakeTheFormOfTheirField(t *testing.T) {
	t.Parallel()
	c := play(t)
	for _, tc := range []struct {
		object crm.Object
		field  crm.Field
		value  galena.Value
		raw    string // JSON; or the kind of the failure
		norm   string
	}{
		{crm.Company, employees, galena.Number(250), `250`, "250"},
		{crm.Company, employees, galena.Interval(51, 200, "51-200"), "invalid", ""},
		{crm.Company, revenue, galena.Number(42_000_000), `{"amountMicros":42000000000000,"currencyCode":"USD"}`, "42000000000000 USD"},
		{crm.Company, revenue, galena.Number(1 << 60), "invalid", ""},
		{crm.Company, industry, galena.EnumValue("Computer Software"), `"computer-software"`, "computer-software"},
		{crm.Company, crm.Tier, galena.EnumValue("A"), `"TIER_A"`, "TIER_A"},
		{crm.Company, crm.Tier, galena.EnumValue("tier_b"), `"TIER_B"`, "TIER_B"},
		{crm.Company, crm.Tier, galena.EnumValue("Z"), "invalid", ""},
		{crm.Company, crm.Tier, galena.EnumValue(""), "invalid", ""},
		{crm.Company, crm.Score, galena.Value{Type: galena.TypeScore, Lo: 875, Hi: 875}, `87.5`, "87.5"},
		{crm.Company, crm.Score, galena.Value{Type: galena.TypeScore, Lo: 870, Hi: 870}, `87`, "87"},
		{crm.Company, "company.technologies", galena.SetValue([]string{"go", "aws", "cobol"}, false), `["AWS","GO"]`, "aws,go"},
		{crm.Company, "company.technologies", galena.SetValue([]string{"cobol"}, false), "invalid", ""},
		{crm.Company, "company.hq_city", galena.TextValue("São  Paulo"), `"São  Paulo"`, "são paulo"},
		{crm.Company, "company.hq_country", galena.CountryValue("uk"), `"United Kingdom"`, "GB"},
		{crm.Company, "company.hq_country", galena.CountryValue("XX"), "invalid", ""},
		{crm.Company, crm.Domain, galena.TextValue("WWW.Bücher.example"), `{"primaryLinkUrl":"https://xn--bcher-kva.example"}`, "xn--bcher-kva.example"},
		{crm.Company, "company.linkedin_url", galena.TextValue("linkedin.com/company/Acme/"), `{"primaryLinkUrl":"https://linkedin.com/company/Acme"}`, "linkedin.com/company/Acme"},
		{crm.Company, "company.linkedin_url", galena.TextValue("javascript://x"), "invalid", ""},
		{crm.Company, crm.EnrichedAt, galena.TextValue("2026-11-21T12:00:00+02:00"), `"2026-11-21T10:00:00Z"`, "2026-11-21T10:00:00Z"},
		{crm.Company, crm.EnrichedAt, galena.TextValue("yesterday"), "invalid", ""},
		{crm.Company, crm.Owner, galena.TextValue("20202020-1553-45c6-a028-5a9064cce07f"), `"20202020-1553-45c6-a028-5a9064cce07f"`, "20202020-1553-45c6-a028-5a9064cce07f"},
		{crm.Company, "company.description", galena.TextValue("x"), "not_found", ""},
		{crm.Company, "company.founded_year", galena.Number(1999), "not_found", ""},
		{crm.Person, crm.Email, galena.TextValue("Ada@Enriched.example"), `{"primaryEmail":"Ada@Enriched.example"}`, "ada@enriched.example"},
		{crm.Person, crm.FirstName, galena.TextValue("Ada"), `"Ada"`, "ada"},
		{crm.Person, crm.Employer, galena.TextValue(enriched), `"` + enriched + `"`, enriched},
	} {
		e, err := c.Encode(tc.object, tc.field, tc.value)
		b, jsonErr := json.Marshal(e.Raw)
		if err != nil {
			b = []byte(galena.KindOf(err))
		}
		if string(b) != tc.raw || e.Norm != tc.norm || jsonErr != nil {
			t.Errorf("%s of %v is %s, %q; want %s, %q", tc.field, tc.value, b, e.Norm, tc.raw, tc.norm)
		}
	}
}

func TestSpellingsOfOneValueAreTheSame(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		slot slot
		raws []string // JSON
		norm string
	}{
		{slot{kind: "TEXT"}, []string{`"Acme  Robotics "`, `"ACME robotics"`}, "acme robotics"},
		{slot{kind: "TEXT"}, []string{`""`, `null`, `"  "`}, ""},
		{slot{kind: "NUMBER"}, []string{`250`, `250.0`, `"250"`, `2.5e2`, `"0250"`}, "250"},
		{slot{kind: "NUMBER"}, []string{`null`, `""`, `"many"`, `1e999`}, ""},
		{slot{kind: "NUMBER"}, []string{`-3`, `-3.0`}, "-3"},
		{slot{kind: "BOOLEAN"}, []string{`false`}, "false"}, // not blank: nobody can tell "no" from "never asked"
		{slot{kind: "CURRENCY"}, []string{`{"amountMicros":7000000,"currencyCode":"USD"}`, `{"amountMicros":"7000000","currencyCode":"usd"}`, `{"amountMicros":7000000,"currencyCode":""}`}, "7000000 USD"},
		{slot{kind: "CURRENCY"}, []string{`{"amountMicros":10000000000000000000,"currencyCode":"EUR"}`}, "10000000000000000000 EUR"},
		{slot{kind: "CURRENCY"}, []string{`null`, `{"amountMicros":null,"currencyCode":"USD"}`, `{}`}, ""},
		{slot{kind: "LINKS", name: "domainName"}, []string{`{"primaryLinkUrl":"acme.example"}`, `{"primaryLinkUrl":"https://www.acme.example/about?x=1"}`, `{"primaryLinkUrl":"HTTP://Acme.example:8443/"}`}, "acme.example"},
		{slot{kind: "LINKS", name: "domainName"}, []string{`null`, `{"primaryLinkUrl":""}`, `{"primaryLinkUrl":null,"secondaryLinks":[]}`}, ""},
		{slot{kind: "LINKS", name: "linkedinLink"}, []string{`{"primaryLinkUrl":"https://www.linkedin.com/company/acme/"}`, `{"primaryLinkUrl":"linkedin.com/company/acme"}`}, "linkedin.com/company/acme"},
		{slot{kind: "LINKS", name: "linkedinLink"}, []string{`{"primaryLinkUrl":""}`, `null`}, ""},
		{slot{kind: "ADDRESS", part: "addressCountry"}, []string{`"France"`, `"FR"`, `"france "`, `"fra"`}, "FR"},
		{slot{kind: "ADDRESS", part: "addressCountry"}, []string{`"Atlantis"`}, "atlantis"},
		{slot{kind: "ADDRESS", part: "addressCountry"}, []string{`""`, `null`}, ""},
		{slot{kind: "PHONES"}, []string{`{"primaryPhoneNumber":"5125550100","primaryPhoneCallingCode":"+1"}`, `{"primaryPhoneNumber":"+1 512-555-0100"}`}, "+15125550100"},
		{slot{kind: "PHONES"}, []string{`{"primaryPhoneNumber":"","primaryPhoneCallingCode":"+1"}`, `null`}, ""},
		{slot{kind: "PHONES"}, []string{`{"primaryPhoneNumber":"via Reception ","primaryPhoneCallingCode":"+1"}`}, "via reception"},
		{slot{kind: "MULTI_SELECT"}, []string{`["GO","AWS"]`, `["aws","go","go"]`}, "aws,go"},
		{slot{kind: "MULTI_SELECT"}, []string{`[]`, `null`}, ""},
		{slot{kind: "DATE_TIME"}, []string{`"2026-11-21T12:00:00.000Z"`, `"2026-11-21T12:00:00Z"`}, "2026-11-21T12:00:00Z"},
		{slot{kind: "DATE"}, []string{`"2026-11-21"`, `"2026-11-21T00:00:00Z"`}, "2026-11-21"},
	} {
		for _, in := range tc.raws {
			raw, err := decode([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			v := valueOf(tc.slot, raw, crm.Evidence{})
			if v.Norm != tc.norm || v.Blank != (tc.norm == "") || v.Text != (tc.slot.kind == "TEXT") {
				t.Errorf("%s %s is %q, blank %t, text %t; want %q", tc.slot.kind, in, v.Norm, v.Blank, v.Text, tc.norm)
			}
		}
	}
}

func TestAPlaceholderIsComparedAsWhatTheyWrote(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		field  crm.Field
		column slot
		raw    any
	}{
		{"company.phone", slot{name: "phones", kind: "PHONES"}, map[string]any{"primaryPhoneNumber": "N/A"}},
		{"company.technologies", slot{name: "technologies", kind: "ARRAY"}, []any{"N/A"}},
		{"company.description", slot{name: "description", kind: "TEXT"}, " n/a"},
		{"company.linkedin_url", slot{name: "linkedinLink", kind: "LINKS"}, map[string]any{"primaryLinkUrl": "n/a"}},
	} {
		l := &layout{columns: map[crm.Object]map[string]slot{crm.Company: {tc.column.name: tc.column}}}
		s, _ := l.find(crm.Company, []string{tc.column.name})
		l.slots = map[crm.Object]map[crm.Field]slot{crm.Company: {tc.field: s}}
		rule := crm.Rule{Write: crm.OverridePlaceholders, Placeholders: []string{"n/a"}}
		c := &CRM{layout: l, read: now, deps: Deps{Now: func() time.Time { return now }},
			config: Config{Mapping: crm.Mapping{Fields: map[string]map[string]crm.Placed{"company": {string(tc.field): {Rule: rule}}}}}}
		v := valueOf(s, tc.raw, crm.Evidence{})
		if p := c.Policies(crm.Company)[tc.field]; v.Blank || p.Placeholders[0] != v.Norm {
			t.Errorf("%s of %v is %q, the placeholder %q", tc.field, tc.raw, v.Norm, p.Placeholders[0])
		}
	}
}

func TestAGuardSaysWhatWasSeen(t *testing.T) {
	t.Parallel()
	city := slot{name: "address", part: "addressCity", kind: "ADDRESS"}
	for _, tc := range []struct {
		slot slot
		raw  any
		want string // "" = the filter has no words for it
	}{
		{city, nil, `or(address.addressCity[is]:NULL,address.addressCity[eq]:"")`},
		{city, "", `or(address.addressCity[is]:NULL,address.addressCity[eq]:"")`},
		{city, "Austin, TX", `address.addressCity[eq]:"Austin, TX"`},
		{city, `the "city"`, ""},
		{city, "  ", ""},
		{slot{name: "employees", kind: "NUMBER"}, nil, `employees[is]:NULL`},
		{slot{name: "employees", kind: "NUMBER"}, float64(250), `employees[eq]:250`},
		{slot{name: "icpTier", kind: "SELECT"}, "TIER_A", `icpTier[eq]:"TIER_A"`},
		{slot{name: "accountOwnerId", kind: "RELATION"}, nil, `accountOwnerId[is]:NULL`},
		{slot{name: "annualRevenue", part: "amountMicros", kind: "CURRENCY"}, map[string]any{"amountMicros": nil, "currencyCode": ""}, `annualRevenue.amountMicros[is]:NULL`},
		{slot{name: "annualRevenue", part: "amountMicros", kind: "CURRENCY"}, map[string]any{"amountMicros": json.Number("7"), "currencyCode": "EUR"},
			`annualRevenue.amountMicros[eq]:7,annualRevenue.currencyCode[eq]:"EUR"`},
		{slot{name: "linkedinLink", part: "primaryLinkUrl", kind: "LINKS"}, map[string]any{"primaryLinkUrl": "https://x.example"}, `linkedinLink.primaryLinkUrl[eq]:"https://x.example"`},
	} {
		got, ok := forms[tc.slot.form()].guard(tc.slot, tc.raw)
		if !ok {
			got = ""
		}
		if got != tc.want {
			t.Errorf("%s of %v is %s, want %s", tc.slot.at(), tc.raw, got, tc.want)
		}
	}
}

func TestTheLayoutIsReadInEveryEnvelope(t *testing.T) {
	t.Parallel()
	const (
		company = `{"id":"c","nameSingular":"company"}`
		person  = `{"id":"p","nameSingular":"person"}`
		fields  = `{"objectMetadataId":"c","name":"annualRecurringRevenue","type":"CURRENCY"},{"objectMetadataId":"c","name":"headcount","type":"NUMBER"},` +
			`{"objectMetadataId":"p","name":"emails","type":"EMAILS"},{"objectMetadataId":"x","name":"icpScore","type":"NUMBER"}`
	)
	for name, answers := range map[string][2]string{
		"under data":       {`{"data":{"objects":[` + company + `,` + person + `]}}`, `{"data":{"fields":[` + fields + `]}}`},
		"data is the list": {`{"data":[` + company + `,` + person + `],"pageInfo":{"hasNextPage":false},"totalCount":2}`, `{"data":[` + fields + `],"pageInfo":{}}`},
		"the list alone":   {`[` + company + `,` + person + `]`, `[` + fields + `]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := answers[0]
				if strings.HasSuffix(r.URL.Path, "/fields") {
					answer = answers[1]
				}
				_, _ = io.WriteString(w, answer)
			}))
			l, err := c.metadata(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := l.slots[crm.Company][revenue].name; got != "annualRecurringRevenue" {
				t.Errorf("revenue stands in %q", got)
			}
			if got := l.slots[crm.Company][employees].name; got != "headcount" {
				t.Errorf("the head count stands in %q", got)
			}
			if _, ok := l.slots[crm.Company][crm.Score]; ok {
				t.Error("a field of another kind of record is ours")
			}
		})
	}
}

func TestTheOperatorSaysWhereAFieldStands(t *testing.T) {
	t.Parallel()
	c := play(t)
	c.config.Mapping.Fields = map[string]map[string]crm.Placed{"company": {string(employees): {Place: "gone"},
		"company.legal_name": {Place: "industry"}, string(industry): {Place: "nowhere"}}}
	for f, want := range map[crm.Field]galena.Kind{employees: galena.NotFound, industry: galena.NotFound, "company.legal_name": ""} {
		v := galena.TextValue("Acme")
		if f == employees {
			v = galena.Number(1)
		}
		if _, err := c.Encode(crm.Company, f, v); galena.KindOf(err) != want {
			t.Errorf("%s is %v, want %q", f, err, want)
		}
	}
}

func TestAnOldLayoutIsBetterThanNone(t *testing.T) {
	t.Parallel()
	down, reads, at := false, 0, now
	objects := slurp(t, "objects.json")
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads++
		if down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, objects)
	}))
	c.deps.Now = func() time.Time { return at }
	for _, step := range []struct {
		after time.Duration
		down  bool
		reads int
	}{{0, false, 1}, {memory - 1, true, 1}, {1, true, 2}, {0, false, 3}, {time.Second, false, 3}} {
		at, down = at.Add(step.after), step.down
		if _, err := c.metadata(t.Context()); err != nil || reads != step.reads {
			t.Errorf("after %v: %d reads, %v", step.after, reads, err)
		}
	}
}

func TestWhatIsClearedOfAFieldWithPartsAreTheParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slot slot
		want string
	}{
		{slot{kind: "CURRENCY", name: "arr", part: "amountMicros"}, `{"arr":{"amountMicros":null,"currencyCode":null}}`},
		{slot{kind: "LINKS", name: "linkedinLink", part: "primaryLinkUrl"}, `{"linkedinLink":{"primaryLinkUrl":null}}`},
		{slot{kind: "PHONES", name: "phones", part: "primaryPhoneNumber"}, `{"phones":{"primaryPhoneNumber":null}}`},
		{slot{kind: "ADDRESS", name: "address", part: "addressCity"}, `{"address":{"addressCity":null}}`},
		{slot{kind: "NUMBER", name: "employees"}, `{"employees":null}`},
	} {
		body := map[string]any{}
		composite(body, c.slot, nil)
		if got, err := json.Marshal(body); err != nil || string(got) != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

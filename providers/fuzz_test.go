package providers

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/galenahq/galena"
)

// FuzzValues: whatever a vendor writes in a field, reading it does not panic, and
// what comes out is a value of the field that reads back as itself.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"", "420", "51-200", "1,001-5,000", "10K-50K", "$10M-$25M", "10000+", "1.5B", "-5", "0", "NaN", "9e99",
		"9223372036854775807", "2019", "2019-02-30", "1715000000", "Privately Held", "public_company", "linkedin.com/company/acme",
		"https://br.linkedin.com/company/acme/?x=1", "Brasil", "UK", "U.S.A.", "Fintech / Banking", "Google Analytics", "\x00", "\xff", "\u202e", "–", "51–200 employees"} {
		f.Add(s, "USD")
	}
	f.Add("1000", "EUR")
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s, other string) {
		if lo, hi, err := galena.ParseInterval(s); err == nil && hi != galena.OpenEnd && lo > hi {
			t.Errorf("%q is read as %d to %d", s, lo, hi)
		}
		for _, field := range galena.Fields() {
			if field.Type == galena.TypeScore {
				continue // made here, never supplied
			}
			for _, raw := range []any{s, []any{s, other}, map[string]any{s: other}} {
				v, err := galena.ParseValue(field, raw)
				if err == nil && !v.Empty() {
					sound(t, field, v)
				}
			}
		}
		industry, _ := Industry(s, other)
		for name, v := range map[string]galena.Value{
			"company.employee_count": Employees(s, other), "company.annual_revenue_usd": Revenue(s, other, "USD"),
			"company.founded_year": Year(s, now), "company.type": CompanyType(s), "company.linkedin_url": LinkedIn(s),
			"company.hq_country": CountryOf(s, other), "company.technologies": Technologies([]string{s, other}), "company.industry": industry,
		} {
			field, _ := galena.LookupField(name)
			if !v.Empty() {
				sound(t, field, v)
			}
		}
		if when := When(s, now); when.After(now) {
			t.Errorf("%q was observed in the future: %v", s, when)
		}
		_, _ = Name(s), Description(s)
	})
}

// FuzzFold: what has no letter beyond ASCII is folded as everything else is.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"", " ", "&", "R&D", "a.b", "Google  Analytics", "g-suite", "O'Reilly & Co.", "already folded 4", "&&.&", "-x-", "\x00", "caf\u00e9 \u212a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ascii := foldASCII(s)
		if want := foldAny(s); ascii && got != want {
			t.Errorf("%q is folded to %q, want %q", s, got, want)
		}
		if ascii == strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%q: ASCII %v", s, ascii)
		}
	})
}

// sound holds a value to its field.
func sound(t *testing.T, field galena.Field, v galena.Value) {
	t.Helper()
	if v.Type != field.Type {
		t.Errorf("%s holds %+v", field.Name, v)
	}
	if field.Type == galena.TypeNumber && (v.Hi != galena.OpenEnd && v.Lo > v.Hi) {
		t.Errorf("%s is upside down: %+v", field.Name, v)
	}
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatalf("%s: %+v cannot be written: %v", field.Name, v, err)
	}
	var back galena.Value
	if err := back.UnmarshalJSON(b); err != nil || !back.Equal(v) {
		t.Errorf("%s: %+v comes back as %+v, %v", field.Name, v, back, err)
	}
}

// FuzzXML: whatever a vendor sends as XML, reading it does not panic, nests no
// deeper than it may, and ends in an object or in an error that quotes nothing.
func FuzzXML(f *testing.F) {
	for _, s := range []string{"", "<a/>", `<a b="1">x<c/><c>y</c></a>`, "<a>&lt;&#65;</a>", "<!DOCTYPE a><a/>", "<a><![CDATA[x]]></a>",
		`<?xml version="1.0" encoding="latin1"?><a>` + "\xe9</a>", `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1">x</a>`,
		"<a><b></a></b>", strings.Repeat("<a>", 40)} {
		f.Add([]byte(s), "text/xml", "a.b[0].@c")
	}
	f.Add([]byte("<a>\xe9</a>"), "text/xml; charset=iso-8859-1", `"a.b".c`)
	f.Fuzz(func(t *testing.T, b []byte, contentType, path string) {
		o, err := decodeXML(b, contentType)
		if err == nil && (len(o) != 1 || nesting(o) > 2*maxNesting) {
			t.Errorf("%q became %v", b, o)
		}
		if p, err := ParsePath(path); err == nil {
			_, _ = o.FindTexts(p)
			_ = o.Says(p)
		}
	})
}

// nesting counts objects and lists.
func nesting(v any) int {
	deepest := 0
	switch x := v.(type) {
	case Object:
		for _, it := range x {
			deepest = max(deepest, nesting(it))
		}
	case []any:
		for _, it := range x {
			deepest = max(deepest, nesting(it))
		}
	default:
		return 0
	}
	return 1 + deepest
}

package custom

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// reading is a field and where it stands.
type reading struct {
	field                  galena.Field
	refs                   [2]string // of at and or, as a value's origin
	at, or, band, currency providers.Path
	words                  map[string]string
}

func (p *paths) readings(values map[string]providers.Reading) []reading {
	out := make([]reading, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, known := galena.LookupField(name)
		if !known && p.err == nil {
			p.err = galena.Errorf(galena.Invalid, "providers.new", "unknown field %q", name)
		}
		v := values[name]
		out = append(out, reading{f, [2]string{v.At, v.Or}, p.path(v.At), p.path(v.Or), p.path(v.Band), p.path(v.Currency), v.Words})
	}
	return out
}

// said is what an answer says of one field.
type said struct {
	at, or         string
	list           []string // all that at leads to
	listed         bool     // at leads to a list, which may be empty
	band, currency string
}

// first is what stands at the first place, or at the other where that is empty.
func (s said) first() string {
	if s.at != "" {
		return s.at
	}
	return s.or
}

// values make fields comparable whose vendors write them in many ways. The
// others are read as their type.
var values = map[string]func(s said, now time.Time) galena.Value{
	"company.name":        func(s said, _ time.Time) galena.Value { return galena.TextValue(providers.Name(s.first())) },
	"company.description": func(s said, _ time.Time) galena.Value { return galena.TextValue(providers.Description(s.first())) },
	"company.type":        func(s said, _ time.Time) galena.Value { return providers.CompanyType(s.first()) },
	"company.employee_count": func(s said, _ time.Time) galena.Value {
		return providers.Employees(s.first(), s.band)
	},
	"company.annual_revenue_usd": func(s said, _ time.Time) galena.Value {
		return providers.Revenue(s.first(), s.band, s.currency)
	},
	"company.funding_total_usd": func(s said, _ time.Time) galena.Value { return providers.Revenue(s.first(), "", s.currency) },
	"company.founded_year":      func(s said, now time.Time) galena.Value { return providers.Year(s.first(), now) },
	"company.hq_country":        func(s said, _ time.Time) galena.Value { return providers.CountryOf(s.at, s.or) },
	"company.hq_city":           func(s said, _ time.Time) galena.Value { return galena.TextValue(providers.Name(s.first())) },
	"company.technologies":      func(s said, _ time.Time) galena.Value { return s.set(providers.Technologies) },
	"company.tags": func(s said, _ time.Time) galena.Value {
		return s.set(func(items []string) galena.Value { return galena.SetValue(items, false) })
	},
	"company.linkedin_url":  func(s said, _ time.Time) galena.Value { return providers.LinkedIn(s.first()) },
	"company.parent_domain": func(s said, _ time.Time) galena.Value { return galena.TextValue(providers.Domain(s.first())) },
}

// set makes a set of all that was listed; one text may list several.
func (s said) set(of func([]string) galena.Value) galena.Value {
	if len(s.list) == 1 && !s.listed {
		s.list = strings.FieldsFunc(s.list[0], func(r rune) bool { return r == ',' || r == ';' || r == '|' })
	}
	if len(s.list) == 0 && !s.listed {
		return galena.Value{}
	}
	return of(s.list)
}

// read takes the field from an answer. What cannot be read stays unknown.
func (v reading) read(r *providers.Record, o providers.Object, now time.Time) {
	s := said{or: v.ours(o.FindText(v.or)), band: o.FindText(v.band), currency: o.FindText(v.currency)}
	s.list, s.listed = o.FindTexts(v.at)
	ref := v.refs[0]
	if len(s.list) == 0 && !s.listed && v.or != nil {
		s.list, s.listed = o.FindTexts(v.or)
		ref = v.refs[1]
	} else if len(s.list) > 0 {
		s.at = v.ours(s.list[0])
	}
	for i := range s.list {
		s.list[i] = v.ours(s.list[i])
	}
	if v.field.Name == "company.industry" {
		r.AddIndustry(ref, s.at, s.or)
		return
	}
	if of := values[v.field.Name]; of != nil {
		r.Add(v.field.Name, of(s, now), ref)
		return
	}
	if text := s.first(); text != "" {
		if value, err := galena.ParseValue(v.field, text); err == nil {
			r.Add(v.field.Name, value, ref)
		}
	}
}

// ours is our word for a vendor's, where the description has one.
func (v reading) ours(word string) string {
	for theirs, ours := range v.words {
		if strings.EqualFold(theirs, word) {
			return ours
		}
	}
	return word
}

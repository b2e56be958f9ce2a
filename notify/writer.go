package notify

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// writer writes the bodies.
type writer struct{ galena.JSONWriter }

// company appends what is known of the company as plain facts: short names in
// their order, values as JSON has them, nothing for what is unknown. The facts of
// the decision win, for they are what was decided on.
func (w *writer) company(c galena.Company, decided galena.Facts) {
	names := make([]string, 0, len(decided)+1) // the company's are mostly among them
	for name, f := range decided {
		if told(f) && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	for name, f := range c.Facts {
		if told(f) && !told(decided[name]) && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	if c.Domain != "" {
		names = append(names, prefix+"domain")
	}
	slices.Sort(names)
	w.Raw(`,"company":{`)
	for i, name := range slices.Compact(names) {
		if i > 0 {
			w.Raw(",")
		}
		w.Text("", name[len(prefix):])
		w.Raw(":")
		f := decided[name]
		switch {
		case name == prefix+"domain" && c.Domain != "":
			w.Text("", c.Domain)
		case told(f):
			w.fact(f.Value)
		default:
			w.fact(c.Facts[name].Value)
		}
	}
	w.Raw("}")
}

const prefix = "company."

// told says that a fact is something to tell.
func told(f *galena.Fact) bool {
	return f != nil && (f.State == galena.Known || f.State == galena.Partial)
}

// fact appends a value as Value.Plain has it.
func (w *writer) fact(v galena.Value) {
	switch {
	case v.Type == galena.TypeNumber && v.Exact():
		w.Int("", v.Lo)
	case v.Type == galena.TypeSet:
		w.Texts("", v.Set)
	case v.Type == galena.TypeBool:
		w.Bool("", v.Bool)
	default:
		w.Text("", v.String())
	}
}

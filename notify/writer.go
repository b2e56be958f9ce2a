package notify

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// writer appends JSON. What it writes is byte for byte what encoding/json writes.
type writer struct {
	b   []byte
	err error
}

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

// text appends a name and a text.
func (w *writer) text(name, s string) {
	w.raw(name)
	w.quote(s)
}

// quote appends a text.
func (w *writer) quote(s string) { w.b = galena.AppendText(w.b, s) }

func (w *writer) tenths(name string, t galena.Tenths) {
	w.raw(name)
	w.b = strconv.AppendFloat(w.b, float64(t)/10, 'f', -1, 64)
}

// value appends a name and whatever is rare.
func (w *writer) value(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.err = err
	}
	w.raw(name)
	w.b = append(w.b, b...)
}

// texts appends a name and a list, which is never null.
func (w *writer) texts(name string, list []string) {
	w.raw(name)
	w.raw("[")
	for i, s := range list {
		if i > 0 {
			w.raw(",")
		}
		w.quote(s)
	}
	w.raw("]")
}

// company appends what is known of the company as plain facts: short names in
// their order, values as JSON has them, nothing for what is unknown. The facts of
// the decision win, for they are what was decided on.
func (w *writer) company(c galena.Company, decided galena.Facts) {
	names := make([]string, 0, len(c.Facts)+len(decided)+1)
	for _, facts := range []galena.Facts{c.Facts, decided} {
		for name, f := range facts {
			if told(f) && strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
	}
	if c.Domain != "" {
		names = append(names, prefix+"domain")
	}
	slices.Sort(names)
	w.raw(`,"company":{`)
	for i, name := range slices.Compact(names) {
		if i > 0 {
			w.raw(",")
		}
		w.quote(name[len(prefix):])
		w.raw(":")
		f := decided[name]
		switch {
		case name == prefix+"domain" && c.Domain != "":
			w.quote(c.Domain)
		case told(f):
			w.fact(f.Value)
		default:
			w.fact(c.Facts[name].Value)
		}
	}
	w.raw("}")
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
		w.b = strconv.AppendInt(w.b, v.Lo, 10)
	case v.Type == galena.TypeSet && v.Set == nil:
		w.raw("null")
	case v.Type == galena.TypeSet:
		w.texts("", v.Set)
	case v.Type == galena.TypeBool:
		w.b = strconv.AppendBool(w.b, v.Bool)
	default:
		w.quote(v.String())
	}
}

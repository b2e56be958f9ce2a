package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// test is a compiled condition that can name the parts it is unsure of.
type test struct {
	when galena.Predicate
	kids []test
}

func compile(path string, c *Condition) (test, []*galena.Fault) {
	if c == nil {
		return test{}, nil
	}
	p, faults := c.Compile(path, nil)
	if len(faults) > 0 {
		return test{}, faults
	}
	t := test{when: p}
	parts := slices.Concat(c.All, c.Any)
	if c.Not != nil {
		parts = append(parts, *c.Not)
	}
	for _, part := range parts {
		kid, _ := compile(path, &part) // a part of what compiled compiles
		t.kids = append(t.kids, kid)
	}
	return t, nil
}

func (t test) eval(l galena.Lookup, now time.Time) galena.Truth { return t.when.Eval(l, now) }

// unknown lists the fields that keep the test from an answer.
func (t test) unknown(l galena.Lookup, now time.Time) []string {
	if t.eval(l, now) != galena.UnknownTruth {
		return nil
	}
	if len(t.kids) == 0 {
		return t.when.Fields()
	}
	var out []string
	for _, k := range t.kids {
		out = append(out, k.unknown(l, now)...)
	}
	return out
}

// values prints what the test saw: the several values of a field that differs
// between worlds are joined by "|".
func (t test) values(worlds []*world) map[string]string {
	out := map[string]string{}
	for _, name := range t.when.Fields() {
		var seen []string
		for _, w := range worlds {
			if s := printed(w.lookup(name)); !slices.Contains(seen, s) {
				seen = append(seen, s)
			}
		}
		out[name] = strings.Join(seen, "|")
	}
	return out
}

func printed(f galena.Fact) string {
	switch {
	case f.State == galena.Unknown || f.State == galena.Absent:
		return string(f.State)
	case f.Value.Type == galena.TypeScore && !f.Value.Exact():
		return fmt.Sprintf("%s-%s", galena.Tenths(f.Value.Lo), galena.Tenths(f.Value.Hi))
	default:
		return f.Value.String()
	}
}

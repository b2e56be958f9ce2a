package routing

import (
	"slices"
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

// values prints what the test saw.
func (t test) values(known galena.Lookup) map[string]string {
	fields := t.when.Fields()
	out := make(map[string]string, len(fields))
	for _, name := range fields {
		out[name] = printed(known(name))
	}
	return out
}

func printed(f galena.Fact) string {
	switch {
	case f.State == galena.Unknown || f.State == galena.Absent:
		return string(f.State)
	case f.Value.Type == galena.TypeScore && !f.Value.Exact():
		return galena.Tenths(f.Value.Lo).String() + "-" + galena.Tenths(f.Value.Hi).String()
	default:
		return f.Value.String()
	}
}

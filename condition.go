package galena

import (
	"fmt"
	"slices"
	"sort"
)

// Condition is a predicate as an operator writes it (SEMANTICS 1.2): one field
// with one operator, or all, any, not over others. Profiles, routing rules and
// provider catalogues share it.
type Condition struct {
	Field     string `yaml:"field,omitempty" json:"field,omitempty"`
	Operators `yaml:",inline"`
	All       []Condition `yaml:"all,omitempty" json:"all,omitempty"`
	Any       []Condition `yaml:"any,omitempty" json:"any,omitempty"`
	Not       *Condition  `yaml:"not,omitempty" json:"not,omitempty"`
}

// Operators are the tests on one field; exactly one is set. A band of the
// profile is the operators without the field.
type Operators struct {
	Eq           any      `yaml:"eq,omitempty" json:"eq,omitempty"`
	Ne           any      `yaml:"ne,omitempty" json:"ne,omitempty"`
	In           []any    `yaml:"in,omitempty,flow" json:"in,omitempty"`
	NotIn        []any    `yaml:"not_in,omitempty,flow" json:"not_in,omitempty"`
	InGroup      string   `yaml:"in_group,omitempty" json:"in_group,omitempty"`
	Range        []any    `yaml:"range,omitempty,flow" json:"range,omitempty"` // [lo, hi], null = open end
	Lt           any      `yaml:"lt,omitempty" json:"lt,omitempty"`
	Lte          any      `yaml:"lte,omitempty" json:"lte,omitempty"`
	Gt           any      `yaml:"gt,omitempty" json:"gt,omitempty"`
	Gte          any      `yaml:"gte,omitempty" json:"gte,omitempty"`
	Regex        string   `yaml:"regex,omitempty" json:"regex,omitempty"`
	IncludesAny  []string `yaml:"includes_any,omitempty,flow" json:"includes_any,omitempty"`
	IncludesAll  []string `yaml:"includes_all,omitempty,flow" json:"includes_all,omitempty"`
	IncludesNone []string `yaml:"includes_none,omitempty,flow" json:"includes_none,omitempty"`
	Exists       *bool    `yaml:"exists,omitempty" json:"exists,omitempty"`
	Absent       *bool    `yaml:"absent,omitempty" json:"absent,omitempty"`
	Unknown      *bool    `yaml:"unknown,omitempty" json:"unknown,omitempty"`
}

// Groups are named sets by kind and name: Groups["countries"]["dach"].
type Groups map[string]map[string][]string

// Lookup answers what is known of a field.
type Lookup func(field string) Fact

// Predicate is a compiled condition.
type Predicate struct {
	node   node
	fields []string
}

// node is one compiled operator or connective.
type node interface {
	eval(Lookup, Clock) Truth
}

// leaf is a node on one field: it can be asked about a fact at hand as well.
type leaf interface {
	node
	on(Fact, Clock) Truth
}

// maxDepth bounds nested all/any/not.
const maxDepth = 5

// CompileOption widens what a condition may use.
type CompileOption func(*compiler)

// AllowUnknown permits the operator `unknown`, which only a provider's only_if may use.
func AllowUnknown() CompileOption { return func(c *compiler) { c.allowUnknown = true } }

// RefuseFields forbids fields that make no sense where the condition stands.
func RefuseFields(names ...string) CompileOption {
	return func(c *compiler) { c.refused = append(c.refused, names...) }
}

// Compile checks a condition and makes it ready to run. Every fault is
// returned, each with a path below the given one.
func (c Condition) Compile(path string, groups Groups, opts ...CompileOption) (Predicate, []*Fault) {
	k := &compiler{groups: groups}
	for _, o := range opts {
		o(k)
	}
	n := k.condition(path, c, 1)
	if len(k.faults) > 0 {
		return Predicate{}, k.faults
	}
	sort.Strings(k.fields)
	return Predicate{node: n, fields: slices.Compact(k.fields)}, nil
}

// Compile makes the operators of a band ready to run on one field.
func (o Operators) Compile(path, field string, groups Groups) (Predicate, []*Fault) {
	return Condition{Field: field, Operators: o}.Compile(path, groups)
}

// Eval answers the predicate in three values. The zero Predicate is true.
func (p Predicate) Eval(known Lookup, now Clock) Truth {
	if p.node == nil {
		return True
	}
	return p.node.eval(known, now)
}

// On answers a predicate on one field for the given fact of it, with nothing to
// look up: a band is asked about one value, or about the pieces of one. A
// predicate that is no test of a single field is unknown.
func (p Predicate) On(f Fact, now Clock) Truth {
	if t, ok := p.node.(leaf); ok {
		return t.on(f, now)
	}
	return UnknownTruth
}

// Fields lists the fields that the predicate reads, sorted.
func (p Predicate) Fields() []string { return p.fields }

// Spans returns the integers for which a numeric band holds, as sorted disjoint
// intervals, and whether the predicate is one on numbers.
func (p Predicate) Spans(now Clock) ([]Span, bool) {
	if n, ok := p.node.(numberTest); ok {
		return n.spans(now), true
	}
	return nil, false
}

// Elements returns the set elements that the predicate mentions, for bands on sets.
func (p Predicate) Elements() []string {
	if n, ok := p.node.(setTest); ok {
		return n.items
	}
	return nil
}

type compiler struct {
	groups       Groups
	allowUnknown bool
	refused      []string
	fields       []string
	faults       []*Fault
}

func (k *compiler) fail(path, code, format string, args ...any) node {
	k.faults = append(k.faults, Faultf(path, code, format, args...))
	return nil
}

func (k *compiler) condition(path string, c Condition, depth int) node {
	if depth > maxDepth {
		return k.fail(path, "E02", "conditions are nested more than %d deep", maxDepth)
	}
	ops := c.Operators.set()
	connectives := 0
	for _, has := range []bool{len(c.All) > 0, len(c.Any) > 0, c.Not != nil} {
		if has {
			connectives++
		}
	}
	switch {
	case connectives == 1 && c.Field == "" && len(ops) == 0:
		return k.connective(path, c, depth)
	case connectives == 0 && c.Field != "" && len(ops) == 1:
		return k.leaf(path, c.Field, ops[0], c.Operators)
	case connectives > 0:
		return k.fail(path, "E02", "a condition is either one of all, any, not or one field with one operator")
	case c.Field == "":
		return k.fail(path, "E02", "a condition needs a field")
	case len(ops) == 0:
		return k.fail(path, "E02", "field %s has no operator", c.Field)
	default:
		return k.fail(path, "E02", "field %s has %d operators, must have one", c.Field, len(ops))
	}
}

func (k *compiler) connective(path string, c Condition, depth int) node {
	if c.Not != nil {
		return notNode{k.condition(path+".not", *c.Not, depth+1)}
	}
	list, name := c.All, "all"
	if len(c.Any) > 0 {
		list, name = c.Any, "any"
	}
	g := groupNode{any: name == "any"}
	for i, sub := range list {
		g.nodes = append(g.nodes, k.condition(fmt.Sprintf("%s.%s[%d]", path, name, i), sub, depth+1))
	}
	return g
}

type notNode struct{ of node }

func (n notNode) eval(l Lookup, now Clock) Truth { return n.of.eval(l, now).Not() }

type groupNode struct {
	any   bool
	nodes []node
}

func (g groupNode) eval(l Lookup, now Clock) Truth {
	out := TruthOf(!g.any)
	for _, n := range g.nodes {
		if g.any {
			out = out.Or(n.eval(l, now))
		} else {
			out = out.And(n.eval(l, now))
		}
	}
	return out
}

// set lists the names of the operators that are present.
func (o Operators) set() []string {
	var names []string
	for _, x := range []struct {
		name string
		has  bool
	}{
		{"eq", o.Eq != nil}, {"ne", o.Ne != nil}, {"in", o.In != nil}, {"not_in", o.NotIn != nil},
		{"in_group", o.InGroup != ""}, {"range", o.Range != nil}, {"lt", o.Lt != nil},
		{"lte", o.Lte != nil}, {"gt", o.Gt != nil}, {"gte", o.Gte != nil}, {"regex", o.Regex != ""},
		{"includes_any", o.IncludesAny != nil}, {"includes_all", o.IncludesAll != nil},
		{"includes_none", o.IncludesNone != nil}, {"exists", o.Exists != nil},
		{"absent", o.Absent != nil}, {"unknown", o.Unknown != nil},
	} {
		if x.has {
			names = append(names, x.name)
		}
	}
	return names
}

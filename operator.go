package galena

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Clock is the instant a decision is made for; pure code never reads another.
type Clock = time.Time

// Span is a closed interval of integers.
type Span struct{ Lo, Hi int64 }

// allowed says which operators a type of field takes; `exists`, `absent` and
// `unknown` look at the state and suit all.
var allowed = map[FieldType][]string{
	TypeNumber:  {"eq", "ne", "in", "not_in", "range", "lt", "lte", "gt", "gte"},
	TypeScore:   {"eq", "ne", "range", "lt", "lte", "gt", "gte"},
	TypeDate:    {"eq", "ne", "range", "lt", "lte", "gt", "gte"},
	TypeText:    {"eq", "ne", "in", "not_in", "in_group", "regex"},
	TypeEnum:    {"eq", "ne", "in", "not_in", "in_group", "regex"},
	TypeCountry: {"eq", "ne", "in", "not_in", "in_group"},
	TypeSet:     {"in_group", "includes_any", "includes_all", "includes_none"},
	TypeBool:    {"eq", "ne"},
}

// leaf compiles one field with one operator.
func (k *compiler) leaf(path, name, op string, o Operators) node {
	f, ok := LookupField(name)
	if !ok {
		fault := Faultf(path+".field", "E04", "unknown field %q", name)
		fault.Hint = Nearest(name, FieldNames())
		k.faults = append(k.faults, fault)
		return nil
	}
	if slices.Contains(k.refused, name) {
		return k.fail(path+".field", "E05", "%s cannot be used here", name)
	}
	k.fields = append(k.fields, name)
	switch op {
	case "exists", "absent", "unknown":
		return k.stateLeaf(path, name, op, o)
	}
	if !slices.Contains(allowed[f.Type], op) {
		return k.fail(path+"."+op, "E05", "operator %s does not suit %s, which is %s", op, name, f.Type)
	}
	switch f.Type {
	case TypeNumber, TypeScore, TypeDate:
		return k.numberLeaf(path+"."+op, f, op, o)
	case TypeSet:
		return k.setLeaf(path+"."+op, f, op, o)
	case TypeBool:
		return k.boolLeaf(path+"."+op, f, op, o)
	default:
		return k.textLeaf(path+"."+op, f, op, o)
	}
}

// stateTest looks at how much is known instead of at what.
type stateTest struct {
	field, op string
	want      bool
}

func (k *compiler) stateLeaf(path, name, op string, o Operators) node {
	if op == "unknown" && !k.allowUnknown {
		return k.fail(path+".unknown", "E05", "operator unknown is for a provider's only_if")
	}
	want := map[string]*bool{"exists": o.Exists, "absent": o.Absent, "unknown": o.Unknown}[op]
	return stateTest{name, op, *want}
}

func (t stateTest) eval(l Lookup, now Clock) Truth { return t.on(l(t.field), now) }

func (t stateTest) on(f Fact, _ Clock) Truth {
	state := f.State
	var got Truth
	switch {
	case t.op == "unknown":
		got = TruthOf(state == Unknown)
	case state == Unknown:
		got = UnknownTruth
	case t.op == "exists":
		got = TruthOf(state != Absent)
	default:
		got = TruthOf(state == Absent)
	}
	if !t.want {
		return got.Not()
	}
	return got
}

// absentTruth answers an operator for a field that is verified to have no
// value: nothing equals, contains or exceeds it.
func absentTruth(op string) Truth {
	return TruthOf(op == "ne" || op == "not_in" || op == "includes_none")
}

// numberTest holds for a set of integers. Bounds relative to now are resolved
// late; all others once, when the condition is compiled, because a profile asks
// for its bands at every look at every lead.
type numberTest struct {
	field, op string
	bounds    []bound // pairs lo, hi
	negate    bool
	settled   []Span // what the bounds come to when none depends on now
}

// bound is an integer, or a number of months before or after now.
type bound struct {
	n        int64
	months   int
	relative bool
}

func (b bound) at(now Clock) int64 {
	if !b.relative {
		return b.n
	}
	return now.AddDate(0, b.months, 0).UTC().Unix() / 86400
}

func (k *compiler) numberLeaf(path string, f Field, op string, o Operators) node {
	t := numberTest{field: f.Name, op: op, negate: op == "ne" || op == "not_in"}
	low, high := bound{n: math.MinInt64}, bound{n: OpenEnd}
	operand := func(raw any) bound {
		b, err := parseBound(f.Type, raw)
		if err != nil {
			k.fail(path, "E02", "%v", err)
		}
		return b
	}
	switch op {
	case "eq", "ne":
		b := operand(map[string]any{"eq": o.Eq, "ne": o.Ne}[op])
		t.bounds = []bound{b, b}
	case "in", "not_in":
		for _, raw := range slices.Concat(o.In, o.NotIn) {
			b := operand(raw)
			t.bounds = append(t.bounds, b, b)
		}
	case "range":
		return k.rangeLeaf(path, t, f, o.Range, operand)
	case "lt", "lte":
		b := operand(firstSet(o.Lt, o.Lte))
		if op == "lt" {
			b = b.shift(-1)
		}
		t.bounds = []bound{low, b}
	default:
		b := operand(firstSet(o.Gt, o.Gte))
		if op == "gt" {
			b = b.shift(1)
		}
		t.bounds = []bound{b, high}
	}
	return t.settle()
}

func (k *compiler) rangeLeaf(path string, t numberTest, f Field, raw []any, operand func(any) bound) node {
	if len(raw) != 2 {
		return k.fail(path, "E02", "range must be [low, high] with null for an open end, has %d values", len(raw))
	}
	lo, hi := bound{n: math.MinInt64}, bound{n: OpenEnd}
	if raw[0] != nil {
		lo = operand(raw[0])
	}
	if raw[1] != nil {
		hi = operand(raw[1])
	}
	if !lo.relative && !hi.relative && lo.n > hi.n {
		return k.fail(path, "E06", "range of %s is upside down: %v is above %v", f.Name, raw[0], raw[1])
	}
	t.bounds = []bound{lo, hi}
	return t.settle()
}

func (b bound) shift(by int64) bound {
	b.n += by
	return b
}

func firstSet(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

func parseBound(t FieldType, raw any) (bound, error) {
	s, ok := scalar(raw)
	if !ok {
		return bound{}, fmt.Errorf("must be a number, is %T", raw)
	}
	if t == TypeDate {
		if n, found := strings.CutSuffix(s, "mo"); found {
			m, err := strconv.Atoi(n)
			return bound{months: m, relative: true}, err
		}
		d, err := parseDay(s)
		return bound{n: d.UTC().Unix() / 86400}, err
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.Abs(x) > 1e17 {
		return bound{}, fmt.Errorf("must be a number, is %q", s)
	}
	if t == TypeScore {
		return bound{n: int64(math.Round(x * 10))}, nil
	}
	if x != math.Trunc(x) {
		return bound{}, fmt.Errorf("must be a whole number, is %s", s)
	}
	return bound{n: int64(x)}, nil
}

// settle resolves bounds that do not depend on the clock.
func (t numberTest) settle() numberTest {
	if !slices.ContainsFunc(t.bounds, func(b bound) bool { return b.relative }) {
		t.settled = t.resolve(time.Time{})
	}
	return t
}

func (t numberTest) spans(now Clock) []Span {
	if t.settled != nil {
		return t.settled
	}
	return t.resolve(now)
}

func (t numberTest) resolve(now Clock) []Span {
	var out []Span
	for i := 0; i+1 < len(t.bounds); i += 2 {
		out = append(out, Span{t.bounds[i].at(now), t.bounds[i+1].at(now)})
	}
	out = normaliseSpans(out)
	if t.negate {
		out = complement(out)
	}
	return out
}

// normaliseSpans sorts spans and joins those that touch.
func normaliseSpans(in []Span) []Span {
	slices.SortFunc(in, func(a, b Span) int {
		switch {
		case a.Lo < b.Lo:
			return -1
		case a.Lo > b.Lo:
			return 1
		default:
			return 0
		}
	})
	var out []Span
	for _, s := range in {
		if s.Lo > s.Hi {
			continue
		}
		if n := len(out); n > 0 && (out[n-1].Hi == OpenEnd || s.Lo <= out[n-1].Hi+1) {
			out[n-1].Hi = max(out[n-1].Hi, s.Hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

func complement(in []Span) []Span {
	var out []Span
	next := int64(math.MinInt64)
	for _, s := range in {
		if s.Lo > next {
			out = append(out, Span{next, s.Lo - 1})
		}
		if s.Hi == OpenEnd {
			return out
		}
		next = s.Hi + 1
	}
	return append(out, Span{next, OpenEnd})
}

func (t numberTest) eval(l Lookup, now Clock) Truth { return t.on(l(t.field), now) }

func (t numberTest) on(f Fact, now Clock) Truth {
	switch f.State {
	case Absent:
		return absentTruth(t.op)
	case Unknown:
		return UnknownTruth
	}
	out := False
	for _, s := range t.spans(now) {
		if s.Lo <= f.Value.Lo && f.Value.Hi <= s.Hi {
			return True
		}
		if s.Lo <= f.Value.Hi && f.Value.Lo <= s.Hi {
			out = UnknownTruth
		}
	}
	return out
}

// setTest asks for elements of a set.
type setTest struct {
	field, op string
	items     []string
}

func (k *compiler) setLeaf(path string, f Field, op string, o Operators) node {
	t := setTest{field: f.Name, op: op}
	raw := slices.Concat(o.IncludesAny, o.IncludesAll, o.IncludesNone)
	if op == "in_group" {
		raw, t.op = k.group(path, o.InGroup), "includes_any"
	}
	if len(raw) == 0 && len(k.faults) == 0 {
		return k.fail(path, "E02", "%s needs at least one element", op)
	}
	for _, s := range raw {
		t.items = append(t.items, Slug(s))
	}
	return t
}

// group resolves "countries.dach".
func (k *compiler) group(path, ref string) []string {
	kind, name, _ := strings.Cut(ref, ".")
	items, ok := k.groups[kind][name]
	if !ok {
		var names []string
		for kind, byName := range k.groups {
			for name := range byName {
				names = append(names, kind+"."+name)
			}
		}
		fault := Faultf(path, "E11", "unknown group %q", ref)
		fault.Hint = Nearest(ref, names)
		k.faults = append(k.faults, fault)
	}
	return items
}

func (t setTest) eval(l Lookup, now Clock) Truth { return t.on(l(t.field), now) }

func (t setTest) on(f Fact, _ Clock) Truth {
	switch f.State {
	case Absent:
		return absentTruth(t.op)
	case Unknown:
		return UnknownTruth
	}
	found := 0
	for _, it := range t.items {
		if _, ok := slices.BinarySearch(f.Value.Set, it); ok {
			found++
		}
	}
	missing := UnknownTruth // an element that an open set does not list
	if f.Value.Closed {
		missing = False
	}
	switch {
	case t.op == "includes_any" && found > 0, t.op == "includes_all" && found == len(t.items):
		return True
	case t.op == "includes_none" && found > 0:
		return False
	case t.op == "includes_none":
		return missing.Not()
	default:
		return missing
	}
}

type boolTest struct {
	field, op string
	want      bool
}

func (k *compiler) boolLeaf(path string, f Field, op string, o Operators) node {
	want, ok := firstSet(o.Eq, o.Ne).(bool)
	if !ok {
		return k.fail(path, "E02", "%s must be true or false", f.Name)
	}
	return boolTest{f.Name, op, want == (op == "eq")}
}

func (t boolTest) eval(l Lookup, now Clock) Truth { return t.on(l(t.field), now) }

func (t boolTest) on(f Fact, _ Clock) Truth {
	switch f.State {
	case Absent:
		return absentTruth(t.op)
	case Unknown:
		return UnknownTruth
	default:
		return TruthOf(f.Value.Bool == t.want)
	}
}

// textTest compares folded text with a list, or matches a pattern on the raw text.
type textTest struct {
	field, op string
	fold      func(string) string
	items     []string
	pattern   *regexp.Regexp
}

func (k *compiler) textLeaf(path string, f Field, op string, o Operators) node {
	t := textTest{field: f.Name, op: op, fold: folding(f.Type)}
	if op == "regex" {
		re, err := regexp.Compile(o.Regex)
		if err != nil {
			return k.fail(path, "E12", "pattern does not compile: %v", err)
		}
		t.pattern = re
		return t
	}
	var raw []any
	switch op {
	case "eq", "ne":
		raw = []any{firstSet(o.Eq, o.Ne)}
	case "in_group":
		for _, s := range k.group(path, o.InGroup) {
			raw = append(raw, s)
		}
	default:
		raw = slices.Concat(o.In, o.NotIn)
	}
	for _, r := range raw {
		s, ok := scalar(r)
		if !ok {
			return k.fail(path, "E02", "must be text, is %T", r)
		}
		t.items = append(t.items, t.fold(s))
	}
	return t
}

// folding is how the values of a type are made comparable.
func folding(t FieldType) func(string) string {
	switch t {
	case TypeEnum:
		return Slug
	case TypeCountry:
		return Country
	default:
		return func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	}
}

func (t textTest) eval(l Lookup, now Clock) Truth { return t.on(l(t.field), now) }

func (t textTest) on(f Fact, _ Clock) Truth {
	switch f.State {
	case Absent:
		return absentTruth(t.op)
	case Unknown:
		return UnknownTruth
	}
	if t.pattern != nil {
		return TruthOf(t.pattern.MatchString(f.Value.Text))
	}
	in := slices.Contains(t.items, t.fold(f.Value.Text))
	return TruthOf(in != (t.op == "ne" || t.op == "not_in"))
}

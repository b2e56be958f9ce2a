package scoring

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/galenahq/galena"
)

// overlaps finds values that an earlier band keeps from a later one (E07), an
// item that two groups of one criterion share (E14), and gaps between numeric
// bands (W01).
func (k *checker) overlaps(path string, c Criterion, field galena.Field, bands []band) {
	var spans []galena.Span
	for j := range c.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, j)
		for i := range c.Bands[:j] {
			if k.sharedGroupItem(at, c, field, i, j) || c.Mode == ModeSum {
				continue
			}
			if lost := k.lost(c, field, bands, i, j); lost != "" {
				k.fail(at+"."+operator(c.Bands[j].Operators), "E07", "%s never reaches this band: bands[%d] takes it first", lost, i)
			}
		}
		if own, ok := k.spansOf(c, bands, j); ok {
			spans = append(spans, own...)
		}
	}
	if c.Mode != ModeSum {
		k.gaps(path+".bands", spans)
	}
}

func (k *checker) gaps(path string, spans []galena.Span) {
	slices.SortFunc(spans, func(a, b galena.Span) int {
		if a.Lo < b.Lo {
			return -1
		}
		return 1
	})
	for i := 1; i < len(spans); i++ {
		if spans[i-1].Hi != galena.OpenEnd && spans[i].Lo > spans[i-1].Hi+1 {
			k.fail(path, "W01", "no band covers %s", spanText(galena.Span{Lo: spans[i-1].Hi + 1, Hi: spans[i].Lo - 1}))
		}
	}
}

func spanText(s galena.Span) string {
	switch {
	case s.Lo == s.Hi:
		return fmt.Sprint(s.Lo)
	case s.Hi == galena.OpenEnd:
		return fmt.Sprintf("%d and above", s.Lo)
	case s.Lo < 0:
		return fmt.Sprintf("%d and below", s.Hi)
	default:
		return fmt.Sprintf("%d to %d", s.Lo, s.Hi)
	}
}

// spansOf is a numeric band's range, unless a bound moves with the clock.
func (k *checker) spansOf(c Criterion, bands []band, i int) ([]galena.Span, bool) {
	o := c.Bands[i].Operators
	for _, raw := range append([]any{o.Lt, o.Lte, o.Gt, o.Gte, o.Eq, o.Ne}, o.Range...) {
		if s, ok := raw.(string); ok && strings.HasSuffix(s, "mo") {
			return nil, false
		}
	}
	return bands[i].when.Spans(galena.Clock{})
}

// lost says which values band i takes from band j in mode first, "" for none.
func (k *checker) lost(c Criterion, field galena.Field, bands []band, i, j int) string {
	a, b := c.Bands[i].Operators, c.Bands[j].Operators
	if a.Exists != nil && *a.Exists && b.Exists == nil && b.Absent == nil {
		return "any value"
	}
	if first, ok := k.spansOf(c, bands, i); ok {
		second, _ := k.spansOf(c, bands, j)
		return lostSpan(first, second)
	}
	first, second := k.itemsOf(field, a), k.itemsOf(field, b)
	if field.Type == galena.TypeSet {
		if a.IncludesAny == nil && a.InGroup == "" || b.IncludesNone != nil {
			return ""
		}
		return quoted(shared(first, second))
	}
	if a.Ne != nil || a.NotIn != nil {
		second = slices.DeleteFunc(second, func(s string) bool { return slices.Contains(first, s) })
		if b.Ne != nil || b.NotIn != nil {
			return "most values"
		}
		return quoted(second)
	}
	if b.Ne != nil || b.NotIn != nil {
		return "" // "everything but", written last, is how people say the rest
	}
	return quoted(shared(first, second))
}

func lostSpan(first, second []galena.Span) string {
	for _, a := range first {
		for _, b := range second {
			if lo, hi := max(a.Lo, b.Lo), min(a.Hi, b.Hi); lo <= hi {
				return spanText(galena.Span{Lo: lo, Hi: hi})
			}
		}
	}
	return ""
}

// itemsOf lists the folded items that a band names.
func (k *checker) itemsOf(field galena.Field, o galena.Operators) []string {
	fold := func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	switch field.Type {
	case galena.TypeCountry:
		fold = galena.Country
	case galena.TypeEnum, galena.TypeSet:
		fold = galena.Slug
	}
	var raw []string
	for _, x := range slices.Concat([]any{o.Eq, o.Ne}, o.In, o.NotIn) {
		if x != nil {
			raw = append(raw, fmt.Sprint(x))
		}
	}
	raw = slices.Concat(raw, k.group(o.InGroup), o.IncludesAny, o.IncludesAll, o.IncludesNone)
	out := make([]string, len(raw))
	for i, s := range raw {
		out[i] = fold(s)
	}
	return out
}

func (k *checker) group(ref string) []string {
	kind, name, _ := strings.Cut(ref, ".")
	return k.config.Groups[kind][name]
}

func shared(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func quoted(items []string) string {
	items = unique(items)
	for i, s := range items {
		items[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(items, ", ")
}

// sharedGroupItem reports an item that stands in two groups of one criterion.
// That says more than an overlap, so it replaces E07.
func (k *checker) sharedGroupItem(at string, c Criterion, field galena.Field, i, j int) bool {
	a, b := c.Bands[i].InGroup, c.Bands[j].InGroup
	if a == "" || b == "" || a == b {
		return false
	}
	both := shared(k.itemsOf(field, c.Bands[i].Operators), k.itemsOf(field, c.Bands[j].Operators))
	if len(both) > 0 {
		k.fail(at+".in_group", "E14", "%s is in %s and in %s", quoted(both), a, b)
	}
	return len(both) > 0
}

// operator names the one operator of a band, for the path of a fault.
func operator(o galena.Operators) string {
	for _, x := range []struct {
		name string
		has  bool
	}{
		{"eq", o.Eq != nil}, {"ne", o.Ne != nil}, {"in", o.In != nil}, {"not_in", o.NotIn != nil},
		{"in_group", o.InGroup != ""}, {"range", o.Range != nil}, {"lt", o.Lt != nil}, {"lte", o.Lte != nil},
		{"gt", o.Gt != nil}, {"gte", o.Gte != nil}, {"includes_any", o.IncludesAny != nil},
		{"includes_all", o.IncludesAll != nil}, {"includes_none", o.IncludesNone != nil},
	} {
		if x.has {
			return x.name
		}
	}
	return "regex"
}

// patterns warns of an ASCII \b that stands beside a letter it does not know:
// `\bécole` never matches at the start of a word.
func (k *checker) patterns(path string, c galena.Condition) {
	if c.Regex != "" {
		re, err := syntax.Parse(c.Regex, syntax.Perl)
		if err == nil && blindBoundary(re) {
			f := k.fail(path+".regex", "W06", `\b is ASCII-only and stands beside a letter that is not`)
			f.Hint = `use (^|[^\pL]) instead of \b`
		}
	}
	for i, sub := range c.All {
		k.patterns(fmt.Sprintf("%s.all[%d]", path, i), sub)
	}
	for i, sub := range c.Any {
		k.patterns(fmt.Sprintf("%s.any[%d]", path, i), sub)
	}
	if c.Not != nil {
		k.patterns(path+".not", *c.Not)
	}
}

func blindBoundary(re *syntax.Regexp) bool {
	for i, sub := range re.Sub {
		if blindBoundary(sub) {
			return true
		}
		if re.Op != syntax.OpConcat || sub.Op != syntax.OpWordBoundary {
			continue
		}
		if i > 0 && edge(re.Sub[i-1], false) || i+1 < len(re.Sub) && edge(re.Sub[i+1], true) {
			return true
		}
	}
	return false
}

// edge says whether the expression may begin (or end) with a letter beyond ASCII.
func edge(re *syntax.Regexp, begin bool) bool {
	switch re.Op {
	case syntax.OpLiteral:
		if begin {
			return beyond(re.Rune[0])
		}
		return beyond(re.Rune[len(re.Rune)-1])
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			// A wide range is "anything but", which nobody wrote for its letters.
			if re.Rune[i+1]-re.Rune[i] < 256 && (beyond(re.Rune[i]) || beyond(re.Rune[i+1])) {
				return true
			}
		}
	case syntax.OpConcat:
		if begin {
			return edge(re.Sub[0], begin)
		}
		return edge(re.Sub[len(re.Sub)-1], begin)
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return edge(sub, begin) })
	}
	return false
}

// beyond says that a rune is a letter outside ASCII. The long s and the Kelvin
// sign are left out: case folding adds them beside a plain s and k.
func beyond(r rune) bool {
	return r > unicode.MaxASCII && unicode.IsLetter(r) && r != '\u017f' && r != '\u212a'
}

// reach warns of tiers that no lead can get (W02), criteria that decide nothing
// (W03) and one that decides alone (W07).
func (k *checker) reach() {
	p := k.profile
	var worst, best int64
	for i := range p.criteria {
		lo, hi := p.criteria[i].span()
		worst += p.criteria[i].weight * lo
		best += p.criteria[i].weight * hi
	}
	least, most := share(worst, p.total), share(best, p.total)
	decided := true // no threshold lies within reach
	for i, t := range p.tiers {
		if t.min > most {
			k.fail(fmt.Sprintf("spec.tiers[%d].min", i), "W02", "tier %s is unreachable: the best score is %s", t.name, most)
		}
		if t.min > least && t.min <= most {
			decided = false
		}
	}
	for i := range p.criteria {
		c := &p.criteria[i]
		path := fmt.Sprintf("spec.criteria[%d]", i)
		if lo, hi := c.span(); lo == hi || decided {
			k.fail(path, "W03", "criterion %s cannot change any tier", c.id)
		}
		if earned := c.weight * max(0, c.vmax); 2*earned > p.total {
			k.fail(path+".weight", "W07", "criterion %s holds %d %% of all points", c.id, 100*earned/p.total)
		}
	}
}

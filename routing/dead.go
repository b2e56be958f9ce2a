package routing

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// lintDeadRules warns of rules that an earlier one always pre-empts. The proof
// is by form, so it finds some and never accuses a live rule.
func (b *builder) lintDeadRules() {
	for j, later := range b.cfg.Rules {
		for _, earlier := range b.cfg.Rules[:j] {
			if earlier.When == nil || later.When != nil && implies(*later.When, *earlier.When) {
				b.fail(fmt.Sprintf("spec.rules[%d]", j), "W09",
					"rule %s is never reached: rule %s takes all its leads", later.ID, earlier.ID)
				break
			}
		}
		if later.When != nil && b.splitAmong(*later.When, b.cfg.Rules[:j]) {
			b.fail(fmt.Sprintf("spec.rules[%d]", j), "W09",
				"rule %s is never reached: earlier rules take each of its values", later.ID)
		}
	}
}

// Takes says whether some rule may take a lead of this score that nobody owns
// and that is not undecided. Of what else is known of it nothing is assumed.
func (r *Router) Takes(s galena.Score) bool {
	in := Input{Score: s, Facts: galena.Facts{}, Final: true}
	for _, field := range matches() {
		in.Facts[field] = &galena.Fact{Field: field, State: galena.Absent}
	}
	w := world{tier: s.Tier, decided: &decided{in, galena.Fact{Field: "decision.territory", State: galena.Unknown}}}
	return slices.ContainsFunc(r.rules, func(ru rule) bool {
		leads := s.Disqualified != nil || ru.To.Sink != fromDisqualifier
		return leads && ru.test.eval(w.lookup, in.Now) != galena.False
	})
}

// splitAmong says that each value of an `in` is taken, by more than one earlier rule.
func (b *builder) splitAmong(c Condition, earlier []Rule) bool {
	if len(c.In) < 2 {
		return false
	}
	takers := map[string]bool{}
	for _, v := range c.In {
		one := Condition{Field: c.Field, Operators: galena.Operators{Eq: v}}
		i := slices.IndexFunc(earlier, func(e Rule) bool { return e.When != nil && implies(one, *e.When) })
		if i < 0 {
			return false
		}
		takers[earlier[i].ID] = true
	}
	return len(takers) > 1
}

// implies says that b is TRUE whenever a is.
func implies(a, b Condition) bool {
	holds := func(c Condition) bool { return implies(a, c) }
	follows := func(c Condition) bool { return implies(c, b) }
	switch {
	case reflect.DeepEqual(a, b):
		return true
	case len(b.All) > 0 && !slices.ContainsFunc(b.All, func(c Condition) bool { return !holds(c) }):
		return true
	case len(b.Any) > 0 && slices.ContainsFunc(b.Any, holds):
		return true
	case len(a.All) > 0:
		return slices.ContainsFunc(a.All, follows)
	case len(a.Any) > 0:
		return !slices.ContainsFunc(a.Any, func(c Condition) bool { return !follows(c) })
	default:
		return a.Field != "" && a.Field == b.Field && narrower(a, b)
	}
}

// narrower compares two tests of one field.
func narrower(a, b Condition) bool {
	va, vb := values(a), values(b)
	if len(va) > 0 && (b.Exists != nil && *b.Exists) {
		return true
	}
	if len(va) > 0 && len(vb) > 0 {
		return !slices.ContainsFunc(va, func(s string) bool { return !slices.Contains(vb, s) })
	}
	sa, sb := spans(a), spans(b)
	inside := func(s galena.Span) bool {
		return slices.ContainsFunc(sb, func(o galena.Span) bool { return o.Lo <= s.Lo && s.Hi <= o.Hi })
	}
	return len(sa) > 0 && !slices.ContainsFunc(sa, func(s galena.Span) bool { return !inside(s) })
}

// values lists what eq or in accept, folded.
func values(c Condition) []string {
	var out []string
	for _, v := range slices.Concat([]any{c.Eq}, c.In) {
		if v != nil {
			out = append(out, strings.ToLower(fmt.Sprint(v)))
		}
	}
	return out
}

// spans lists the integers for which a numeric test holds. Dates relative to
// now shift alike on both sides, so any one instant serves.
func spans(c Condition) []galena.Span {
	p, faults := c.Compile("", nil)
	if len(faults) > 0 {
		return nil
	}
	s, _ := p.Spans(time.Unix(0, 0))
	return s
}

package planning

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// need is a field worth knowing, and how much so in points.
type need struct {
	field  string
	weight float64
}

// ruleWeight is what an open rule is worth: about as much as a criterion of
// middling weight.
const ruleWeight = 10

// needs lists what could still change the decision. A field counts once for each
// of (a) to (d) that wants it, so that what decides in two ways comes first.
func needs(s State) []need {
	lists := [][]string{distinct(s.Result.OpenDisqualifiers), distinct(s.RouteOpen), distinct(s.Result.OpenRequires)}
	out := make([]need, 0, len(s.Result.Need)+len(lists[0])+len(lists[1])+len(lists[2]))
	if s.Result.TierLo != s.Result.TierHi {
		for _, n := range s.Result.Need { // (a)
			out = append(out, need{n.Field, float64(n.Points) / 10})
		}
	}
	for _, fields := range lists { // (b), (c), (d)
		for _, f := range fields {
			out = append(out, need{f, ruleWeight})
		}
	}
	if s.NoLead {
		out = slices.DeleteFunc(out, func(n need) bool { return !strings.HasPrefix(n.field, "company.") })
	}
	return out
}

// Open lists what is unknown of the company and could still change a decision,
// sorted.
func Open(s State) []string {
	s.NoLead = true
	var out []string
	for _, n := range needs(s) {
		out = append(out, n.field)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// distinct lists each field once, sorted. What comes from scoring and routing is
// so already.
func distinct(fields []string) []string {
	for i := 1; i < len(fields); i++ {
		if fields[i-1] >= fields[i] {
			fields = slices.Clone(fields)
			slices.Sort(fields)
			return slices.Compact(fields)
		}
	}
	return fields
}

// alwaysCollected resolves "all" to what the offers supply, sorted.
func alwaysCollected(s State) []string {
	if !slices.Contains(s.AlwaysCollect, collectAll) {
		return s.AlwaysCollect
	}
	var out []string
	for _, o := range s.Offers {
		for field := range o.Hits {
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Pair plans for two calls at once, for when time is short: the choice of Plan,
// and beside it the vendor that overlaps least with it. Of equals the better
// bargain goes first. The second is empty when nobody else helps or can be paid.
func Pair(s State) (first, second Next) {
	first = Plan(s)
	open := needs(s)
	i := slices.IndexFunc(s.Offers, func(o galena.Offer) bool { return o.Provider == first.Provider })
	if i < 0 || gainOf(&s.Offers[i], open) <= 0 {
		return first, Next{} // a stop, or a purchase that decides nothing: no hurry
	}
	taken := &s.Offers[i]
	if !s.Paid[taken.Provider] {
		s.SpentMicros += taken.Dearest()
	}
	list, _ := candidates(s, open)
	var best *candidate
	for _, c := range list {
		if c.offer.Provider == taken.Provider {
			continue
		}
		if best == nil || less(overlap(c, taken, open), overlap(*best, taken, open), c.ratio(), best.ratio()) {
			best = &c
		}
	}
	if best == nil {
		return first, Next{}
	}
	return first, best.next()
}

func less(overlapA, overlapB, ratioA, ratioB float64) bool {
	if overlapA != overlapB {
		return overlapA < overlapB
	}
	return ratioA > ratioB
}

// overlap is the share of a candidate's gain that the other vendor may bring as well.
func overlap(c candidate, other *galena.Offer, open []need) float64 {
	both := 0.0
	for _, n := range open {
		both += c.offer.Hits[n.field] * other.Hits[n.field] * n.weight
	}
	return both / c.gain
}

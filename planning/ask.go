package planning

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Ask is the choice of Plan with those who are asked beside it, at the same time:
// who will be asked anyway, and where the first two cannot be asked one after the
// other any more, the second. Without a deadline there is always time.
func Ask(s State) (first Next, beside []Next) {
	first = Plan(s)
	if first.Provider == "" {
		return first, nil
	}
	beside = s.anyway(first)
	if s.TimeLeft < 0 {
		return first, beside
	}
	_, second := Pair(s)
	late := second.Provider != "" && s.p95(first)+s.p95(second) > s.TimeLeft
	if late && !slices.ContainsFunc(beside, func(n Next) bool { return n.Provider == second.Provider }) {
		beside = append(beside, second)
	}
	return first, beside
}

// anyway lists, best bargain first, whom the plan will come to whatever it hears
// until then, because what they supply is always collected. To ask them in turn
// would be to wait for the sum of their times and save nothing:
//
//   - who costs something must alone supply such a field, no disqualifier may be
//     open that would end the buying before, and the lead's limit must have room
//     for everybody who is left, so that no purchase can take another's place;
//   - who never costs anything needs no proof: at the worst one call was for nothing.
//
// What a vendor is asked must not hang on what another says.
func (s State) anyway(first Next) []Next {
	if len(s.AlwaysCollect) == 0 {
		return nil
	}
	var wanted []need
	for _, field := range alwaysCollected(s) {
		if s.Facts.Get(field).State == galena.Unknown {
			wanted = append(wanted, need{field, ruleWeight})
		}
	}
	list, _ := candidates(s, wanted)
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.ratio(), a.ratio()) })
	sure := len(s.Result.OpenDisqualifiers) == 0 && s.affordable()
	var out []Next
	for _, c := range list {
		if c.offer.Provider == first.Provider || !s.independent(c.offer) {
			continue
		}
		fields := s.alone(c.offer, wanted)
		if c.offer.Dearest() > 0 && (!sure || len(fields) == 0) {
			continue
		}
		n := c.next()
		n.Why = "always collected, at no cost"
		if len(fields) > 0 {
			n.Why = "always collected: " + strings.Join(fields, ", ")
		}
		out = append(out, n)
	}
	return out
}

// affordable says that everybody who is left fits into what the lead may cost.
func (s State) affordable() bool {
	sum := s.SpentMicros
	for i := range s.Offers {
		if o := &s.Offers[i]; !s.Asked[o.Provider] && !s.Paid[o.Provider] {
			sum += o.Dearest()
		}
	}
	return sum <= s.LimitMicros
}

// independent says that no answer that is still to come changes whether the
// vendor is asked, and what.
func (s State) independent(o *galena.Offer) bool {
	return len(o.Needs) == 0 && !slices.ContainsFunc(o.OnlyIf.Fields(), func(field string) bool {
		return slices.ContainsFunc(s.Offers, func(other galena.Offer) bool {
			return other.Provider != o.Provider && !s.Asked[other.Provider] && other.Hits[field] > 0
		})
	})
}

// alone are the wanted fields that nobody else supplies who is left.
func (s State) alone(o *galena.Offer, wanted []need) (fields []string) {
	for _, n := range wanted {
		other := func(x galena.Offer) bool {
			return x.Provider != o.Provider && !s.Asked[x.Provider] && x.Hits[n.field] > 0
		}
		if o.Hits[n.field] > 0 && !slices.ContainsFunc(s.Offers, other) {
			fields = append(fields, n.field)
		}
	}
	return fields
}

func (s State) p95(n Next) time.Duration {
	i := slices.IndexFunc(s.Offers, func(o galena.Offer) bool { return o.Provider == n.Provider })
	if i < 0 {
		return 0
	}
	return s.Offers[i].P95
}

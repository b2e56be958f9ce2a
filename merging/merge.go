package merging

import (
	"cmp"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Merge makes the profile: one fact for each field of which something is still
// known. A field that it leaves out is unknown.
func (p *Policy) Merge(obs []*galena.Observation, now time.Time) galena.Facts {
	return p.Weigh(obs, now).Facts()
}

// Weighed is what came of a set of observations. The facts and the conflicts of a
// lead are two readings of it: to weigh is most of the work of both.
type Weighed struct {
	facts   galena.Facts
	opposed []opposed // in the order of their names
}

// opposed is a field on which not all say the same.
type opposed struct {
	field string
	verdict
}

// Weigh decides every field of which something is still known.
func (p *Policy) Weigh(obs []*galena.Observation, now time.Time) Weighed {
	all := p.votes(obs, now)
	facts := make([]galena.Fact, len(all))
	w := Weighed{facts: make(galena.Facts, len(all))}
	for i, votes := range all {
		field, v := votes[0].Field, decide(votes)
		facts[i] = v.fact(field)
		w.facts[field] = &facts[i]
		if v.rivals != nil || v.contested != nil {
			w.opposed = append(w.opposed, opposed{field, v})
		}
	}
	return w
}

// Facts is the profile: one fact for each field. Nobody changes it.
func (w Weighed) Facts() galena.Facts { return w.facts }

// votes lists what counts, field by field in the order of their names, each in
// (observed_at, id) order. One sorted list is cut where the field changes: a lead
// has a dozen observations and is merged after every answer, and a map of lists
// would be most of the work.
func (p *Policy) votes(obs []*galena.Observation, now time.Time) [][]vote {
	all := make([]vote, 0, len(obs))
	for _, o := range obs {
		if v, ok := p.rules(o.Field).vote(o, now); ok {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, inTurn)
	fields := make([][]vote, 0, len(all))
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].Field == all[from].Field {
			to++
		}
		if to-from > 1 { // a single vote is compared with nothing
			for i := from; i < to; i++ {
				all[i].key = keyOf(all[i].Observation)
			}
		}
		fields = append(fields, all[from:to:to])
		from = to
	}
	return fields
}

// inTurn orders votes. Everything after the id only matters for observations
// that claim to be the same one.
func inTurn(a, b vote) int {
	if c := cmp.Compare(a.Field, b.Field); c != 0 {
		return c
	}
	if c := a.ObservedAt.Compare(b.ObservedAt); c != 0 {
		return c
	}
	if c := cmp.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(keyOf(a.Observation), keyOf(b.Observation)),
		cmp.Compare(a.rank, b.rank), cmp.Compare(a.weight, b.weight))
}

// verdict is what came of one field.
type verdict struct {
	group
	rivals    []group   // the other groups of the class, strongest first
	contested []contest // elements of a set
	state     galena.State
}

// decide merges the votes on one field.
func decide(votes []vote) verdict {
	for i := range votes {
		if votes[i].Value.Type == galena.TypeSet {
			return decideSet(votes)
		}
	}
	v := fold(highest(votes))
	v.state = stateOf(v.group)
	return v
}

func stateOf(g group) galena.State {
	switch {
	case g.absent:
		return galena.Absent
	case g.value.Type == galena.TypeNumber && !g.value.Exact():
		return galena.Partial
	default:
		return galena.Known
	}
}

// highest keeps the votes of the strongest class that has any.
func highest(votes []vote) []vote {
	best, same := votes[0].rank, true
	for i := range votes {
		same = same && votes[i].rank == votes[0].rank
		best = min(best, votes[i].rank)
	}
	if same {
		return votes
	}
	var out []vote
	for i := range votes {
		if votes[i].rank == best {
			out = append(out, votes[i])
		}
	}
	return out
}

// cast adds a vote, which replaces the earlier one of the same voter.
func cast(live []vote, v vote) []vote {
	live = slices.DeleteFunc(live, func(o vote) bool { return o.voter == v.voter })
	return append(live, v)
}

// outweighs is the hysteresis: a challenger needs 1.15 times the winner's weight.
func outweighs(challenger, winner int64) bool { return challenger*100 >= winner*115 }

// fold lets the votes speak in their order. The winner stays until a challenger
// is clearly heavier, so that a name does not flap between two sources.
func fold(votes []vote) verdict {
	if len(votes) == 1 {
		return verdict{group: pool(votes[0].Value, votes[0], votes)}
	}
	live := make([]vote, 0, len(votes))
	if unanimous(votes) {
		for _, v := range votes {
			live = cast(live, v)
		}
		lead := slices.MinFunc(live, heavier)
		return verdict{group: pool(lead.Value, lead, live)}
	}
	var winner group
	var all []group
	for i, v := range votes {
		live = cast(live, v)
		all = groups(live)
		held := slices.IndexFunc(all, func(g group) bool { return i > 0 && g.backs(winner.lead) })
		if held < 0 {
			held = slices.IndexFunc(all, func(g group) bool { return i > 0 && compatible(g, winner) })
		}
		if held < 0 || all[0].backs(winner.lead) || outweighs(all[0].weight, all[held].weight) {
			held = 0
		}
		winner = all[held]
	}
	return verdict{group: winner, rivals: all}
}

// unanimous says that all votes name one value, as they mostly do: then there is
// nothing to weigh. Intervals that are alike are left to the general rule, which
// knows what survives of them.
func unanimous(votes []vote) bool {
	first := &votes[0]
	for i := range votes[1:] {
		if v := &votes[i+1]; v.key != first.key || v.Absent != first.Absent || v.Value.Type != first.Value.Type {
			return false
		}
	}
	return first.Absent || first.Value.Type != galena.TypeNumber || first.Value.Exact()
}

// backs says that the observation is one of the group's.
func (g group) backs(v vote) bool {
	return slices.ContainsFunc(g.members, func(m vote) bool { return m.ID == v.ID && m.voter == v.voter })
}

func (v verdict) fact(field string) galena.Fact {
	f := galena.Fact{Field: field, State: v.state, Value: v.value, Source: v.lead.Source, ObservationID: v.lead.ID,
		Confidence: float64(v.lead.conf) / million, ObservedAt: v.lead.ObservedAt}
	if v.state == galena.Absent {
		f.Value = galena.Value{}
	}
	return f
}

package merging

import (
	"cmp"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Merge makes the profile: one fact for each field of which something is still
// known. A field that it leaves out is unknown.
func (p *Policy) Merge(obs []galena.Observation, now time.Time) galena.Facts {
	facts := galena.Facts{}
	for field, votes := range p.votes(obs, now) {
		facts[field] = decide(votes).fact(field)
	}
	return facts
}

// votes sorts what counts by field, each in (observed_at, id) order.
func (p *Policy) votes(obs []galena.Observation, now time.Time) map[string][]vote {
	out := map[string][]vote{}
	for _, o := range obs {
		if v, ok := p.rules(o.Field).vote(o, now); ok {
			out[o.Field] = append(out[o.Field], v)
		}
	}
	for _, votes := range out {
		slices.SortFunc(votes, func(a, b vote) int {
			return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Source, b.Source),
				cmp.Compare(a.key, b.key), cmp.Compare(a.rank, b.rank), cmp.Compare(a.weight, b.weight))
		})
	}
	return out
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
	isSet := func(v vote) bool { return v.Value.Type == galena.TypeSet }
	if slices.ContainsFunc(votes, isSet) {
		return decideSet(votes)
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
	best := slices.MinFunc(votes, func(a, b vote) int { return cmp.Compare(a.rank, b.rank) }).rank
	var out []vote
	for _, v := range votes {
		if v.rank == best {
			out = append(out, v)
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
	var live []vote
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

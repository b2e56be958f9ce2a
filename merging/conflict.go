package merging

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Lens is how a conflict is judged by those who know what a value leads to.
type Lens struct {
	// Band names the bands of the active profile that a value falls into; nil
	// puts all values into one.
	Band func(field string, v galena.Value) string
	// Judge names the decision that a profile leads to; nil finds every conflict
	// informative.
	// It must leave the profile as it is.
	Judge func(galena.Facts) Outcome
}

// Outcome is a decision as far as it can differ between two values.
type Outcome struct {
	Tier, Rule string
	Rest       string // whatever else must be the same
}

// Conflicts lists, by field, the values that nearly won (SEMANTICS 3.5): those
// with at least 0.6 of the winner's weight that contradict it, or agree with it
// and fall into other bands, such as 190 and 210. Where one of them leads to
// another decision, the conflict is one of decision.
func (p *Policy) Conflicts(obs []*galena.Observation, now time.Time, lens Lens) []galena.Dispute {
	return p.Weigh(obs, now).Conflicts(lens)
}

// Conflicts lists those of what was weighed.
func (w Weighed) Conflicts(lens Lens) []galena.Dispute {
	var chosen *Outcome // judged when it is needed: most leads have no conflict
	var out []galena.Dispute
	for i := range w.opposed {
		f := &w.opposed[i]
		rivals := f.conflicting(f.field, lens.Band)
		if len(rivals) == 0 {
			continue
		}
		if chosen == nil {
			chosen = new(Outcome)
			if lens.Judge != nil {
				*chosen = lens.Judge(w.facts)
			}
		}
		out = append(out, f.conflict(f.field, rivals, w.facts, *chosen, lens.Judge))
	}
	return out
}

// conflicting keeps the rivals that open a conflict, each value once.
func (v verdict) conflicting(field string, band func(string, galena.Value) string) []rival {
	chosen := v.claim()
	var out []rival
	if v.rivals == nil {
		return v.otherSets() // each another value, and each once
	}
	for _, r := range v.runnersUp() {
		c := r.claim()
		same := func(o rival) bool { return o.claim().Same(c) }
		if c.Same(chosen) || slices.ContainsFunc(out, same) {
			continue
		}
		if r.compatible && (band == nil || band(field, c.Value) == band(field, chosen.Value)) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// conflict writes the record of what contradicts the facts and the decision that
// was chosen. Its margin is that of the first rival, the heaviest. Each rival is
// judged, and mostSides are kept, those that lead elsewhere before the others.
func (v verdict) conflict(field string, rivals []rival, facts galena.Facts, chosen Outcome, judge func(galena.Facts) Outcome) galena.Dispute {
	c := galena.Dispute{Field: field, Chosen: v.claim(), Margin: rivals[0].margin, Severity: galena.SeverityInfo,
		Status: galena.ConflictOpen}
	c.Chosen.Tier, c.Chosen.Rule = chosen.Tier, chosen.Rule
	var elsewhere, along []int
	ruled := make([]Outcome, len(rivals))
	for i, r := range rivals {
		into := &along
		if judge != nil {
			instead := maps.Clone(facts)
			other := r.made().fact(field)
			instead[field] = &other
			if ruled[i] = judge(instead); ruled[i] != chosen {
				c.Severity, into = galena.SeverityDecision, &elsewhere
			}
		}
		*into = append(*into, i)
	}
	kept := slices.Concat(elsewhere, along)
	kept = slices.Sorted(slices.Values(kept[:min(len(kept), mostSides)]))
	c.Candidates = append(c.Candidates, c.Chosen)
	for _, i := range kept {
		side := rivals[i].made().claim()
		side.Tier, side.Rule = ruled[i].Tier, ruled[i].Rule
		c.Candidates = append(c.Candidates, side)
	}
	return c
}

// mostSides is how many values stand in a conflict beside the chosen one: a person is
// to choose among them. Two long lists contradict each other in every element that
// only one of them has.
const mostSides = 20

// rival is another outcome that has at least 0.6 of the winner's weight.
type rival struct {
	verdict
	turned     *contest // of a set: the element in which it differs, for made
	compatible bool
	margin     float64
}

// made is the rival with its own set. There may be as many as the set has elements, so
// each is made when it is looked at, and not kept.
func (r rival) made() rival {
	if r.turned == nil {
		return r
	}
	set := slices.DeleteFunc(slices.Clone(r.value.Set), func(e string) bool { return e == r.turned.element })
	if !r.turned.in {
		set = append(set, r.turned.element)
		slices.Sort(set)
	}
	r.value.Set, r.turned = set, nil
	return r
}

func nearly(rival, winner int64) (margin float64, ok bool) {
	lighter := float64(max(0, winner-rival)) / float64(max(1, winner))
	return math.Floor(100*lighter+0.5) / 100, rival > 0 && rival*10 >= winner*6
}

// runnersUp lists the rivals: incompatible values first, then compatible ones.
func (v verdict) runnersUp() []rival {
	var out []rival
	for _, g := range v.rivals {
		if m, ok := nearly(g.weight, v.weight); ok && !compatible(g, v.group) {
			out = append(out, rival{verdict: verdict{group: g, state: stateOf(g)}, margin: m})
		}
	}
	for _, o := range v.members {
		m, ok := nearly(o.weight, v.lead.weight)
		if ok && !o.Absent && o.Value.Exact() && !o.Value.Equal(v.value) && o.Value.Type == galena.TypeNumber {
			g := pool(o.Value, o, []vote{o})
			out = append(out, rival{verdict: verdict{group: g, state: galena.Known}, compatible: true, margin: m})
		}
	}
	return out
}

// otherSets are the set with each contested element turned over.
func (v verdict) otherSets() []rival {
	var out []rival
	for i := range v.contested {
		c := &v.contested[i]
		winner, loser, other := c.pro, c.con, v
		other.lead, other.state = c.opponent, galena.Known
		if !c.in {
			winner, loser, other.lead = c.con, c.pro, c.witness
		}
		if m, ok := nearly(loser, winner); ok {
			out = append(out, rival{verdict: other, turned: c, margin: m})
		}
	}
	return out
}

// claim is the verdict as one side of a conflict.
func (v verdict) claim() galena.Claim {
	c := galena.Claim{Value: v.value, Absent: v.state == galena.Absent, Source: v.lead.Source, Class: v.lead.Class,
		ObservationID: v.lead.ID, Confidence: float64(v.lead.conf) / million, ObservedAt: v.lead.ObservedAt}
	if c.Absent {
		c.Value = galena.Value{}
	}
	return c
}

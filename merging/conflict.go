package merging

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Severity says whether a conflict matters for the decision on a lead.
type Severity string

// The severities: the one calls for another provider or a person, the other
// only tells on the providers.
const (
	SeverityDecision Severity = "decision"
	SeverityInfo     Severity = "info"
)

// Choice is one side of a conflict.
type Choice struct {
	Value         galena.Value `json:"value"`
	Absent        bool         `json:"absent,omitempty"`
	Source        string       `json:"source"`
	ObservationID string       `json:"observation_id"`
}

// Conflict is a field on which sources of one class disagree with nearly equal weight.
type Conflict struct {
	Field    string   `json:"field"`
	Chosen   Choice   `json:"chosen"`
	RunnerUp Choice   `json:"runner_up"`
	Margin   float64  `json:"margin"` // how much lighter the runner-up is, 0..0.4, rounded to 0.01
	Severity Severity `json:"severity"`
}

// Conflicts lists, by field, the values that nearly won. Judge names the
// decision that a profile leads to; where it differs between the two sides the
// conflict is one of decision. Compatible numbers, such as 190 and 210, are in
// conflict only if they lead to different decisions. A nil judge finds every
// conflict informative.
func (p *Policy) Conflicts(obs []galena.Observation, now time.Time, judge func(galena.Facts) string) []Conflict {
	facts := p.Merge(obs, now)
	differs := func(field string, rival verdict) bool {
		if judge == nil {
			return false
		}
		other := maps.Clone(facts)
		other[field] = rival.fact(field)
		return judge(facts) != judge(other)
	}
	var out []Conflict
	for _, votes := range p.votes(obs, now) {
		field, v := votes[0].Field, decide(votes)
		for _, r := range v.runnersUp() {
			matters := differs(field, r.verdict)
			if r.compatible && !matters {
				continue
			}
			c := Conflict{Field: field, Chosen: v.choice(), RunnerUp: r.choice(), Margin: r.margin, Severity: SeverityInfo}
			if matters {
				c.Severity = SeverityDecision
			}
			out = append(out, c)
			break
		}
	}
	return out
}

// rival is another outcome that has at least 0.6 of the winner's weight.
type rival struct {
	verdict
	compatible bool
	margin     float64
}

func nearly(rival, winner int64) (margin float64, ok bool) {
	lighter := float64(max(0, winner-rival)) / float64(max(1, winner))
	return math.Floor(100*lighter+0.5) / 100, rival > 0 && rival*10 >= winner*6
}

// runnersUp lists the rivals: incompatible values first, then compatible ones.
func (v verdict) runnersUp() []rival {
	if v.rivals == nil {
		return v.otherSets()
	}
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
	for _, c := range v.contested {
		winner, loser, other := c.pro, c.con, v
		other.lead = c.opponent
		set := slices.DeleteFunc(slices.Clone(v.value.Set), func(e string) bool { return e == c.element })
		if !c.in {
			winner, loser, other.lead = c.con, c.pro, c.witness
			set = append(set, c.element)
			slices.Sort(set)
		}
		if m, ok := nearly(loser, winner); ok {
			other.value.Set, other.state = set, galena.Known
			out = append(out, rival{verdict: other, margin: m})
		}
	}
	return out
}

func (v verdict) choice() Choice {
	c := Choice{Value: v.value, Absent: v.state == galena.Absent, Source: v.lead.Source, ObservationID: v.lead.ID}
	if c.Absent {
		c.Value = galena.Value{}
	}
	return c
}

package routing

import (
	"maps"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// poolMark begins the name of a pool where a rep could stand as well.
const poolMark = "pool:"

// MovesOn says whether a lead goes to somebody else when a clock runs out. Without
// that it stays, and the breach is told.
func (o Outcome) MovesOn() bool { return o.rule != nil && o.rule.breach() != nil }

// GiveLocks is Locks for Give: what giving a lead to a rep or a pool may read or
// change. A name that nobody has is Invalid.
func (r *Router) GiveLocks(to string) (pools, reps []string, err error) {
	name, isPool := strings.CutPrefix(to, poolMark)
	switch {
	case isPool && r.pools[name].ID != "":
		return []string{name}, slices.Sorted(maps.Keys(r.pools[name].Members)), nil
	case !isPool && r.HasRep(to):
		return nil, []string{to}, nil
	default:
		return nil, nil, galena.Errorf(galena.Invalid, "routing.give", "there is no rep or pool of that name")
	}
}

// HasRep says whether the rep is configured.
func (r *Router) HasRep(id string) bool { _, ok := r.reps[id]; return ok }

// Give hands the lead to the rep or the pool that a person named. That word
// outweighs working hours, languages, skills, a pause and who had the lead before,
// but not a cap and not that somebody has left: that is a Conflict, in words for the person.
// In a pool it is the turn of whoever is owed most, earlier holders excepted.
// The clocks are those of the rule that was found.
func (r *Router) Give(o Outcome, in Input, roster galena.Roster, lead string, epoch int, earlier []string, to string) (galena.Assignment, []galena.Candidate, galena.Roster, error) {
	d := &draw{Router: r, in: in, rule: o.rule, roster: copyRoster(roster), ask: ask{now: in.Now},
		out: galena.Assignment{LeadID: lead, Epoch: epoch, Rule: o.Rule, AssignedAt: in.Now}}
	if d.rule == nil {
		d.rule = &rule{}
	}
	if name, ok := strings.CutPrefix(to, poolMark); ok {
		d.earlier = earlier
		if !d.pool(name) && !d.opening(name) {
			return d.out, d.candidates, roster, galena.Errorf(galena.Conflict, "routing.give", "nobody in %s can take the lead", to)
		}
		return d.out, d.candidates, d.roster, nil
	}
	known, ok := r.reps[to]
	if !ok {
		return d.out, nil, roster, galena.Errorf(galena.Invalid, "routing.give", "there is no rep or pool of that name")
	}
	known.Paused = false
	if why := known.refusal(d.ask, d.roster.Reps[to]); why != "" {
		return d.out, nil, roster, galena.Errorf(galena.Conflict, "routing.give", "%s cannot take the lead: %s", to, why)
	}
	d.candidates = []galena.Candidate{{Rep: to, Eligible: true, Why: "named by a person"}}
	d.give(known, d.now)
	return d.out, d.candidates, d.roster, nil
}

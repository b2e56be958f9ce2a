package routing

import (
	"maps"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// draw is one assignment in the making.
type draw struct {
	*Router
	ask
	in         Input
	rule       *rule
	out        galena.Assignment
	roster     galena.Roster // a copy, changed as the lead is given
	candidates []galena.Candidate
}

// Assign gives the lead to a rep, a queue or a sink. The roster must have been
// read under the locks that Locks names; it is not changed, the changed copy is
// returned. Who held the lead in the past does not get it again, and the breaches
// of the past decide where it goes.
func (r *Router) Assign(o Outcome, in Input, roster galena.Roster, lead string, epoch int, past galena.Held) (galena.Assignment, []galena.Candidate, galena.Roster) {
	d := &draw{Router: r, in: in, rule: o.rule, roster: copyRoster(roster),
		ask: ask{now: in.Now, earlier: past.Reps},
		out: galena.Assignment{LeadID: lead, Epoch: epoch, Rule: o.Rule, AssignedAt: in.Now}}
	if f := in.Facts.Get("lead.language"); f.State == galena.Known {
		d.language = language(f.Value.Text)
	}
	if o.rule != nil {
		d.skills = o.rule.skills
	}
	switch {
	case o.rule == nil:
		d.out.To = "queue:" + r.cfg.Fallback.Queue
	case o.rule.To.Sink != "":
		d.sink(o.rule.To.Sink)
	case o.rule.To.Queue != "":
		d.out.To = "queue:" + o.rule.To.Queue
	default:
		d.person(r.ways(o, in, past.Breaches))
	}
	return d.out, d.candidates, d.roster
}

func (d *draw) sink(name string) {
	why := d.in.Score.Disqualified
	switch {
	case name != fromDisqualifier:
		d.out.To = "sink:" + name
	case why == nil: // a rule that names no disqualified lead: nowhere to end
		d.out.To = "queue:" + d.cfg.Fallback.Queue
	default:
		d.out.To = "sink:" + why.Sink + " (" + why.ID + ")"
	}
}

// person goes through the ways until somebody takes the lead.
func (d *draw) person(w ways) {
	if w.owner != "" && d.owner(w) {
		return
	}
	if slices.ContainsFunc(w.pools, d.pool) {
		return
	}
	if w.opening != "" && d.opening(w.opening) {
		return
	}
	d.out.To = "queue:" + w.queue
}

// owner gives the lead to the rep whom the match names. One who has left is
// replaced by their manager; one who is merely out keeps the lead for as long
// as the rule lets it wait.
func (d *draw) owner(w ways) bool {
	r, known := d.reps[w.owner]
	if !known || !r.active() {
		d.candidates = append(d.candidates, galena.Candidate{Rep: w.owner, Why: "not active"})
		m, ok := d.reps[r.Manager]
		return ok && d.consider(m) == "" && d.own(m, w)
	}
	switch why := d.consider(r); {
	case why == "":
		return d.own(r, w)
	case r.refusal(d.ask, d.roster.Reps[r.ID]) != "":
		return false
	}
	if iu := d.rule.To.IfUnavailable; iu != nil {
		if iu.Wait == 0 {
			return false
		}
		d.out.WaitUntil = d.now.Add(iu.Wait)
	}
	return d.own(r, w)
}

// own gives the lead to a rep without asking whose turn it is. Where the rule
// counts it for fairness, the rep pays for it in the pool that would have had it.
func (d *draw) own(r rep, w ways) bool {
	d.out.Counts = d.rule.CountForFairness != nil && *d.rule.CountForFairness
	if len(w.pools) > 0 && d.out.Counts {
		if _, member := d.pools[w.pools[0]].Members[r.ID]; member {
			eligible, seen := d.eligible(w.pools[0])
			if !slices.Contains(eligible, r.ID) {
				eligible = append(eligible, r.ID)
			}
			d.turn(w.pools[0], r.ID, eligible, seen, d.now)
			return true
		}
	}
	d.give(r, d.now)
	return true
}

// consider records a single rep as a candidate and returns what speaks against.
func (d *draw) consider(r rep) string {
	why := r.ineligible(d.ask, d.roster.Reps[r.ID])
	d.candidates = append(d.candidates, galena.Candidate{Rep: r.ID, Eligible: why == "", Why: why})
	return why
}

// give books the lead on the rep and sets the clocks.
func (d *draw) give(r rep, start time.Time) {
	s := d.roster.Reps[r.ID]
	day := r.day(d.now)
	s.Days = maps.Clone(s.Days)
	if s.Days == nil {
		s.Days = map[string]int{}
	}
	s.Days[day]++
	s.Open++
	if d.out.Counts {
		d.out.Seq = d.roster.NextSeq
		s.LastSeq = d.roster.NextSeq
		d.roster.NextSeq++
	}
	d.roster.Reps[r.ID] = s
	d.out.To, d.out.Rep, d.out.Day = r.ID, r.ID, day
	d.out.OwnCompany = d.cfg.AccountOwnership.OnFirstAssignment && d.rule.To.Pool != "" &&
		d.in.Facts.Get("match.account_owner").State != galena.Known &&
		d.in.Facts.Get("company.domain").State == galena.Known
	d.rule.SLA.due(&d.out, r, start)
}

// pool gives the lead to the member whose turn it is, if any is eligible.
func (d *draw) pool(id string) bool {
	eligible, seen := d.eligible(id)
	if len(eligible) == 0 {
		return false
	}
	d.turn(id, "", eligible, seen, d.now)
	return true
}

// eligible records the members of a pool as candidates and lists who may have the lead.
func (d *draw) eligible(id string) (eligible []string, seen []galena.Candidate) {
	from := len(d.candidates)
	for _, m := range d.members(id) {
		owed := d.roster.Credits[id][m.ID]
		why := m.ineligible(d.ask, d.roster.Reps[m.ID])
		d.candidates = append(d.candidates, galena.Candidate{Rep: m.ID, Pool: id, Eligible: why == "", Why: why,
			Before: owed, After: owed})
		if why == "" {
			eligible = append(eligible, m.ID)
		}
	}
	return eligible, d.candidates[from:]
}

// opening gives the lead now to the member who works next, whose clocks begin then.
func (d *draw) opening(id string) bool {
	var first []string
	var at time.Time
	for _, m := range d.members(id) {
		w, ok := m.next(d.now)
		if !ok || m.refusal(d.ask, d.roster.Reps[m.ID]) != "" || len(first) > 0 && w.from.After(at) {
			continue
		}
		if w.from.Before(at) {
			first = nil
		}
		first, at = append(first, m.ID), w.from
	}
	if len(first) == 0 {
		return false
	}
	from := len(d.candidates)
	for _, rep := range first {
		d.candidates = append(d.candidates, galena.Candidate{Rep: rep, Pool: id, Eligible: true,
			Why: "works next, from " + at.UTC().Format(time.RFC3339), Before: d.roster.Credits[id][rep]})
	}
	d.turn(id, "", first, d.candidates[from:], at)
	return true
}

// turn rotates the pool: the lead goes to the member who is owed most, or to
// the given one, who then pays for it.
func (d *draw) turn(id, winner string, eligible []string, seen []galena.Candidate, start time.Time) {
	credits := d.roster.Credits[id]
	if credits == nil {
		credits = map[string]int64{}
		d.roster.Credits[id] = credits
	}
	order := accrue(credits, d.pools[id].Members, eligible, d.roster.Reps)
	if winner == "" {
		winner = owed(credits, order)
	}
	credits[winner] -= oneLead
	for i := range seen {
		seen[i].After = credits[seen[i].Rep]
	}
	d.out.Pool, d.out.Counts = id, true
	d.give(d.reps[winner], start)
}

// members are the reps of a pool in the order of their ids.
func (d *draw) members(id string) []rep {
	var out []rep
	for _, m := range slices.Sorted(maps.Keys(d.pools[id].Members)) {
		out = append(out, d.reps[m])
	}
	return out
}

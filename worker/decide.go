package worker

import (
	"context"
	"slices"

	"github.com/galenahq/galena"
)

// rule turns what is known into the decision and writes everything in one
// transaction. Who gets the lead is settled under the lock of the rotation.
func (r *run) rule(ctx context.Context, s galena.Step) (galena.Record, error) {
	v := r.look(true)
	lead := r.memory.Lead
	pools, reps := r.rules.Routing.Locks(v.outcome, v.input)
	company := r.company(v)
	d, err := r.p.Leads.Rule(ctx, galena.Ruling{
		Step: s, Lead: lead, Pools: pools, Reps: reps, Lesson: r.lesson(v, company, s.Epoch),
		Later:   r.later(v.score.Settled && v.outcome.Settled, r.p.Now()),
		Refresh: r.refresh(v), Audit: r.audited(v),
		Settle: func(roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			a, candidates, changed := r.rules.Routing.Assign(v.outcome, v.input, roster, lead.ID, s.Epoch, galena.Held{})
			d := r.decision(v, a, candidates)
			deliveries, err := r.p.Announce.Announce(galena.Record{Lead: lead, Company: company, Decision: &d})
			return d, deliveries, changed, err
		},
	})
	return galena.Record{Lead: lead, Company: company, Decision: &d}, err
}

// lesson is what the run learnt of the company, for the decision of the epoch.
func (r *run) lesson(v view, company galena.Company, epoch int) galena.Lesson {
	return galena.Lesson{Observations: r.bought(), Used: r.used(v), Company: company, Conflicts: r.disputes(epoch, v),
		Opened: func(d galena.Dispute) ([]galena.Delivery, error) { return r.p.Announce.Disputed(r.memory.Lead, d) }}
}

// used names what the decision rests on: a value that won its field, where the
// profile, a rule that was tried or the catalogue asks for the field.
func (r *run) used(v view) (ids []string) {
	for _, o := range r.bought() {
		tried := func(t galena.RuleTry) bool { _, seen := t.Values[o.Field]; return seen }
		if v.facts.Get(o.Field).ObservationID == o.ID && (slices.Contains(r.rules.ICP.Fields(), o.Field) ||
			slices.Contains(r.rules.AlwaysCollect, o.Field) || slices.ContainsFunc(v.outcome.Tries, tried)) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// company is what is known of the account now.
func (r *run) company(v view) galena.Company {
	return galena.Company{Domain: r.memory.CompanyDomain(), Facts: companyFacts(v.facts), UpdatedAt: r.began}
}

func (r *run) decision(v view, a galena.Assignment, candidates []galena.Candidate) galena.Decision {
	now := r.p.Now()
	d := galena.Decision{
		LeadID: a.LeadID, Epoch: a.Epoch, Score: v.score.Score, Stop: r.stop,
		Calls: len(r.steps), Cents: galena.CentsOf(r.spent), LimitCents: galena.CentsOf(r.rules.LimitMicros), Steps: r.steps,
		Rule: v.outcome.Rule, To: a.To, Owner: a.Rep, Territory: v.outcome.Territory,
		Tries: v.outcome.Tries, Candidates: candidates, Assignment: a,
		Segment: r.segment, Facts: v.facts, Configs: r.rules.Refs, DecidedAt: now, Took: now.Sub(r.began),
	}
	// A certain tier is not yet a certain decision: a rule may still be open.
	d.Settled = d.Settled && v.outcome.Settled
	d.Provisional = !d.Settled
	d.Observations = slices.Grow(d.Observations, len(r.observed))
	for _, o := range r.observed {
		d.Observations = append(d.Observations, o.ID)
	}
	return d
}

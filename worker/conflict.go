package worker

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/planning"
)

// thirdOpinion asks one more provider where the sources contradict each other
// and the decision hangs on it. Each field gets one try; what is still contested
// after it is for a person.
func (r *run) thirdOpinion(s planning.State, stop planning.Next) planning.Next {
	if !s.HasDomain || !s.Spendable {
		return stop
	}
	for _, d := range r.conflicts() {
		if d.Severity == galena.SeverityDecision && !r.tried[d.Field] {
			s.Contested = append(s.Contested, d.Field)
		}
	}
	if len(s.Contested) == 0 {
		return stop
	}
	next := planning.Plan(s)
	i := slices.IndexFunc(s.Offers, func(o galena.Offer) bool { return o.Provider == next.Provider })
	for _, field := range s.Contested {
		if i >= 0 && s.Offers[i].Hits[field] > 0 {
			r.tried[field] = true
		}
	}
	return next
}

// conflicts are what the sources disagree on about the company, with the
// decision that either side leads to once nobody is left to ask. Nobody changes them.
func (r *run) conflicts() []galena.Dispute {
	if r.disputedAt != len(r.observed) {
		r.disputed, r.disputedAt = r.weigh(), len(r.observed)
	}
	return r.disputed
}

// weigh finds the conflicts and what either side leads to.
//
// Sources mostly contradict each other on what no criterion and no rule reads, such
// as a description: then nothing hangs on it, and nothing is judged. Otherwise a
// decision is made for each side of each conflict; where nothing that is read
// differs, it is the one before.
func (r *run) weigh() []galena.Dispute {
	r.known() // weighs what has come since
	found := r.profile.conflicts
	if r.profile.tense {
		found = r.profile.weighed.Conflicts(merging.Lens{Band: r.rules.band(r.began), Judge: r.judgement()})
	}
	fixed := func(d galena.Dispute) bool {
		return r.fixed[d.Field] != nil || !strings.HasPrefix(d.Field, "company.")
	}
	if slices.ContainsFunc(found, fixed) {
		found = slices.DeleteFunc(slices.Clone(found), fixed)
	}
	return found
}

// judgement says what decision facts of the company lead to.
func (r *run) judgement() func(galena.Facts) merging.Outcome {
	var last merging.Outcome
	var of galena.Facts
	return func(facts galena.Facts) merging.Outcome {
		if of != nil && alike(facts, of, r.rules.ICP.Fields()) && alike(facts, of, r.rules.Routing.Fields()) {
			return last
		}
		of = facts
		facts = maps.Clone(facts)
		maps.Copy(facts, r.fixed)
		v := r.judge(facts, r.rules.ICP.Glance(facts, r.began, true), true)
		out := merging.Outcome{Tier: v.score.Tier, Rule: v.outcome.Rule, Rest: v.outcome.Territory}
		if d := v.score.Disqualified; d != nil {
			out.Rest += " " + d.ID
		}
		last = out
		return out
	}
}

// alike says that two profiles are the same in these fields.
func alike(a, b galena.Facts, fields []string) bool {
	for _, name := range fields {
		x, y := a.Get(name), b.Get(name)
		if x.State != y.State || x.Confidence != y.Confidence || x.Source != y.Source || !x.ObservedAt.Equal(y.ObservedAt) || !x.Value.Equal(y.Value) {
			return false
		}
	}
	return true
}

// disputes is what the ruling writes: the conflicts that there are now, and
// those of earlier leads that are over.
func (r *run) disputes(epoch int, v view) []galena.Dispute {
	company := r.memory.CompanyDomain()
	if company == "" {
		return nil
	}
	out := slices.DeleteFunc(slices.Clone(r.conflicts()), r.stands)
	if !r.profile.tense {
		out = sided(out, v)
	}
	for _, was := range r.memory.Disputes {
		again := func(d galena.Dispute) bool { return d.Field == was.Field }
		if !slices.ContainsFunc(out, again) && !r.stands(was) {
			out = append(out, r.over(was, v.facts.Get(was.Field))...)
		}
	}
	for i := range out {
		out[i].Entity, out[i].LeadID, out[i].Epoch = company, r.memory.Lead.ID, epoch
	}
	return out
}

// sided says of conflicts on which nothing hangs that each side leads to the
// decision that is made.
func sided(all []galena.Dispute, v view) []galena.Dispute {
	for i := range all {
		d := &all[i]
		d.Chosen.Tier, d.Chosen.Rule = v.score.Tier, v.outcome.Rule
		d.Candidates = slices.Clone(d.Candidates)
		for j := range d.Candidates {
			d.Candidates[j].Tier, d.Candidates[j].Rule = v.score.Tier, v.outcome.Rule
		}
	}
	return all
}

// conflictKept is how long a conflict on which nothing hangs is left as it is
// written: every lead of the company meets it.
const conflictKept = time.Hour

// stands says that this run sees a conflict on which nothing hangs, and that it
// is written with the same sides.
func (r *run) stands(d galena.Dispute) bool {
	same := func(other galena.Dispute) bool {
		return other.Field == d.Field && other.Severity == galena.SeverityInfo && d.Severity == galena.SeverityInfo &&
			other.Margin == d.Margin && slices.EqualFunc(other.Candidates, d.Candidates, sameSide)
	}
	i := slices.IndexFunc(r.memory.Disputes, same)
	return i >= 0 && r.began.Sub(r.memory.Disputes[i].UpdatedAt) < conflictKept && slices.ContainsFunc(r.conflicts(), same)
}

func sameSide(a, b galena.Claim) bool { return a.ObservationID == b.ObservationID }

// over closes a conflict that this run does not see any more, if the run can
// tell: a stronger class of source has spoken, or every side was heard again. A
// lead that asked fewer providers knows nothing of it.
func (r *run) over(was galena.Dispute, now galena.Fact) []galena.Dispute {
	classes := galena.SourceClasses()
	heard := map[string]bool{}
	for _, o := range r.observed {
		if o.Field != was.Field {
			continue
		}
		heard[o.Source] = true
		if o.ID == now.ObservationID && slices.Index(classes, o.Class) < slices.Index(classes, was.Chosen.Class) {
			was.Status, was.ResolvedBy = galena.ConflictSuperseded, o.Source
			return []galena.Dispute{was}
		}
	}
	for _, c := range was.Candidates {
		if !heard[c.Source] {
			return nil
		}
	}
	was.Status, was.ResolvedBy = galena.ConflictResolved, galena.ResolvedByAgreement
	return []galena.Dispute{was}
}

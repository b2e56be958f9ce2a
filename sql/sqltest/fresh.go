package sqltest

import (
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

var freshRules = map[string]func(*bench){
	"ARefreshIsPlannedOnceWithItsDecision":  refreshPlanned,
	"TheRefreshThatMattersMostGoesFirst":    refreshOrder,
	"ARefreshUnderWayIsNotHandedOutAgain":   refreshUnderWay,
	"ARefreshReplacesTheRecordOfTheCompany": refreshWrites,
	"ARefreshThatKillsStaysPutAside":        refreshStaysAside,
	"StaleCompaniesAreFoundByTheirDecision": staleFound,
	"ALeadAtAnAliasKeepsItsCompanyFresh":    aliasFresh,
	"AnAuditIsAStepWrittenWithTheDecision":  auditStep,
	"RegretSumsTheAuditsUp":                 regretSummed,
}

// decidedOn rules a lead into tier A on answers that go stale after 10 days, for
// the highest tier after 4.87, and end after 20.
func (s *bench) decidedOn(change func(*galena.Ruling)) string {
	s.Helper()
	now := s.clock.now()
	a := s.hit(now)
	a.FreshUntil, a.ExpiresAt = now.Add(10*24*time.Hour), now.Add(20*24*time.Hour)
	s.ok(s.SaveAnswer(s.ctx, a, ledger("hit", now)))
	id := s.begun(person(1))
	r := s.ruling(id, nil)
	if change != nil {
		change(&r)
	}
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	return id
}

// handed takes what stands in the outbox of one kind.
func (s *bench) handed(kind string) []galena.Step {
	s.Helper()
	var out []galena.Step
	for {
		steps, err := s.ClaimOutbox(s.ctx, 100)
		s.ok(err)
		if len(steps) == 0 {
			return out
		}
		for _, st := range steps {
			if st.Kind == kind {
				out = append(out, st)
			}
			s.ok(s.DropOutbox(s.ctx, []int64{st.Outbox}))
		}
	}
}

// handOut turns due wishes into steps until none is left, and says how many.
func (s *bench) handOut() int {
	s.Helper()
	for n := 0; ; n++ {
		ok, err := s.HandOutRefresh(s.ctx)
		s.ok(err)
		if !ok {
			return n
		}
	}
}

func refreshPlanned(s *bench) {
	now := s.clock.now()
	s.decidedOn(func(r *galena.Ruling) {
		r.Refresh = &galena.Refresh{Domain: "acme.test", Score: 0.1, DueAt: now.Add(time.Hour)}
	})
	if n := s.handOut(); n != 0 {
		s.Fatalf("%d refreshes before they were due", n)
	}
	for range 20 { // colleagues: the wish grows more urgent and stays one
		s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{{Domain: "acme.test", Score: 0.5, DueAt: now}}))
	}
	if n := s.handOut(); n != 1 {
		s.Errorf("%d refreshes, want one for the company", n)
	}
	got := s.handed(galena.StepRefresh)
	if len(got) != 1 || got[0].ID != "acme.test" || got[0].Epoch != 1 || got[0].Run != 1 || got[0].Queue != sql.QueueBulk {
		s.Errorf("steps %+v, want one of acme.test on the bulk queue", got)
	}
}

func refreshOrder(s *bench) {
	now := s.clock.now()
	s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{
		{Domain: "far.test", Score: 0.01, DueAt: now.Add(-time.Hour)}, {Domain: "near.test", Score: 0.9, DueAt: now},
		{Domain: "later.test", Score: 1, DueAt: now.Add(time.Hour)}, {Domain: "middle.test", Score: 0.3, DueAt: now}}))
	var order []string
	for range 3 {
		ok, err := s.HandOutRefresh(s.ctx)
		s.ok(err)
		for _, st := range s.handed(galena.StepRefresh) {
			order = append(order, st.ID)
		}
		if !ok {
			s.Fatal("nothing is due")
		}
	}
	if len(order) != 3 || order[0] != "near.test" || order[1] != "middle.test" || order[2] != "far.test" {
		s.Errorf("order %v, want near, middle, far", order)
	}
	if s.handOut() != 0 {
		s.Error("what is not due was handed out")
	}
}

func refreshUnderWay(s *bench) {
	wish := []galena.Refresh{{Domain: "acme.test", Score: 1, DueAt: s.clock.now()}}
	s.ok(s.PlanRefreshes(s.ctx, wish))
	s.handOut()
	first := s.handed(galena.StepRefresh)
	s.ok(s.PlanRefreshes(s.ctx, wish))
	s.handOut()
	if again := s.handed(galena.StepRefresh); len(first) != 1 || len(again) != 0 {
		s.Fatalf("handed out %v, then %v: want once while it is under way", first, again)
	}
	ok, err := s.Begin(s.ctx, galena.StepRefresh, "acme.test", 1, 1)
	s.ok(err)
	if !ok {
		s.Fatal("the step was not ours to begin")
	}
	s.ok(s.Finish(s.ctx, first[0]))
	s.ok(s.PlanRefreshes(s.ctx, wish))
	s.handOut()
	if again := s.handed(galena.StepRefresh); len(again) != 1 || again[0].Run != 2 {
		s.Errorf("after its end %v, want the second run", again)
	}
	s.refused(s.Refreshed(s.ctx, first[0], galena.Company{Domain: "acme.test"}, nil), galena.Conflict, "fence")
}

// refreshStaysAside: workers die on a refresh, so it is put aside for a person. The
// restocker's next look must not run it again.
func refreshStaysAside(s *bench) {
	s.decidedOn(nil)
	s.clock.pass(11 * 24 * time.Hour)
	plan := func() int {
		s.Helper()
		found, err := s.StaleCompanies(s.ctx, "A", s.clock.now().Add(-90*24*time.Hour), 10)
		s.ok(err)
		for _, c := range found {
			s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{{Domain: c.Domain, Score: 1, DueAt: s.clock.now()}}))
		}
		s.handOut()
		return len(s.handed(galena.StepRefresh))
	}
	if n := plan(); n != 1 {
		s.Fatalf("%d refreshes, want one", n)
	}
	for n := 1; n < 3; n++ {
		s.rehand([]galena.Step{s.kill(galena.StepRefresh, "acme.test", n, n)}, 1)
	}
	if done, err := s.SetAside(s.ctx, s.kill(galena.StepRefresh, "acme.test", 3, 3), "3 workers died", nil); !done || err != nil {
		s.Fatalf("not set aside: %v, %v", done, err)
	}
	s.clock.pass(time.Minute)
	if n := plan(); n != 0 {
		s.Errorf("a minute later the restocker runs it again, without a person")
	}
	if left, err := s.FailedSteps(s.ctx, galena.FailedFilter{Reason: galena.ReasonKilled}); err != nil || len(left) != 1 {
		s.Errorf("%d steps are put aside, %v; want the refresh for a person to see", len(left), err)
	}
	s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{{Domain: "acme.test", Score: 1, DueAt: s.clock.now()}})) // a lead's wish
	s.handOut()
	if n := len(s.handed(galena.StepRefresh)); n != 0 {
		s.Errorf("a lead's wish runs it again")
	}
	s.replay(galena.FailedFilter{Reason: galena.ReasonKilled}, 1)
}

func refreshWrites(s *bench) {
	s.decidedOn(nil)
	s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{{Domain: "acme.test", Score: 1, DueAt: s.clock.now()}}))
	s.handOut()
	step := s.handed(galena.StepRefresh)[0]
	if ok, err := s.Begin(s.ctx, step.Kind, step.ID, step.Epoch, step.Run); !ok || err != nil {
		s.Fatal(ok, err)
	}
	s.clock.pass(time.Hour)
	h, err := s.Holding(s.ctx, "acme.test", "A", s.clock.now().Add(-24*time.Hour))
	s.ok(err)
	if !h.TopTier || len(h.Answers) != 1 || h.Answers[0].Provider != "alpha" || len(h.Answers[0].Observations) != 1 {
		s.Errorf("holding %+v, want the answer of a company of tier A", h)
	}
	facts := galena.Facts{"company.employee_count": {Field: "company.employee_count", State: galena.Known, Value: galena.Number(300), Source: "alpha"}}
	learnt := []*galena.Observation{{ID: "o2", Entity: "acme.test", Field: "company.employee_count", Source: "alpha", Class: galena.ClassProvider, Value: galena.Number(300), Confidence: 1}}
	s.ok(s.Refreshed(s.ctx, step, galena.Company{Domain: "acme.test", Facts: facts, UpdatedAt: s.clock.now()}, learnt))
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if got := c.Facts.Get("company.employee_count").Value; !got.Equal(galena.Number(300)) {
		s.Errorf("company has %s employees, want 300", got)
	}
	s.refused(s.Refreshed(s.ctx, step, c, nil), galena.Conflict, "fence")
}

func staleFound(s *bench) {
	s.decidedOn(nil)
	find := func(top string) []galena.StaleCompany {
		s.Helper()
		got, err := s.StaleCompanies(s.ctx, top, s.clock.now().Add(-90*24*time.Hour), 10)
		s.ok(err)
		return got
	}
	const day = 24 * time.Hour
	for _, at := range []struct {
		pass      time.Duration
		top, rest int
	}{{4 * day, 0, 0}, {2 * day, 1, 0}, {5 * day, 1, 1}, {10 * day, 0, 0}} {
		s.clock.pass(at.pass)
		if top, rest := find("A"), find("S"); len(top) != at.top || len(rest) != at.rest {
			s.Errorf("on %s: %d as the highest tier, %d as another, want %d and %d", s.clock.now(), len(top), len(rest), at.top, at.rest)
		}
	}
	s.clock.pass(-5 * day)
	got := find("S")
	if len(got) != 1 || got[0].Domain != "acme.test" || got[0].Tier != "A" || got[0].Lo != 814 || got[0].Hi != 959 {
		s.Fatalf("found %+v", got)
	}
	s.ok(s.PlanRefreshes(s.ctx, []galena.Refresh{{Domain: "acme.test", Score: 1, DueAt: s.clock.now()}}))
	if got := find("S"); len(got) != 0 {
		s.Errorf("found %+v, which is planned already", got)
	}
	s.handOut()
	if got := find("S"); len(got) != 0 {
		s.Errorf("found %+v, which is under way", got)
	}
}

// A lead at an alias rests on the company's answers: they are found stale for
// it, and its tier is the company's. What the alias was once asked for is not.
func aliasFresh(s *bench) {
	now := s.clock.now()
	for _, domain := range []string{"acme.test", "acme.de"} {
		a := s.hit(now)
		a.Domain, a.FreshUntil, a.ExpiresAt = domain, now.Add(10*24*time.Hour), now.Add(20*24*time.Hour)
		s.ok(s.SaveAnswer(s.ctx, a, ledger("hit", now)))
	}
	s.link("acme.de", "acme.test", "alias")
	id := s.begun(at("acme.de"))
	_, err := s.Rule(s.ctx, s.ruling(id, nil))
	s.ok(err)
	s.clock.pass(11 * 24 * time.Hour)
	since := s.clock.now().Add(-90 * 24 * time.Hour)
	got, err := s.StaleCompanies(s.ctx, "S", since, 10)
	s.ok(err)
	if len(got) != 1 || got[0].Domain != "acme.test" || got[0].Tier != "A" {
		s.Errorf("stale %+v, want the company alone", got)
	}
	h, err := s.Holding(s.ctx, "acme.test", "A", since)
	s.ok(err)
	if !h.TopTier {
		s.Error("the company is not of tier A, want the tier of its lead at the alias")
	}
	if h, err = s.Holding(s.ctx, "globex.test", "A", since); err != nil || h.TopTier {
		s.Errorf("a stranger is of tier A: %v, %v", h.TopTier, err)
	}
}

func auditStep(s *bench) {
	id := s.decidedOn(func(r *galena.Ruling) { r.Audit = true })
	got := s.handed(galena.StepAudit)
	if len(got) != 1 || got[0].ID != id || got[0].Epoch != 1 || got[0].Queue != sql.QueueBulk {
		s.Errorf("steps %+v, want one audit of the lead on the bulk queue", got)
	}
}

func regretSummed(s *bench) {
	r, err := s.Regret(s.ctx)
	s.ok(err)
	if r != (galena.Regret{}) {
		s.Errorf("regret %+v before any audit", r)
	}
	id := s.decidedOn(func(r *galena.Ruling) { r.Audit = true })
	step := s.handed(galena.StepAudit)[0]
	if ok, err := s.Begin(s.ctx, step.Kind, step.ID, step.Epoch, step.Run); !ok || err != nil {
		s.Fatal(ok, err)
	}
	audit := galena.RegretAudit{LeadID: id, Epoch: 1, Changed: true, Calls: 2, CostMicros: 110_000, TierBefore: "A", TierAfter: "B",
		RuleBefore: "tier-a", RuleAfter: "tier-b", At: s.clock.now()}
	s.ok(s.SaveAudit(s.ctx, step, audit, nil))
	s.refused(s.SaveAudit(s.ctx, step, audit, nil), galena.Conflict, "fence")
	if r, err = s.Regret(s.ctx); err != nil || r != (galena.Regret{Audits: 1, Changed: 1, CostMicros: 110_000}) {
		s.Errorf("regret %+v, %v", r, err)
	}
}

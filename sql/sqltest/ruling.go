package sqltest

import (
	"errors"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var rulingRules = map[string]func(*bench){
	"ARulingWritesEverything":                rulingWrites,
	"RuledTwiceIsOneDecision":                ruledTwice,
	"ParallelRunsOfALeadAreOneDecision":      ruledAtOnce,
	"AStaleRunWritesNothing":                 staleWritesNothing,
	"ARunThatNeverBeganWritesNothing":        unbegunWritesNothing,
	"AFaultInSettleWritesNothing":            settleFails,
	"TheSecondOwnerOfACompanyLosesTheRace":   ownerRace,
	"EachDeliveryHasItsOwnStep":              deliverySteps,
	"AnEventIsToldToATargetOnce":             toldOnce,
	"ARunThatEndsADeliveryIsNoted":           deliveryEnds,
	"MemoryKnowsWhoHoldsPersonAndCompany":    memoryOwners,
	"VendorsAreRememberedOnlyThroughThePlan": memoryObservations,
}

// ruling is a decision of tier A; settle may be nil.
func (s *bench) ruling(id string, settle func(galena.Roster, *galena.Decision) galena.Roster) galena.Ruling {
	s.Helper()
	m, err := s.Memory(s.ctx, id)
	s.ok(err)
	now := s.clock.now()
	return galena.Ruling{
		Step: run(id, 1), Lead: m.Lead, Pools: []string{pool}, Reps: []string{"ana", "ben"},
		Lesson: galena.Lesson{
			Company: galena.Company{Domain: "acme.test", UpdatedAt: now, Facts: galena.Facts{
				"company.employee_count": {Field: "company.employee_count", State: galena.Known, Value: galena.Interval(51, 200, "51-200"), Source: "alpha"}}},
			Observations: []*galena.Observation{{ID: "o1", Entity: "acme.test", Field: "company.employee_count", Source: "alpha",
				Class: galena.ClassProvider, Value: galena.Interval(51, 200, "51-200"), Confidence: 0.9, ObservedAt: now, FetchedAt: now}},
		},
		Settle: func(r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			d := galena.Decision{LeadID: id, Epoch: 1, Stop: galena.StopSettled, Cents: 5.5, Calls: 2, Rule: "tier-a",
				DecidedAt: now, Score: galena.Score{Score: 850, Lo: 814, Hi: 959, Coverage: 0.89, Tier: "A", Settled: true}}
			d.Assignment = galena.Assignment{LeadID: id, Epoch: 1, Rule: "tier-a", To: "sink:nurture", AssignedAt: now}
			if settle != nil {
				r = settle(r, &d)
			}
			d.To, d.Owner = d.Assignment.To, d.Assignment.Rep
			told := []galena.Delivery{{Event: galena.EventRouted, Target: "default", Body: body(id)}}
			return d, told, r, nil
		},
	}
}

// to assigns every lead to one rep.
func to(rep string, own bool) func(galena.Roster, *galena.Decision) galena.Roster {
	return func(r galena.Roster, d *galena.Decision) galena.Roster {
		d.Assignment.Rep, d.Assignment.To, d.Assignment.Day, d.Assignment.OwnCompany = rep, rep, "2026-11-23", own
		return r
	}
}

func rulingWrites(s *bench) {
	id := s.begun(person(1))
	d, err := s.Rule(s.ctx, s.ruling(id, to("ana", true)))
	s.ok(err)
	got, err := s.Record(s.ctx, id)
	s.ok(err)
	if got.Decision == nil || !reflect.DeepEqual(*got.Decision, d) {
		s.Fatalf("decision\n%+v, want\n%+v", got.Decision, d)
	}
	if got.Lead.Status != galena.StatusDecided || !got.Lead.DecidedAt.Equal(s.clock.now()) {
		s.Errorf("lead %s decided at %s", got.Lead.Status, got.Lead.DecidedAt)
	}
	if f := got.Company.Facts.Get("company.employee_count"); f.Value.Raw != "51-200" || got.Company.Owner != "ana" {
		s.Errorf("company %+v", got.Company)
	}
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if !reflect.DeepEqual(c, got.Company) {
		s.Errorf("company %+v, want %+v", c, got.Company)
	}
	s.backlog(2, 0)
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 1); ok || err != nil {
		s.Errorf("a finished step began: %v, %v", ok, err)
	}
}

func ruledTwice(s *bench) {
	id := s.begun(person(1))
	first, err := s.Rule(s.ctx, s.ruling(id, to("ana", false)))
	s.ok(err)
	second, err := s.Rule(s.ctx, s.ruling(id, to("ben", false)))
	s.ok(err)
	if !reflect.DeepEqual(first, second) {
		s.Errorf("second decision %+v, want the first", second)
	}
	s.backlog(2, 0)
	s.roster(func(r galena.Roster) {
		if r.Reps["ana"].Open != 1 || r.Reps["ben"].Open != 0 || r.Reps["ana"].Days["2026-11-23"] != 1 {
			s.Errorf("reps %+v", r.Reps)
		}
	})
}

// roster shows the rotation as a ruling would see it, and changes nothing.
func (s *bench) roster(look func(galena.Roster)) {
	s.Helper()
	id := s.begun(submission("looker@acme.test", s.clock.now().String()))
	r := s.ruling(id, nil)
	done := errors.New("seen")
	r.Settle = func(roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		look(roster)
		return galena.Decision{}, nil, roster, &galena.Error{Kind: galena.Invalid, Op: "look", Err: done}
	}
	_, err := s.Rule(s.ctx, r)
	s.refused(err, galena.Invalid, "look")
}

func ruledAtOnce(s *bench) {
	id := s.begun(person(1))
	r := s.ruling(id, to("ana", false))
	parallel(8, func(int) {
		if _, err := s.Rule(s.ctx, r); err != nil {
			s.Error(err)
		}
	})
	s.backlog(2, 0)
	s.roster(func(r galena.Roster) {
		if r.Reps["ana"].Open != 1 {
			s.Errorf("ana holds %d, want 1", r.Reps["ana"].Open)
		}
	})
}

func staleWritesNothing(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	stale := s.ruling(id, to("ana", true))
	s.clock.pass(time.Minute)
	s.rehand(s.suspects(1), 1)
	_, err := s.Rule(s.ctx, stale)
	s.refused(err, galena.Conflict, "fence")
	s.nothingDecided(id)
}

func (s *bench) nothingDecided(id string) {
	s.Helper()
	got, err := s.Record(s.ctx, id)
	s.ok(err)
	if got.Decision != nil || got.Lead.Status != galena.StatusAccepted || got.Company.Owner != "" {
		s.Errorf("record %+v, want nothing written", got)
	}
	if _, err := s.Company(s.ctx, "acme.test"); galena.KindOf(err) != galena.NotFound {
		s.Errorf("company: %v, want not found", err)
	}
}

func unbegunWritesNothing(s *bench) {
	id := s.accept(person(1)).ID
	_, err := s.Rule(s.ctx, s.ruling(id, to("ana", true)))
	s.refused(err, galena.Conflict, "fence")
	s.nothingDecided(id)
}

func settleFails(s *bench) {
	id := s.begun(person(1))
	r := s.ruling(id, nil)
	r.Settle = func(galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		return galena.Decision{}, nil, galena.Roster{}, galena.Errorf(galena.Internal, "route", "no way")
	}
	_, err := s.Rule(s.ctx, r)
	s.refused(err, galena.Internal, "route")
	s.nothingDecided(id)
}

func ownerRace(s *bench) {
	ids := make([]string, 8)
	rulings := make([]galena.Ruling, len(ids))
	for i := range ids {
		ids[i] = s.begun(person(i))
		rulings[i] = s.ruling(ids[i], to([]string{"ana", "ben"}[i%2], true))
		rulings[i].Pools, rulings[i].Reps = nil, []string{[]string{"ana", "ben"}[i%2]} // no common lock but the company
	}
	var lost atomic.Int32
	parallel(len(ids), func(i int) {
		_, err := s.Rule(s.ctx, rulings[i])
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*galena.Error](err); !ok || e.Kind != galena.Conflict || e.Op != "owner" {
			s.Errorf("error %v, want conflict owner", err)
		}
		lost.Add(1)
	})
	if lost.Load() != 4 {
		s.Errorf("%d lost the race, want the other rep's 4", lost.Load())
	}
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	b, err := s.Backlog(s.ctx)
	s.ok(err)
	if c.Owner == "" || b.Undecided != 4 {
		s.Errorf("owner %q, %d undecided", c.Owner, b.Undecided)
	}
}

func deliverySteps(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	r := s.ruling(id, nil)
	settle := r.Settle
	r.Settle = func(roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		d, told, after, err := settle(roster)
		return d, append(told, galena.Delivery{ID: "d2", Event: galena.EventRouted, Target: "second", Key: "mine", Body: body("two")}), after, err
	}
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	keys := map[string]bool{}
	for _, st := range claimed {
		d, err := s.Delivery(s.ctx, st.ID)
		s.ok(err)
		keys[d.Target+" "+d.Key] = true
		if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil || st.Queue != "deliveries" {
			s.Errorf("step %+v: %v, %v", st, ok, err)
		}
	}
	if want := map[string]bool{"default lead.routed:" + id + ":1": true, "second mine": true}; !reflect.DeepEqual(keys, want) {
		s.Errorf("deliveries %v, want %v", keys, want)
	}
}

func toldOnce(s *bench) {
	in := person(1)
	in.Deliveries = []galena.Delivery{{Event: galena.EventRouted, Target: "default", Body: body("early")}}
	id := s.begun(in)
	_, err := s.Rule(s.ctx, s.ruling(id, nil))
	s.ok(err)
	s.backlog(2, 0) // the lead's step and the delivery that was there
}

func deliveryEnds(s *bench) {
	in := person(1)
	in.Deliveries = []galena.Delivery{{ID: "d1", Event: galena.EventAccepted, Target: "default", Body: body("one")}}
	s.accept(in)
	s.relayed()
	st := galena.Step{Kind: galena.StepDeliver, ID: "d1", Epoch: 1, Run: 1}
	for _, tt := range []struct {
		kind galena.Kind
		want int
	}{{galena.Unavailable, 1}, {galena.RateLimited, 2}, {galena.BreakerOpen, 2}, {galena.Unauthorized, 3}, {galena.Pending, 3}, {galena.Exhausted, 4}, {galena.Internal, 5}} {
		if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil {
			s.Fatalf("run %d did not begin: %v", st.Run, err)
		}
		s.ok(s.Park(s.ctx, st, s.clock.now(), tt.kind, "try again"))
		d, err := s.Delivery(s.ctx, "d1")
		s.ok(err)
		if d.Attempts != tt.want {
			s.Errorf("after %s: %d attempts, want %d", tt.kind, d.Attempts, tt.want)
		}
		s.rehand([]galena.Step{st}, 1)
		st.Run++
	}
	if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil {
		s.Fatalf("the last run did not begin: %v", err)
	}
	s.ok(s.Finish(s.ctx, st))
}

func memoryOwners(s *bench) {
	s.ok(s.SetOpenLead(s.ctx, "ana@acme.test", "zoe"))
	s.ok(s.SetAccountOwner(s.ctx, "acme.test", "max"))
	held := func(id, person, company string) {
		s.Helper()
		m, err := s.Memory(s.ctx, id)
		s.ok(err)
		if m.OpenLeadOwner != person || m.AccountOwner != company {
			s.Errorf("held by %q and %q, want %q and %q", m.OpenLeadOwner, m.AccountOwner, person, company)
		}
	}
	first := s.begun(submission("ana@acme.test", "demo"))
	held(first, "zoe", "max")
	s.ok(s.SetAccountOwner(s.ctx, "acme.test", ""))
	_, err := s.Rule(s.ctx, s.ruling(first, to("ben", true)))
	s.ok(err)
	held(first, "", "") // its own assignment is neither another open lead nor an older account
	second := s.accept(submission("ana@acme.test", "trial")).ID
	held(second, "ben", "ben")
	s.ok(s.SetOpenLead(s.ctx, "ana@acme.test", ""))
	held(second, "", "ben")
	_, err = s.Memory(s.ctx, "nobody")
	s.refused(err, galena.NotFound, "")
}

func memoryObservations(s *bench) {
	now := s.clock.now()
	in := person(1)
	in.Lead.ID = "lead-1"
	in.Observations = []galena.Observation{{ID: "f1", Entity: "lead:lead-1", Field: "lead.job_title", Source: "form",
		Class: galena.ClassForm, Value: galena.TextValue("CEO"), Confidence: 1, ObservedAt: now, FetchedAt: now}}
	s.accept(in)
	crm := galena.Observation{ID: "c1", Entity: "acme.test", Field: "company.technologies", Source: "crm:twenty", Class: galena.ClassCRM,
		Value: galena.SetValue([]string{"hubspot"}, true), Confidence: 0.5, ObservedAt: now.Add(-time.Hour), FetchedAt: now,
		Ref: "r1", Method: "api", CostMicros: 7, RequestID: "q", RunID: "u"}
	vendor := crm
	vendor.ID, vendor.Class = "v1", galena.ClassProvider
	elsewhere := crm
	elsewhere.ID, elsewhere.Entity = "c2", "other.test"
	rep, other := in.Observations[0], in.Observations[0]
	rep.ID, rep.Entity, rep.Class, rep.ObservedAt = "h1", galena.PersonEntity(in.Lead.Key), galena.ClassHuman, now.Add(time.Minute)
	other.ID, other.Entity, other.Class = "h2", galena.PersonEntity("eve@acme.test"), galena.ClassHuman
	s.ok(s.AddObservations(s.ctx, []galena.Observation{vendor, crm, elsewhere, rep, other}))
	s.ok(s.AddObservations(s.ctx, []galena.Observation{crm}))
	for key, want := range map[string]bool{in.Lead.Key: true, "eve@acme.test": false} {
		if known, err := s.KnownPerson(s.ctx, key); known != want || err != nil {
			s.Errorf("%s is known: %t, %v; want %t", key, known, err, want)
		}
	}
	m, err := s.Memory(s.ctx, "lead-1")
	s.ok(err)
	if want := []galena.Observation{crm, in.Observations[0], rep}; !reflect.DeepEqual(m.Observations, want) {
		s.Errorf("observations\n%+v, want\n%+v", m.Observations, want)
	}
	domains, err := s.KnownDomains(s.ctx)
	s.ok(err)
	if !reflect.DeepEqual(domains, []string{"acme.test", "other.test"}) {
		s.Errorf("known domains %v", domains)
	}
}

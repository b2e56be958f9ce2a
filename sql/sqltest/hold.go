package sqltest

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var holdRules = map[string]func(*bench){
	"AHeldLeadWaitsForAPerson":           heldWaits,
	"AStaleRunHoldsNothing":              staleHoldsNothing,
	"ADecidedLeadIsNotHeld":              decidedIsNotHeld,
	"AReleasedLeadIsHandedOut":           releasedIsHandedOut,
	"ALeadHeldAtTheGateIsHandedOutFirst": heldAtTheGate,
	"ReleasedByTwoIsReleasedOnce":        releasedOnce,
	"ALeadHeldAnewIsNotReleasedUnseen":   heldAnew,
	"TheDNSIsRemembered":                 dnsRemembered,
}

// suspect is the lead as a worker holds it.
func (s *bench) suspect(id string) galena.Lead {
	s.Helper()
	l := s.read(id)
	l.Verdict, l.Codes, l.Status, l.Spendable = galena.Quarantine, []string{"null_mx", "role_address"}, galena.StatusQuarantined, false
	return l
}

func (s *bench) read(id string) galena.Lead {
	s.Helper()
	r, err := s.Record(s.ctx, id)
	s.ok(err)
	return r.Lead
}

func quarantined() []galena.Delivery {
	return []galena.Delivery{{Event: galena.EventQuarantined, Target: "default", Body: body("held")}}
}

// release is a person's word on the lead as it is now.
func (s *bench) release(id string) galena.Release {
	s.Helper()
	l := s.read(id)
	r := galena.Release{Before: l.Codes, Audit: galena.AuditEntry{Actor: "ops", Action: "lead.release", Target: id, Detail: "called"}}
	l.Verdict, l.Status, l.Spendable, l.Domain = galena.Accept, galena.StatusAccepted, true, "acme.test"
	l.Codes = append(slices.Clone(l.Codes), "released")
	r.Lead = l
	r.Observations = []galena.Observation{{ID: "o-" + id, Entity: "acme.test", Field: "company.name", Source: "form",
		Class: galena.ClassForm, Value: galena.TextValue("Acme"), Confidence: 1, ObservedAt: s.clock.now(), FetchedAt: s.clock.now()}}
	return r
}

func heldWaits(s *bench) {
	id := s.begun(person(1))
	s.ok(s.Hold(s.ctx, run(id, 1), s.suspect(id), quarantined()))
	l := s.read(id)
	if l.Status != galena.StatusQuarantined || l.Verdict != galena.Quarantine || l.Spendable ||
		!slices.Equal(l.Codes, []string{"null_mx", "role_address"}) || l.Domain != "acme.test" {
		s.Errorf("lead %+v", l)
	}
	s.clock.pass(time.Minute)
	suspects, err := s.Suspects(s.ctx, 10)
	s.ok(err)
	for _, st := range suspects {
		if st.Kind == galena.StepLead {
			s.Errorf("the held lead is handed out again: %+v", st)
		}
	}
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if !slices.ContainsFunc(claimed, func(st galena.Step) bool { return st.Kind == galena.StepDeliver }) {
		s.Errorf("nobody is told: %+v", claimed)
	}
	b, err := s.Backlog(s.ctx)
	s.ok(err)
	if b.Undecided != 0 {
		s.Errorf("%d in flight", b.Undecided)
	}
}

func staleHoldsNothing(s *bench) {
	id := s.begun(person(1))
	s.refused(s.Hold(s.ctx, run(id, 2), s.suspect(id), nil), galena.Conflict, "fence")
	if l := s.read(id); l.Status != galena.StatusAccepted || len(l.Codes) != 0 {
		s.Errorf("lead %+v", l)
	}
}

func decidedIsNotHeld(s *bench) {
	id := s.begun(person(1))
	_, err := s.Rule(s.ctx, s.ruling(id, nil))
	s.ok(err)
	s.refused(s.Hold(s.ctx, run(id, 1), s.suspect(id), nil), galena.Conflict, "fence")
	if l := s.read(id); l.Status != galena.StatusDecided {
		s.Errorf("lead %+v", l)
	}
}

func releasedIsHandedOut(s *bench) {
	id := s.begun(person(1))
	s.ok(s.Hold(s.ctx, run(id, 1), s.suspect(id), nil))
	s.ok(s.Release(s.ctx, s.release(id)))
	l := s.read(id)
	if l.Status != galena.StatusAccepted || l.Verdict != galena.Accept || !l.Spendable || l.Epoch != 1 ||
		!slices.Equal(l.Codes, []string{"null_mx", "role_address", "released"}) {
		s.Errorf("lead %+v", l)
	}
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 1); ok || err != nil {
		s.Errorf("the run that ended began again: %t %v", ok, err)
	}
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 2); !ok || err != nil {
		s.Errorf("the next run did not begin: %t %v", ok, err)
	}
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if !slices.ContainsFunc(claimed, func(st galena.Step) bool { return st.ID == id && st.Run == 2 && st.Queue == "leads" }) {
		s.Errorf("not in the outbox: %+v", claimed)
	}
	m, err := s.Memory(s.ctx, id)
	s.ok(err)
	if len(m.Observations) != 1 || m.Observations[0].Value.Text != "Acme" {
		s.Errorf("observations %+v", m.Observations)
	}
	trail, err := s.AuditTrail(s.ctx, 1)
	s.ok(err)
	if len(trail) != 1 || trail[0].Action != "lead.release" || trail[0].Target != id || trail[0].Detail != "called" {
		s.Errorf("trail %+v", trail)
	}
}

// gateHeld accepts a submission that the gate held.
func (s *bench) gateHeld(i int) string {
	s.Helper()
	in := person(i)
	in.Lead.Verdict, in.Lead.Codes, in.Lead.Status = galena.Confirm, []string{"did_you_mean:acme.example"}, galena.StatusQuarantined
	in.Lead.Domain, in.Lead.Spendable = "", false
	return s.accept(in).ID
}

func heldAtTheGate(s *bench) {
	id := s.gateHeld(1)
	s.ok(s.Release(s.ctx, s.release(id)))
	s.begin(id)
	if l := s.read(id); l.Domain != "acme.test" || !l.Spendable {
		s.Errorf("lead %+v", l)
	}
	_, err := s.Rule(s.ctx, s.ruling(id, nil))
	s.ok(err)
	s.refused(s.Release(s.ctx, s.release(id)), galena.Conflict, "held")
}

func releasedOnce(s *bench) {
	id := s.gateHeld(1)
	word := s.release(id)
	var done atomic.Int32
	parallel(8, func(int) {
		if err := s.Release(s.ctx, word); err == nil {
			done.Add(1)
		} else if galena.KindOf(err) != galena.Conflict {
			s.Error(err)
		}
	})
	if done.Load() != 1 {
		s.Errorf("released %d times", done.Load())
	}
	s.backlog(1, 1)
}

func heldAnew(s *bench) {
	id := s.gateHeld(1)
	old := s.release(id)
	s.ok(s.Release(s.ctx, old))
	s.begin(id)
	l := s.suspect(id)
	l.Codes = append([]string{"null_mx"}, s.read(id).Codes...)
	s.ok(s.Hold(s.ctx, run(id, 1), l, nil))
	s.refused(s.Release(s.ctx, old), galena.Conflict, "held")
	s.ok(s.Release(s.ctx, s.release(id)))
}

func dnsRemembered(s *bench) {
	result, _, err := s.DNSCheck(s.ctx, "acme.test")
	s.ok(err)
	if result != "" {
		s.Errorf("known before it was asked: %s", result)
	}
	first := s.clock.now()
	s.ok(s.SaveDNSCheck(s.ctx, "acme.test", "unknown", first))
	s.clock.pass(time.Minute)
	s.ok(s.SaveDNSCheck(s.ctx, "acme.test", "null_mx", s.clock.now()))
	s.ok(s.SaveDNSCheck(s.ctx, "acme.test", "deliverable", first)) // an older word arrives late
	result, checkedAt, err := s.DNSCheck(s.ctx, "acme.test")
	s.ok(err)
	if result != "null_mx" || !checkedAt.Equal(s.clock.now()) {
		s.Errorf("%s at %s", result, checkedAt)
	}
	s.clock.pass(8 * 24 * time.Hour)
	s.ok(s.Tidy(s.ctx))
	if result, _, err = s.DNSCheck(s.ctx, "acme.test"); result != "" || err != nil {
		s.Errorf("%s is still there after a week, %v", result, err)
	}
}

package sqltest

import (
	"slices"
	"time"

	"github.com/galenahq/galena"
)

var failedRules = map[string]func(*bench){
	"AStepThatKillsIsSetAside":           killedIsSetAside,
	"ARunThatEndsForgivesEarlierKills":   endForgives,
	"AReplayedStepHasItsTriesAgain":      triesCount,
	"StepsUnderWatchComeOneByOne":        watchedOneByOne,
	"AKillingDeliveryIsSetAside":         killedDelivery,
	"EveryFailedStepIsListedAndReplayed": allFailedAreListed,
	"FailedStepsAreFiltered":             failedFiltered,
}

// replay hands out everything that the filter finds on one page.
func (s *bench) replay(f galena.FailedFilter, want int) {
	s.Helper()
	found, err := s.FailedSteps(s.ctx, f)
	s.ok(err)
	n, err := s.Replay(s.ctx, found, galena.AuditEntry{At: s.clock.now(), Actor: "ops", Action: "steps.replay"})
	s.ok(err)
	if n != want {
		s.Fatalf("%d replayed, want %d", n, want)
	}
}

// kill lets the lease of a step's run end, as when its worker dies.
func (s *bench) kill(kind, id string, run, want int) galena.Step {
	s.Helper()
	if ok, err := s.Begin(s.ctx, kind, id, 1, run); !ok || err != nil {
		s.Fatalf("run %d did not begin: %v, %v", run, ok, err)
	}
	s.relayed()
	s.clock.pass(15 * time.Second)
	found, err := s.Suspects(s.ctx, 100)
	s.ok(err)
	i := slices.IndexFunc(found, func(st galena.Step) bool { return st.Kind == kind && st.ID == id })
	if i < 0 || found[i].Kills != want {
		s.Fatalf("suspects %+v, want %s with %d kills", found, id, want)
	}
	return found[i]
}

func killedIsSetAside(s *bench) {
	id := s.accept(person(1)).ID
	s.rehand([]galena.Step{s.kill(galena.StepLead, id, 1, 1)}, 1)
	s.rehand([]galena.Step{s.kill(galena.StepLead, id, 2, 2)}, 1)
	third := s.kill(galena.StepLead, id, 3, 3)
	told := func(l galena.Lead) ([]galena.Delivery, error) {
		if l.ID != id || l.Status != galena.StatusQuarantined || l.Verdict != galena.Quarantine || !slices.Contains(l.Codes, galena.CodeKilled) {
			s.Errorf("told of lead %s, %s, %s, %v; want it held with its reason", l.ID, l.Status, l.Verdict, l.Codes)
		}
		return quarantined(), nil
	}
	if done, err := s.SetAside(s.ctx, third, "3 workers died", told); !done || err != nil {
		s.Fatalf("not set aside: %v, %v", done, err)
	}
	out, err := s.ClaimOutbox(s.ctx, 10)
	if s.ok(err); len(out) != 1 || out[0].Kind != galena.StepDeliver {
		s.Fatalf("outbox %+v, want the word that it is held", out)
	}
	s.ok(s.DropOutbox(s.ctx, []int64{out[0].Outbox}))
	if ok, err := s.Begin(s.ctx, out[0].Kind, out[0].ID, out[0].Epoch, out[0].Run); !ok || err != nil {
		s.Fatalf("the word did not begin: %v, %v", ok, err)
	}
	s.ok(s.Finish(s.ctx, out[0]))
	if done, err := s.SetAside(s.ctx, third, "3 workers died", nil); done || err != nil {
		s.Fatalf("set aside twice: %v, %v", done, err)
	}
	s.clock.pass(time.Hour)
	s.suspects(0)
	failed, err := s.FailedSteps(s.ctx, galena.FailedFilter{LeadID: id})
	s.ok(err)
	if len(failed) != 1 || failed[0].Reason != galena.ReasonKilled || failed[0].Kills != 3 || failed[0].Note != "3 workers died" {
		s.Fatalf("failed %+v, want the lead's step, killed 3 times", failed)
	}
	rec, err := s.Record(s.ctx, id)
	s.ok(err)
	if l := rec.Lead; l.Status != galena.StatusQuarantined || l.Verdict != galena.Quarantine || !slices.Contains(l.Codes, galena.CodeKilled) {
		s.Errorf("lead is %s, %s, %v; want it held with its reason", l.Status, l.Verdict, l.Codes)
	}
	s.replay(galena.FailedFilter{Reason: galena.ReasonKilled}, 1)
	if rec, err = s.Record(s.ctx, id); err != nil || rec.Lead.Status != galena.StatusAccepted || rec.Lead.Verdict != galena.Accept {
		s.Errorf("lead is %s, %s after the replay, error %v", rec.Lead.Status, rec.Lead.Verdict, err)
	}
	s.kill(galena.StepLead, id, 4, 1) // as good as new
}

// triesCount begins a lead twice, puts it aside and replays it.
func triesCount(s *bench) {
	id := s.accept(person(1)).ID
	start := func(runs, want int) {
		s.Helper()
		if _, tries, err := s.Start(s.ctx, run(id, runs)); tries != want || err != nil {
			s.Errorf("run %d: %d tries, error %v, want %d", runs, tries, err, want)
		}
	}
	start(1, 1)
	s.relayed()
	s.ok(s.Park(s.ctx, run(id, 1), s.clock.now(), galena.Unavailable, "away"))
	s.rehand(s.suspects(1), 1)
	start(2, 2)
	s.ok(s.Store.Fail(s.ctx, run(id, 2), galena.Internal, "boom"))
	s.replay(galena.FailedFilter{LeadID: id}, 1)
	start(3, 1)
}

func endForgives(s *bench) {
	id := s.accept(person(1)).ID
	s.rehand([]galena.Step{s.kill(galena.StepLead, id, 1, 1)}, 1)
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 2); !ok || err != nil {
		s.Fatalf("run 2 did not begin: %v, %v", ok, err)
	}
	s.relayed()
	s.ok(s.Park(s.ctx, run(id, 2), s.clock.now(), galena.Unavailable, "away"))
	found := s.suspects(1)
	if found[0].Kills != 0 {
		s.Errorf("%d kills on a run that parked itself", found[0].Kills)
	}
	s.rehand(found, 1)
	s.kill(galena.StepLead, id, 3, 1)
}

// watchedOneByOne kills the workers of three leads twice: each is handed out
// again when the one before it has ended, or after 3 seconds; a lead that one
// worker died on is not kept back.
func watchedOneByOne(s *bench) {
	var watched []galena.Step
	for n := range 3 {
		watched = append(watched, run(s.begun(person(n)), 1))
	}
	s.relayed()
	s.clock.pass(6 * time.Second)
	s.rehand(s.suspects(3), 3)
	for i := range watched {
		watched[i].Run = 2
		if ok, err := s.Begin(s.ctx, galena.StepLead, watched[i].ID, 1, 2); !ok || err != nil {
			s.Fatalf("run 2 did not begin: %v, %v", ok, err)
		}
	}
	fresh := s.begun(person(3))
	s.relayed()
	s.clock.pass(6 * time.Second)
	found := s.suspects(2)
	i := slices.IndexFunc(found, func(st galena.Step) bool { return st.Kills == 2 })
	if i < 0 || found[1-i].ID != fresh || found[1-i].Kills != 1 {
		s.Fatalf("suspects %+v, want one under watch and %s", found, fresh)
	}
	s.rehand(found, 2)
	s.relayed()
	s.suspects(0)
	first := found[i].ID
	if ok, err := s.Begin(s.ctx, galena.StepLead, first, 1, 3); !ok || err != nil {
		s.Fatalf("run 3 did not begin: %v, %v", ok, err)
	}
	s.suspects(0)
	s.ok(s.Finish(s.ctx, run(first, 3)))
	next := s.suspects(1)
	s.rehand(next, 1)
	s.relayed()
	s.clock.pass(2 * time.Second)
	s.suspects(0)
	s.clock.pass(time.Second)
	if last := s.suspects(1)[0].ID; last == first || last == next[0].ID {
		s.Errorf("%s came twice", last)
	}
}

func killedDelivery(s *bench) {
	id := s.begun(person(1))
	ruling := s.ruling(id, rotate(nil))
	ruling.Settle = telling(ruling.Settle, galena.Delivery{Event: galena.EventRouted, Target: "crm", Body: body("x")})
	_, err := s.Rule(s.ctx, ruling)
	s.ok(err)
	out, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	i := slices.IndexFunc(out, func(st galena.Step) bool { return st.Kind == galena.StepDeliver })
	if i < 0 {
		s.Fatalf("outbox %+v, want a delivery", out)
	}
	delivery := out[i].ID
	for n := 1; n < 3; n++ {
		s.rehand([]galena.Step{s.kill(galena.StepDeliver, delivery, n, n)}, 1)
	}
	if done, err := s.SetAside(s.ctx, s.kill(galena.StepDeliver, delivery, 3, 3), "3 workers died", nil); !done || err != nil {
		s.Fatalf("not set aside: %v, %v", done, err)
	}
	if rec, err := s.Record(s.ctx, id); err != nil || rec.Lead.Status != galena.StatusDecided {
		s.Errorf("the lead is %s, error %v; its delivery failed, not it", rec.Lead.Status, err)
	}
	s.clock.pass(48 * time.Hour)
	s.replay(galena.FailedFilter{Kind: galena.StepDeliver}, 1)
	d, err := s.Delivery(s.ctx, delivery)
	if s.ok(err); !d.At.Equal(s.clock.now()) || d.Attempts != 0 {
		s.Errorf("replayed it is of %v with %d attempts, want as good as new", d.At, d.Attempts)
	}
}

// telling adds a delivery to what a ruling settles.
func telling(settle settling, d galena.Delivery) settling {
	return func(r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		out, told, roster, err := settle(r)
		return out, append(told, d), roster, err
	}
}

type settling = func(galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error)

func allFailedAreListed(s *bench) {
	const n = 600 // more than a page of what failed at the very same time
	parallel(8, func(w int) {
		for i := w; i < n; i += 8 {
			r, err := s.Accept(s.ctx, person(i))
			if err == nil {
				_, err = s.Begin(s.ctx, galena.StepLead, r.ID, 1, 1)
			}
			if err == nil {
				err = s.Store.Fail(s.ctx, run(r.ID, 1), galena.Invalid, "no such thing")
			}
			if err != nil {
				s.Error(err)
				return
			}
		}
	})
	seen, f := map[string]bool{}, galena.FailedFilter{Limit: 250}
	for {
		page, err := s.FailedSteps(s.ctx, f)
		s.ok(err)
		for _, st := range page {
			seen[st.ID] = true
		}
		if len(page) < f.Limit {
			break
		}
		f.After = page[len(page)-1].Cursor
	}
	if len(seen) != n {
		s.Fatalf("%d listed, want %d", len(seen), n)
	}
	counts, err := s.FailedCounts(s.ctx)
	s.ok(err)
	if len(counts) != 1 || counts[0] != (galena.FailedCount{Kind: galena.StepLead, Reason: string(galena.Invalid), Steps: n}) {
		s.Errorf("counts %+v", counts)
	}
	replayed := 0
	for {
		page, err := s.FailedSteps(s.ctx, galena.FailedFilter{Limit: 250})
		s.ok(err)
		k, err := s.Replay(s.ctx, page, galena.AuditEntry{At: s.clock.now(), Actor: "ops", Action: "steps.replay"})
		s.ok(err)
		if replayed += k; k == 0 {
			break
		}
	}
	if replayed != n {
		s.Errorf("%d replayed, want %d", replayed, n)
	}
}

func failedFiltered(s *bench) {
	old := s.begun(person(1))
	s.ok(s.Store.Fail(s.ctx, run(old, 1), galena.Invalid, "a"))
	s.clock.pass(time.Hour)
	young := s.begun(person(2))
	s.ok(s.Store.Fail(s.ctx, run(young, 1), galena.NotFound, "b"))
	for name, c := range map[string]struct {
		f    galena.FailedFilter
		want []string
	}{
		"all, newest first": {galena.FailedFilter{}, []string{young, old}},
		"by reason":         {galena.FailedFilter{Reason: string(galena.Invalid)}, []string{old}},
		"by lead":           {galena.FailedFilter{LeadID: young}, []string{young}},
		"by kind":           {galena.FailedFilter{Kind: galena.StepDeliver}, nil},
		"since":             {galena.FailedFilter{Since: s.clock.now()}, []string{young}},
	} {
		page, err := s.FailedSteps(s.ctx, c.f)
		s.ok(err)
		var got []string
		for _, st := range page {
			got = append(got, st.ID)
		}
		if !slices.Equal(got, c.want) {
			s.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	_, err := s.FailedSteps(s.ctx, galena.FailedFilter{After: "nonsense"})
	s.refused(err, galena.Invalid, "")
}

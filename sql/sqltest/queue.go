package sqltest

import (
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var queueRules = map[string]func(*bench){
	"OnlyOneBegins":                         onlyOneBegins,
	"AClaimRunsOut":                         claimRunsOut,
	"RelaysShareTheOutbox":                  relaysShare,
	"AnUnbegunStepIsSuspectAfterTenSeconds": unbegunIsSuspect,
	"ALostLeaseIsSuspect":                   lostLease,
	"ARenewedLeaseIsNot":                    renewedLease,
	"AParkedStepComesBackWhenDue":           parkedComesBack,
	"WaitingForAQuotaCostsNoAttempt":        quotaCostsNothing,
	"TwoSweepsHandOutOnce":                  sweepsOnce,
	"AWorkingStepIsNotHandedOut":            workingIsLeft,
	"AnOldRunMayNotEndTheStep":              oldRunCannotEnd,
	"AFailedStepStaysUntilItIsReplayed":     failedStays,
	"AVouchedStepIsNoSuspect":               vouched,
	"AStepThatParkedMeanwhileWaits":         parkedMeanwhile,
}

func onlyOneBegins(s *bench) {
	id := s.accept(person(1)).ID
	var began atomic.Int32
	parallel(16, func(int) {
		ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 1)
		if err != nil {
			s.Error(err)
		}
		if ok {
			began.Add(1)
		}
	})
	if began.Load() != 1 {
		s.Errorf("%d began, want 1", began.Load())
	}
}

func claimRunsOut(s *bench) {
	s.accept(person(1))
	claim := func(want int) []galena.Step {
		s.Helper()
		got, err := s.ClaimOutbox(s.ctx, 10)
		s.ok(err)
		if len(got) != want {
			s.Fatalf("%d claimed, want %d", len(got), want)
		}
		return got
	}
	claim(1)
	claim(0)
	s.clock.pass(6 * time.Second)
	got := claim(1)
	s.ok(s.DropOutbox(s.ctx, []int64{got[0].Outbox}))
	s.clock.pass(6 * time.Second)
	claim(0)
	s.backlog(0, 1)
}

func relaysShare(s *bench) {
	for i := range 40 {
		s.accept(person(i))
	}
	seen := make([]map[int64]bool, 8)
	parallel(len(seen), func(i int) {
		seen[i] = map[int64]bool{}
		for range 5 {
			got, err := s.ClaimOutbox(s.ctx, 3)
			if err != nil {
				s.Error(err)
			}
			for _, st := range got {
				seen[i][st.Outbox] = true
			}
		}
	})
	all, sum := map[int64]bool{}, 0
	for _, m := range seen {
		sum += len(m)
		for id := range m {
			all[id] = true
		}
	}
	if sum != 40 || len(all) != 40 {
		s.Errorf("%d claims of %d rows, want 40 of 40", sum, len(all))
	}
}

// relayed puts everything on a queue that the test plays itself.
func (s *bench) relayed() {
	s.Helper()
	got, err := s.ClaimOutbox(s.ctx, 1000)
	s.ok(err)
	ids := make([]int64, len(got))
	for i, st := range got {
		ids[i] = st.Outbox
	}
	s.ok(s.DropOutbox(s.ctx, ids))
}

func (s *bench) suspects(want int) []galena.Step {
	s.Helper()
	got, err := s.Suspects(s.ctx, 100)
	s.ok(err)
	if len(got) != want {
		s.Fatalf("%d suspects, want %d", len(got), want)
	}
	return got
}

func (s *bench) rehand(steps []galena.Step, want int) {
	s.Helper()
	n, err := s.Rehand(s.ctx, steps)
	s.ok(err)
	if n != want {
		s.Fatalf("%d handed out, want %d", n, want)
	}
}

func unbegunIsSuspect(s *bench) {
	id := s.accept(person(1)).ID
	s.clock.pass(time.Minute)
	s.suspects(0) // it stands in the outbox: late, not lost
	s.relayed()
	got := s.suspects(1)
	if got[0].ID != id || got[0].Run != 1 || got[0].Queue != "leads" || got[0].Lost {
		s.Errorf("suspect %+v, want run 1, which the queue may still hold", got[0])
	}
	s.rehand(got, 1)
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if len(claimed) != 1 || claimed[0].Run != 2 {
		s.Fatalf("outbox %+v, want run 2", claimed)
	}
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 1); ok || err != nil {
		s.Errorf("the old run began: %v, %v", ok, err)
	}
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 2); !ok || err != nil {
		s.Errorf("the new run did not begin: %v, %v", ok, err)
	}
}

func lostLease(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	s.clock.pass(5 * time.Second)
	s.suspects(0)
	s.clock.pass(time.Second)
	got := s.suspects(1)
	if !got[0].Lost {
		s.Error("a run whose lease ran out may still be asked for on the queue: a killed worker's task looks alive there")
	}
	s.rehand(got, 1)
	s.refused(s.Finish(s.ctx, run(id, 1)), galena.Conflict, "fence")
}

func renewedLease(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	for range 4 {
		s.clock.pass(4 * time.Second)
		s.ok(s.Renew(s.ctx, []galena.Step{run(id, 1)}))
	}
	s.suspects(0)
	s.ok(s.Renew(s.ctx, nil))
}

func parkedComesBack(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	s.ok(s.Park(s.ctx, run(id, 1), s.clock.now().Add(time.Minute), galena.Unavailable, "away"))
	s.clock.pass(59 * time.Second)
	s.suspects(0)
	s.clock.pass(time.Second)
	got := s.suspects(1)
	if got[0].Attempts != 1 {
		s.Errorf("%d attempts, want 1", got[0].Attempts)
	}
	s.rehand(got, 1)
}

func quotaCostsNothing(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	s.ok(s.Park(s.ctx, run(id, 1), s.clock.now(), galena.RateLimited, "slow down"))
	if got := s.suspects(1); got[0].Attempts != 0 {
		s.Errorf("%d attempts, want 0", got[0].Attempts)
	}
}

func sweepsOnce(s *bench) {
	for i := range 20 {
		s.accept(person(i))
	}
	s.relayed()
	s.clock.pass(time.Minute)
	found := s.suspects(20)
	var handed atomic.Int32
	parallel(4, func(int) {
		n, err := s.Rehand(s.ctx, found)
		if err != nil {
			s.Error(err)
		}
		handed.Add(int32(n))
	})
	if handed.Load() != 20 {
		s.Errorf("%d handed out, want 20", handed.Load())
	}
	s.backlog(20, 20)
}

func workingIsLeft(s *bench) {
	id := s.accept(person(1)).ID
	s.relayed()
	s.clock.pass(time.Minute)
	found := s.suspects(1)
	s.begin(id) // between the look and the hand-out a worker took it
	s.rehand(found, 0)
	s.ok(s.Finish(s.ctx, run(id, 1)))
	s.rehand(found, 0)
}

func oldRunCannotEnd(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	s.clock.pass(time.Minute)
	s.rehand(s.suspects(1), 1)
	old := run(id, 1)
	s.refused(s.Finish(s.ctx, old), galena.Conflict, "fence")
	s.refused(s.Store.Fail(s.ctx, old, galena.Internal, ""), galena.Conflict, "fence")
	s.refused(s.Park(s.ctx, old, s.clock.now(), galena.Internal, ""), galena.Conflict, "fence")
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 2); !ok || err != nil {
		s.Errorf("run 2 did not begin: %v, %v", ok, err)
	}
	s.ok(s.Finish(s.ctx, run(id, 2)))
}

func failedStays(s *bench) {
	id := s.begun(person(1))
	s.relayed()
	s.ok(s.Store.Fail(s.ctx, run(id, 1), galena.Malformed, "three times"))
	s.clock.pass(24 * time.Hour)
	s.suspects(0)
	s.backlog(0, 1)
	s.rehand([]galena.Step{run(id, 1)}, 0)
	s.replay(galena.FailedFilter{}, 1)
	s.backlog(1, 1)
	s.replay(galena.FailedFilter{}, 0)
}

func vouched(s *bench) {
	s.accept(person(1))
	s.relayed()
	s.clock.pass(time.Minute)
	s.ok(s.Vouch(s.ctx, s.suspects(1)))
	s.suspects(0)
	s.clock.pass(10 * time.Second)
	s.suspects(1)
}

// parkedMeanwhile lets a worker take a silent step, and park it, between the sweep's
// look and its hand-out.
func parkedMeanwhile(s *bench) {
	id := s.accept(person(1)).ID
	s.relayed()
	s.clock.pass(time.Minute)
	found := s.suspects(1)
	s.begin(id)
	s.ok(s.Park(s.ctx, run(id, 1), s.clock.now().Add(time.Hour), galena.RateLimited, "slow down"))
	s.rehand(found, 0)
	s.clock.pass(time.Hour)
	s.rehand(s.suspects(1), 1)
}

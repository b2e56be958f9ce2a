package sqltest

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var standingRules = map[string]func(*bench){
	"AClockIsAStepThatIsDue":                    clockIsAStep,
	"AcceptingStopsTheClockAndTwiceIsOnce":      acceptStops,
	"TouchingAcceptsAsWell":                     touchAccepts,
	"WhoeverHasNotTheLeadIsToldWhoHas":          acceptByOthers,
	"AMoveVoidsTheClocksAndStartsTheNext":       moveVoids,
	"AcceptAndBreachAtTheSameInstantOneWins":    acceptRace,
	"ABreachWithoutAMoveIsToldOnce":             breachTold,
	"TheWayFromHandToHandIsKept":                standingHistory,
	"AClockThatWasMetMovesNothing":              metMovesNothing,
	"AnAssignmentToNobodyHasNoClocks":           nobodyHasNoClocks,
	"AClockOfAnAcceptedLeadMayStillRunForTouch": touchRunsOn,
}

// clocked assigns the lead to a rep, with five minutes to accept and fifteen to touch.
func (s *bench) clocked(rep string) func(galena.Roster, *galena.Decision) galena.Roster {
	now := s.clock.now()
	return func(r galena.Roster, d *galena.Decision) galena.Roster {
		r = to(rep, false)(r, d)
		a := &d.Assignment
		a.AcceptBy, a.AcceptHalf = now.Add(5*time.Minute), now.Add(150*time.Second)
		a.TouchBy, a.TouchHalf, a.Clock = now.Add(15*time.Minute), now.Add(450*time.Second), "wall"
		d.Configs = []galena.ConfigRef{{Kind: "Routing", Hash: "h1"}}
		return r
	}
}

// quiet is decided, with nothing to tell: no step but the clocks' is due later.
func (s *bench) quiet(i int, settle func(galena.Roster, *galena.Decision) galena.Roster) string {
	s.Helper()
	id := s.begun(person(i))
	r := s.ruling(id, settle)
	loud := r.Settle
	r.Settle = func(roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		d, _, after, err := loud(roster)
		return d, nil, after, err
	}
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	return id
}

func slaStep(id string, kind galena.TimerKind, run int) galena.Step {
	return galena.Step{Kind: galena.StepSLA, ID: id + ":" + string(kind), Epoch: 1, Run: run, Queue: "leads"}
}

// due hands out what is due and begins the step.
func (s *bench) due(st galena.Step) {
	s.Helper()
	for _, found := range s.suspects(1) {
		if found.Kind != st.Kind || found.ID != st.ID || found.Epoch != st.Epoch || found.Run != st.Run-1 || !found.Lost {
			s.Fatalf("due is %+v, want %+v", found, st)
		}
		s.rehand([]galena.Step{found}, 1)
	}
	s.relayed()
	if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil {
		s.Fatalf("%+v did not begin: %v", st, err)
	}
}

func (s *bench) timer(id string, epoch int, kind galena.TimerKind) galena.Timer {
	s.Helper()
	t, err := s.Timer(s.ctx, id, epoch, kind)
	s.ok(err)
	return t
}

func (s *bench) state(id string, epoch int, kind galena.TimerKind, want galena.TimerState) {
	s.Helper()
	if got := s.timer(id, epoch, kind).State; got != want {
		s.Errorf("clock %s of epoch %d is %s, want %s", kind, epoch, got, want)
	}
}

func clockIsAStep(s *bench) {
	began := s.clock.now()
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	s.suspects(0)
	s.clock.pass(150 * time.Second)
	st := slaStep(id, galena.ClockAccept, 1)
	s.due(st)
	got := s.timer(id, 1, galena.ClockAccept)
	if got.Rep != "ana" || got.ConfigHash != "h1" || got.Clock != "wall" || got.State != galena.TimerOpen ||
		!got.NudgeAt.Equal(began.Add(150*time.Second)) || !got.DueAt.Equal(began.Add(5*time.Minute)) {
		s.Errorf("timer %+v", got)
	}
	nudged, err := s.Nudge(s.ctx, st, got)
	s.ok(err)
	if !nudged {
		s.Error("half of the time is over, and nobody was nudged")
	}
	s.state(id, 1, galena.ClockAccept, galena.TimerNudged)
	s.suspects(0)
	s.clock.pass(150 * time.Second)
	s.due(slaStep(id, galena.ClockAccept, 2))
}

func acceptStops(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	s.clock.pass(time.Minute)
	at := s.clock.now()
	for range 2 {
		st, met, err := s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana", Epoch: 1})
		s.ok(err)
		hold, ok := st.Current()
		if !ok || hold.Rep != "ana" || !hold.AcceptedAt.Equal(at) || !hold.TouchedAt.IsZero() {
			s.Errorf("standing %+v", st)
		}
		if at.Equal(s.clock.now()) != slices.Equal(met, []galena.TimerKind{galena.ClockAccept}) {
			s.Errorf("met %v", met)
		}
		s.clock.pass(time.Minute)
	}
	s.state(id, 1, galena.ClockAccept, galena.TimerMet)
	s.state(id, 1, galena.ClockTouch, galena.TimerOpen)
	s.clock.pass(time.Hour)
	if left := s.suspects(1); left[0].ID != id+":touch" {
		s.Errorf("due is %+v, want the touch alone", left)
	}
}

func touchAccepts(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	st, met, err := s.Take(s.ctx, galena.Act{LeadID: id, Touch: true}) // a CRM that does not say who
	s.ok(err)
	if hold, _ := st.Current(); hold.AcceptedAt.IsZero() || hold.TouchedAt.IsZero() || len(met) != 2 {
		s.Errorf("hold %+v, met %v", hold, met)
	}
	s.clock.pass(time.Hour)
	s.suspects(0)
}

func acceptByOthers(s *bench) {
	s.clock.pass(5*time.Hour + 5*time.Minute)
	id := s.quiet(1, s.clocked("ana"))
	for _, act := range []galena.Act{{Rep: "ben"}, {Rep: "ana", Epoch: 2}} {
		act.LeadID = id
		_, _, err := s.Take(s.ctx, act)
		s.refused(err, galena.Conflict, "moved")
	}
	_, _, err := s.Take(s.ctx, galena.Act{LeadID: "nobody", Rep: "ana"})
	s.refused(err, galena.NotFound, "")
	_, _, err = s.Take(s.ctx, galena.Act{LeadID: s.accept(person(2)).ID, Rep: "ana"})
	s.refused(err, galena.Conflict, "moved")
}

func moveVoids(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	s.clock.pass(5 * time.Hour) // both are overdue
	found := s.suspects(2)
	s.rehand(found, 2)
	s.relayed()
	st := slaStep(id, galena.ClockAccept, 1)
	if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil {
		s.Fatal(err)
	}
	m := s.move(id, 1, galena.MoveSLA, s.clocked("ben"))
	m.Step = st
	_, err := s.Move(s.ctx, m)
	s.ok(err)
	s.state(id, 1, galena.ClockAccept, galena.TimerBreached)
	s.state(id, 1, galena.ClockTouch, galena.TimerVoid)
	s.state(id, 2, galena.ClockAccept, galena.TimerOpen)
	if ok, err := s.Begin(s.ctx, galena.StepSLA, id+":touch", 1, 1); ok || err != nil {
		s.Errorf("a void clock's step began: %v", err)
	}
	s.relayed()
	_, err = s.Move(s.ctx, m)
	s.refused(err, galena.Conflict, "fence")
	_, _, err = s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana"})
	s.refused(err, galena.Conflict, "moved")
	if !strings.Contains(err.Error(), "moved to ben at 14:00:00") {
		s.Errorf("told %q", err)
	}
}

func acceptRace(s *bench) {
	for round := range 4 {
		id := s.quiet(round, s.clocked("ana"))
		s.relayed()
		s.clock.pass(6 * time.Minute)
		s.rehand(s.suspects(1), 1)
		s.relayed()
		st := slaStep(id, galena.ClockAccept, 1)
		if ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run); !ok || err != nil {
			s.Fatalf("%+v did not begin: %v", st, err)
		}
		m := s.move(id, 1, galena.MoveSLA, to("ben", false))
		m.Step = st
		loud := m.Settle
		m.Settle = func(old galena.Decision, past galena.Held, roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			d, _, after, err := loud(old, past, roster)
			return d, nil, after, err
		}
		var accepted, moved atomic.Int32
		parallel(32, func(i int) {
			if i%2 == 0 {
				if _, _, err := s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana"}); err == nil {
					accepted.Add(1)
				} else if !strings.Contains(err.Error(), "moved to ben at ") {
					s.Errorf("the rep was told %v", err)
				}
			} else if _, err := s.Move(s.ctx, m); err == nil {
				moved.Add(1)
			} else if galena.KindOf(err) != galena.Conflict {
				s.Error(err)
			}
		})
		switch {
		case moved.Load() == 0 && accepted.Load() == 16:
			s.heldBy(id, 1, "ana")
			s.state(id, 1, galena.ClockAccept, galena.TimerMet)
			s.clear(id)
			s.ok(s.Finish(s.ctx, st))
		case moved.Load() == 1 && accepted.Load() == 0:
			s.heldBy(id, 2, "ben")
			s.state(id, 1, galena.ClockAccept, galena.TimerBreached)
		default:
			s.Errorf("%d accepted and %d moved: one side must win", accepted.Load(), moved.Load())
		}
	}
}

// clear takes a lead out of the way of later rounds.
func (s *bench) clear(id string) {
	s.Helper()
	_, _, err := s.Take(s.ctx, galena.Act{LeadID: id, Touch: true})
	s.ok(err)
}

func breachTold(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	s.clock.pass(6 * time.Minute)
	st := slaStep(id, galena.ClockAccept, 1)
	s.due(st)
	told := []galena.Delivery{{Event: galena.EventBreached, Target: "default", Body: body("late")}}
	breached, err := s.Breach(s.ctx, st, s.timer(id, 1, galena.ClockAccept), told)
	s.ok(err)
	if !breached {
		s.Error("the clock ran out, and nothing was noted")
	}
	s.state(id, 1, galena.ClockAccept, galena.TimerBreached)
	s.backlog(1, 0) // the event
	_, err = s.Breach(s.ctx, st, s.timer(id, 1, galena.ClockAccept), told)
	s.refused(err, galena.Conflict, "fence")
	s.heldBy(id, 1, "ana")
}

func standingHistory(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.clock.pass(time.Minute)
	for reason, want := range map[string]int{"": 1, galena.HandBackTerritory: 0} {
		if got, err := s.Records(s.ctx, galena.LeadFilter{Back: reason}); err != nil || len(got) != want {
			s.Errorf("%d leads given back for %q, %v; want %d", len(got), reason, err, want)
		}
	}
	m := s.move(id, 1, galena.MoveHandBack(galena.HandBackTerritory), to("ben", false))
	m.Actor, m.Note = "ana", "not my patch"
	_, err := s.Move(s.ctx, m)
	s.ok(err)
	st, err := s.Standing(s.ctx, id)
	s.ok(err)
	first := st.Holds[0]
	if st.Epoch != 2 || len(st.Holds) != 2 || len(st.Timers) != 2 || first.Reason != "hand_back:wrong_territory" ||
		first.ClosedBy != "ana" || first.Note != "not my patch" || !first.ClosedAt.Equal(s.clock.now()) {
		s.Errorf("standing %+v", st)
	}
	if hold, ok := st.Current(); !ok || hold.Rep != "ben" || !hold.ClosedAt.IsZero() {
		s.Errorf("current %+v", hold)
	}
	none, err := s.Standing(s.ctx, s.accept(person(2)).ID)
	s.ok(err)
	if _, ok := none.Current(); ok {
		s.Error("somebody holds an undecided lead")
	}
	for reason, want := range map[string]int{galena.HandBackTerritory: 1, galena.HandBackSpam: 0} {
		if got, err := s.Records(s.ctx, galena.LeadFilter{Back: reason}); err != nil || len(got) != want {
			s.Errorf("then %d leads given back for %q, %v; want %d", len(got), reason, err, want)
		}
	}
}

func metMovesNothing(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	s.clock.pass(6 * time.Minute)
	st := slaStep(id, galena.ClockAccept, 1)
	s.due(st)
	_, _, err := s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana"})
	s.ok(err)
	m := s.move(id, 1, galena.MoveSLA, to("ben", false))
	m.Step = st
	_, err = s.Move(s.ctx, m)
	s.refused(err, galena.Conflict, "moved")
	if !strings.Contains(err.Error(), "accepted by ana at ") {
		s.Errorf("told %q", err)
	}
	late := s.move(id, 1, galena.MoveSettled, to("ben", false))
	late.Untouched = true
	_, err = s.Move(s.ctx, late)
	s.refused(err, galena.Conflict, "moved")
	s.heldBy(id, 1, "ana")
	if ok, err := s.Nudge(s.ctx, st, s.timer(id, 1, galena.ClockAccept)); ok || err != nil {
		s.Errorf("nudged for a clock that was met: %v", err)
	}
}

func nobodyHasNoClocks(s *bench) {
	id := s.quiet(1, func(r galena.Roster, d *galena.Decision) galena.Roster {
		d.Assignment.AcceptBy = s.clock.now().Add(time.Minute)
		return r
	})
	st, err := s.Standing(s.ctx, id)
	s.ok(err)
	if len(st.Timers) != 0 {
		s.Errorf("timers %+v", st.Timers)
	}
	_, _, err = s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana"})
	s.refused(err, galena.Conflict, "moved")
}

func touchRunsOn(s *bench) {
	id := s.quiet(1, s.clocked("ana"))
	s.relayed()
	_, _, err := s.Take(s.ctx, galena.Act{LeadID: id, Rep: "ana"})
	s.ok(err)
	s.clock.pass(16 * time.Minute)
	st := slaStep(id, galena.ClockTouch, 1)
	s.due(st)
	m := s.move(id, 1, galena.MoveSLA, to("ben", false))
	m.Step = st
	_, err = s.Move(s.ctx, m)
	s.ok(err)
	s.heldBy(id, 2, "ben")
}

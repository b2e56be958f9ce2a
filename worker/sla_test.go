package worker

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/routing"
)

// floor is a store in memory for one lead that reps hand around.
type floor struct {
	stepLog
	now      time.Time
	rec      galena.Record
	standing galena.Standing
	timers   map[galena.TimerKind]galena.Timer
	taken    bool
	moves    []galena.Move
	told     []galena.Delivery
	finished bool
	figures  *prometheus.Registry
}

// counted reads the counter that has these values as its labels.
func (f *floor) counted(t *testing.T, labels ...string) float64 {
	t.Helper()
	families, err := f.figures.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if slices.Equal(values, labels) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func (f *floor) Begin(context.Context, string, string, int, int) (bool, error) { return true, nil }

func (f *floor) Finish(context.Context, galena.Step) error {
	f.finished = true
	return nil
}

func (f *floor) Record(context.Context, string) (galena.Record, error) { return f.rec, nil }

func (f *floor) Standing(context.Context, string) (galena.Standing, error) { return f.standing, nil }

func (f *floor) Take(context.Context, galena.Act) (galena.Standing, []galena.TimerKind, error) {
	return f.standing, []galena.TimerKind{galena.ClockAccept}, nil
}

func (f *floor) Timer(_ context.Context, _ string, _ int, kind galena.TimerKind) (galena.Timer, error) {
	return f.timers[kind], nil
}

func (f *floor) Nudge(_ context.Context, _ galena.Step, t galena.Timer) (bool, error) {
	f.parked = t.DueAt
	t.State = galena.TimerNudged
	f.timers[t.Kind] = t
	return true, nil
}

func (f *floor) Breach(_ context.Context, _ galena.Step, t galena.Timer, told []galena.Delivery) (bool, error) {
	f.told = append(f.told, told...)
	t.State = galena.TimerBreached
	f.timers[t.Kind] = t
	return true, nil
}

func (f *floor) Move(_ context.Context, m galena.Move) (galena.Decision, error) {
	if f.taken {
		return galena.Decision{}, galena.Errorf(galena.Conflict, "moved", "accepted by ana at 09:00:00 UTC")
	}
	past := galena.Held{}
	for i, h := range f.standing.Holds {
		past.Reps = append(past.Reps, h.Rep)
		if i == len(f.standing.Holds)-1 && m.Reason == galena.MoveSLA || h.Reason == galena.MoveSLA {
			past.Breaches++
		}
	}
	d, told, _, err := m.Settle(*f.rec.Decision, past, galena.Roster{Credits: map[string]map[string]int64{},
		Reps: map[string]galena.RepState{}, NextSeq: 9})
	if err != nil {
		return d, err
	}
	f.moves, f.told = append(f.moves, m), append(f.told, told...)
	f.hold(d)
	return d, nil
}

// hold lets a decision be the one in force, with its clocks.
func (f *floor) hold(d galena.Decision) {
	a := d.Assignment
	f.rec.Decision, f.rec.Lead.Epoch = &d, d.Epoch
	f.standing.Epoch = d.Epoch
	if n := len(f.standing.Holds); n > 0 {
		f.standing.Holds[n-1].Reason = f.moves[n-1].Reason
	}
	f.standing.Holds = append(f.standing.Holds, galena.Hold{Epoch: d.Epoch, Rep: a.Rep, To: a.To, AssignedAt: a.AssignedAt})
	f.timers = map[galena.TimerKind]galena.Timer{}
	for kind, at := range map[galena.TimerKind][2]time.Time{galena.ClockAccept: {a.AcceptHalf, a.AcceptBy},
		galena.ClockTouch: {a.TouchHalf, a.TouchBy}, galena.ClockWait: {a.WaitUntil, a.WaitUntil}} {
		if !at[1].IsZero() {
			f.timers[kind] = galena.Timer{LeadID: d.LeadID, Epoch: d.Epoch, Kind: kind, Rep: a.Rep, NudgeAt: at[0],
				DueAt: at[1], State: galena.TimerOpen}
		}
	}
}

func (f *floor) Rerouted(r galena.Record) ([]galena.Delivery, error) {
	return []galena.Delivery{{Event: galena.EventRerouted, Target: r.Decision.To}}, nil
}

func (f *floor) Breached(_ galena.Lead, t galena.Timer, to, page string) ([]galena.Delivery, error) {
	return []galena.Delivery{{Event: galena.EventBreached, Target: strings.TrimSpace(string(t.Kind) + " " + t.Rep + " " + to + " " + page)}}, nil
}

// spec is three reps who always work, and a rule with clocks.
func spec(breach *routing.Breach) routing.Config {
	c := routing.Config{
		Pools:    []routing.Pool{{ID: "all", Members: map[string]int{"ana": 1, "ben": 1, "cho": 1}}},
		Rules:    []routing.Rule{{ID: "everyone", To: routing.Target{Pool: "all"}, SLA: &routing.SLA{Accept: 4 * time.Minute, FirstTouch: time.Hour, OnBreach: breach}}},
		Fallback: routing.Fallback{Queue: "unrouted", Alert: true},
	}
	for _, id := range []string{"ana", "ben", "cho"} {
		c.Reps = append(c.Reps, routing.Rep{ID: id})
	}
	return c
}

func upToTwice() *routing.Breach {
	return &routing.Breach{Action: "reassign", To: "all", Max: 2, Then: routing.BreachThen{Queue: "hot-desk", Page: "on-call"}}
}

// newFloor gives the lead to the first rep and returns who watches it.
func newFloor(t *testing.T, c routing.Config) (*floor, *Watch) {
	t.Helper()
	router, err := routing.New(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &floor{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), rec: galena.Record{Lead: galena.Lead{ID: someLead}},
		figures: prometheus.NewRegistry()}
	h := &Hands{Store: f, Tell: f, Router: func() (*routing.Router, []galena.ConfigRef) { return router, nil },
		Wake: func() {}, Now: func() time.Time { return f.now }, Metrics: NewSLAMetrics(f.figures),
		Log: slog.New(slog.DiscardHandler)}
	d := galena.Decision{LeadID: someLead, Epoch: 1, Score: galena.Score{Tier: "A"}, Facts: galena.Facts{}, Rule: "everyone"}
	o, in := rematch(router, d, f.now)
	d.Assignment, _, _ = router.Assign(o, in, galena.Roster{Credits: map[string]map[string]int64{}, NextSeq: 1}, someLead, 1, galena.Held{})
	d.To, d.Owner = d.Assignment.To, d.Assignment.Rep
	f.hold(d)
	return f, &Watch{Hands: h, Steps: f, Clocks: f, Chance: func() float64 { return 0.5 }, leases: newLeases()}
}

func (f *floor) tick(t *testing.T, w *Watch, kind galena.TimerKind, d time.Duration) {
	t.Helper()
	f.now = f.now.Add(d)
	step := galena.Step{Kind: galena.StepSLA, ID: someLead + ":" + string(kind), Epoch: f.rec.Decision.Epoch, Run: 1}
	if err := w.Process(context.Background(), step); err != nil {
		t.Fatal(err)
	}
}

func TestAClockNudgesHalfWayAndMovesTheLeadAtItsEnd(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	began := f.now
	f.tick(t, w, galena.ClockAccept, time.Minute)
	if want := began.Add(2 * time.Minute); !f.parked.Equal(want) || f.timers[galena.ClockAccept].State != galena.TimerOpen {
		t.Errorf("too early: parked until %s, want %s", f.parked, want)
	}
	f.tick(t, w, galena.ClockAccept, time.Minute)
	if f.timers[galena.ClockAccept].State != galena.TimerNudged || !f.parked.Equal(began.Add(4*time.Minute)) {
		t.Errorf("half way: %+v, parked until %s", f.timers[galena.ClockAccept], f.parked)
	}
	for i, want := range []string{"ben", "cho", "queue:hot-desk"} {
		before := f.rec.Decision.To
		f.tick(t, w, galena.ClockAccept, 4*time.Minute)
		d := f.rec.Decision
		if d.To != want || d.Epoch != i+2 || d.Assignment.Epoch != i+2 || f.moves[i].Reason != galena.MoveSLA || f.moves[i].Refund {
			t.Errorf("move %d: epoch %d to %s, want %s", i+1, d.Epoch, d.To, want)
		}
		told := "accept " + before + " " + want
		if want == "queue:hot-desk" {
			told += " on-call"
		}
		if got := f.told[len(f.told)-1]; got.Event != galena.EventBreached || got.Target != told {
			t.Errorf("told %+v, want %q", got, told)
		}
		if got := f.told[len(f.told)-2]; got.Event != galena.EventRerouted || got.Target != want {
			t.Errorf("told %+v, want the rerouting to %s", got, want)
		}
	}
	if n := f.counted(t, "accept", "breached"); n != 3 {
		t.Errorf("%v breaches counted, want 3", n)
	}
}

func TestARepWhoAcceptsAtTheLastInstantKeepsTheLead(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	f.taken = true
	f.tick(t, w, galena.ClockAccept, 4*time.Minute)
	if !f.finished || len(f.moves) != 0 || len(f.told) != 0 || f.failed != "" {
		t.Errorf("finished %v, %d moves, told %v", f.finished, len(f.moves), f.told)
	}
}

func TestARuleThatMovesNoLeadOnlyTells(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(nil))
	f.tick(t, w, galena.ClockTouch, time.Hour)
	if len(f.moves) != 0 || len(f.told) != 1 || f.told[0].Target != "touch ana ana" {
		t.Errorf("%d moves, told %+v", len(f.moves), f.told)
	}
}

// Where the lead goes is for the rules in force to say, and whether it goes is too.
func TestAClockOfARuleThatWasRenamedMovesItsLead(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	f.rec.Decision.Rule = "the name it had"
	f.tick(t, w, galena.ClockAccept, 4*time.Minute)
	if d := f.rec.Decision; len(f.moves) != 1 || d.To != "ben" || d.Rule != "everyone" {
		t.Errorf("%d moves, with %s by rule %q, want ben by the rule in force", len(f.moves), d.To, d.Rule)
	}
}

func TestAClockThatWasStoppedIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, state := range []galena.TimerState{galena.TimerMet, galena.TimerVoid, galena.TimerBreached} {
		f, w := newFloor(t, spec(upToTwice()))
		c := f.timers[galena.ClockAccept]
		c.State = state
		f.timers[galena.ClockAccept] = c
		f.tick(t, w, galena.ClockAccept, time.Hour)
		if !f.finished || len(f.moves) != 0 || len(f.told) != 0 {
			t.Errorf("%s: finished %v, %d moves", state, f.finished, len(f.moves))
		}
	}
}

func TestInAScenarioNoClockRunsOut(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	w.Still = true
	f.tick(t, w, galena.ClockAccept, time.Hour)
	if len(f.moves) != 0 || !f.finished {
		t.Errorf("%d moves", len(f.moves))
	}
}

func TestALeadThatWaitedForItsOwnerGoesToTheTerritory(t *testing.T) {
	t.Parallel()
	c := spec(nil)
	c.Reps[0].TimeOff = []routing.TimeOff{{From: "2026-11-23T00:00", To: "2026-11-24T00:00"}}
	c.Rules[0].To = routing.Target{RepFrom: "match.account_owner", IfUnavailable: &routing.IfUnavailable{Wait: time.Hour, Then: "all"}}
	f, w := newFloor(t, c)
	d := *f.rec.Decision
	d.Facts = galena.Facts{"match.account_owner": galena.KnownFact("match.account_owner", galena.TextValue("ana"), "galena", f.now)}
	d.Assignment = galena.Assignment{LeadID: someLead, Epoch: 1, Rep: "ana", To: "ana", WaitUntil: f.now.Add(time.Hour)}
	f.standing.Holds = nil
	f.hold(d)
	f.tick(t, w, galena.ClockWait, time.Hour)
	if len(f.moves) != 1 || f.moves[0].Reason != galena.MoveWait || f.rec.Decision.Owner != "ben" {
		t.Errorf("%d moves, owner %s", len(f.moves), f.rec.Decision.Owner)
	}
	if len(f.told) != 1 || f.told[0].Event != galena.EventRerouted {
		t.Errorf("told %+v: nobody was late", f.told)
	}
}

// A wait that runs out is no breach: the lead goes where the wait says, and may be
// late as often as another.
func TestAWaitThatRunsOutIsNoBreach(t *testing.T) {
	t.Parallel()
	c := spec(nil)
	c.Reps[0].TimeOff = []routing.TimeOff{{From: "2026-11-23T00:00", To: "2026-11-24T00:00"}}
	c.Pools = append(c.Pools, routing.Pool{ID: "territory", Members: map[string]int{"ben": 1}}, routing.Pool{ID: "late", Members: map[string]int{"cho": 1}})
	c.Rules[0].To = routing.Target{RepFrom: "match.account_owner", IfUnavailable: &routing.IfUnavailable{Wait: time.Minute, Then: "territory"}}
	c.Rules[0].SLA.OnBreach = &routing.Breach{Action: "reassign", To: "late", Max: 1, Then: routing.BreachThen{Queue: "hot-desk"}}
	f, w := newFloor(t, c)
	d := *f.rec.Decision
	d.Facts = galena.Facts{"match.account_owner": galena.KnownFact("match.account_owner", galena.TextValue("ana"), "galena", f.now)}
	d.Assignment = galena.Assignment{LeadID: someLead, Epoch: 1, Rep: "ana", To: "ana", WaitUntil: f.now.Add(time.Minute)}
	f.standing.Holds = nil
	f.hold(d)
	f.tick(t, w, galena.ClockWait, time.Minute)
	if f.rec.Decision.To != "ben" {
		t.Errorf("after the wait it is with %s, want ben of the pool that the wait names", f.rec.Decision.To)
	}
	for i, want := range []string{"cho", "queue:hot-desk"} {
		f.tick(t, w, galena.ClockAccept, 4*time.Minute)
		if f.rec.Decision.To != want {
			t.Errorf("after breach %d it is with %s, want %s", i+1, f.rec.Decision.To, want)
		}
	}
}

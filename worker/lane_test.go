package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// street is the lanes of a worker with 64 places, and a clock.
type street struct {
	*lanes
	now time.Time
}

func newStreet() *street { return &street{newLanes(64), time.Unix(1_800_000_000, 0)} }

// fill takes places until one is refused or there are 100, and says what to wait.
func (s *street) fill(target string) (n int, wait time.Duration) {
	for range 100 {
		ok, w := s.enter(target, s.now)
		if !ok {
			return n, w
		}
		n++
	}
	return n, 0
}

func (s *street) empty(target string, n int, err error) {
	for range n {
		s.leave(target, err, s.now, s.now)
	}
}

func TestATargetThatAnswersIsNeverHeldUp(t *testing.T) {
	t.Parallel()
	s := newStreet()
	if n, _ := s.fill("good"); n != 100 {
		t.Errorf("a burst took %d places, want all", n)
	}
	s.now = s.now.Add(laneWait)
	s.empty("good", 1, nil)
	s.now = s.now.Add(laneWait)
	if ok, _ := s.enter("good", s.now); !ok {
		t.Error("a target that ends its tries is held up")
	}
}

func TestATargetThatStoppedToAnswerTakesNoFurtherPlaces(t *testing.T) {
	t.Parallel()
	s := newStreet()
	for range 32 {
		s.enter("dead", s.now)
	}
	s.now = s.now.Add(laneWait + time.Millisecond)
	if ok, wait := s.enter("dead", s.now); ok || wait != laneWait {
		t.Errorf("it takes more than half of the worker: %v, wait %v", ok, wait)
	}
	if ok, _ := s.enter("good", s.now); !ok {
		t.Error("it holds up another")
	}
}

func TestATargetThatFailsGetsAFewTriesUntilItAnswers(t *testing.T) {
	t.Parallel()
	s := newStreet()
	for range failsInRow {
		s.enter("dead", s.now)
		s.empty("dead", 1, galena.Errorf(galena.Unavailable, "notify", "no answer"))
	}
	s.now = s.now.Add(time.Minute)
	n, wait := s.fill("dead")
	if n != probes || wait != time.Minute {
		t.Errorf("it takes %d places and the next waits %v, want %d and as long again as it fails", n, wait, probes)
	}
	s.now = s.now.Add(time.Hour)
	if _, wait := s.enter("dead", s.now); wait != laneMost {
		t.Errorf("after an hour the wait is %v, want %v", wait, laneMost)
	}
	s.empty("dead", 1, galena.Errorf(galena.Invalid, "notify", "status 410"))
	if _, wait := s.fill("dead"); wait == 0 {
		t.Error("a refusal is taken for the end of an outage")
	}
	s.empty("dead", 2, nil)
	if n, _ := s.fill("dead"); n != 100 {
		t.Errorf("once it answers it takes %d places, want all", n)
	}
}

// panicky is a sender with a fault in it.
type panicky struct{}

func (panicky) Send(context.Context, galena.Delivery) error { panic("boom") }

// A sender's fault is an error of that delivery: it waits like another, and the
// place is free for the next.
func TestAPanicInASenderKeepsNoPlace(t *testing.T) {
	t.Parallel()
	d := &desk{}
	v := &Deliverer{Steps: d, Deliveries: d, Sender: panicky{}, Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
		Wait: Patience(func(int, float64) time.Duration { return time.Minute }),
		Log:  slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(64)}
	for range 100 {
		if err := v.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: "d1"}); err != nil {
			t.Fatal(err)
		}
	}
	if busy := v.lanes.lane[""].busy; busy != 0 || len(v.leases.held) != 0 {
		t.Errorf("%d places and %d leases are kept, want none", busy, len(v.leases.held))
	}
	if !d.parked.Equal(testNow.Add(time.Minute)) {
		t.Errorf("it waits until %v, want a minute", d.parked)
	}
}

// A receiver that answers, but each time after ten seconds, while twenty deliveries a
// second come: it may not take the places of everybody else.
func TestATargetThatAnswersSlowlyTakesNoMoreThanHalfOfTheWorker(t *testing.T) {
	t.Parallel()
	const takes, every = 10 * time.Second, 50 * time.Millisecond
	s := newStreet()
	began := s.now
	var ends []time.Time
	most := 0
	for at := time.Duration(0); at < 5*time.Minute; at += every {
		s.now = began.Add(at)
		for len(ends) > 0 && !ends[0].After(s.now) {
			s.leave("slow", nil, s.now.Add(-takes), s.now)
			ends = ends[1:]
		}
		if ok, _ := s.enter("slow", s.now); ok {
			ends = append(ends, s.now.Add(takes))
		}
		if at > time.Minute {
			most = max(most, len(ends))
		}
	}
	if most > 64/2 {
		t.Errorf("%d tries at a time to one slow target, want no more than half of 64 places", most)
	}
}

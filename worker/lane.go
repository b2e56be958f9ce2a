package worker

import (
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// lanes keep targets from each other's way: one that has stopped to answer, or takes
// long for it, may hold half of the worker, one that fails no more than a few tries at
// a time. One that answers soon is never held up, however many leads come at once.
type lanes struct {
	mu    sync.Mutex
	width int
	lane  map[string]*lane
}

type lane struct {
	busy  int
	moved time.Time     // when a try last ended, or the first of those under way began
	took  time.Duration // a try, of late
	tail  time.Time     // when the last of those that find no place comes back
	fails int           // in a row
	since time.Time     // of the first of them
}

const (
	probes     = 2               // tries at a time to a target that fails
	failsInRow = 3               // a target fails from then on
	laneWait   = 2 * time.Second // without an end of any try a target has stopped to answer; and one that takes as long is slow
	laneMost   = 10 * time.Minute
	laneLook   = 10 * time.Millisecond // from one look at a full lane to the next
)

func newLanes(concurrency int) *lanes {
	return &lanes{width: max(concurrency/2, 1), lane: map[string]*lane{}}
}

// enter takes a place, or says how long to wait for one: as long again as the
// target has been failing, so that what waits for it costs next to nothing.
func (l *lanes) enter(target string, now time.Time) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.lane[target]
	if t == nil {
		t = &lane{}
		l.lane[target] = t
	}
	if t.busy == 0 {
		t.moved = now
	}
	switch {
	case t.fails >= failsInRow && t.busy >= min(probes, l.width):
		return false, min(max(now.Sub(t.since), laneWait), laneMost)
	case t.busy >= l.width && (now.Sub(t.moved) > laneWait || t.took > laneWait):
		return false, t.later(now, l.width)
	}
	t.busy++
	return true, 0
}

// full says that a target that answers, as far as is known, has its share.
func (l *lanes) full(target string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.lane[target]
	return t != nil && t.fails < failsInRow && t.busy >= l.width && now.Sub(t.moved) <= laneWait && t.took <= laneWait
}

// later is when a try comes back that finds no place: one after the other, at the pace
// of the target.
func (t *lane) later(now time.Time, width int) time.Duration {
	first := now.Add(laneWait)
	if t.tail.Before(first) || t.tail.Sub(now) > laneMost {
		t.tail = first
	}
	wait := t.tail.Sub(now)
	t.tail = t.tail.Add(t.took / time.Duration(width))
	return wait
}

// leave gives the place back that was taken at began. Only what says that the target
// is away counts: a refusal is an answer.
func (l *lanes) leave(target string, err error, began, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.lane[target]
	t.busy--
	t.moved = now
	t.took += (max(now.Sub(began), 0) - t.took) / 8
	switch {
	case err == nil:
		t.fails = 0
	case galena.KindOf(err) == galena.Unavailable:
		if t.fails++; t.fails == 1 {
			t.since = now
		}
	}
}

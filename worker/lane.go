package worker

import (
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// lanes keep targets from each other's way: one that has stopped to answer may
// hold half of the worker, one that fails no more than a few tries at a time.
// One that answers is never held up, however many leads come at once.
type lanes struct {
	mu    sync.Mutex
	width int
	lane  map[string]*lane
}

type lane struct {
	busy  int
	moved time.Time // when a try last ended, or the first of those under way began
	fails int       // in a row
	since time.Time // of the first of them
}

const (
	probes     = 2               // tries at a time to a target that fails
	failsInRow = 3               // a target fails from then on
	laneWait   = 2 * time.Second // without an end of any try a target has stopped to answer
	laneMost   = 10 * time.Minute
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
	case t.busy >= l.width && now.Sub(t.moved) > laneWait:
		return false, laneWait
	}
	t.busy++
	return true, 0
}

// leave gives the place back. Only what says that the target is away counts: a
// refusal is an answer.
func (l *lanes) leave(target string, err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.lane[target]
	t.busy--
	t.moved = now
	switch {
	case err == nil:
		t.fails = 0
	case galena.KindOf(err) == galena.Unavailable:
		if t.fails++; t.fails == 1 {
			t.since = now
		}
	}
}

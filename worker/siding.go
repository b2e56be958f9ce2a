package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
)

// errand is a delivery that was begun and waits for its turn at a CRM. Its lease
// is renewed meanwhile.
type errand struct {
	step     galena.Step
	delivery galena.Delivery
	release  func()
}

// siding is where the deliveries to one CRM wait. A CRM has a quota and is slow: a
// delivery that waits here holds no worker's place, so nothing else is held up,
// and the few that are under way are few enough for the CRM. What finds no room
// here waits in SQL, for as long as those before it will take.
type siding struct {
	mu      sync.Mutex
	waiting []errand
	places  int  // how many may be under way
	well    int  // errands that were sent since that changed
	busy    int  // places taken
	sending int  // of those, that have an errand in hand
	proving bool // after a rest: one goes first
	stopped bool
	rest    time.Time     // the CRM wants to be left alone until then
	pace    time.Duration // from one end to the next when all places are taken, as measured
	tail    time.Time     // when the last of those that wait in SQL comes back
}

// The size of a siding. A rest that is longer than restHere is waited for in SQL;
// and nobody waits there for longer than comeBack for a turn, for a CRM may be
// faster than it was.
const (
	sidingPlaces = 8
	sidingRoom   = 256
	restHere     = 20 * time.Second
	comeBack     = 2 * time.Minute
	smooth       = 32 // errands that went well show that there may be one more at a time
	paceAtFirst  = 50 * time.Millisecond
	proofTakes   = 100 * time.Millisecond // to look whether the first one came through
)

// sidings are those of all CRMs, one each.
type sidings struct {
	d       *Deliverer
	mu      sync.Mutex
	by      map[string]*siding
	closed  bool
	over    chan struct{} // closed when the process stops
	start   func(work func(context.Context))
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newSidings(d *Deliverer) *sidings {
	return &sidings{d: d, by: map[string]*siding{}, over: make(chan struct{})}
}

// open lets work begin; it goes on until stop.
func (q *sidings) open(ctx context.Context) {
	ctx, q.cancel = context.WithCancel(context.WithoutCancel(ctx))
	q.start = func(work func(context.Context)) { q.running.Go(func() { work(ctx) }) }
}

// of is the siding of a target.
func (q *sidings) of(target string) *siding {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.by[target]
	if t == nil {
		t = &siding{places: sidingPlaces, pace: paceAtFirst, stopped: q.closed}
		q.by[target] = t
	}
	return t
}

// take lets an errand wait here, or in SQL. Its lease is the siding's from now on.
func (q *sidings) take(ctx context.Context, e errand) error {
	t := q.of(e.delivery.Target)
	work := func(ctx context.Context) { q.work(ctx, t) }
	wait, ok := t.admit(e, q.d.Now(), func() { q.start(work) })
	if ok {
		return nil
	}
	defer e.release()
	return q.d.Steps.Park(ctx, e.step, q.d.Now().Add(wait), galena.Pending, "waits for its turn")
}

// admit lets an errand in and starts work where a place is free; or it says how
// long the errand must wait elsewhere.
func (t *siding) admit(e errand, now time.Time, start func()) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return 0, false
	}
	if len(t.waiting) >= sidingRoom || t.rest.Sub(now) > restHere {
		return t.later(now), false
	}
	t.waiting = append(t.waiting, e)
	if t.busy < t.places {
		t.busy++
		start() // here, so that nobody stops between the two
	}
	return 0, true
}

// later is when an errand comes back that finds no room: one after the other, at
// the pace of the CRM, after those that are here and after its rest.
func (t *siding) later(now time.Time) time.Duration {
	first := now.Add(time.Duration(len(t.waiting)) * t.pace)
	if t.rest.After(first) {
		first = t.rest
	}
	if t.tail.Before(first) || t.tail.Sub(first) > comeBack {
		t.tail = first
	}
	t.tail = t.tail.Add(t.pace)
	return t.tail.Sub(now)
}

// work sends what waits, one errand after the other, until nothing does.
func (q *sidings) work(ctx context.Context, t *siding) {
	for {
		e, rest, ok := q.next(ctx, t)
		if !ok {
			return
		}
		if rest > 0 {
			select {
			case <-time.After(rest):
			case <-q.over:
			}
			continue
		}
		if q.d.leases.lapsed(e.step) { // it waited through an outage: another worker may send it
			q.giveBack(ctx, e, q.d.Now())
			t.skip()
			continue
		}
		began := q.d.Now()
		err := q.send(ctx, e.delivery)
		if told := q.d.end(ctx, e.step, e.delivery, err); told != nil {
			q.d.Log.WarnContext(ctx, "delivery not written down", "delivery", e.step.ID, "kind", galena.KindOf(told), "error", told)
		}
		e.release()
		t.note(err, q.d.Now(), q.d.Now().Sub(began))
	}
}

// send makes one try. A panic in it is an error of this delivery and of no other.
func (q *sidings) send(ctx context.Context, d galena.Delivery) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.deliver", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	return q.d.Sender.Send(ctx, d)
}

// next is the errand whose turn it is, or how long nobody has one. Not ok: the
// place is given up. Those who would have to wait for long go back to SQL.
func (q *sidings) next(ctx context.Context, t *siding) (e errand, rest time.Duration, ok bool) {
	now := q.d.Now()
	t.mu.Lock()
	rest = t.rest.Sub(now)
	var back []errand
	var waits []time.Duration
	if rest > restHere {
		back, t.waiting = t.waiting, nil
		for range back {
			waits = append(waits, t.later(now))
		}
	}
	switch {
	case len(t.waiting) == 0 || t.busy > t.places:
		t.busy--
	case rest > 0:
		ok = true
	case t.proving && t.sending > 0:
		rest, ok = proofTakes, true
	default:
		t.sending++
		e, t.waiting, rest, ok = t.waiting[0], t.waiting[1:], 0, true
	}
	t.mu.Unlock()
	for i, b := range back {
		q.giveBack(ctx, b, now.Add(waits[i]))
	}
	return e, rest, ok
}

// giveBack lets an errand wait in SQL. One that cannot be written keeps no lease,
// so the sweep finds it; one that another worker has is that one's.
func (q *sidings) giveBack(ctx context.Context, e errand, due time.Time) {
	defer e.release()
	if err := q.d.Steps.Park(ctx, e.step, due, galena.Pending, "waits for its turn"); err != nil && !isFenceLost(err) {
		q.d.Log.WarnContext(ctx, "delivery not parked", "delivery", e.step.ID, "kind", galena.KindOf(err), "error", err)
	}
}

// skip gives up the turn of an errand that was not tried.
func (t *siding) skip() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sending--
}

// rests are the kinds by which a CRM wants to be left alone as a whole.
var rests = map[galena.Kind]bool{
	galena.RateLimited: true, galena.Exhausted: true, galena.Unauthorized: true, galena.BreakerOpen: true,
}

// note learns from how an errand ended. One whose turn our own pace did not give
// it in time shows that there are too many of them, for now.
func (t *siding) note(err error, now time.Time, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sending--
	hint := galena.RetryAfterOf(err)
	switch {
	case err == nil:
		t.pace += (took/time.Duration(t.places) - t.pace) / 8
		t.proving = false
		if t.well++; t.well >= smooth {
			t.places, t.well = min(t.places+1, sidingPlaces), 0
		}
	case galena.CauseOf(err) == galena.CausePace:
		t.places, t.well = max(t.places-1, 2), 0
	case rests[galena.KindOf(err)]:
		t.proving = true
		if now.Add(hint).After(t.rest) {
			t.rest = now.Add(hint)
		}
	case galena.KindOf(err) != galena.Unavailable:
		t.proving = false
	}
}

// stop gives what waits back to SQL at once, for another process or the next start
// of this one, and lets what is under way end, or cuts it after a while. A CRM that
// hangs may hold every place until then, so what waits does not wait for it.
func (q *sidings) stop() {
	late := time.AfterFunc(shutdownWait, q.cancel)
	back := q.close()
	close(q.over)
	q.clear(back)
	q.running.Wait()
	late.Stop()
	q.cancel()
}

// close lets nobody in any more and returns what waits.
func (q *sidings) close() []errand {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	var back []errand
	for _, t := range q.by {
		t.mu.Lock()
		t.stopped = true
		back = append(back, t.waiting...)
		t.waiting = nil
		t.mu.Unlock()
	}
	return back
}

// clearing is how long what waits may take on its way back to SQL.
const clearing = 3 * time.Second

// clear gives errands back, due at once.
func (q *sidings) clear(back []errand) {
	ctx, cancel := context.WithTimeout(context.Background(), clearing)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(sidingPlaces)
	for _, e := range back {
		g.Go(func() error {
			q.giveBack(ctx, e, q.d.Now())
			return nil
		})
	}
	_ = g.Wait() // what could not be given back was logged
}

package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

const (
	// renewAfter is how old a lease is when it is renewed: a third of what Begin
	// gives. Most steps are over by then.
	renewAfter = 2 * time.Second
	// renewEvery is how often the leases are looked at, so that a renewal may fail
	// twice before the sweep takes the step for lost.
	renewEvery = time.Second
	// leaseFor is what Begin and each renewal give.
	leaseFor = 3 * renewAfter
)

// leases keeps the steps that this process is working on alive in SQL. A
// process that dies stops renewing, and the sweep hands its steps out again.
type leases struct {
	mu   sync.Mutex
	held map[galena.Step]time.Time // when the lease was given
}

func newLeases() *leases { return &leases{held: map[galena.Step]time.Time{}} }

// hold keeps a step's lease, given at that time or later, until the returned
// function is called.
func (l *leases) hold(s galena.Step, given time.Time) (release func()) {
	l.mu.Lock()
	l.held[s] = given
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		delete(l.held, s)
		l.mu.Unlock()
	}
}

// due lists the steps whose lease was given before then.
func (l *leases) due(then time.Time) []galena.Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []galena.Step
	for s, at := range l.held {
		if at.Before(then) {
			out = append(out, s)
		}
	}
	return out
}

// renewed notes that the leases were given anew. One that had run out by then may have
// been given to somebody else.
func (l *leases) renewed(steps []galena.Step, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range steps {
		if given, ok := l.held[s]; ok && time.Since(given) < leaseFor {
			l.held[s] = at
		}
	}
}

// lapsed says that a step's lease was not renewed in time: it may be somebody else's by now.
func (l *leases) lapsed(s galena.Step) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.held[s]) >= leaseFor
}

// run renews until the context ends.
func (l *leases) run(ctx context.Context, steps Steps, log *slog.Logger) {
	t := time.NewTicker(renewEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		due := l.due(now.Add(-renewAfter))
		if len(due) == 0 {
			continue
		}
		if err := steps.Renew(ctx, due); err != nil {
			if ctx.Err() == nil {
				log.WarnContext(ctx, "leases not renewed", "steps", len(due), "kind", galena.KindOf(err), "error", err)
			}
			continue
		}
		l.renewed(due, now)
	}
}

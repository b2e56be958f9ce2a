package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// renewEvery is a third of the lease that Begin gives, so that two renewals may
// fail before the sweep takes the step for lost.
const renewEvery = 2 * time.Second

// leases keeps the steps that this process is working on alive in SQL. A
// process that dies stops renewing, and the sweep hands its steps out again.
type leases struct {
	mu   sync.Mutex
	held map[galena.Step]struct{}
}

func newLeases() *leases { return &leases{held: map[galena.Step]struct{}{}} }

// hold keeps a step's lease until the returned function is called.
func (l *leases) hold(s galena.Step) (release func()) {
	l.mu.Lock()
	l.held[s] = struct{}{}
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		delete(l.held, s)
		l.mu.Unlock()
	}
}

func (l *leases) list() []galena.Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]galena.Step, 0, len(l.held))
	for s := range l.held {
		out = append(out, s)
	}
	return out
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
		held := l.list()
		if len(held) == 0 {
			continue
		}
		if err := steps.Renew(ctx, held); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "leases not renewed", "steps", len(held), "kind", galena.KindOf(err), "error", err)
		}
	}
}

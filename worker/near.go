package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// near makes the first try of deliveries in the process that has just committed
// them: it has the body in its hands, and the way over the queue costs two looks
// at Redis and the wait for the next one. Nothing hangs on it. The step is begun
// like any other, so whatever is not tried here is found by the sweep, and what
// there is no place for goes by the queue, as does what another process hands out.
type near struct {
	try     func(context.Context, galena.Step) error
	log     *slog.Logger
	places  chan struct{}
	mu      sync.Mutex
	start   func(galena.Step) // nil: closed
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newNear(places int, try func(context.Context, galena.Step) error, log *slog.Logger) *near {
	return &near{try: try, log: log, places: make(chan struct{}, max(places, 1))}
}

func (n *near) open(ctx context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, n.cancel = context.WithCancel(ctx)
	n.start = func(s galena.Step) {
		n.running.Go(func() {
			defer func() { <-n.places }()
			n.run(ctx, s)
		})
	}
}

// take begins a delivery if there is a place for it, and never waits.
func (n *near) take(s galena.Step) bool {
	if s.Kind != galena.StepDeliver {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.start == nil {
		return false
	}
	select {
	case n.places <- struct{}{}:
		n.start(s)
		return true
	default:
		return false
	}
}

func (n *near) run(ctx context.Context, s galena.Step) {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	if err := guarded(func() error { return n.try(ctx, s) }); err != nil {
		n.log.WarnContext(ctx, "delivery left to the sweep", "delivery", s.ID, "kind", galena.KindOf(err), "error", err)
	}
}

// stop takes no more and lets what was begun end, or cuts it after a while.
func (n *near) stop() {
	n.mu.Lock()
	n.start = nil
	cancel := n.cancel
	n.mu.Unlock()
	if cancel == nil {
		return
	}
	defer cancel()
	cut := time.AfterFunc(shutdownWait, cancel)
	defer cut.Stop()
	n.running.Wait()
}

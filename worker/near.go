package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// near makes the first try of deliveries in the process that commits them: it has
// the body in its hands, and the way over the queue costs two looks at Redis and
// the wait for the next one.
//
//	Keep a place ► written as begun, with its decision ► commit ► Run ► place free
//	       │                                               │
//	none: written as queued, by the queue        fails: Drop the place
//
// Nothing hangs on it: the step has a lease like any other, so what is written as
// begun and never tried is found by the sweep. What another process hands out
// goes by the queue.
type near struct {
	try    func(context.Context, galena.Step) error
	log    *slog.Logger
	places int

	mu     sync.Mutex
	open   bool
	free   int
	ctx    context.Context //nolint:containedctx // of the tries, from start to stop
	cancel context.CancelFunc
	kept   sync.WaitGroup // places that are not free
}

func newNear(places int, try func(context.Context, galena.Step) error, log *slog.Logger) *near {
	return &near{try: try, log: log, places: max(places, 1)}
}

func (n *near) start(ctx context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ctx, n.cancel = context.WithCancel(ctx)
	n.open, n.free = true, n.places
}

// Keep implements Keeper: it never waits for a place.
func (n *near) Keep() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.open || n.free == 0 {
		return false
	}
	n.free--
	n.kept.Add(1)
	return true
}

// Drop implements Keeper.
func (n *near) Drop(places int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free += places
	n.kept.Add(-places)
}

// Run implements Keeper.
func (n *near) Run(s galena.Step) {
	go func() {
		defer n.Drop(1)
		ctx, cancel := context.WithTimeout(n.ctx, taskTimeout)
		defer cancel()
		if err := guarded(func() error { return n.try(ctx, s) }); err != nil {
			n.log.WarnContext(ctx, "delivery left to the sweep", "delivery", s.ID, "kind", galena.KindOf(err), "error", err)
		}
	}()
}

// stop keeps no more places and lets what has one end, or cuts it after a while.
func (n *near) stop() {
	n.mu.Lock()
	opened := n.open
	n.open = false
	n.mu.Unlock()
	if !opened {
		return
	}
	defer n.cancel()
	cut := time.AfterFunc(shutdownWait, n.cancel)
	defer cut.Stop()
	n.kept.Wait()
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// near makes the first try of deliveries in the process that has just committed
// them: it has the body in its hands, and the way over the queue costs two looks
// at Redis and the wait for the next one. Nothing hangs on it. The step is begun
// like any other, so whatever is not tried here is found by the sweep, and what
// there is no place for goes by the queue, as every later try does.
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
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = galena.Errorf(galena.Internal, "worker.near", "panic: %.100s", fmt.Sprint(r))
			}
		}()
		return n.try(ctx, s)
	}()
	if err != nil {
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
	ended := make(chan struct{})
	go func() { n.running.Wait(); close(ended) }()
	cut := time.AfterFunc(shutdownWait, cancel)
	defer cut.Stop()
	<-ended
}

package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
)

// Suspects is the part of the store that knows which steps may have been lost.
type Suspects interface {
	Suspects(ctx context.Context, limit int) ([]galena.Step, error)
	Rehand(ctx context.Context, steps []galena.Step) (int, error)
	Vouch(ctx context.Context, steps []galena.Step) error
}

const (
	sweepEvery = 5 * time.Second
	sweepBatch = 500
)

// Sweeper hands out again whatever has no live task: steps that are due, steps
// whose worker's lease has run out, and queued steps whose task the queue has
// lost. Handing out raises the run, so an old task that does turn up writes
// nothing, and two sweepers cannot hand the same run out twice.
type Sweeper struct {
	store Suspects
	alive func(galena.Step) bool
	wake  func()
	log   *slog.Logger
}

// NewSweeper builds a sweeper; alive asks the queue, wake nudges the relay.
func NewSweeper(s Suspects, alive func(galena.Step) bool, wake func(), log *slog.Logger) *Sweeper {
	return &Sweeper{store: s, alive: alive, wake: wake, log: log}
}

// Run sweeps at once, then every few seconds until the context ends.
func (s *Sweeper) Run(ctx context.Context) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if n, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep failed", "kind", galena.KindOf(err), "error", err)
		} else if n > 0 {
			s.log.InfoContext(ctx, "steps handed out again", "steps", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Sweep looks at every suspect once and says how many steps it handed out.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	total := 0
	for {
		suspects, err := s.store.Suspects(ctx, sweepBatch)
		if err != nil {
			return total, err
		}
		var lost, seen []galena.Step
		for _, st := range suspects {
			if !st.Lost && s.alive(st) {
				seen = append(seen, st)
			} else {
				lost = append(lost, st)
			}
		}
		// What is vouched for is no suspect for a while, so every page ends.
		if err := s.store.Vouch(ctx, seen); err != nil {
			return total, err
		}
		n, err := s.store.Rehand(ctx, lost)
		if err != nil {
			return total, err
		}
		if total += n; n > 0 {
			s.wake()
		}
		if len(suspects) < sweepBatch {
			return total, nil
		}
	}
}

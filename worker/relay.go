package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
)

// Outbox is the part of the store that the relay empties.
type Outbox interface {
	ClaimOutbox(ctx context.Context, limit int) ([]galena.Step, error)
	DropOutbox(ctx context.Context, ids []int64) error
}

// Enqueuer puts steps on the queue and returns those that got there.
type Enqueuer interface {
	Enqueue(ctx context.Context, steps []galena.Step) ([]galena.Step, error)
}

const (
	relayBatch = 500
	relayPoll  = 500 * time.Millisecond // for rows whose writer could not nudge us
	relayPause = time.Second            // after a failure
)

// Relay moves outbox rows to the queue. Any number may run: a row is claimed
// for a few seconds, sent, then dropped; a relay that dies in between leaves a
// row that the next one claims, and the second task does no harm.
type Relay struct {
	outbox Outbox
	queue  Enqueuer
	log    *slog.Logger
	wake   chan struct{}
}

// NewRelay builds a relay; Run starts it.
func NewRelay(o Outbox, q Enqueuer, log *slog.Logger) *Relay {
	return &Relay{outbox: o, queue: q, log: log, wake: make(chan struct{}, 1)}
}

// Nudge says that a row was just committed. It never blocks: one waiting nudge
// serves any number of rows.
func (r *Relay) Nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run works until the context ends.
func (r *Relay) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait := relayPoll
		n, err := r.pass(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.log.WarnContext(ctx, "relay waits", "kind", galena.KindOf(err), "error", err)
			wait = relayPause
		case n == relayBatch:
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-time.After(wait):
		}
	}
	return nil
}

// pass moves one batch and says how many rows it claimed.
func (r *Relay) pass(ctx context.Context) (int, error) {
	steps, err := r.outbox.ClaimOutbox(ctx, relayBatch)
	if err != nil || len(steps) == 0 {
		return 0, err
	}
	sent, sendErr := r.queue.Enqueue(ctx, steps)
	ids := make([]int64, len(sent))
	for i, s := range sent {
		ids[i] = s.Outbox
	}
	if len(ids) > 0 {
		if err := r.outbox.DropOutbox(ctx, ids); err != nil {
			return len(steps), err
		}
	}
	return len(steps), sendErr
}

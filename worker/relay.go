package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// Outbox is the part of the store that the relay empties, and fills with what it
// could not bring to the queue at once.
type Outbox interface {
	ClaimOutbox(ctx context.Context, limit int) ([]galena.Step, error)
	DropOutbox(ctx context.Context, ids []int64) error
	PutOutbox(ctx context.Context, left []galena.Step) error
	Vouch(ctx context.Context, seen []galena.Step) error
}

// Enqueuer puts steps on the queue and returns those that got there.
type Enqueuer interface {
	Enqueue(ctx context.Context, steps []galena.Step) ([]galena.Step, error)
}

const (
	relayBatch = 500
	relayPoll  = 500 * time.Millisecond // for rows whose writer could not nudge us
	relayPause = time.Second            // after a failure
	takenMost  = 20 * relayBatch        // more wait in the outbox, not in memory
	leaveWait  = 2 * time.Second        // for the outbox, when the queue takes nothing
)

// Relay brings steps to the queue. It is the store's courier: what this process
// commits it sends at once, as many as have gathered while it sent the last, and
// no row is written for it. Whatever it cannot send goes by the outbox, and so
// does all that is committed until the queue works again: a row is claimed for a
// few seconds, sent, then dropped. Any number of relays may run; one that dies
// in between leaves a row that the next one claims, and the second task does no
// harm.
type Relay struct {
	outbox Outbox
	queue  Enqueuer
	log    *slog.Logger
	wake   chan struct{}
	keeper Keeper // nil: none

	mu     sync.Mutex
	direct bool // running, and the queue took what was sent last
	taken  []galena.Step
}

// NewRelay builds a relay; Run starts it.
func NewRelay(o Outbox, q Enqueuer, log *slog.Logger) *Relay {
	return &Relay{outbox: o, queue: q, log: log, wake: make(chan struct{}, 1)}
}

// Keeper runs deliveries at once in the process that commits them, each in a
// place that it kept before.
type Keeper interface {
	Keep() bool
	Drop(places int)
	Run(begun galena.Step)
}

// Near lets a server of this process have the deliveries that it keeps a place
// for. Call it before Run.
func (r *Relay) Near(k Keeper) { r.keeper = k }

// Keep implements sql.Courier.
func (r *Relay) Keep() bool { return r.keeper != nil && r.keeper.Keep() }

// Drop implements sql.Courier.
func (r *Relay) Drop(places int) { r.keeper.Drop(places) }

// Ready implements sql.Courier.
func (r *Relay) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.direct && len(r.taken) < takenMost
}

// Take implements sql.Courier. A relay that has stopped meanwhile leaves the
// steps to the next one.
func (r *Relay) Take(committed []galena.Step) {
	committed = slices.DeleteFunc(committed, func(s galena.Step) bool {
		begun := !s.Begun.IsZero()
		if begun {
			r.keeper.Run(s)
		}
		return begun
	})
	if len(committed) == 0 {
		return
	}
	r.mu.Lock()
	direct := r.direct
	if direct {
		r.taken = append(r.taken, committed...)
	}
	r.mu.Unlock()
	if direct {
		r.Nudge()
		return
	}
	r.leave(context.Background(), committed)
}

// leave puts steps in the outbox. When even that fails the sweep finds them.
func (r *Relay) leave(ctx context.Context, steps []galena.Step) {
	if len(steps) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWait)
	defer cancel()
	if err := r.outbox.PutOutbox(ctx, steps); err != nil {
		r.log.WarnContext(ctx, "steps left to the sweep", "steps", len(steps), "kind", galena.KindOf(err), "error", err)
	}
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
	r.turn(true)
	defer func() { r.leave(ctx, r.turn(false)) }()
	poll := time.NewTimer(0)
	defer poll.Stop()
	for ctx.Err() == nil {
		look := !r.Ready() // nudged while the outbox carries everything
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-poll.C:
			look = true
		}
		wait := relayPoll
		if err := r.pass(ctx, look); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "relay waits", "kind", galena.KindOf(err), "error", err)
			look, wait = true, relayPause
		}
		if look { // a nudge puts off no look: what another process left nobody nudges about
			poll.Reset(wait)
		}
	}
	return nil
}

// resume lets steps be taken again, and keeps those that were.
func (r *Relay) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.direct = true
}

// turn says whether steps may be taken from now on, and returns those that were.
func (r *Relay) turn(direct bool) []galena.Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.taken
	r.taken, r.direct = nil, direct
	return taken
}

// pass sends what was taken, and what the outbox holds if it is to be looked at.
func (r *Relay) pass(ctx context.Context, look bool) error {
	if err := r.sendTaken(ctx); err != nil {
		return err
	}
	for n := relayBatch; look && n == relayBatch; {
		var err error
		if n, err = r.empty(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *Relay) sendTaken(ctx context.Context) error {
	r.mu.Lock()
	taken := r.taken
	r.taken = nil
	r.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	sent, err := r.queue.Enqueue(ctx, taken)
	if err != nil {
		r.leave(ctx, append(unsent(taken, sent), r.turn(false)...))
	}
	return err
}

// empty moves one batch of the outbox and says how many rows it claimed. That
// all of it got there is the sign that the queue works.
func (r *Relay) empty(ctx context.Context) (int, error) {
	steps, err := r.outbox.ClaimOutbox(ctx, relayBatch)
	if err != nil {
		return 0, err
	}
	sent, sendErr := r.queue.Enqueue(ctx, steps)
	ids := make([]int64, len(sent))
	for i, s := range sent {
		ids[i] = s.Outbox
	}
	if len(ids) > 0 {
		// They may have waited here for long: the sweep counts from now on.
		if err := r.outbox.Vouch(ctx, sent); err != nil {
			return len(steps), err
		}
		if err := r.outbox.DropOutbox(ctx, ids); err != nil {
			return len(steps), err
		}
	}
	if sendErr == nil && len(steps) > 0 { // that there was nothing to send is no sign
		r.resume()
	}
	return len(steps), sendErr
}

// unsent are the steps that are not on the queue.
func unsent(all, sent []galena.Step) []galena.Step {
	there := make(map[galena.Step]bool, len(sent))
	for _, s := range sent {
		there[s] = true
	}
	var out []galena.Step
	for _, s := range all {
		if !there[s] {
			out = append(out, s)
		}
	}
	return out
}

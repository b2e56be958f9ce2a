package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
)

// Deliveries is the part of the store that keeps what must go out.
type Deliveries interface {
	Delivery(ctx context.Context, id string) (galena.Delivery, error)
}

// Sender brings one delivery to its target, once.
type Sender interface {
	Send(ctx context.Context, d galena.Delivery) error
}

// Deliverer tells the outside of a decision. Each delivery is a step of its own
// with its own due time, so a dead target holds up nobody else.
type Deliverer struct {
	Steps      Steps
	Deliveries Deliveries
	Sender     Sender
	Backoff    func(tries int, chance float64) time.Duration // negative = give up
	Now        func() time.Time
	Chance     func() float64
	Log        *slog.Logger
	leases     *leases
	lanes      *lanes
}

// Process makes one try. As in Pipeline.Process an error means that the store
// could not be told.
func (d *Deliverer) Process(ctx context.Context, s galena.Step) error {
	ok, err := d.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if err != nil || !ok {
		return err
	}
	defer d.leases.hold(s)()
	delivery, err := d.Deliveries.Delivery(ctx, s.ID)
	if err == nil {
		ok, wait := d.lanes.enter(delivery.Target, d.Now())
		if !ok {
			return d.Steps.Park(ctx, s, d.Now().Add(jitter(wait, d.Chance())), galena.BreakerOpen, "its target is failing or slow")
		}
		err = d.Sender.Send(ctx, delivery)
		d.lanes.leave(delivery.Target, err, d.Now())
	}
	// The target has been told, or not: the row must say so even while we stop.
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	tries := delivery.Attempts + 1 // with this one
	log := d.Log.With("delivery", s.ID, "event", delivery.Event, "target", delivery.Target, "lead", delivery.LeadID)
	if err == nil {
		log.DebugContext(ctx, "delivered", "attempt", tries)
		return d.Steps.Finish(write, s)
	}
	kind, note := galena.KindOf(err), noteOf(err)
	wait := d.Backoff(tries, d.Chance())
	if actions[kind] == stop || wait < 0 {
		log.ErrorContext(ctx, "delivery failed", "kind", kind, "error", note, "attempt", tries)
		return d.Steps.Fail(write, s, kind, note)
	}
	wait = max(wait, galena.RetryAfterOf(err))
	log.WarnContext(ctx, "delivery waits", "kind", kind, "error", note, "attempt", tries, "wait", wait)
	return d.Steps.Park(write, s, d.Now().Add(wait), kind, note)
}

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
	Wait       func(d galena.Delivery, err error, chance float64) time.Duration // after a try that failed; negative = give up
	Now        func() time.Time
	Chance     func() float64
	Log        *slog.Logger
	leases     *leases
	lanes      *lanes
	sidings    *sidings
	beside     *near // what comes by the queue is tried here while there is room, and holds no worker; nil = nowhere
}

// Process makes one try. As in Pipeline.Process an error means that the store
// could not be told.
func (d *Deliverer) Process(ctx context.Context, s galena.Step) error {
	if !s.Begun.IsZero() && time.Since(s.Begun) > renewAfter {
		// Its lease may run out, and whoever lets that happen is taken for dead.
		return d.Steps.Park(ctx, s, d.Now(), galena.Pending, "it took long to commit")
	}
	if s.Begun.IsZero() {
		asked := time.Now()
		if ok, err := d.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run); err != nil || !ok {
			return err
		}
		if s.Begun = asked; d.beside != nil && d.beside.Keep() {
			d.beside.Run(s) //nolint:contextcheck // a try has that of its place, from start to stop
			return nil
		}
		return d.attempt(ctx, s, d.beside != nil)
	}
	return d.try(ctx, s)
}

// try makes a try that was begun.
func (d *Deliverer) try(ctx context.Context, s galena.Step) error { return d.attempt(ctx, s, false) }

// attempt makes a try that was begun. One that would hold a worker (held) goes beside
// when it can by now.
func (d *Deliverer) attempt(ctx context.Context, s galena.Step, held bool) error {
	release := d.leases.hold(s, s.Begun)
	delivery, err := d.Deliveries.Delivery(ctx, s.ID)
	if _, slow := galena.CRMOf(delivery.Target); slow && err == nil {
		return d.sidings.take(ctx, errand{s, delivery, release})
	}
	if held && err == nil && d.stepsAside(ctx, delivery.Target) {
		release()       // the try beside holds it anew
		d.beside.Run(s) //nolint:contextcheck // see Process
		return nil
	}
	defer release()
	if err == nil && d.leases.lapsed(s) {
		// The store took long to say what it is: another worker may send it.
		return d.Steps.Park(ctx, s, d.Now(), galena.Pending, "its lease ran out before it was sent")
	}
	if err == nil {
		began := d.Now()
		ok, wait := d.lanes.enter(delivery.Target, began)
		if !ok {
			return d.Steps.Park(ctx, s, began.Add(jitter(wait, d.Chance())), galena.BreakerOpen, "its target is failing or slow")
		}
		err = guarded(func() error { return d.Sender.Send(ctx, delivery) }) // a panic must not keep the place
		d.lanes.leave(delivery.Target, err, began, d.Now())
	}
	return d.end(ctx, s, delivery, err)
}

// stepsAside waits while a target has its share of the places and may have stopped to
// answer, until that is known, and says whether a place beside became free meanwhile:
// a try to a target that hangs would hold its worker for much longer.
func (d *Deliverer) stepsAside(ctx context.Context, target string) bool {
	until := time.Now().Add(laneWait)
	for ctx.Err() == nil && time.Now().Before(until) && d.lanes.full(target, d.Now()) {
		if d.beside.Keep() {
			return true
		}
		time.Sleep(laneLook)
	}
	return false
}

// end writes how a try ended. The target has been told, or not: the row must say
// so even while we stop.
func (d *Deliverer) end(ctx context.Context, s galena.Step, delivery galena.Delivery, err error) error {
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	tries := delivery.Attempts + 1 // with this one
	if err == nil {
		d.Log.LogAttrs(ctx, slog.LevelDebug, "delivered", slog.String("delivery", s.ID), slog.String("event", delivery.Event),
			slog.String("target", delivery.Target), slog.String("lead", delivery.LeadID), slog.Int("attempt", tries))
		return d.Steps.Finish(write, s)
	}
	log := d.Log.With("delivery", s.ID, "event", delivery.Event, "target", delivery.Target, "lead", delivery.LeadID)
	kind, note := galena.KindOf(err), noteOf(err)
	wait := d.Wait(delivery, err, d.Chance())
	if wait < 0 {
		log.ErrorContext(ctx, "delivery failed", "kind", kind, "error", note, "attempt", tries)
		return d.Steps.Fail(write, s, kind, note)
	}
	log.WarnContext(ctx, "delivery waits", "kind", kind, "error", note, "attempt", tries, "wait", wait)
	return d.Steps.Park(write, s, d.Now().Add(wait), kind, note)
}

// Patience is the Wait of targets that are tried so many times: what will not get
// better is given up at once, and a hint that is longer than the back-off is obeyed.
func Patience(backoff func(tries int, chance float64) time.Duration) func(galena.Delivery, error, float64) time.Duration {
	return func(d galena.Delivery, err error, chance float64) time.Duration {
		wait := backoff(d.Attempts+1, chance)
		if wait < 0 || actions[galena.KindOf(err)] == stop {
			return -1
		}
		return max(wait, galena.RetryAfterOf(err))
	}
}

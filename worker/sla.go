package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Clocks is the part of the store that keeps the time of reps.
type Clocks interface {
	Timer(ctx context.Context, leadID string, epoch int, kind galena.TimerKind) (galena.Timer, error)
	Nudge(ctx context.Context, s galena.Step, t galena.Timer) (bool, error)
	Breach(ctx context.Context, s galena.Step, t galena.Timer, told []galena.Delivery) (bool, error)
}

// Watch looks at a rep's clock when its step is due. The due time is a row in
// SQL, so that neither Redis nor a worker can lose it.
type Watch struct {
	Hands  *Hands
	Steps  Steps
	Clocks Clocks
	Chance func() float64
	Still  bool // a scenario: nobody works in it, so nobody can be late
	leases *leases
}

// Process looks at one clock. As in Pipeline.Process an error means that the
// store could not be told.
func (w *Watch) Process(ctx context.Context, s galena.Step) error {
	asked := time.Now()
	ok, err := w.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if err != nil || !ok {
		return err
	}
	defer w.leases.hold(s, asked)()
	lead, kind, _ := strings.Cut(s.ID, ":")
	log := w.Hands.Log.With("lead", lead, "epoch", s.Epoch, "clock", kind)
	due, err := w.look(ctx, s, lead, galena.TimerKind(kind), log)
	if err == nil || isFenceLost(err) {
		return nil
	}
	now := w.Hands.Now()
	// A clock is never given up for its age: what matters is that somebody looks.
	age := min(max(now.Sub(due), 0), maxAge)
	return settle(ctx, w.Steps, s, fate{err: err, age: age, chance: w.Chance(), now: now, log: log})
}

// look nudges, breaches or waits. A panic in it is an error of this clock.
func (w *Watch) look(ctx context.Context, s galena.Step, lead string, kind galena.TimerKind, log *slog.Logger) (due time.Time, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.sla", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	due = w.Hands.Now()
	t, err := w.Clocks.Timer(ctx, lead, s.Epoch, kind)
	if err != nil && galena.KindOf(err) != galena.NotFound {
		return due, err
	}
	now := w.Hands.Now()
	switch {
	case err != nil || w.Still || !t.Running(): // the lead is gone, or the clock was stopped
		return t.DueAt, w.Steps.Finish(ctx, s)
	case now.Before(t.NudgeAt):
		return t.DueAt, w.Steps.Park(ctx, s, t.NudgeAt, galena.Pending, "")
	case !now.Before(t.DueAt):
		return t.DueAt, w.breach(ctx, s, t, log)
	case t.State == galena.TimerNudged:
		return t.DueAt, w.Steps.Park(ctx, s, t.DueAt, galena.Pending, "")
	}
	nudged, err := w.Clocks.Nudge(ctx, s, t)
	if nudged {
		w.Hands.Metrics.count(kind, "nudged")
		log.InfoContext(ctx, "rep nudged: half of the time is over", "rep", t.Rep, "due", t.DueAt)
	}
	return t.DueAt, err
}

// breach moves a lead whose time is over, or only tells of it where the rule
// moves none.
func (w *Watch) breach(ctx context.Context, s galena.Step, t galena.Timer, log *slog.Logger) error {
	h := w.Hands
	rec, err := h.Store.Record(ctx, t.LeadID)
	if err != nil {
		return err
	}
	if rec.Decision == nil || rec.Decision.Epoch != t.Epoch {
		return w.Steps.Finish(ctx, s)
	}
	router, _ := h.Router()
	if o, _ := rematch(router, *rec.Decision, h.Now()); t.Kind != galena.ClockWait && !o.MovesOn() {
		return w.tell(ctx, s, t, rec, log)
	}
	m := h.rerouting(rec, func(a galena.Assignment) ([]galena.Delivery, error) {
		if t.Kind == galena.ClockWait {
			return nil, nil
		}
		page, _ := router.Alarm(a)
		return h.Tell.Breached(rec.Lead, t, a.To, page)
	})
	m.Step, m.LeadID, m.From, m.Reason, m.Actor = s, t.LeadID, t.Epoch, galena.MoveSLA, "galena"
	if t.Kind == galena.ClockWait {
		m.Reason = galena.MoveWait
	}
	d, err := h.Store.Move(ctx, m)
	if conflictOp(err) == "moved" { // somebody was faster: the clock was stopped at this very instant
		log.DebugContext(ctx, "lead stays", "reason", noteOf(err))
		return w.Steps.Finish(ctx, s)
	}
	if err != nil {
		return err
	}
	h.Wake()
	h.Metrics.count(t.Kind, "breached")
	log.WarnContext(ctx, "time is over, the lead moves", "rep", t.Rep, "to", d.To)
	if page, ok := router.Alarm(d.Assignment); ok {
		log.ErrorContext(ctx, "nobody took the lead: a person must look", "queue", d.To, "page", page)
	}
	return nil
}

func (w *Watch) tell(ctx context.Context, s galena.Step, t galena.Timer, rec galena.Record, log *slog.Logger) error {
	told, err := w.Hands.Tell.Breached(rec.Lead, t, rec.Decision.To, "")
	if err != nil {
		return err
	}
	breached, err := w.Clocks.Breach(ctx, s, t, told)
	if breached {
		w.Hands.Wake()
		w.Hands.Metrics.count(t.Kind, "breached")
		log.WarnContext(ctx, "time is over, the lead stays: its rule moves none", "rep", t.Rep)
	}
	return err
}

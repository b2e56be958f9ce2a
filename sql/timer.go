package sql

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

type timerRow struct {
	LeadID     string `json:"lead_id" db:"lead_id"`
	Epoch      int    `json:"epoch" db:"epoch"`
	Kind       string `json:"kind" db:"kind"`
	Rep        string `json:"rep" db:"rep"`
	NudgeAt    int64  `json:"nudge_at" db:"nudge_at"`
	DueAt      int64  `json:"due_at" db:"due_at"`
	State      string `json:"-" db:"state"`
	ConfigHash string `json:"config_hash" db:"config_hash"`
	Clock      string `json:"clock" db:"clock"`
	CreatedAt  int64  `json:"-" db:"created_at"`
	ChangedAt  int64  `json:"-" db:"changed_at"`
}

func (r timerRow) timer() galena.Timer {
	return galena.Timer{LeadID: r.LeadID, Epoch: r.Epoch, Kind: galena.TimerKind(r.Kind), Rep: r.Rep, NudgeAt: at(r.NudgeAt),
		DueAt: at(r.DueAt), State: galena.TimerState(r.State), ConfigHash: r.ConfigHash, Clock: r.Clock,
		CreatedAt: at(r.CreatedAt), ChangedAt: at(r.ChangedAt)}
}

// waitingStep is a step that is handed out when it is due.
type waitingStep struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	LeadID string `json:"lead_id"`
	Epoch  int    `json:"epoch"`
	Queue  string `json:"queue"`
	DueAt  int64  `json:"due_at"`
}

// timerStep is the id of a clock's step.
func timerStep(leadID string, kind galena.TimerKind) string { return leadID + ":" + string(kind) }

// startClocks writes the clocks of new assignments, each with the step that
// looks at it: first when half of the time is over.
func (s *Store) startClocks(ctx context.Context, tx conn, decisions ...galena.Decision) error {
	var timers []timerRow
	var todo []waitingStep
	for _, d := range decisions {
		for _, t := range clocksOf(d) {
			timers = append(timers, t)
			todo = append(todo, waitingStep{Kind: galena.StepSLA, ID: timerStep(t.LeadID, galena.TimerKind(t.Kind)), LeadID: t.LeadID,
				Epoch: t.Epoch, Queue: QueueLeads, DueAt: t.NudgeAt})
		}
	}
	if len(timers) == 0 {
		return nil
	}
	param, err := rows(timers)
	if err != nil {
		return err
	}
	if err := tx.later(ctx, "insert-timers", args{"rows": param, "now": micros(s.now())}, nil); err != nil {
		return err
	}
	if param, err = rows(todo); err != nil {
		return err
	}
	return tx.later(ctx, "insert-waiting-steps", args{"rows": param}, nil)
}

// clocksOf lists the clocks that a decision starts.
func clocksOf(d galena.Decision) []timerRow {
	a := d.Assignment
	if a.Rep == "" {
		return nil
	}
	hash := ""
	for _, ref := range d.Configs {
		if ref.Kind == "Routing" {
			hash = ref.Hash
		}
	}
	var timers []timerRow
	for _, c := range []struct {
		kind      galena.TimerKind
		half, due time.Time
	}{{galena.ClockAccept, a.AcceptHalf, a.AcceptBy}, {galena.ClockTouch, a.TouchHalf, a.TouchBy},
		{galena.ClockWait, a.WaitUntil, a.WaitUntil}} {
		if c.due.IsZero() {
			continue
		}
		if c.half.IsZero() {
			c.half = a.AssignedAt.Add(c.due.Sub(a.AssignedAt) / 2)
		}
		timers = append(timers, timerRow{LeadID: d.LeadID, Epoch: d.Epoch, Kind: string(c.kind), Rep: a.Rep,
			NudgeAt: micros(c.half), DueAt: micros(c.due), ConfigHash: hash, Clock: a.Clock})
	}
	return timers
}

// stop ends one clock; false: it was not running.
func (s *Store) stop(ctx context.Context, tx conn, leadID string, epoch int, kind galena.TimerKind, as galena.TimerState) (bool, error) {
	a := args{"lead_id": leadID, "epoch": epoch, "kind": string(kind), "state": string(as), "now": micros(s.now()),
		"step": galena.StepSLA, "id": timerStep(leadID, kind)}
	n, err := tx.exec(ctx, "end-timer", a)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.exec(ctx, "end-timer-step", a)
	return true, err
}

// Timer reads one clock.
func (s *Store) Timer(ctx context.Context, leadID string, epoch int, kind galena.TimerKind) (galena.Timer, error) {
	r, err := one[timerRow](ctx, s.reader(), "timer", args{"lead_id": leadID, "epoch": epoch, "kind": string(kind)})
	return r.timer(), fault("sql.timer", err)
}

// Nudge notes that half of the time is over and lets the clock's step wait for
// the rest of it. False: the clock runs no more, and the step is finished.
func (s *Store) Nudge(ctx context.Context, st galena.Step, t galena.Timer) (bool, error) {
	nudged := false
	err := s.inTx(ctx, "sql.nudge", func(tx conn) error {
		if _, err := s.lockLead(ctx, tx, t.LeadID); err != nil {
			return err
		}
		due, err := one[int64](ctx, tx, "nudge-timer", args{"lead_id": t.LeadID, "epoch": t.Epoch, "kind": string(t.Kind),
			"now": micros(s.now())})
		if err != nil && !missing(err) {
			return err
		}
		e := ending{state: "done"}
		if nudged = err == nil; nudged {
			e = ending{state: "waiting", due: at(due), refund: 1}
		}
		_, err = endStep(ctx, tx, st, e)
		if missing(err) {
			return lostFence()
		}
		return err
	})
	return nudged && err == nil, err
}

// Breach ends a clock that ran out without moving the lead, and tells of it.
// False: it was met or void by then.
func (s *Store) Breach(ctx context.Context, st galena.Step, t galena.Timer, told []galena.Delivery) (bool, error) {
	breached := false
	err := s.inTx(ctx, "sql.breach", func(tx conn) error {
		if _, err := s.lockLead(ctx, tx, t.LeadID); err != nil {
			return err
		}
		if err := s.holdStep(ctx, tx, st); err != nil {
			return err
		}
		var err error
		if breached, err = s.stop(ctx, tx, t.LeadID, t.Epoch, t.Kind, galena.TimerBreached); err != nil {
			return err
		}
		if breached {
			todo, err := s.insertDeliveries(ctx, tx, tidings{t.LeadID, t.Epoch, told})
			if err != nil {
				return err
			}
			if err := s.insertSteps(ctx, tx, todo); err != nil {
				return err
			}
		}
		_, err = endStep(ctx, tx, st, ending{state: "done"})
		return err
	})
	return breached && err == nil, err
}

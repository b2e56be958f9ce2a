package sql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// SetAside puts a step away on which workers die, and holds its lead where it is
// not decided yet, of which it tells. False: the step is not lost any more, and is
// left alone.
func (s *Store) SetAside(ctx context.Context, st galena.Step, note string, told func(galena.Lead) ([]galena.Delivery, error)) (done bool, err error) {
	err = s.inTx(ctx, "sql.set_aside", func(tx conn) error {
		done = false
		now := micros(s.now())
		a := runArgs(st.Kind, st.ID, st.Epoch, st.Run)
		a["now"], a["reason"], a["note"] = now, galena.ReasonKilled, note
		last, err := one[stepRow](ctx, tx, "set-step-aside", a)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		done = true
		if err := s.noteDeath(ctx, tx, last.Worker); err != nil {
			return err
		}
		switch st.Kind {
		case galena.StepLead:
			return s.holdKilled(ctx, tx, st, told)
		case galena.StepDeliver:
			_, err = tx.exec(ctx, "note-delivery", args{"id": st.ID, "state": "failed", "attempts": last.Attempts, "note": note, "now": now})
		}
		return err
	})
	return done && err == nil, err
}

// noteDeath remembers, for 5 minutes, that a worker died with work in hand. An
// older program names no worker when it begins a step.
func (s *Store) noteDeath(ctx context.Context, tx conn, worker string) error {
	if worker == "" {
		return nil
	}
	return tx.later(ctx, "note-death", args{"worker": worker, "now": micros(s.now())}, nil)
}

// holdKilled quarantines a lead in flight. Its code tells the page why.
func (s *Store) holdKilled(ctx context.Context, tx conn, st galena.Step, told func(galena.Lead) ([]galena.Delivery, error)) error {
	row, err := one[recordRow](ctx, tx, "record", args{"id": st.ID})
	if missing(err) {
		return nil // erased meanwhile
	}
	if err != nil {
		return err
	}
	l, err := row.lead()
	if err != nil {
		return nil //nolint:nilerr // nobody can read it: that its step is put aside is all that can be done
	}
	if !slices.Contains(l.Codes, galena.CodeKilled) {
		l.Codes = append(l.Codes, galena.CodeKilled)
		slices.Sort(l.Codes)
	}
	codes, err := text(l.Codes)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "hold-lead", args{"id": l.ID, "verdict": string(galena.Quarantine), "codes": codes, "spendable": l.Spendable})
	if err != nil || n == 0 || told == nil {
		return err
	}
	l.Verdict, l.Status = galena.Quarantine, galena.StatusQuarantined
	tell, err := told(l)
	if err != nil {
		return err
	}
	todo, err := s.insertDeliveries(ctx, tx, tidings{l.ID, st.Epoch, tell})
	if err != nil {
		return err
	}
	return s.insertSteps(ctx, tx, todo)
}

type failedRow struct {
	stepRow
	Lead   string `db:"lead_id"`
	Reason string `db:"error_kind"`
	Note   string `db:"note"`
	At     int64  `db:"failed_at"`
}

// FailedSteps reads a page of the steps that were put aside, newest first: 100 when
// the filter names no limit, 1,000 at most.
func (s *Store) FailedSteps(ctx context.Context, f galena.FailedFilter) ([]galena.FailedStep, error) {
	const op = "sql.failed_steps"
	a := args{"since": micros(f.Since), "kind": f.Kind, "id": f.ID, "reason": f.Reason, "lead_id": f.LeadID, "after": f.After,
		"after_at": int64(0), "after_kind": "", "after_id": "", "after_epoch": 0, "limit": 100}
	if f.Limit > 0 {
		a["limit"] = min(f.Limit, pageLimit)
	}
	if f.After != "" {
		if err := after(a, f.After); err != nil {
			return nil, err
		}
	}
	found, err := list[failedRow](ctx, s.reader(), "failed-steps", a)
	out := make([]galena.FailedStep, len(found))
	for i, r := range found {
		out[i] = galena.FailedStep{Kind: r.Kind, ID: r.ID, Epoch: r.Epoch, LeadID: r.Lead, Reason: r.Reason, Note: r.Note,
			Attempts: r.Attempts, Kills: r.Kills, At: at(r.At), Cursor: fmt.Sprintf("%d|%s|%s|%d", r.At, r.Kind, r.ID, r.Epoch)}
	}
	return out, fault(op, err)
}

// after reads the cursor of a page into the parameters.
func after(a args, cursor string) error {
	malformed := galena.Errorf(galena.Invalid, "sql.failed_steps", "the cursor is not one of ours")
	parts := strings.Split(cursor, "|")
	if len(parts) != 4 {
		return malformed
	}
	failedAt, err1 := strconv.ParseInt(parts[0], 10, 64)
	epoch, err2 := strconv.Atoi(parts[3])
	if err1 != nil || err2 != nil {
		return malformed
	}
	a["after_at"], a["after_kind"], a["after_id"], a["after_epoch"] = failedAt, parts[1], parts[2], epoch
	return nil
}

// FailedCounts says how many steps are put aside, by kind and reason.
func (s *Store) FailedCounts(ctx context.Context) ([]galena.FailedCount, error) {
	found, err := list[struct {
		Kind   string `db:"kind"`
		Reason string `db:"error_kind"`
		Steps  int    `db:"steps"`
	}](ctx, s.reader(), "count-failed-steps", args{})
	out := make([]galena.FailedCount, len(found))
	for i, r := range found {
		out[i] = galena.FailedCount{Kind: r.Kind, Reason: r.Reason, Steps: r.Steps}
	}
	return out, fault("sql.failed_counts", err)
}

// Replay hands out steps that were put aside as if they had never been tried,
// and says how many. One that somebody else replayed is left alone.
func (s *Store) Replay(ctx context.Context, again []galena.FailedStep, trail galena.AuditEntry) (n int, err error) {
	const op = "sql.replay"
	if len(again) == 0 {
		return 0, nil
	}
	wanted := make([]stepRow, len(again))
	for i, st := range again {
		wanted[i] = stepRow{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch}
	}
	names, err := rows(wanted)
	if err != nil {
		return 0, fault(op, err)
	}
	err = s.inTx(ctx, op, func(tx conn) error {
		found, err := list[stepRow](ctx, tx, "replay-steps", args{"rows": names, "now": micros(s.now())})
		n = len(found)
		if err != nil || n == 0 {
			return err
		}
		for _, st := range found {
			if err := s.revive(ctx, tx, st); err != nil {
				return err
			}
		}
		if err := s.handOver(ctx, tx, found); err != nil {
			return err
		}
		return s.audit(ctx, tx, trail)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// revive makes what hangs on a replayed step wait for it again.
func (s *Store) revive(ctx context.Context, tx conn, st stepRow) (err error) {
	switch st.Kind {
	case galena.StepLead:
		_, err = tx.exec(ctx, "replay-lead", args{"id": st.ID})
	case galena.StepDeliver:
		_, err = tx.exec(ctx, "replay-delivery", args{"id": st.ID, "now": micros(s.now())})
	}
	return err
}

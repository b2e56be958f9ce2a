package sql

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

// insertCompletion lets a decision that was made on too little be looked at
// again. A lead has one such step at a time: another one is not added.
func insertCompletion(ctx context.Context, tx conn, d galena.Decision, due time.Time) error {
	return tx.later(ctx, "insert-completion", args{"kind": galena.StepComplete, "id": d.LeadID, "epoch": d.Epoch,
		"queue": QueueBulk, "due": micros(due)}, nil)
}

// Note writes what was learnt after a decision and a remark beside it, and
// finishes the step that made them, in one transaction. A run that lost its step
// gets Conflict with Op "fence" and writes nothing.
func (s *Store) Note(ctx context.Context, st galena.Step, n galena.Notice, l galena.Lesson) error {
	const op = "sql.note"
	body, err := text(n)
	if err != nil {
		return fault(op, err)
	}
	return s.inTx(ctx, op, func(tx conn) error {
		if _, err := endStep(ctx, tx, st, ending{state: "done"}); missing(err) {
			return lostFence()
		} else if err != nil {
			return err
		}
		told, err := s.learn(ctx, tx, markedLesson(l), nil, l)
		if err != nil {
			return err
		}
		todo, err := s.insertDeliveries(ctx, tx, tidings{st.ID, n.Epoch, told[0]})
		if err != nil {
			return err
		}
		if err := s.insertSteps(ctx, tx, todo); err != nil {
			return err
		}
		return tx.later(ctx, "insert-notice", args{"lead_id": st.ID, "epoch": n.Epoch, "kind": n.Kind,
			"at": micros(n.At), "body": body}, nil)
	})
}

// notices reads the remarks on a lead, oldest first.
func notices(ctx context.Context, c conn, leadID string) ([]galena.Notice, error) {
	bodies, err := list[string](ctx, c, "notices", args{"lead_id": leadID})
	if err != nil {
		return nil, err
	}
	out := make([]galena.Notice, len(bodies))
	for i, b := range bodies {
		if out[i], err = parse[galena.Notice](b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

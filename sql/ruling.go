package sql

import (
	"context"
	"math"
	"time"

	"github.com/galenahq/galena"
)

// Rule writes everything that one run decided, in one transaction: what was
// learnt, the conflicts, the rotation, the assignment, the owners, the decision and
// what is to be told of it. Settle is called under the locks of the pools and reps; it may
// be called again when Postgres ends the transaction in favour of another one.
//
// A run that lost its step gets Conflict with Op "fence" and writes nothing. An
// epoch that was decided before returns that decision. A company that another
// rep took meanwhile is Conflict with Op "owner": decide again, with the owner.
func (s *Store) Rule(ctx context.Context, r galena.Ruling) (galena.Decision, error) {
	var out galena.Decision
	err := s.inTx(ctx, "sql.rule", func(tx conn) error {
		held, err := s.fence(ctx, tx, r)
		if err != nil {
			return err
		}
		if !held {
			out, err = decidedBefore(ctx, tx, r)
			return err
		}
		conflicts, err := s.learn(ctx, tx, r.Lesson)
		if err != nil {
			return err
		}
		before, err := s.lockRoster(ctx, tx, r.Pools, r.Reps)
		if err != nil {
			return err
		}
		d, told, after, err := r.Settle(copyRoster(before))
		if err != nil {
			return err
		}
		d.LeadID, d.Epoch = r.Lead.ID, r.Step.Epoch
		out = d
		return s.writeRuling(ctx, tx, r, d, append(told, conflicts...), before, after)
	})
	if err != nil {
		return galena.Decision{}, err
	}
	return out, nil
}

// fence locks the step; false: this run does not hold it, or the epoch is decided.
func (s *Store) fence(ctx context.Context, tx conn, r galena.Ruling) (bool, error) {
	a := runArgs(r.Step.Kind, r.Step.ID, r.Step.Epoch, r.Step.Run)
	a["lease"], a["lead_id"] = micros(s.now().Add(lease)), r.Lead.ID
	n, err := tx.exec(ctx, "fence-step", a)
	return n == 1, err
}

// decidedBefore returns the decision of the epoch and finishes a step that was
// brought back after it.
func decidedBefore(ctx context.Context, tx conn, r galena.Ruling) (galena.Decision, error) {
	body, err := one[string](ctx, tx, "stored-decision", args{"lead_id": r.Lead.ID, "epoch": r.Step.Epoch})
	if missing(err) {
		return galena.Decision{}, lostFence()
	}
	if err != nil {
		return galena.Decision{}, err
	}
	if _, err := endStep(ctx, tx, r.Step, ending{state: "done"}); err != nil && !missing(err) {
		return galena.Decision{}, err
	}
	return parse[galena.Decision](body)
}

// learn writes what needs no pool lock before any is taken, so that the locks
// are held for a shorter time, and returns what must be told of it.
func (s *Store) learn(ctx context.Context, tx conn, l galena.Lesson) ([]galena.Delivery, error) {
	if err := learnFacts(ctx, tx, l.Observations, l.Company); err != nil {
		return nil, err
	}
	return s.writeConflicts(ctx, tx, l)
}

func learnFacts(ctx context.Context, tx conn, obs []galena.Observation, c galena.Company) error {
	if err := insertObservations(ctx, tx, obs); err != nil || c.Domain == "" {
		return err
	}
	facts, err := text(c.Facts)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "upsert-company", args{"domain": c.Domain, "facts": facts, "updated_at": micros(c.UpdatedAt)})
	return err
}

func (s *Store) writeRuling(ctx context.Context, tx conn, r galena.Ruling, d galena.Decision, told []galena.Delivery, before, after galena.Roster) error {
	moved, err := writeRoster(ctx, tx, before, after, d.Assignment)
	if err != nil {
		return err
	}
	if err := insertAssignment(ctx, tx, d, moved); err != nil {
		return err
	}
	if err := s.hold(ctx, tx, r, d); err != nil {
		return err
	}
	if err := insertDecision(ctx, tx, d); err != nil {
		return err
	}
	n, err := tx.exec(ctx, "decide-lead", args{"id": r.Lead.ID, "epoch": d.Epoch, "now": micros(s.decidedAt(d))})
	if err != nil {
		return err
	}
	if n == 0 {
		return lostFence()
	}
	if err := s.startClocks(ctx, tx, d); err != nil {
		return err
	}
	todo, err := s.insertDeliveries(ctx, tx, r.Lead, d.Epoch, told)
	if err != nil {
		return err
	}
	if r.Audit {
		todo = append(todo, stepRow{Kind: galena.StepAudit, ID: r.Lead.ID, LeadID: r.Lead.ID, Epoch: d.Epoch, Run: 1, Queue: QueueBulk})
	}
	if r.Refresh != nil {
		if err := s.planRefresh(ctx, tx, *r.Refresh); err != nil {
			return err
		}
	}
	if err := s.insertSteps(ctx, tx, todo); err != nil {
		return err
	}
	if !r.Later.IsZero() {
		if err := insertCompletion(ctx, tx, d, r.Later); err != nil {
			return err
		}
	}
	_, err = endStep(ctx, tx, r.Step, ending{state: "done"})
	return err
}

func (s *Store) decidedAt(d galena.Decision) time.Time {
	if d.DecidedAt.IsZero() {
		return s.now()
	}
	return d.DecidedAt
}

// hold makes the rep the holder of the person, and the owner of the company
// when the assignment says so.
func (s *Store) hold(ctx context.Context, tx conn, r galena.Ruling, d galena.Decision) error {
	rep := d.Assignment.Rep
	if rep == "" {
		return nil
	}
	a := args{"rep": rep, "source": "assignment", "lead_id": r.Lead.ID, "now": micros(s.now()),
		"email_key": r.Lead.Key, "domain": r.Company.Domain}
	if r.Lead.Key != "" {
		if _, err := tx.exec(ctx, "hold-person", a); err != nil {
			return err
		}
	}
	if !d.Assignment.OwnCompany || r.Company.Domain == "" {
		return nil
	}
	n, err := tx.exec(ctx, "own-company", a)
	if err != nil || n == 1 {
		return err
	}
	owner, err := one[ownersRow](ctx, tx, "owners", a)
	if err == nil && owner.Company != "" && owner.Company != rep {
		return galena.Errorf(galena.Conflict, "owner", "another rep became the owner of the company meanwhile")
	}
	return err
}

func insertAssignment(ctx context.Context, tx conn, d galena.Decision, moved map[string]map[string][2]int64) error {
	credits, err := text(moved)
	if err != nil {
		return err
	}
	a := d.Assignment
	status := "open"
	if a.Rep == "" {
		status = "closed" // a sink or a queue holds it: no rep's open lead
	}
	_, err = tx.exec(ctx, "insert-assignment", args{"lead_id": d.LeadID, "epoch": d.Epoch, "rep": a.Rep, "pool": a.Pool,
		"rule": a.Rule, "target": a.To, "status": status, "counts": a.Counts, "seq": a.Seq, "day": a.Day,
		"credits": credits, "accept_by": micros(a.AcceptBy), "touch_by": micros(a.TouchBy), "assigned_at": micros(a.AssignedAt)})
	return err
}

func insertDecision(ctx context.Context, tx conn, d galena.Decision) error {
	body, err := text(d)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "insert-decision", args{"lead_id": d.LeadID, "epoch": d.Epoch, "tier": d.Tier,
		"score": int64(d.Score.Score), "lo": int64(d.Lo), "hi": int64(d.Hi), "coverage": d.Coverage, "confidence": d.Confidence,
		"settled": d.Settled, "provisional": d.Provisional, "undecided": d.Undecided, "stop": string(d.Stop),
		"rule": d.Rule, "target": d.To, "owner": d.Owner, "territory": d.Territory, "calls": d.Calls,
		"cost_micros": int64(math.Round(d.Cents * 10_000)), "took_us": d.Took.Microseconds(),
		"decided_at": micros(d.DecidedAt), "body": body})
	return err
}

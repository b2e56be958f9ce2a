package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// SaveAudit writes the outcome of an audit with what it learnt and ends its
// step. A run that lost its step gets Conflict with Op "fence" and writes nothing.
func (s *Store) SaveAudit(ctx context.Context, st galena.Step, r galena.RegretAudit, learnt []*galena.Observation) error {
	return s.inTx(ctx, "sql.save_audit", func(tx conn) error {
		_, err := endStep(ctx, tx, st, ending{state: "done"})
		if missing(err) {
			return lostFence()
		}
		if err != nil {
			return err
		}
		if err := insertObservations(ctx, tx, markedOf(learnt)); err != nil {
			return err
		}
		steps, err := text(r.Steps)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "insert-audit-of-regret", args{"lead_id": r.LeadID, "epoch": r.Epoch, "changed": r.Changed,
			"calls": r.Calls, "cost_micros": r.CostMicros, "tier_before": r.TierBefore, "tier_after": r.TierAfter,
			"rule_before": r.RuleBefore, "rule_after": r.RuleAfter, "steps": steps, "at": micros(r.At)})
		return err
	})
}

// Regret sums up the audits.
func (s *Store) Regret(ctx context.Context) (galena.Regret, error) {
	r, err := one[struct {
		Audits     int   `db:"audits"`
		Changed    int   `db:"changed"`
		CostMicros int64 `db:"cost_micros"`
	}](ctx, s.reader(), "regret", args{})
	return galena.Regret{Audits: r.Audits, Changed: r.Changed, CostMicros: r.CostMicros}, fault("sql.regret", err)
}

package sql

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

// checksKept is how long an answer of the DNS is kept; whoever asks decides how
// old one may be that counts.
const checksKept = 7 * 24 * time.Hour

// DNSCheck is what the DNS last said of a mail host and when; "" when it was
// not asked yet.
func (s *Store) DNSCheck(ctx context.Context, domain string) (result string, checkedAt time.Time, err error) {
	r, err := one[struct {
		Result    string `db:"result"`
		CheckedAt int64  `db:"checked_at"`
	}](ctx, s.reader(), "dns-check", args{"domain": domain})
	if missing(err) {
		return "", time.Time{}, nil
	}
	return r.Result, at(r.CheckedAt), fault("sql.dns_check", err)
}

// SaveDNSCheck keeps what the DNS said.
func (s *Store) SaveDNSCheck(ctx context.Context, domain, result string, checkedAt time.Time) error {
	_, err := s.do(ctx, "sql.save_dns_check", "save-dns-check",
		args{"domain": domain, "result": result, "checked_at": micros(checkedAt)})
	return err
}

// Hold keeps a lead in flight for a person to look at, as its new judgement
// says, ends its step and tells of it. A run that lost its step, or a lead that
// is no longer in flight, gets Conflict with Op "fence" and nothing is written.
func (s *Store) Hold(ctx context.Context, st galena.Step, l galena.Lead, told []galena.Delivery) error {
	const op = "sql.hold"
	codes, err := text(l.Codes)
	if err != nil {
		return fault(op, err)
	}
	return s.inTx(ctx, op, func(tx conn) error {
		held, err := s.fence(ctx, tx, st, l.ID)
		if err != nil {
			return err
		}
		if !held {
			return lostFence()
		}
		n, err := tx.exec(ctx, "hold-lead", args{"id": l.ID, "verdict": string(l.Verdict), "codes": codes, "spendable": l.Spendable})
		if err != nil {
			return err
		}
		if n == 0 {
			return lostFence()
		}
		if _, err := endStep(ctx, tx, st, ending{state: "done"}); err != nil {
			return err
		}
		todo, err := s.insertDeliveries(ctx, tx, tidings{l.ID, st.Epoch, told})
		if err != nil {
			return err
		}
		return s.insertSteps(ctx, tx, todo)
	})
}

// Release lets a held lead go on, as its new judgement says, with what its form
// states, and hands its step out. A lead that is not held, or was held anew
// since it was read, gets Conflict with Op "held".
func (s *Store) Release(ctx context.Context, r galena.Release) error {
	const op = "sql.release"
	l := r.Lead
	before, err := text(r.Before)
	if err != nil {
		return fault(op, err)
	}
	codes, err := text(l.Codes)
	if err != nil {
		return fault(op, err)
	}
	return s.inTx(ctx, op, func(tx conn) error {
		n, err := tx.exec(ctx, "release-lead", args{"id": l.ID, "verdict": string(l.Verdict), "codes": codes,
			"domain": l.Domain, "spendable": l.Spendable, "before": before})
		if err != nil {
			return err
		}
		if n == 0 {
			return galena.Errorf(galena.Conflict, "held", "the lead is not held")
		}
		if err := insertObservations(ctx, tx, markedOf(galena.Refs(r.Observations))); err != nil {
			return err
		}
		if err := s.handOut(ctx, tx, l); err != nil {
			return err
		}
		return s.audit(ctx, tx, r.Audit)
	})
}

// handOut makes the lead's step ready and puts it in the outbox.
func (s *Store) handOut(ctx context.Context, tx conn, l galena.Lead) error {
	run, err := one[int](ctx, tx, "hand-out-step", args{"kind": galena.StepLead, "id": l.ID, "epoch": l.Epoch,
		"lead_id": l.ID, "queue": QueueLeads, "now": micros(s.now())})
	if err != nil {
		return err
	}
	return s.handOver(ctx, tx, []stepRow{{Kind: galena.StepLead, ID: l.ID, LeadID: l.ID, Epoch: l.Epoch, Run: run, Queue: QueueLeads}})
}

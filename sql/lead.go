package sql

import (
	"context"
	"math"
	"time"

	"github.com/galenahq/galena"
)

// keysKept is how long an idempotency key is answered as the first time.
const keysKept = 24 * time.Hour

// Accept stores a submission in one transaction: the caller's key first, then
// the repeat by content, then the lead with what the form said, its events and
// its step. What it returns may be told to the caller as accepted.
//
// Parallel posts meet at a primary key: of the idempotency row, or of the row
// of their person and form. The later ones wait for the first commit and then
// read its answer. Keys come before persons in every transaction, so that no
// two wait for each other. A key that came with another body is Invalid with Op
// "idempotency".
func (s *Store) Accept(ctx context.Context, in galena.Intake) (galena.Receipt, error) {
	const op = "sql.accept"
	in, err := s.complete(in)
	if err != nil {
		return galena.Receipt{}, fault(op, err)
	}
	var out galena.Receipt
	err = s.inTx(ctx, op, func(tx conn) error {
		var replayed, repeated bool
		out = receipt(in)
		if out, replayed, err = s.claimKey(ctx, tx, in.Idempotency, out); err != nil || replayed || in.Forget {
			return err
		}
		if out, repeated, err = s.claimPerson(ctx, tx, in, out); err != nil {
			return err
		}
		if repeated {
			return setKeyAnswer(ctx, tx, in.Idempotency, out)
		}
		return s.insertLead(ctx, tx, in)
	})
	if err != nil {
		return galena.Receipt{}, err
	}
	return out, nil
}

// complete fills in what the gate may leave to us.
func (s *Store) complete(in galena.Intake) (galena.Intake, error) {
	var err error
	if in.Lead.ID, err = orNewID(in.Lead.ID); err != nil {
		return in, err
	}
	if in.Lead.Status == "" {
		in.Lead.Status = galena.StatusAccepted
	}
	in.Lead.Epoch = max(in.Lead.Epoch, 1)
	if in.Lead.CreatedAt.IsZero() {
		in.Lead.CreatedAt = s.now()
	}
	return in, nil
}

func receipt(in galena.Intake) galena.Receipt {
	r := galena.Receipt{ID: in.Lead.ID, ExternalID: in.Lead.ExternalID, Status: in.Lead.Status, Warnings: in.Warnings}
	if in.Forget {
		r.Status = galena.StatusAccepted
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	return r
}

// claimKey takes the caller's key, with the answer that is right unless the
// submission turns out to be a repeat; or returns the answer given before.
func (s *Store) claimKey(ctx context.Context, tx conn, k *galena.Idempotency, out galena.Receipt) (galena.Receipt, bool, error) {
	if k == nil {
		return out, false, nil
	}
	answer, err := text(out)
	if err != nil {
		return out, false, err
	}
	now := s.now()
	n, err := tx.exec(ctx, "claim-key", args{"token": k.Token, "key": k.Key, "body_hash": key(k.BodyHash),
		"receipt": answer, "now": micros(now), "stale": micros(now.Add(-keysKept))})
	if err != nil || n == 1 {
		return out, false, err
	}
	before, err := one[struct {
		BodyHash string `db:"body_hash"`
		Receipt  string `db:"receipt"`
	}](ctx, tx, "key-answer", args{"token": k.Token, "key": k.Key})
	if err != nil {
		return out, false, err
	}
	if before.BodyHash != key(k.BodyHash) {
		return out, false, galena.Errorf(galena.Invalid, "idempotency", "the key was used with another body")
	}
	out, err = parse[galena.Receipt](before.Receipt)
	return out, true, err
}

func setKeyAnswer(ctx context.Context, tx conn, k *galena.Idempotency, out galena.Receipt) error {
	if k == nil {
		return nil
	}
	answer, err := text(out)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "set-key-answer", args{"token": k.Token, "key": k.Key, "receipt": answer})
	return err
}

// claimPerson makes this lead the first of its person and form, or records a
// touch on the one that is. A first lead that was erased meanwhile counts for
// nothing.
func (s *Store) claimPerson(ctx context.Context, tx conn, in galena.Intake, out galena.Receipt) (galena.Receipt, bool, error) {
	l := in.Lead
	if l.Key == "" {
		return out, false, nil
	}
	a := args{"email_key": l.Key, "form": l.Form, "lead_id": l.ID, "created_at": micros(l.CreatedAt),
		"since": micros(l.CreatedAt.Add(-in.RepeatWithin)), "now": micros(l.CreatedAt)}
	if in.RepeatWithin <= 0 {
		a["since"] = int64(math.MaxInt64) // every submission is a new lead
	}
	n, err := tx.exec(ctx, "claim-person", a)
	if err != nil || n == 1 {
		return out, false, err
	}
	first, err := one[struct {
		ID         string            `db:"id"`
		ExternalID string            `db:"external_id"`
		Status     galena.LeadStatus `db:"status"`
	}](ctx, tx, "touch-first-lead", a)
	if missing(err) {
		a["since"] = int64(math.MaxInt64)
		_, err = tx.exec(ctx, "claim-person", a)
		return out, false, err
	}
	if err != nil {
		return out, false, err
	}
	out.ID, out.Status, out.Duplicate = first.ID, first.Status, true
	if out.ExternalID == "" {
		out.ExternalID = first.ExternalID
	}
	return out, true, nil
}

// insertLead writes the lead and what follows from it. Only an accepted lead
// gets a step: the others wait for a person, or for nothing.
func (s *Store) insertLead(ctx context.Context, tx conn, in galena.Intake) error {
	row, err := rowOf(in.Lead)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "insert-lead", row); err != nil {
		return err
	}
	if err := insertObservations(ctx, tx, in.Observations); err != nil {
		return err
	}
	var todo []stepRow
	if in.Lead.Status == galena.StatusAccepted {
		todo = append(todo, stepRow{Kind: galena.StepLead, ID: in.Lead.ID, LeadID: in.Lead.ID,
			Epoch: in.Lead.Epoch, Run: 1, Queue: QueueLeads})
	}
	told, err := s.insertDeliveries(ctx, tx, in.Lead, in.Lead.Epoch, in.Deliveries)
	if err != nil {
		return err
	}
	return s.insertSteps(ctx, tx, append(todo, told...))
}

// Recall says whether one of the hashes is suppressed, and whether an account
// or a held answer knows the domain.
func (s *Store) Recall(ctx context.Context, hashes [][]byte, domain string) (suppressed, known bool, err error) {
	keys := make([]string, len(hashes))
	for i, h := range hashes {
		keys[i] = key(h)
	}
	list, err := rows(keys)
	if err != nil {
		return false, false, fault("sql.recall", err)
	}
	r, err := one[struct {
		Suppressed bool `db:"suppressed"`
		Known      bool `db:"known"`
	}](ctx, s.reader(), "recall", args{"hashes": list, "domain": domain})
	return r.Suppressed, r.Known, fault("sql.recall", err)
}

// Suppress keeps a person or domain out from now on.
func (s *Store) Suppress(ctx context.Context, hash []byte, reason string) error {
	_, err := s.do(ctx, "sql.suppress", "suppress", args{"hash": key(hash), "reason": reason, "now": micros(s.now())})
	return err
}

// Tidy drops idempotency keys after a day, logins that have run out and old
// answers of the DNS.
func (s *Store) Tidy(ctx context.Context) error {
	now := s.now()
	if _, err := s.do(ctx, "sql.tidy", "forget-keys", args{"stale": micros(now.Add(-keysKept))}); err != nil {
		return err
	}
	if _, err := s.do(ctx, "sql.tidy", "forget-dns-checks", args{"stale": micros(now.Add(-checksKept))}); err != nil {
		return err
	}
	if err := s.tidyClaims(ctx, now); err != nil {
		return err
	}
	_, err := s.do(ctx, "sql.tidy", "forget-sessions", args{"now": micros(now)})
	return err
}

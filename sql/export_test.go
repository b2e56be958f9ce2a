package sql

import (
	"context"
	"errors"

	"github.com/galenahq/galena"
)

// Exec runs a text of a test's own.
func (s *Store) Exec(ctx context.Context, text string) error {
	_, err := s.write.ExecContext(ctx, text)
	return err
}

// Everywhere runs a text on a line of each pool.
func (s *Store) Everywhere(ctx context.Context, text string) error {
	_, err := s.read.ExecContext(ctx, text)
	return errors.Join(err, s.Exec(ctx, text))
}

// Text reads one text with a query of a test's own.
func (s *Store) Text(ctx context.Context, query string) (out string, err error) {
	return out, s.write.GetContext(ctx, &out, query)
}

// Texts are the statements for Postgres, by name.
func Texts() (map[string]string, error) {
	all, err := load(queries)
	return all[dialectPostgres], err
}

// Tx is a transaction of a test's own.
type Tx struct{ c conn }

// InTx runs fn in one.
func (s *Store) InTx(ctx context.Context, fn func(Tx) error) error {
	return s.inTx(ctx, "sql.test", func(tx conn) error { return fn(Tx{tx}) })
}

// Later runs a statement that is not asked anything, or by use.
func (t Tx) Later(ctx context.Context, name string, a map[string]any, use func(int64) error) error {
	return t.c.later(ctx, name, a, use)
}

// Rows counts what a statement finds.
func (t Tx) Rows(ctx context.Context, name string, a map[string]any) (int, error) {
	found, err := list[struct {
		Result    string `db:"result"`
		CheckedAt int64  `db:"checked_at"`
	}](ctx, t.c, name, a)
	return len(found), err
}

// Deliver writes the step of a delivery.
func (t Tx) Deliver(ctx context.Context, s *Store, id string) error {
	return s.insertSteps(ctx, t.c, []stepRow{{Kind: galena.StepDeliver, ID: id, LeadID: id, Epoch: 1, Run: 1, Queue: QueueDeliveries}})
}

// AcceptTogether takes submissions in as one group.
func (s *Store) AcceptTogether(ctx context.Context, all ...galena.Intake) ([]galena.Receipt, error) {
	group, receipts := make([]*galena.Intake, len(all)), make([]galena.Receipt, len(all))
	for i, in := range all {
		in, err := s.complete(in)
		if err != nil {
			return nil, err
		}
		group[i] = &in
	}
	out, err := s.accept(ctx, group)
	for i, o := range out {
		receipts[i], err = o.value, errors.Join(err, o.err)
	}
	return receipts, err
}

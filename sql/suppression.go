package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// Suppress keeps a person or domain out from now on, and says whether that is
// news; the first reason stays.
func (s *Store) Suppress(ctx context.Context, hash []byte, reason string) (bool, error) {
	n, err := s.do(ctx, "sql.suppress", "suppress", args{"hash": key(hash), "reason": reason, "now": micros(s.now())})
	return n > 0, err
}

// Unsuppress lets a person or domain in again, and says whether it was kept out.
func (s *Store) Unsuppress(ctx context.Context, hash []byte) (bool, error) {
	n, err := s.do(ctx, "sql.unsuppress", "unsuppress", args{"hash": key(hash)})
	return n > 0, err
}

// Suppressions lists who is kept out, oldest first. Who that is nobody can read.
func (s *Store) Suppressions(ctx context.Context) ([]galena.Suppression, error) {
	found, err := list[struct {
		Hash      string `db:"hash"`
		Reason    string `db:"reason"`
		CreatedAt int64  `db:"created_at"`
	}](ctx, s.reader(), "suppressions", args{})
	out := make([]galena.Suppression, len(found))
	for i, r := range found {
		out[i] = galena.Suppression{Digest: r.Hash, Reason: r.Reason, At: at(r.CreatedAt)}
	}
	return out, fault("sql.suppressions", err)
}

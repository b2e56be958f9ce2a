package sql

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/galenahq/galena"
)

type tokenRow struct {
	ID          string `db:"id"`
	Description string `db:"description"`
	Group       string `db:"group_name"`
	Scopes      string `db:"scopes"`
	Hash        string `db:"hash"`
	Prefix      string `db:"prefix"`
	Last4       string `db:"last4"`
	CreatedBy   string `db:"created_by"`
	CreatedAt   int64  `db:"created_at"`
	ExpiresAt   int64  `db:"expires_at"`
	RevokedAt   int64  `db:"revoked_at"`
	LastUsedAt  int64  `db:"last_used_at"`
}

func (r tokenRow) token() (galena.Token, error) {
	scopes, err1 := parse[[]string](r.Scopes)
	hash, err2 := hex.DecodeString(r.Hash)
	return galena.Token{ID: r.ID, Description: r.Description, Group: r.Group, Scopes: scopes, Hash: hash,
		Prefix: r.Prefix, Last4: r.Last4, CreatedBy: r.CreatedBy, CreatedAt: at(r.CreatedAt), ExpiresAt: at(r.ExpiresAt),
		RevokedAt: at(r.RevokedAt), LastUsedAt: at(r.LastUsedAt)}, errors.Join(err1, err2)
}

// CreateToken stores a token's hash. The value itself is known to its holder only.
func (s *Store) CreateToken(ctx context.Context, t galena.Token) error {
	scopes, err := text(t.Scopes)
	if err != nil {
		return fault("sql.create_token", err)
	}
	_, err = s.do(ctx, "sql.create_token", "insert-token", args{"id": t.ID, "description": t.Description,
		"group_name": t.Group, "scopes": scopes, "hash": key(t.Hash), "prefix": t.Prefix, "last4": t.Last4,
		"created_by": t.CreatedBy, "created_at": micros(t.CreatedAt), "expires_at": micros(t.ExpiresAt)})
	return err
}

// TokenByHash finds a token, also a revoked or expired one: whoever asks looks
// at its times. NotFound when there is none.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (galena.Token, error) {
	t, err := s.tokens.do(ctx, key(hash))
	return t, fault("sql.token_by_hash", err)
}

// tokensByHash finds the tokens of a group: every request shows one, and most
// show the same.
func (s *Store) tokensByHash(ctx context.Context, hashes []string) ([]outcome[galena.Token], error) {
	found, err := within[tokenRow](ctx, s, "tokens-by-hash", map[string][]string{"hashes": sorted(hashes)})
	if err != nil {
		return nil, fault("sql.token_by_hash", err)
	}
	byHash := map[string]galena.Token{}
	for _, r := range found {
		if byHash[r.Hash], err = r.token(); err != nil {
			return nil, fault("sql.token_by_hash", err) // the group asks one by one: the others have theirs
		}
	}
	return each(hashes, byHash), nil
}

// Tokens lists all tokens, oldest first.
func (s *Store) Tokens(ctx context.Context) ([]galena.Token, error) {
	found, err := list[tokenRow](ctx, s.reader(), "tokens", args{})
	out := make([]galena.Token, len(found))
	errs := []error{err}
	for i, r := range found {
		out[i], err = r.token()
		errs = append(errs, err)
	}
	return out, fault("sql.tokens", errors.Join(errs...))
}

// RevokeToken ends a token for good; NotFound when there is none.
func (s *Store) RevokeToken(ctx context.Context, id string) error {
	n, err := s.do(ctx, "sql.revoke_token", "revoke-token", args{"id": id, "now": micros(s.now())})
	return orNotFound("sql.revoke_token", n, err)
}

// TouchToken records that a token was used, once a minute at most.
func (s *Store) TouchToken(ctx context.Context, id string) error {
	now := s.now()
	_, err := s.do(ctx, "sql.touch_token", "touch-token",
		args{"id": id, "now": micros(now), "before": micros(now.Add(-time.Minute))})
	return err
}

// orNotFound makes NotFound of a write that met no row.
func orNotFound(op string, n int64, err error) error {
	if err == nil && n == 0 {
		return galena.Errorf(galena.NotFound, op, "there is none of that name")
	}
	return err
}

// Audit appends to the trail; an entry without a time gets the present one.
func (s *Store) Audit(ctx context.Context, e galena.AuditEntry) error {
	return fault("sql.audit", s.audit(ctx, s.writer(), e))
}

func (s *Store) audit(ctx context.Context, c conn, e galena.AuditEntry) error {
	id, err := newID()
	if err != nil {
		return err
	}
	if e.At.IsZero() {
		e.At = s.now()
	}
	_, err = c.exec(ctx, "insert-audit", args{"id": id, "at": micros(e.At), "actor": e.Actor,
		"action": e.Action, "target": e.Target, "detail": e.Detail})
	return err
}

// AuditTrail reads the newest entries, newest first.
func (s *Store) AuditTrail(ctx context.Context, limit int) ([]galena.AuditEntry, error) {
	found, err := list[struct {
		At     int64  `db:"at"`
		Actor  string `db:"actor"`
		Action string `db:"action"`
		Target string `db:"target"`
		Detail string `db:"detail"`
	}](ctx, s.reader(), "audit-trail", args{"limit": limit})
	out := make([]galena.AuditEntry, len(found))
	for i, r := range found {
		out[i] = galena.AuditEntry{At: at(r.At), Actor: r.Actor, Action: r.Action, Target: r.Target, Detail: r.Detail}
	}
	return out, fault("sql.audit_trail", err)
}

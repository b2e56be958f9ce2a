package sql

import (
	"context"
	"encoding/hex"

	"github.com/galenahq/galena"
)

type userRow struct {
	Name         string `db:"name"`
	Role         string `db:"role"`
	PasswordHash []byte `db:"password_hash"`
	CreatedAt    int64  `db:"created_at"`
}

func (r userRow) user() galena.User {
	return galena.User{Name: r.Name, Role: r.Role, PasswordHash: r.PasswordHash, CreatedAt: at(r.CreatedAt)}
}

// PutUser makes a user, or changes the role and password of one. A change ends
// the user's logins.
func (s *Store) PutUser(ctx context.Context, u galena.User) error {
	return s.inTx(ctx, "sql.put_user", func(tx conn) error {
		_, err := tx.exec(ctx, "put-user", args{"name": u.Name, "role": u.Role, "password_hash": u.PasswordHash,
			"created_at": micros(u.CreatedAt)})
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "delete-sessions-of", args{"name": u.Name})
		return err
	})
}

// User finds a user; NotFound when there is none.
func (s *Store) User(ctx context.Context, name string) (galena.User, error) {
	r, err := one[userRow](ctx, s.reader(), "user", args{"name": name})
	return r.user(), fault("sql.user", err)
}

// Users lists all users by name.
func (s *Store) Users(ctx context.Context) ([]galena.User, error) {
	found, err := list[userRow](ctx, s.reader(), "users", args{})
	out := make([]galena.User, len(found))
	for i, r := range found {
		out[i] = r.user()
	}
	return out, fault("sql.users", err)
}

// DeleteUser removes a user and ends the user's logins; NotFound when there is none.
func (s *Store) DeleteUser(ctx context.Context, name string) error {
	const op = "sql.delete_user"
	return s.inTx(ctx, op, func(tx conn) error {
		if _, err := tx.exec(ctx, "delete-sessions-of", args{"name": name}); err != nil {
			return err
		}
		n, err := tx.exec(ctx, "delete-user", args{"name": name})
		return orNotFound(op, n, err)
	})
}

// PutSession starts or prolongs a login.
func (s *Store) PutSession(ctx context.Context, l galena.Session) error {
	_, err := s.do(ctx, "sql.put_session", "put-session", args{"hash": key(l.Hash), "user_name": l.User,
		"role": l.Role, "expires_at": micros(l.ExpiresAt)})
	return err
}

// Session finds a login that has not run out; NotFound otherwise.
func (s *Store) Session(ctx context.Context, hash []byte) (galena.Session, error) {
	const op = "sql.session"
	r, err := one[struct {
		Hash      string `db:"hash"`
		User      string `db:"user_name"`
		Role      string `db:"role"`
		ExpiresAt int64  `db:"expires_at"`
	}](ctx, s.reader(), "session", args{"hash": key(hash), "now": micros(s.now())})
	if err != nil {
		return galena.Session{}, fault(op, err)
	}
	raw, err := hex.DecodeString(r.Hash)
	return galena.Session{Hash: raw, User: r.User, Role: r.Role, ExpiresAt: at(r.ExpiresAt)}, fault(op, err)
}

// DeleteSession ends a login; one that is over already is no error.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	_, err := s.do(ctx, "sql.delete_session", "delete-session", args{"hash": key(hash)})
	return err
}

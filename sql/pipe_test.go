package sql_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
	"github.com/galenahq/galena/sql/sqltest"
)

// Statements that wait for the next that reads, or for the commit, are one
// transaction like any others, on both engines.
func TestWhatWaitsIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		waits(t, openSQLite)
	})
	if server := postgresURL(t); server != "" {
		t.Run("Postgres", func(t *testing.T) {
			t.Parallel()
			waits(t, openPostgres(server))
		})
	}
}

func waits(t *testing.T, open sqltest.Open) {
	t.Helper()
	ctx, s := t.Context(), open(t, time.Now)
	check := func(domain string) map[string]any {
		return map[string]any{"domain": domain, "result": "mx", "checked_at": int64(1)}
	}
	entry := map[string]any{"id": "1", "at": int64(1), "actor": "a", "action": "b", "target": "c", "detail": "d"}
	kept := func(domain string) bool {
		result, _, err := s.DNSCheck(ctx, domain)
		if err != nil {
			t.Fatal(err)
		}
		return result == "mx"
	}

	if err := s.InTx(ctx, func(tx sql.Tx) error {
		err := tx.Later(ctx, "save-dns-check", check("read.test"), nil)
		n, err2 := tx.Rows(ctx, "dns-check", map[string]any{"domain": "read.test"})
		if n != 1 {
			t.Errorf("who reads after what waits finds %d rows, want 1", n)
		}
		return errors.Join(err, err2, tx.Later(ctx, "save-dns-check", check("last.test"), nil), tx.Later(ctx, "insert-audit", entry, nil))
	}); err != nil || !kept("read.test") || !kept("last.test") {
		t.Errorf("what waited for the commit is not kept: %v", err)
	}

	refusal := errors.New("not so")
	if err := s.InTx(ctx, func(tx sql.Tx) error {
		return tx.Later(ctx, "save-dns-check", check("refused.test"), func(changed int64) error {
			if changed != 1 {
				t.Errorf("%d rows were changed, want 1", changed)
			}
			return refusal
		})
	}); !errors.Is(err, refusal) || kept("refused.test") {
		t.Errorf("what was refused just before the commit is kept, %v", err)
	}

	if err := s.InTx(ctx, func(tx sql.Tx) error {
		return errors.Join(tx.Later(ctx, "save-dns-check", check("before.test"), nil), tx.Later(ctx, "insert-audit", entry, nil),
			tx.Later(ctx, "save-dns-check", check("behind.test"), nil))
	}); galena.KindOf(err) != galena.Conflict || kept("before.test") || kept("behind.test") {
		t.Errorf("a statement that failed among those that waited: %v, and the others are kept", err)
	}

	for range 2 * poolSize {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			_ = s.InTx(ctx, func(tx sql.Tx) error {
				if _, err := tx.Rows(ctx, "dns-check", map[string]any{"domain": "read.test"}); err != nil {
					t.Error(err)
				}
				_ = tx.Later(ctx, "save-dns-check", check("panic.test"), nil)
				panic("a fault in our own code")
			})
		}()
	}
	if kept("panic.test") {
		t.Error("what a panic left behind is kept")
	}
}

// poolSize is more connections than the pool of a test has.
const poolSize = 16

// A connection that was warmed has every statement that takes lists ready, and
// warming changes nothing.
func TestWarmConnectionsHaveParsedWhatALeadNeeds(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	s := openPostgres(server)(t, time.Now)
	s.Warm(t.Context())
	ready, err1 := s.Text(t.Context(), "SELECT count(*)::text FROM pg_prepared_statements WHERE generic_plans > 0 AND from_sql IS FALSE")
	leads, err2 := s.Text(t.Context(), "SELECT count(*)::text FROM leads")
	if n, err := strconv.Atoi(ready); err != nil || n < 30 || leads != "0" || err1 != nil || err2 != nil {
		t.Errorf("%q statements are planned and there are %q leads, %v, %v; want some forty and none", ready, leads, err1, err2)
	}
}

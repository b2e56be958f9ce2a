package sql_test

import (
	stdsql "database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// A migration that was written side by side with a later one is missing: the schema is
// not up to date, although its version says so.
func TestASchemaThatMissesAnEarlierMigrationIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "galena.db")
	if err := sql.Migrate(t.Context(), "sqlite:"+file, nil); err != nil {
		t.Fatal(err)
	}
	db, err := stdsql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DROP INDEX steps_watched; DELETE FROM goose_db_version WHERE version_id = 34"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	s, err := sql.Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler), time.Now)
	if err == nil {
		_ = s.Close()
	}
	if galena.KindOf(err) != galena.Invalid {
		t.Errorf("opened with migration 34 missing: %v", err)
	}
	if err := sql.Migrate(t.Context(), "sqlite:"+file, nil); err != nil {
		t.Fatal(err)
	}
	if s, err = sql.Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler), time.Now); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if db, err = stdsql.Open("sqlite", file); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if s, err = sql.Open(t.Context(), "sqlite:"+file, slog.New(slog.DiscardHandler), time.Now); err != nil {
		t.Fatal("a later program's schema:", err)
	}
	_ = s.Close()
}

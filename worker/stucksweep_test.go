package worker

import (
	"context"
	stdsql "database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// A lead cannot be read any more, and workers died while it was in their hands. That it
// cannot be held is no reason to hand out nothing else.
func TestAStepThatCannotBePutAsideHoldsUpNobody(t *testing.T) {
	t.Parallel()
	ctx, log, now := t.Context(), slog.New(slog.DiscardHandler), time.Now()
	file := filepath.Join(t.TempDir(), "galena.db")
	if err := sql.Migrate(ctx, "sqlite:"+file, nil); err != nil {
		t.Fatal(err)
	}
	store, err := sql.Open(ctx, "sqlite:"+file, log, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	accept := func(mail string) string {
		t.Helper()
		got, err := store.Accept(ctx, galena.Intake{Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: mail, Key: mail,
			Host: "acme.test", Domain: "acme.test"}, Status: galena.StatusAccepted, Form: "demo"}})
		if err != nil {
			t.Fatal(err)
		}
		return got.ID
	}
	sweeper := NewSweeper(store, func(galena.Step) (bool, bool) { return true, true }, func() {}, log)
	poison := accept("ana@acme.test")
	for n := 1; ; n++ { // three workers die on it
		if ok, err := store.Begin(ctx, galena.StepLead, poison, 1, n); !ok || err != nil {
			t.Fatal(n, ok, err)
		}
		now = now.Add(10 * time.Second)
		if n == 3 {
			break
		}
		if _, err := sweeper.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	db, err := stdsql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "UPDATE leads SET codes = '[' WHERE id = ?", poison); err != nil {
		t.Fatal(err)
	}
	other := accept("ben@acme.test")
	if ok, err := store.Begin(ctx, galena.StepLead, other, 1, 1); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := store.Park(ctx, galena.Step{Kind: galena.StepLead, ID: other, Epoch: 1, Run: 1}, now, galena.Unavailable, "x"); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		now = now.Add(time.Second)
		_, err = sweeper.Sweep(context.WithoutCancel(ctx))
	}
	if ok, begun := store.Begin(ctx, galena.StepLead, other, 1, 2); !ok || begun != nil {
		t.Errorf("a minute after it was due another lead is not handed out (%v): each sweep ends with %v", begun, err)
	}
}

package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

// A worker that did not end in time goes on using its stores: asynq ends the
// process with a stack trace when they are closed under it.
func TestStoresStayOpenUnderAWorkerThatIsLeftBehind(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	a := &App{settings: settings{log: log, env: configs.Env{DatabaseURL: configs.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "galena.db"))}}}
	if err := sql.Migrate(t.Context(), databaseURL(a.env), log); err != nil {
		t.Fatal(err)
	}
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.kept = true
	a.close()
	if err := a.store.Ping(t.Context()); err != nil {
		t.Errorf("the database was closed: %v", err)
	}
	if err := a.redis.Ping(t.Context()); err != nil {
		t.Errorf("Redis was closed: %v", err)
	}
	a.kept = false
	a.close()
	if a.store.Ping(t.Context()) == nil || a.redis.Ping(t.Context()) == nil {
		t.Error("a store is left open although nobody uses it")
	}
}

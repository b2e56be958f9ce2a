package worker

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// While Redis is away the outbox holds what comes. When it is back, all of that is on
// the queue, and none of it is lost because it was told of a minute ago.
func TestWhatWaitedInTheOutboxIsNotHandedOutTwice(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	if err := sql.Migrate(t.Context(), address, nil); err != nil {
		t.Fatal(err)
	}
	ago := time.Minute
	store, err := sql.Open(t.Context(), address, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().Add(-ago) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for i := range 100 {
		in := galena.Intake{Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: fmt.Sprintf("ana%d@acme.test", i),
			Key: fmt.Sprintf("ana%d@acme.test", i), Host: "acme.test", Domain: "acme.test"}, Status: galena.StatusAccepted, Form: "demo"}}
		if _, err := store.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	ago = 0 // a minute later Redis is back
	_, c, _ := broken(t)
	log := slog.New(slog.DiscardHandler)
	r := NewRelay(store, c, log)
	if n, err := r.empty(t.Context()); n != 100 || err != nil {
		t.Fatalf("%d brought to the queue, error %v", n, err)
	}
	n, err := NewSweeper(store, c.Ask, r.Nudge, log).Sweep(t.Context())
	if n != 0 || err != nil {
		t.Errorf("%d leads handed out again that wait on the queue, error %v", n, err)
	}
}

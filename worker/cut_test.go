package worker

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
	"github.com/galenahq/galena/sql"
)

// A scheduler that is cut off from Redis has seen nothing on the queue, and must not
// keep the other one from what is lost there.
func TestASchedulerWithoutRedisVouchesForNothing(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	address := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	if err := sql.Migrate(t.Context(), address, nil); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	store, err := sql.Open(t.Context(), address, log, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	_, well, rdb := broken(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there
	away, err := redis.Open("redis://"+l.Addr().String(), 20, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = away.Close() })
	first := NewSweeper(store, NewClient(away.Shared()).Ask, func() {}, log)
	second := NewSweeper(store, well.Ask, func() {}, log)
	chance := rand.New(rand.NewPCG(1, 1))
	const tries = 20
	late := 0
	for try := range tries {
		mail := fmt.Sprintf("ana%d@acme.test", try)
		in := galena.Intake{Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: mail, Key: mail, Host: "acme.test",
			Domain: "acme.test"}, Status: galena.StatusAccepted, Form: "demo"}}
		got, err := store.Accept(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := NewRelay(store, well, log).empty(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		rdb.FlushAll(t.Context())
		for at := time.Second; ; at += time.Second { // each tick is one of the two's
			now = now.Add(time.Second)
			n, err := []*Sweeper{first, second}[chance.IntN(2)].Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				if at > 30*time.Second {
					late++
				}
				break
			}
		}
		if ok, err := store.Begin(t.Context(), galena.StepLead, got.ID, 1, 2); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if err := store.Finish(t.Context(), galena.Step{Kind: galena.StepLead, ID: got.ID, Epoch: 1, Run: 2}); err != nil {
			t.Fatal(err)
		}
		if n, err := NewRelay(store, well, log).empty(t.Context()); n != 1 || err != nil { // the run that is over
			t.Fatal(n, err)
		}
	}
	if late > 0 {
		t.Errorf("%d of %d flushed leads were handed out again after more than 30 s", late, tries)
	}
}

// looks counts how often somebody looks at what workers have taken.
type looks struct {
	Backstage

	n map[string]int
}

func (l looks) Active(_ context.Context, queue string) (map[string]time.Time, error) {
	l.n[queue]++
	return map[string]time.Time{}, nil
}

func TestEachSweepLooksAtTheLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := looks{n: map[string]int{}}
		c := &Client{stage: l, orphans: map[string]orphanage{}}
		s := NewSweeper(&yard{}, func(galena.Step) (bool, bool) { return true, true }, func() {}, slog.New(slog.DiscardHandler))
		s.Look = c.Look
		s.ticks(t, 10)
		synctest.Wait()
		if l.n[queueLeads] != 10 {
			t.Errorf("%d looks in 10 sweeps, want one each", l.n[queueLeads])
		}
	})
}

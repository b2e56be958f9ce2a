package intake

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

// slow is a store whose list of accounts takes its time.
type slow struct {
	*memory
	lists atomic.Int64
	takes time.Duration
	fails atomic.Bool
}

func (s *slow) Accept(_ context.Context, in galena.Intake) (galena.Receipt, error) {
	return galena.Receipt{ID: in.Lead.ID, Status: in.Lead.Status}, nil
}

func (s *slow) Recall(context.Context, [][]byte, string) (bool, bool, error) {
	return false, false, nil
}

func (s *slow) KnownDomains(_ context.Context) ([]string, error) {
	s.lists.Add(1)
	time.Sleep(s.takes)
	if s.fails.Load() {
		return nil, galena.Errorf(galena.Unavailable, "sql.known_domains", "the database is too slow")
	}
	return []string{"acme.com"}, nil
}

type deaf struct{}

func (deaf) Nudge() {}

func crowded(t *testing.T, s *slow, now func() time.Time) *Gate {
	t.Helper()
	g, err := NewGate(Deps{Judge: judge(t, config()), Store: s, Queue: deaf{}, Pepper: []byte("pepper"), Registerer: prometheus.NewRegistry(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The list of all accounts is read once, however many come when it is too old.
func TestACrowdReadsTheAccountsOnce(t *testing.T) {
	t.Parallel()
	s := &slow{memory: &memory{}, takes: 50 * time.Millisecond}
	g := crowded(t, s, time.Now)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if _, _, err := g.Submit(t.Context(), galena.Submission{Email: fmt.Sprintf("ana%d@globex.com", i)}, nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.lists.Load(); n > 2 {
		t.Errorf("the list of all accounts was read %d times at once, want once", n)
	}
}

// The list only feeds the question "did you mean": that it cannot be read now refuses
// no lead.
func TestAListThatCannotBeReadRefusesNoLead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	s := &slow{memory: &memory{}}
	g := crowded(t, s, func() time.Time { return now })
	var log strings.Builder
	g.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	for _, fails := range []bool{true, false, true} {
		s.fails.Store(fails)
		now = now.Add(time.Minute)
		for range 2 { // the second finds it read
			if _, _, err := g.Submit(t.Context(), galena.Submission{Email: "ana@globex.com"}, nil, nil); err != nil {
				t.Errorf("the lead was refused: %v", err)
			}
		}
	}
	if told := strings.Count(log.String(), "level=WARN"); told != 2 || strings.Contains(log.String(), "acme.com") {
		t.Errorf("told %d times, want once for each read that failed, and no account:\n%s", told, log.String())
	}
}

// A list that takes longer than a lead waits is read all the same.
func TestALongListIsReadWhileLeadsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{memory: &memory{}, takes: 3 * time.Second}
		g := crowded(t, s, time.Now)
		for _, want := range []struct {
			took time.Duration
			asks bool
		}{{time.Second, false}, {0, true}} {
			began := time.Now()
			_, j, err := g.Submit(t.Context(), galena.Submission{Email: "ana@acne.com"}, nil, nil)
			if asks := Suggestion(j.Codes) == "acme.com"; err != nil || time.Since(began) != want.took || asks != want.asks {
				t.Errorf("%v after %v, asks %t, want no error after %v and %t", err, time.Since(began), asks, want.took, want.asks)
			}
			time.Sleep(3 * time.Second)
		}
		if n := s.lists.Load(); n != 1 {
			t.Errorf("read %d times, want once", n)
		}
	})
}

func BenchmarkTypoAmongManyAccounts(b *testing.B) {
	j, err := NewJudge(Config{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	domains := make([]string, 100_000)
	for i := range domains {
		domains[i] = fmt.Sprintf("company%05dab.com", i)
	}
	known := Known{near: accountsOf(domains)} // as the gate holds it for ten seconds
	for b.Loop() {
		j.Judge(galena.Submission{Email: "ana@someoneunknown.com"}, known)
	}
}

package providers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// counting is a memory that says how often it was read.
type counting struct {
	*memory
	reads int
}

func (c *counting) Answer(ctx context.Context, provider, domain string) (galena.Answer, bool, galena.CallClaim, error) {
	c.reads++
	return c.memory.Answer(ctx, provider, domain)
}

func TestAKnownCompanyIsNotReadAgainUntilSomebodySaysSoOrAMinuteIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store *counting
		b := newBundle(t, hit, func(_ *Entry, d *Deps) {
			store = &counting{memory: newMemory()}
			d.Cache = store
		})
		ask := func(reads int) {
			t.Helper()
			a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
			if err != nil || len(a.Observations) != 1 {
				t.Errorf("%+v, %v", a, err)
			}
			if call.Outcome != "cached" && b.calls.Load() > 1 {
				t.Errorf("%+v: paid again", call)
			}
			if store.reads != reads {
				t.Errorf("the store was read %d times, want %d", store.reads, reads)
			}
		}
		ask(1) // asks the vendor
		ask(1)
		b.Heard(topic("one", "acme.example"))
		ask(2)
		ask(2)
		time.Sleep(shelfFor)
		ask(3)
		ask(3)
		if _, _, err := b.AskFresh(t.Context(), "one", "acme.example", nil); err != nil || b.calls.Load() != 2 {
			t.Errorf("%d calls, %v: who asks anew is not served from the shelf", b.calls.Load(), err)
		}
		store.mu.Lock()
		held := store.held["one acme.example"]
		store.mu.Unlock()
		if a, _, _ := b.Ask(t.Context(), "one", "acme.example", nil); !a.FetchedAt.Equal(held.FetchedAt) {
			t.Errorf("fetched at %s, want the newer answer of %s", a.FetchedAt, held.FetchedAt)
		}
	})
}

func TestWhatExpiresOnTheShelfIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, func(_ *Entry, d *Deps) {
			d.TTL = func(string) (fresh, held time.Duration) { return 10 * time.Second, 10 * time.Second }
		})
		for i, outcome := range []string{"hit", "cached", "hit"} {
			if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != outcome {
				t.Errorf("ask %d: %s, %v, want %s", i, call.Outcome, err, outcome)
			}
			time.Sleep(6 * time.Second)
		}
	})
}

func TestTheShelfIsBoundedAndKeepsWhatIsInUse(t *testing.T) {
	t.Parallel()
	var s shelf
	now := time.Now()
	s.put("popular", galena.Answer{Provider: "p"}, now)
	for i := range 3 * shelfMost {
		s.put(fmt.Sprint(i), galena.Answer{}, now)
		if i%100 == 0 {
			if _, ok := s.get("popular", now); !ok {
				t.Fatalf("what is asked for again and again was forgotten after %d others", i)
			}
		}
	}
	if n := len(s.now) + len(s.old); n > 2*shelfMost {
		t.Errorf("%d answers are kept", n)
	}
}

// BenchmarkKnownCompany asks for an answer that is held, on the shelf. What it
// saves is a read of the store (sql, BenchmarkPostgres/AnswerAtOnce).
func BenchmarkKnownCompany(b *testing.B) {
	spec := Spec{Name: "one", BaseURL: "https://one.example", Keyless: true, Timeout: time.Second, Class: galena.ClassProvider,
		New: func(Settings) (Provider, error) { return vendorFunc(hit), nil }}
	w, err := New(Config{Providers: []Entry{{ID: "one"}}}, Deps{Specs: []Spec{spec}, Cache: newMemory()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Close)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.Ask(b.Context(), "one", "acme.example", nil); err != nil {
			b.Fatal(err)
		}
	}
}

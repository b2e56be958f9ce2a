package providers

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// A live lead and one of a backfill ask for the same company at the same moment. That the
// backfill has used up its own budget is nothing to the live lead.
func TestAFlightIsNotRefusedByTheBudgetOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := func(source string) galena.Facts {
			return galena.Facts{"lead.source": galena.KnownFact("lead.source", galena.EnumValue(source), "form", time.Now())}
		}
		b := newBundle(t, hit, nil)
		slow := &slowStore{memory: b.memory}
		d := b.deps
		d.Cache = slow
		w, err := New(Config{Providers: []Entry{{ID: "one"}}, Limits: Limits{PerSourceCents: map[string]float64{"backfill": 1}}}, d)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		var all sync.WaitGroup
		all.Go(func() {
			if _, call, err := w.Ask(t.Context(), "one", "acme.example", from("backfill")); err == nil {
				t.Errorf("the backfill has no budget left: %+v", call)
			}
		})
		time.Sleep(time.Millisecond)
		all.Go(func() {
			if _, call, err := w.Ask(t.Context(), "one", "acme.example", from("demo")); err != nil || call.Outcome != "hit" {
				t.Errorf("the live lead: %+v, %v; want a hit, nothing limits its source", call, err)
			}
		})
		all.Wait()
	})
}

// slowStore takes ten milliseconds to be read, as one at work does.
type slowStore struct{ *memory }

func (s *slowStore) Answer(ctx context.Context, provider, domain string) (galena.Answer, bool, galena.CallClaim, error) {
	time.Sleep(10 * time.Millisecond)
	return s.memory.Answer(ctx, provider, domain)
}

// published is the row of a vendor's state, as save-provider-state keeps it: the newest
// word stays, of two pauses the longer one.
type published struct{ galena.ProviderState }

func (p *published) save(s galena.ProviderState) {
	if s.ChangedAt.Before(p.ChangedAt) {
		return
	}
	if (s.BreakerOnly || s.PauseReason != "") && p.PausedUntil.After(s.PausedUntil) {
		s.PausedUntil, s.PauseReason = p.PausedUntil, p.PauseReason
	}
	p.ProviderState = s
}

// Two processes are refused at the old address, the first for longer, the second later.
// The row has the first's time and the second's moment, and the first renews.
func TestARenewalTakesBackThePauseOfTheOldAddressWhoeverSaidItLast(t *testing.T) {
	t.Parallel()
	ask := func(w *Waterfall, domain string) {
		if _, _, err := w.Ask(t.Context(), "one", domain, nil); galena.KindOf(err) != galena.Exhausted {
			t.Fatalf("asked: %v", err)
		}
	}
	a := newBundle(t, fails(&galena.Error{Kind: galena.Exhausted, Op: "one", RetryAfter: 3 * time.Hour}), nil)
	b := newBundle(t, fails(&galena.Error{Kind: galena.Exhausted, Op: "one", RetryAfter: 2 * time.Hour}), nil)
	var row published
	ask(a.Waterfall, "acme.example")
	row.save(a.states[0])
	time.Sleep(time.Millisecond)
	ask(b.Waterfall, "other.example") // its call was under way
	row.save(b.states[0])
	a.Adopt([]galena.ProviderState{row.ProviderState})
	b.Adopt([]galena.ProviderState{row.ProviderState})
	time.Sleep(time.Millisecond)
	d := a.deps
	d.Before = a.Waterfall
	next, err := New(Config{Providers: []Entry{{ID: "one", URL: "https://elsewhere.example"}}}, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.Close)
	row.save(a.states[len(a.states)-1])
	if row.PauseReason != "" {
		t.Errorf("the pause of the old address stays although the first has renewed: %+v", row.ProviderState)
	}
	// what follows: the new address asks for a short wait, and gets the old one's hours
	time.Sleep(time.Millisecond)
	next.settle(next.byID["one"], time.Now(), &galena.Error{Kind: galena.RateLimited, RetryAfter: time.Second}, false)
	row.save(a.states[len(a.states)-1])
	next.Adopt([]galena.ProviderState{row.ProviderState})
	if until, _, _ := next.byID["one"].pause.state(time.Now()); time.Until(until) > time.Minute {
		t.Errorf("the new address asked for a second and is left alone for %s", time.Until(until).Round(time.Minute))
	}
}

// One process is asked to wait for hours; the breaker of another opens before it has
// heard of that.
func TestABreakerThatOpensTakesBackNoPauseOfAnother(t *testing.T) {
	t.Parallel()
	var row published
	a := newBundle(t, fails(&galena.Error{Kind: galena.Exhausted, Op: "one", RetryAfter: 3 * time.Hour}), nil)
	b := newBundle(t, fails(failure(galena.Unavailable)), nil)
	ask := func(b *bundle, domain string) {
		if _, _, err := b.Ask(t.Context(), "one", domain, nil); err == nil {
			t.Fatal("a call that fails did not")
		}
	}
	ask(a, "acme.example")
	row.save(a.states[0])
	for i := range breakerMin {
		ask(b, fmt.Sprintf("c%d.example", i))
	}
	if len(b.states) == 0 {
		t.Fatal("the breaker of the other did not open")
	}
	row.save(b.states[len(b.states)-1])
	if row.Breaker != Open || row.PauseReason != galena.Exhausted || time.Until(row.PausedUntil) < 2*time.Hour {
		t.Errorf("published is %+v, want the open breaker and the pause of hours", row.ProviderState)
	}
}

// A vendor that is told a name knows the company and says nothing of it that we could use.
// That is an answer, which is paid for once.
func TestAnEmptyAnswerToANameIsHeld(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(context.Context, Query) (Record, error) { return Record{}, nil }, byName)
	for i := range 3 {
		_, call, err := b.Ask(t.Context(), "one", "acme.example", called("Acme GmbH"))
		if want := []string{"hit", "cached", "cached"}[i]; err != nil || call.Outcome != want {
			t.Errorf("%d: %+v, %v; want %s", i, call, err, want)
		}
	}
	if n := b.calls.Load(); n != 1 {
		t.Errorf("asked and paid %d times", n)
	}
}

// The clock of the machine is set back by an hour a moment after our pace was used up.
func TestAClockSetBackKeepsNoVendorAway(t *testing.T) {
	t.Parallel()
	var back time.Duration
	b := newBundle(t, hit, func(e *Entry, d *Deps) {
		e.Rate = &Rate{PerSecond: 1, Burst: 1}
		d.Now = func() time.Time { return time.Now().Round(0).Add(-back) }
	})
	for _, domain := range []string{"a.example", "b.example"} { // the second may find no turn
		if _, _, err := b.Ask(t.Context(), "one", domain, nil); err != nil && galena.KindOf(err) != galena.RateLimited {
			t.Fatal(err)
		}
	}
	back = time.Hour
	time.Sleep(1500 * time.Millisecond)
	if _, call, err := b.Ask(t.Context(), "one", "c.example", nil); err != nil {
		t.Errorf("%+v: not asked for %s: %v", call, galena.RetryAfterOf(err).Round(time.Minute), err)
	}
}

package providers

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestMissesInARowAreHeldForLonger(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		n      int
		chance float64
		want   time.Duration
	}{
		{1, .5, 7 * day}, {2, .5, 30 * day}, {3, .5, 90 * day}, {9, .5, 90 * day}, {0, .5, 7 * day},
		{1, 0, 63 * day / 10}, {1, 1, 77 * day / 10}, {2, 0, 27 * day}, {2, 1, 33 * day}, {3, 0, 81 * day}, {3, 1, 99 * day},
	} {
		if got := missHeld(tc.n, tc.chance); got != tc.want {
			t.Errorf("miss %d at chance %v is held for %v, want %v", tc.n, tc.chance, got, tc.want)
		}
	}
}

// hours is a clock that a test moves.
type hours struct{ at time.Time }

func (h *hours) now() time.Time { return h.at }

func TestTheNegativeCacheGrowsUntilSomebodyIsFound(t *testing.T) {
	t.Parallel()
	clock := &hours{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	says := failure(galena.NotFound)
	b := newBundle(t, func(ctx context.Context, q Query) (Record, error) {
		if says != nil {
			return Record{}, says
		}
		return hit(ctx, q)
	}, func(_ *Entry, d *Deps) { d.Now = clock.now })
	ask := func() galena.Answer {
		a, _, _ := b.Ask(t.Context(), "one", "acme.example", nil)
		return a
	}
	for _, want := range []time.Duration{7 * day, 30 * day, 90 * day, 90 * day} {
		a := ask()
		if got := a.ExpiresAt.Sub(clock.at); got != want {
			t.Fatalf("miss %d is held for %v, want %v", a.Misses, got, want)
		}
		clock.at = clock.at.Add(want)
	}
	says = failure(galena.Unavailable) // an error is no answer: it neither counts nor ends the row
	if a := ask(); a.Kind != galena.Unavailable || b.memory.held["one acme.example"].Misses != 4 {
		t.Errorf("after an error %+v is held", b.memory.held["one acme.example"])
	}
	says = nil
	if a := ask(); a.Kind != "" || a.Misses != 0 {
		t.Errorf("a hit says %+v", a)
	}
	clock.at, says = clock.at.Add(100*day), failure(galena.NotFound)
	if a := ask(); a.Misses != 1 || a.ExpiresAt.Sub(clock.at) != 7*day {
		t.Errorf("the first miss after a hit is number %d", a.Misses)
	}
}

// A domain without DNS is mostly a new one, or lapsed for a day: it is looked at again
// tomorrow, and that it was not there is no miss of a company that is.
func TestADomainThatIsNotThereIsHeldForADay(t *testing.T) {
	t.Parallel()
	clock := &hours{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	said := error(nil)
	b := newBundle(t, func(context.Context, Query) (Record, error) { return Record{}, said }, func(_ *Entry, d *Deps) { d.Now = clock.now })
	miss, none := failure(galena.NotFound), NoHost("x.enrich", "no such domain")
	for i, c := range []struct {
		says error
		want time.Duration
	}{{none, day}, {none, day}, {miss, 7 * day}, {none, day}, {miss, 30 * day}} {
		said = c.says
		a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if got := a.ExpiresAt.Sub(clock.at); err != nil || call.Outcome != "miss" || got != c.want {
			t.Fatalf("answer %d: %+v, %v, held for %v, want %v", i, call, err, got, c.want)
		}
		clock.at = clock.at.Add(c.want)
	}
}

// ages are times to live as merging would give them: 10 and 20 days for names,
// 4 and 12 for industries.
func ages(field string) (fresh, held time.Duration) {
	if field == "company.name" {
		return 10 * day, 20 * day
	}
	return 4 * day, 12 * day
}

func TestAHitIsAsOldAsItsMostPerishableField(t *testing.T) {
	t.Parallel()
	clock := &hours{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	both := func(ctx context.Context, q Query) (Record, error) {
		r, err := hit(ctx, q)
		r.Add("company.industry", galena.EnumValue("software"), "industry")
		return r, err
	}
	for _, tc := range []struct {
		name        string
		says        vendorFunc
		fresh, held time.Duration
	}{{"a name", hit, 10 * day, 20 * day}, {"a name and an industry", both, 4 * day, 12 * day}} {
		b := newBundle(t, tc.says, func(_ *Entry, d *Deps) { d.Now, d.TTL = clock.now, ages })
		a, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if fresh, held := a.FreshUntil.Sub(clock.at), a.ExpiresAt.Sub(clock.at); err != nil || fresh != tc.fresh || held != tc.held {
			t.Errorf("%s: fresh for %v and held for %v, want %v and %v (%v)", tc.name, fresh, held, tc.fresh, tc.held, err)
		}
	}
}

func TestAStaleHitIsUsedAndAnExpiredOneIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		age     time.Duration
		outcome string
		stale   bool
	}{{9 * day, "cached", false}, {10 * day, "cached", true}, {20*day - 1, "cached", true}, {20 * day, "hit", false}} {
		clock := &hours{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
		b := newBundle(t, hit, func(_ *Entry, d *Deps) { d.Now, d.TTL = clock.now, ages })
		buy(t, b)
		clock.at = clock.at.Add(tc.age)
		a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if stale := !clock.at.Before(a.StaleAt(false)); err != nil || call.Outcome != tc.outcome || stale != tc.stale {
			t.Errorf("after %v: %s, stale %v, %v; want %s, %v", tc.age, call.Outcome, stale, err, tc.outcome, tc.stale)
		}
	}
}

func TestAStricterPolicyCountsForWhatIsHeld(t *testing.T) {
	t.Parallel()
	clock := &hours{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	strict := false
	b := newBundle(t, hit, func(_ *Entry, d *Deps) {
		d.Now = clock.now
		d.TTL = func(string) (fresh, held time.Duration) {
			if strict {
				return day, 2 * day
			}
			return 10 * day, 20 * day
		}
	})
	buy(t, b)
	strict, clock.at = true, clock.at.Add(36*time.Hour)
	if a, call, _ := b.Ask(t.Context(), "one", "acme.example", nil); call.Outcome != "cached" || clock.at.Before(a.StaleAt(false)) {
		t.Errorf("%s and stale at %v, want a stale held answer", call.Outcome, a.StaleAt(false))
	}
	clock.at = clock.at.Add(12 * time.Hour)
	if _, call, _ := b.Ask(t.Context(), "one", "acme.example", nil); call.Outcome != "hit" {
		t.Errorf("%s after two days, want it asked again", call.Outcome)
	}
}

func TestAskFreshIgnoresWhatIsHeldAndKeepsItWhenTheVendorFails(t *testing.T) {
	t.Parallel()
	var says error
	b := newBundle(t, func(ctx context.Context, q Query) (Record, error) {
		if says != nil {
			return Record{}, says
		}
		return hit(ctx, q)
	}, nil)
	buy(t, b)
	if _, call, err := b.AskFresh(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" || call.Cents != 2 || b.calls.Load() != 2 {
		t.Errorf("asked afresh: %+v after %d calls, %v", call, b.calls.Load(), err)
	}
	says = failure(galena.Unavailable)
	if _, call, err := b.AskFresh(t.Context(), "one", "acme.example", nil); err == nil || call.Cents != 0 {
		t.Errorf("a failure is %+v", call)
	}
	if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "cached" || b.calls.Load() != 3 {
		t.Errorf("after a failed refresh: %+v, %v; want what was held", call, err)
	}
	if n := len(b.memory.ledger); n != 3 {
		t.Errorf("%d lines in the ledger, want one per call", n)
	}
}

// buy asks once, so that an answer is held.
func buy(t *testing.T, b *bundle) {
	t.Helper()
	if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAFileLeavesOutOfLimitsAndAuditIsTheDefault(t *testing.T) {
	t.Parallel()
	d := Defaults()
	if d.Limits.RefreshPerMinute != 10 || d.Audit.Share != 0.02 {
		t.Errorf("defaults %+v %+v, want 10 refreshes a minute and a share of 0.02", d.Limits, d.Audit)
	}
	d.Audit.Share, d.Limits.RefreshPerMinute = 1.5, -1
	if err := d.Validate(); err == nil || !strings.Contains(err.Error(), "spec.audit.share") || !strings.Contains(err.Error(), "spec.limits.refresh_per_minute") {
		t.Errorf("faults %v, want both named", err)
	}
}

package providers

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// twoProcesses are two waterfalls on one store.
func twoProcesses(t *testing.T, f vendorFunc) (a, b *bundle) {
	t.Helper()
	a = newBundle(t, f, nil)
	b = newBundle(t, f, func(_ *Entry, d *Deps) { d.Cache = a.memory })
	return a, b
}

func slowly(f vendorFunc) vendorFunc {
	return func(ctx context.Context, q Query) (Record, error) {
		time.Sleep(300 * time.Millisecond)
		return f(ctx, q)
	}
}

func TestOneCallForTwoProcessesWhoAskTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := twoProcesses(t, slowly(hit))
		began := time.Now()
		var wg sync.WaitGroup
		var cached, cents atomic.Int32
		for i := range 100 {
			w := []*bundle{a, b}[i%2]
			wg.Go(func() {
				answer, call, err := w.Ask(t.Context(), "one", "acme.example", nil)
				if err != nil || len(answer.Observations) != 1 {
					t.Errorf("%+v, %v", answer, err)
				}
				if call.Outcome == "cached" {
					cached.Add(1)
				}
				cents.Add(int32(call.Cents))
			})
		}
		wg.Wait()
		if n := a.calls.Load() + b.calls.Load(); n != 1 || cached.Load() != 99 || cents.Load() != 2 {
			t.Errorf("%d calls, %d cached, %d cents: want 1, 99 and 2", n, cached.Load(), cents.Load())
		}
		if took := time.Since(began); took > 350*time.Millisecond {
			t.Errorf("the last had the answer after %s", took)
		}
	})
}

// A process that stops gives up its call and gives the lead back. Whoever has the lead
// next asks for himself: that somebody stopped is no failure of the vendor.
func TestWhoWaitsForAProcessThatStopsAsksForHimself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := twoProcesses(t, func(ctx context.Context, q Query) (Record, error) {
			select {
			case <-ctx.Done():
				return Record{}, transportError("one.enrich", ctx.Err())
			case <-time.After(time.Second):
				return hit(ctx, q)
			}
		})
		var all sync.WaitGroup
		all.Go(func() { _, _, _ = a.Ask(t.Context(), "one", "acme.example", nil) })
		time.Sleep(100 * time.Millisecond)
		all.Go(func() {
			if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
				t.Errorf("%+v, %v; want a hit of its own", call, err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		a.Close()
		all.Wait()
	})
}

func TestAFailureIsToldToThoseWhoWaitAndNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := twoProcesses(t, slowly(fails(&galena.Error{Kind: galena.Unavailable, Op: "one.enrich", Cause: "500", Err: errors.New("status 500")})))
		var wg sync.WaitGroup
		for _, w := range []*bundle{a, b} {
			wg.Go(func() {
				if _, call, err := w.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Unavailable || call.Outcome != "error:500" {
					t.Errorf("%+v, %v", call, err)
				}
			})
		}
		wg.Wait()
		if n := a.calls.Load() + b.calls.Load(); n != 1 {
			t.Fatalf("%d calls, want 1", n)
		}
		_, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if n := a.calls.Load() + b.calls.Load(); n != 2 || err == nil {
			t.Errorf("%d calls after somebody asked anew, %v", n, err)
		}
	})
}

func TestARefreshTakesWhatAnotherProcessIsJustAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := twoProcesses(t, slowly(hit))
		if _, _, err := a.Ask(t.Context(), "one", "acme.example", nil); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, w := range []*bundle{a, b} {
			wg.Go(func() {
				if _, _, err := w.AskFresh(t.Context(), "one", "acme.example", nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := a.calls.Load() + b.calls.Load(); n != 2 {
			t.Errorf("%d calls, want the first and one refresh", n)
		}
	})
}

func TestTheClaimOfAKilledProcessIsTakenOverWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, nil)
		b.memory.claims["one acme.example"] = galena.CallClaim{Provider: "one", Domain: "acme.example", Token: "dead", Open: true,
			Until: time.Now().Add(3 * time.Second)}
		began := time.Now()
		_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if took := time.Since(began); err != nil || call.Outcome != "hit" || took < 3*time.Second || took > 3100*time.Millisecond {
			t.Errorf("%+v, %v after %s, want a hit once the claim is over", call, err, took)
		}
	})
}

func TestAClaimThatStaysOpenIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, nil)
		b.memory.claims["one acme.example"] = galena.CallClaim{Provider: "one", Domain: "acme.example", Token: "long", Open: true,
			Until: time.Now().Add(time.Hour)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, call, err := b.Ask(ctx, "one", "acme.example", nil); galena.KindOf(err) != galena.Unavailable || call.Outcome != "error:timeout" {
			t.Errorf("%+v, %v, want the caller's own deadline", call, err)
		}
		if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Pending {
			t.Errorf("%v, want pending", err)
		}
	})
}

func TestAUsedUpBudgetRefusesUntilMidnightAndIsNoFaultOfTheVendor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, func(e *Entry, _ *Deps) { e.PerDayCents = 5 })
		for i, domain := range []string{"a.example", "b.example", "c.example", "d.example"} {
			_, call, err := b.Ask(t.Context(), "one", domain, nil)
			e, _ := errors.AsType[*galena.Error](err)
			switch {
			case i < 2 && (err != nil || call.Cents != 2):
				t.Errorf("%s: %+v, %v", domain, call, err)
			case i >= 2 && (e == nil || e.Kind != galena.Exhausted || e.Cause != galena.CauseBudget || e.RetryAfter <= 0 || e.RetryAfter > 24*time.Hour):
				t.Errorf("%s: %+v, %v, want the budget and when it begins anew", domain, call, err)
			}
		}
		if _, call, err := b.Ask(t.Context(), "one", "a.example", nil); err != nil || call.Outcome != "cached" {
			t.Errorf("what is paid for: %+v, %v", call, err)
		}
		if b.calls.Load() != 2 || len(b.memory.ledger) != 2 || len(b.states) != 0 || !b.Offers()[0].Available {
			t.Errorf("%d calls, %d in the ledger, states %v, offer %+v", b.calls.Load(), len(b.memory.ledger), b.states, b.Offers()[0])
		}
		if n := strings.Count(b.log.String(), "budget used up"); n != 1 {
			t.Errorf("it was told %d times:\n%s", n, b.log)
		}
		b.memory.spent = map[string]int64{} // the next day
		time.Sleep(time.Until(midnight(time.Now())))
		if _, call, err := b.Ask(t.Context(), "one", "d.example", nil); err != nil || call.Outcome != "hit" {
			t.Errorf("on the next day: %+v, %v", call, err)
		}
	})
}

func TestARefundMakesRoomWithinSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, func(e *Entry, _ *Deps) { e.PerDayCents = 2 })
		b.memory.spent["provider:one"] = 10_000
		if _, _, err := b.Ask(t.Context(), "one", "a.example", nil); err == nil {
			t.Fatal("no room, and it was asked")
		}
		b.memory.spent["provider:one"] = 0
		time.Sleep(shortFor)
		if _, call, err := b.Ask(t.Context(), "one", "a.example", nil); err != nil || call.Outcome != "hit" {
			t.Errorf("%+v, %v", call, err)
		}
	})
}

func TestACallCountsInEveryBudgetThatApplies(t *testing.T) {
	t.Parallel()
	c := Config{Providers: []Entry{{ID: "one", PerDayCents: 3}, {ID: "two"}},
		Limits: Limits{PerDayCents: 9, PerSourceCents: map[string]float64{"Webinar": 4, "demo-form": 5, "refresh": 6}}}
	says := func(source, form string) galena.Facts {
		return galena.Facts{"lead.source": galena.KnownFact("lead.source", galena.EnumValue(source), "form", time.Now()),
			"lead.form": galena.KnownFact("lead.form", galena.EnumValue(form), "form", time.Now())}
	}
	tests := []struct {
		vendor string
		price  int64
		known  galena.Facts
		fresh  bool
		want   string
	}{
		{"one", 1, nil, false, "day provider:one"},
		{"two", 1, nil, false, "day"},
		{"two", 1, says("webinar", "demo-form"), false, "day source:webinar source:demo form"},
		{"two", 1, says("web", "contact"), false, "day"},
		{"two", 1, nil, true, "day source:refresh"},
		{"one", 0, says("webinar", "demo-form"), false, ""},
	}
	w := &Waterfall{daily: c.Budgets()}
	for _, tt := range tests {
		var got []string
		for _, b := range w.budgets(&vendor{listing: listing{id: tt.vendor, costMicros: tt.price, mostMicros: tt.price}, health: &health{}}, tt.known, tt.fresh) {
			got = append(got, b.Scope)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v counts in %v, want %s", tt, got, tt.want)
		}
	}
}

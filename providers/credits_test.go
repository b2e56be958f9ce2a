package providers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestAnAnswerThatCountsItsCreditsCostsThem(t *testing.T) {
	t.Parallel()
	for credits, want := range map[int64]int64{0: 0, 1: 20_000, 11: 220_000} {
		b := newBundle(t, func(context.Context, Query) (Record, error) {
			r := Record{Credits: &credits}
			r.Add("company.name", galena.TextValue("Acme"), "name")
			return r, nil
		}, nil)
		a, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if err != nil || a.CostMicros != want || b.memory.ledger[0].CostMicros != want {
			t.Errorf("%d credits cost %d (%v), want %d", credits, a.CostMicros, err, want)
		}
	}
}

// bills answers with the price of a call, 2 cents a credit.
func bills(credits func(domain string) int64) vendorFunc {
	return func(ctx context.Context, q Query) (Record, error) {
		r, err := hit(ctx, q)
		n := credits(q.Domain)
		r.Credits = &n
		return r, err
	}
}

func TestNoBudgetIsExceededByPricesThatVary(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	turn := int64(0)
	b := newBundle(t, bills(func(string) int64 {
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		turn++
		return turn % 6 // up to ten cents
	}), func(e *Entry, _ *Deps) { e.MaxCents, e.PerDayCents = 10, 500 })
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for k := range 40 {
				_, _, _ = b.Ask(t.Context(), "one", fmt.Sprintf("c%d-%d.example", i, k), nil)
			}
		})
	}
	all.Wait()
	billed := int64(0)
	for _, c := range b.memory.ledger {
		billed += c.CostMicros
	}
	const limit = 5_000_000
	if got := b.memory.spent["provider:one"]; b.memory.peak["provider:one"] > limit || got != billed || got < limit/2 {
		t.Errorf("%d spent, %d billed, %d at the most; want much of the budget of %d used and nothing beyond", got, billed, b.memory.peak["provider:one"], limit)
	}
	if b.log.Len() > 0 && strings.Contains(b.log.String(), "bills more") {
		t.Errorf("told of a price that was foreseen: %s", b.log)
	}
}

func TestAVendorThatBillsMoreThanItsPriceIsReservedForAtThatPrice(t *testing.T) {
	t.Parallel()
	b := newBundle(t, bills(func(domain string) int64 { return map[string]int64{"dear.example": 5}[domain] }),
		func(e *Entry, _ *Deps) { e.PerDayCents = 11 })
	for range 2 { // nothing, then ten cents instead of two: nobody could know
		for _, domain := range []string{"free.example", "dear.example"} {
			if _, _, err := b.Ask(t.Context(), "one", domain, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := b.memory.spent["provider:one"]; got != 100_000 {
		t.Fatalf("spent %d, want what was billed", got)
	}
	if said := b.log.String(); strings.Count(said, "bills more") != 1 || !strings.Contains(said, "cents=10 catalogue_cents=2") {
		t.Errorf("said %q, want it told once", said)
	}
	if o := b.Offers()[0]; o.CostMicros != 20_000 || o.Dearest() != 100_000 {
		t.Errorf("offered at %d and %d at the most, want a lead's limit to count ten cents", o.CostMicros, o.Dearest())
	}
	// What two cents would have room for, ten have not: the vendor is passed over.
	b.daily[0].LimitMicros = 190_000
	_, _, err := b.Ask(t.Context(), "one", "next.example", nil)
	if e, ok := err.(*galena.Error); !ok || e.Cause != galena.CauseBudget || b.calls.Load() != 2 { //nolint:errorlint // it is not wrapped
		t.Errorf("%v after %d calls, want it refused by the budget", err, b.calls.Load())
	}
}

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

// gathering is a memory that grants claims together, as a store does whose
// transactions are shared: at the end of each half second.
type gathering struct{ *memory }

func (g gathering) ClaimCall(ctx context.Context, c, seen galena.CallClaim) (galena.Grant, error) {
	const every = 500 * time.Millisecond
	time.Sleep(time.Until(time.Now().Truncate(every).Add(every)))
	return g.memory.ClaimCall(ctx, c, seen)
}

// timed is a vendor that notes when it was called.
func timed(at *[]time.Time) vendorFunc {
	var mu sync.Mutex
	return func(ctx context.Context, q Query) (Record, error) {
		mu.Lock()
		defer mu.Unlock()
		*at = append(*at, time.Now())
		return hit(ctx, q)
	}
}

func perSecond(n float64) func(*Entry, *Deps) {
	return func(e *Entry, _ *Deps) { e.Rate = &Rate{PerSecond: n, Burst: 1} }
}

func TestCallsWhoseClaimsAreGrantedTogetherLeavePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		b := newBundle(t, timed(&at), func(e *Entry, d *Deps) {
			perSecond(20)(e, d)
			m, ok := d.Cache.(*memory)
			if !ok {
				t.Fatal("the bundle has another memory")
			}
			d.Cache = gathering{m}
		})
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if _, _, err := b.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := 1; i < len(at); i++ {
			if apart := at[i].Sub(at[i-1]); apart < 54*time.Millisecond {
				t.Errorf("call %d left %v after the one before, want a tenth more than the vendor's 50ms", i, apart)
			}
		}
		if len(at) != 10 {
			t.Errorf("%d calls, want 10", len(at))
		}
	})
}

func TestACallThatWaitsForItsTurnHearsOfAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttled := &galena.Error{Kind: galena.RateLimited, RetryAfter: time.Minute}
		b := newBundle(t, func(context.Context, Query) (Record, error) {
			time.Sleep(50 * time.Millisecond) // half of the way to the next turn
			return Record{}, throttled
		}, perSecond(10))
		var errs [2]error
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = b.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil) })
		}
		wg.Wait()
		for i, err := range errs {
			if galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) < 59*time.Second {
				t.Errorf("call %d: %v, want the vendor's minute", i, err)
			}
		}
		if b.calls.Load() != 1 || len(b.memory.ledger) > 1 {
			t.Errorf("%d calls, %d in the ledger: the second was let in before the vendor asked for a minute", b.calls.Load(), len(b.memory.ledger))
		}
	})
}

// starved is a memory whose answer to a claim comes late.
type starved struct {
	*memory
	by time.Duration
}

func (s starved) ClaimCall(ctx context.Context, c, seen galena.CallClaim) (galena.Grant, error) {
	g, err := s.memory.ClaimCall(ctx, c, seen)
	time.Sleep(s.by)
	return g, err
}

func TestNobodyIsCalledOnAClaimThatMayEndBeforeTheAnswerComes(t *testing.T) {
	t.Parallel()
	for late, calls := range map[time.Duration]int32{leaseSlack - time.Second: 1, leaseSlack + time.Second: 0} {
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, hit, func(e *Entry, d *Deps) {
				e.PerDayCents = 100
				m, ok := d.Cache.(*memory)
				if !ok {
					t.Fatal("the bundle has another memory")
				}
				d.Cache = starved{m, late}
			})
			_, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
			if b.calls.Load() != calls || (err == nil) != (calls == 1) || b.memory.spent["provider:one"] != 20_000*int64(calls) {
				t.Errorf("granted %v late: %d calls, want %d; %v, spent %v", late, b.calls.Load(), calls, err, b.memory.spent)
			}
		})
	}
}

func TestACallThatIsPutOffLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, hit, func(e *Entry, d *Deps) { perSecond(spread)(e, d); e.PerDayCents = 100 })
		ask := func(domain string) (galena.Call, error) {
			_, call, err := b.Ask(t.Context(), "one", domain, nil)
			return call, err
		}
		if _, err := ask("first.example"); err != nil {
			t.Fatal(err)
		}
		_, err := ask("second.example")
		if galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != time.Second/2 {
			t.Fatalf("%v, want to be put off until there is a turn half a second away", err)
		}
		c := b.memory.claims["one second.example"]
		_, held := b.memory.held["one second.example"]
		if c.Open || c.Kind != galena.RateLimited || c.RetryAfter != time.Second/2 || held || len(b.memory.ledger) != 1 ||
			b.memory.spent["provider:one"] != 20_000 || b.calls.Load() != 1 {
			t.Errorf("claim %+v, held %v, %d in the ledger, spent %v, %d calls", c, held, len(b.memory.ledger), b.memory.spent, b.calls.Load())
		}
		if _, err = ask("third.example"); galena.KindOf(err) != galena.RateLimited || len(b.memory.claims) != 2 {
			t.Errorf("%v with claims %v: want to be put off before claiming anything", err, b.memory.claims)
		}
		time.Sleep(galena.RetryAfterOf(err))
		if call, err := ask("second.example"); err != nil || call.Outcome != "hit" {
			t.Errorf("when there was a turn: %+v, %v", call, err)
		}
		if _, err = ask("third.example"); galena.KindOf(err) != galena.RateLimited || len(b.memory.claims) != 2 {
			t.Errorf("%v with claims %v: whoever waited knows that the next turn is too far off", err, b.memory.claims)
		}
	})
}

func TestAFasterPaceCountsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &turns{refuses: true, wait: time.Hour}
		b := newBundle(t, hit, func(e *Entry, d *Deps) { perSecond(.001)(e, d); d.Limiter = l })
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		d := b.deps
		d.Before = b.Waterfall
		w, err := New(Config{Providers: []Entry{{ID: "one", Rate: &Rate{PerSecond: 10, Burst: 1}}}}, d)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		l.refuses, l.wait = false, 0
		if _, call, err := w.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
			t.Errorf("%+v, %v: put off by the pace before", call, err)
		}
	})
}

func TestWhoWaitsForACallThatIsPutOffHearsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &turns{refuses: true, wait: time.Second, took: 100 * time.Millisecond}
		shared := func(e *Entry, d *Deps) { perSecond(10)(e, d); d.Limiter = l }
		a := newBundle(t, hit, shared)
		b := newBundle(t, hit, func(e *Entry, d *Deps) { shared(e, d); d.Cache = a.memory })
		var wg sync.WaitGroup
		for i, w := range []*bundle{a, b} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				if _, _, err := w.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != time.Second {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if l.asks.Load() != 1 || a.calls.Load()+b.calls.Load() != 0 {
			t.Errorf("%d asked for a turn, %d called", l.asks.Load(), a.calls.Load()+b.calls.Load())
		}
	})
}

func TestAClaimLastsForTheWaitAndTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b *bundle
		b = newBundle(t, func(ctx context.Context, q Query) (Record, error) {
			if left := time.Until(b.memory.claim("one " + q.Domain).Until); left < 2*time.Second+leaseSlack {
				t.Errorf("%s is called with %v left of its claim, want its time limit and the slack", q.Domain, left)
			}
			return hit(ctx, q)
		}, perSecond(5))
		var wg sync.WaitGroup
		for i := range 3 { // the last waits for nearly half a second
			wg.Go(func() {
				if _, _, err := b.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestAProbeThatIsPutOffIsLeftToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := fails(&galena.Error{Kind: galena.RateLimited, RetryAfter: 10 * time.Second})
		l := &turns{}
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) { return answer(ctx, q) },
			func(e *Entry, d *Deps) { perSecond(10)(e, d); d.Limiter = l })
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		time.Sleep(10 * time.Second)
		answer, l.refuses, l.wait = hit, true, 100*time.Millisecond
		for i, domain := range []string{"acme.example", "other.example"} { // put off by the limiter, and for remembering that
			_, _, err := b.Ask(t.Context(), "one", domain, nil)
			if galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != 100*time.Millisecond || l.asks.Load() != 2 {
				t.Fatalf("%d: %v after %d asked for a turn", i, err, l.asks.Load())
			}
		}
		l.refuses, l.wait = false, 0
		time.Sleep(100 * time.Millisecond)
		if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
			t.Errorf("the next one did not probe: %+v, %v", call, err)
		}
		if s := b.States()[0]; s.PauseReason != "" {
			t.Errorf("the pause goes on: %+v", s)
		}
	})
}

func TestAProbeThatFindsNoRoomInABudgetIsLeftToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := fails(&galena.Error{Kind: galena.RateLimited, RetryAfter: 10 * time.Second})
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) { return answer(ctx, q) },
			func(e *Entry, _ *Deps) { e.PerDayCents = 2 })
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		time.Sleep(10 * time.Second)
		answer = hit
		b.memory.spent["provider:one"] = 10_000
		if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Exhausted {
			t.Fatalf("%v, want the budget", err)
		}
		if !b.Offers()[0].Available {
			t.Error("nobody is probing, and the vendor counts as paused")
		}
	})
}

func TestACallThatIsGivenUpBeforeItsTurnIsLeftToWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := func(e *Entry, d *Deps) { perSecond(10)(e, d); d.Limiter = &turns{wait: 400 * time.Millisecond} }
		a := newBundle(t, hit, waits)
		b := newBundle(t, hit, func(e *Entry, d *Deps) { waits(e, d); d.Cache = a.memory })
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = a.Ask(t.Context(), "one", "acme.example", nil) })
		wg.Go(func() {
			time.Sleep(50 * time.Millisecond)
			if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
				t.Errorf("%+v, %v", call, err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		a.Close()
		wg.Wait()
		if a.calls.Load() != 0 || b.calls.Load() != 1 || len(a.memory.ledger) != 1 {
			t.Errorf("%d and %d calls, %d in the ledger", a.calls.Load(), b.calls.Load(), len(a.memory.ledger))
		}
	})
}

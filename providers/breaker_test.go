package providers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

func TestEveryKindHasABreakerRule(t *testing.T) {
	t.Parallel()
	for _, k := range galena.Kinds() {
		if _, ok := verdicts[k]; !ok {
			t.Errorf("no breaker rule for %s", k)
		}
		if _, ok := reactions[k]; !ok {
			t.Errorf("no pause rule for %s", k)
		}
	}
	if len(verdicts) != len(galena.Kinds())+1 || len(reactions) != len(galena.Kinds())+1 {
		t.Error("a table has a rule for no Kind")
	}
}

// feed gives a breaker outcomes and returns how many were refused.
func feed(b *breaker, n int, err error) (refused int) {
	for range n {
		_, got := b.do("x.ask", func() (Record, error) { return Record{}, err })
		if galena.KindOf(got) == galena.BreakerOpen {
			refused++
		}
	}
	return refused
}

func failure(k galena.Kind) error { return galena.Errorf(k, "x.enrich", "status") }

func TestBreaker(t *testing.T) {
	t.Parallel()
	quiet := func(string) {}
	t.Run("TwentyFailuresOpen", func(t *testing.T) {
		t.Parallel()
		b := newBreaker("x", defaultTimeout, quiet)
		if feed(b, 19, failure(galena.Unavailable)) != 0 || b.state() != Closed {
			t.Fatal("opened before the twentieth failure")
		}
		feed(b, 1, failure(galena.Unavailable))
		if b.state() != Open || feed(b, 5, nil) != 5 {
			t.Error("still calling after twenty failures")
		}
	})
	t.Run("MissesKeepItClosed", func(t *testing.T) {
		t.Parallel()
		b := newBreaker("x", defaultTimeout, quiet)
		if feed(b, 1000, failure(galena.NotFound)) != 0 || b.state() != Closed {
			t.Error("a 404 storm opened it")
		}
	})
	t.Run("ExcludedSayNothing", func(t *testing.T) {
		t.Parallel()
		for _, k := range galena.Kinds() {
			if verdicts[k] != excluded {
				continue
			}
			b := newBreaker("x", defaultTimeout, quiet)
			feed(b, 200, failure(k))
			if b.state() != Closed {
				t.Errorf("%s opened it", k)
			}
			// Nor do they hide failures: one in five, and it opens as if alone.
			for range 20 {
				feed(b, 4, failure(k))
				feed(b, 1, failure(galena.Unavailable))
			}
			if b.state() != Open {
				t.Errorf("%s hid twenty failures", k)
			}
		}
	})
	t.Run("OurOwnCancellationsSayNothing", func(t *testing.T) {
		t.Parallel()
		b := newBreaker("x", defaultTimeout, quiet)
		feed(b, 200, transportError("x.enrich", context.Canceled))
		if b.state() != Closed {
			t.Error("our own cancellations opened it")
		}
		feed(b, 20, transportError("x.enrich", context.DeadlineExceeded))
		if b.state() != Open {
			t.Error("timeouts did not open it")
		}
	})
	t.Run("HalfTheCallsMustFail", func(t *testing.T) {
		t.Parallel()
		b := newBreaker("x", defaultTimeout, quiet)
		for range 40 {
			feed(b, 2, nil)
			feed(b, 1, failure(galena.Malformed))
		}
		if b.state() != Closed {
			t.Error("a third of failures opened it")
		}
	})
}

func TestBreakerProbesOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []string
		b := newBreaker("x", defaultTimeout, func(s string) { told = append(told, s) })
		feed(b, 20, failure(galena.Unavailable))
		time.Sleep(breakerOpen + time.Millisecond)
		release := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = b.do("x.ask", func() (Record, error) { <-release; return Record{}, failure(galena.NotFound) })
		}()
		synctest.Wait()
		if refused := feed(b, 10, nil); refused != 10 {
			t.Errorf("%d of 10 refused beside the probe", refused)
		}
		close(release)
		<-done
		if b.state() != Closed {
			t.Error("a probe that found nothing did not close it")
		}
		if want := []string{Open, HalfOpen, Closed}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}

// A vendor that answers later, as its contract says, is well all the same.
func TestAProbeThatHearsOfTheVendorClosesIt(t *testing.T) {
	t.Parallel()
	for kind, want := range map[galena.Kind]string{galena.Pending: Closed, galena.WrongSubject: Closed, galena.NotFound: Closed,
		galena.Unavailable: Open, galena.Invalid: HalfOpen, galena.Conflict: HalfOpen} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker("x", defaultTimeout, func(string) {})
				feed(b, 20, failure(galena.Unavailable))
				time.Sleep(breakerOpen + time.Millisecond)
				_, err := b.do("x.ask", func() (Record, error) { return Record{}, failure(kind) })
				if galena.KindOf(err) != kind || b.state() != want {
					t.Errorf("the caller was told %v, the breaker is %s, want %s", err, b.state(), want)
				}
			})
		})
	}
}

func TestBreakerForgetsOldFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker("x", defaultTimeout, func(string) {})
		feed(b, 19, failure(galena.Unavailable))
		time.Sleep(breakerWindow + breakerBucket)
		feed(b, 19, failure(galena.Unavailable))
		if b.state() != Closed {
			t.Error("failures of another window were counted")
		}
	})
}

// A vendor that holds the line for as long as it may, as clearbit-stream does, and then
// says nothing: by the time a call has failed it began before the last ten seconds.
func TestAVendorThatHangsForLongOpens(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{2 * time.Second, 10 * time.Second, lastResort} {
		synctest.Test(t, func(t *testing.T) {
			limits := func(e *Entry, _ *Deps) { e.Timeout = &limit }
			b := newBundle(t, func(ctx context.Context, _ Query) (Record, error) {
				<-ctx.Done()
				return Record{}, transportError("one.enrich", ctx.Err())
			}, limits)
			var all sync.WaitGroup
			for i := range 40 {
				all.Go(func() { _, _, _ = b.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil) })
				time.Sleep(100 * time.Millisecond)
			}
			all.Wait()
			if got := b.States()[0].Breaker; got != Open {
				t.Errorf("after 40 calls that hung for %s the breaker is %s", limit, got)
			}
		})
	}
}

// A new catalogue gives the vendor more time: its breaker, which it keeps, counts for as long.
func TestAVendorThatIsGivenMoreTimeAndHangsOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, func(ctx context.Context, _ Query) (Record, error) {
			<-ctx.Done()
			return Record{}, transportError("one.enrich", ctx.Err())
		}, nil)
		d, limit := b.deps, lastResort
		d.Before = b.Waterfall
		w, err := New(Config{Providers: []Entry{{ID: "one", Timeout: &limit}}}, d)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() { _, _, _ = w.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil) })
			time.Sleep(100 * time.Millisecond)
		}
		all.Wait()
		if got := w.States()[0].Breaker; got != Open {
			t.Errorf("after 40 calls that hung for %s the breaker is %s", limit, got)
		}
	})
}

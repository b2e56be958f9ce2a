package providers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

// memory is a working cache, ledger and purse.
type memory struct {
	mu     sync.Mutex
	held   map[string]galena.Answer
	claims map[string]galena.CallClaim
	spent  map[string]int64
	peak   map[string]int64 // the most that was ever spent or reserved
	ledger []galena.LedgerEntry
	down   error
}

func newMemory() *memory {
	return &memory{held: map[string]galena.Answer{}, claims: map[string]galena.CallClaim{}, spent: map[string]int64{}, peak: map[string]int64{}}
}

func (m *memory) Answer(_ context.Context, provider, domain string) (galena.Answer, bool, galena.CallClaim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.held[provider+" "+domain]
	return a, ok, m.claims[provider+" "+domain], m.down
}

func (m *memory) claim(key string) galena.CallClaim {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.claims[key]
}

func (m *memory) ClaimCall(_ context.Context, c, seen galena.CallClaim) (galena.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := galena.Grant{SpentMicros: maps.Clone(m.spent)}
	key := c.Provider + " " + c.Domain
	last := m.claims[key]
	if last.Token != seen.Token || last.Open && !seen.Open {
		return g, nil
	}
	if last.Open {
		m.reserve(last, -last.ReservedMicros)
	}
	for _, b := range c.Budgets {
		if m.spent[b.Scope]+c.ReservedMicros > b.LimitMicros {
			return g, nil
		}
	}
	m.reserve(c, c.ReservedMicros)
	c.Open = true
	m.claims[key], g.Granted = c, true
	return g, nil
}

func (m *memory) SettleCall(_ context.Context, s galena.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := s.Claim.Provider + " " + s.Claim.Domain
	last := m.claims[key]
	open := last.Token == s.Claim.Token && last.Open
	if open {
		m.reserve(s.Claim, -last.ReservedMicros)
		s.Claim.Open, s.Claim.EndedAt = false, time.Now()
		m.claims[key] = s.Claim
	}
	if s.Call == nil || s.Awaited && !open {
		return nil
	}
	m.reserve(s.Claim, s.Call.CostMicros)
	if s.Answer.Kind == "" || s.Answer.Kind == galena.NotFound {
		m.held[key] = s.Answer
	}
	m.ledger = append(m.ledger, *s.Call)
	return nil
}

func (m *memory) AwaitCall(_ context.Context, c galena.CallClaim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := m.claims[c.Provider+" "+c.Domain]; last.Token == c.Token {
		c.Open = last.Open
		m.claims[c.Provider+" "+c.Domain] = c
	}
	return m.down
}

func (m *memory) Awaited(_ context.Context, provider, token string) (galena.CallClaim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.claims {
		if c.Provider == provider && c.Token == token {
			return c, m.down
		}
	}
	return galena.CallClaim{}, galena.Errorf(galena.NotFound, "memory", "no such claim")
}

func (m *memory) FreeCalls(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, c := range m.claims {
		if !c.Open || time.Now().Before(c.Until) {
			continue
		}
		m.reserve(c, -c.ReservedMicros)
		c.Open, c.EndedAt, c.Kind, c.Cause = false, time.Now(), galena.Unavailable, galena.CauseAbandoned
		if !c.PendingAt.IsZero() && !c.Polled {
			c.Cause = galena.CauseTimeout
			m.ledger = append(m.ledger, galena.LedgerEntry{Provider: c.Provider, Domain: c.Domain, Outcome: string(c.Kind), At: c.PendingAt})
		}
		m.claims[key] = c
	}
	return m.down
}

func (m *memory) reserve(c galena.CallClaim, micros int64) {
	for _, b := range c.Budgets {
		m.spent[b.Scope] += micros
		m.peak[b.Scope] = max(m.peak[b.Scope], m.spent[b.Scope])
	}
}

// vendorFunc is a vendor made of one function.
type vendorFunc func(ctx context.Context, q Query) (Record, error)

func (f vendorFunc) Enrich(ctx context.Context, q Query) (Record, error) { return f(ctx, q) }

// bundle is a waterfall over one vendor called "one".
type bundle struct {
	*Waterfall
	memory *memory
	log    *bytes.Buffer
	states []galena.ProviderState
	calls  atomic.Int32
	reg    *prometheus.Registry
}

// newBundle makes a waterfall whose vendor answers with f; change may alter it.
func newBundle(t *testing.T, f vendorFunc, change func(*Entry, *Deps)) *bundle {
	t.Helper()
	b := &bundle{memory: newMemory(), log: &bytes.Buffer{}, reg: prometheus.NewRegistry()}
	spec := Spec{Name: "one", BaseURL: "https://one.example", Keyless: true, CostMicros: 20_000, Timeout: 2 * time.Second, Trust: .8,
		Class: galena.ClassProvider, Fields: map[string]float64{"company.name": .9},
		New: func(Settings) (Provider, error) {
			return vendorFunc(func(ctx context.Context, q Query) (Record, error) { b.calls.Add(1); return f(ctx, q) }), nil
		}}
	entry := Entry{ID: "one"}
	deps := Deps{Specs: []Spec{spec}, Cache: b.memory, Registerer: b.reg, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		OnState: func(s galena.ProviderState) { b.states = append(b.states, s) }}
	if change != nil {
		change(&entry, &deps)
	}
	var err error
	if b.Waterfall, err = New(Config{Providers: []Entry{entry}}, deps); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func hit(context.Context, Query) (Record, error) {
	var r Record
	r.Add("company.name", galena.TextValue("Acme"), "name")
	return r, nil
}

func fails(err error) vendorFunc {
	return func(context.Context, Query) (Record, error) { return Record{}, err }
}

// number reads one series, named "metric provider other-label".
func number(t *testing.T, r *prometheus.Registry, series string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(series)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			got := []string{f.GetName(), labels["provider"]}
			if other := labels["outcome"] + labels["field"]; other != "" {
				got = append(got, other)
			}
			if slices.Equal(got, want) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func TestHitIsPaidOnceAndHeld(t *testing.T) {
	t.Parallel()
	b := newBundle(t, hit, nil)
	a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
	if err != nil || call.Outcome != "hit" || call.Cents != 2 || len(call.Added) != 1 {
		t.Fatalf("got %+v, %v", call, err)
	}
	o := a.Observations[0]
	if o.ID == "" || o.Entity != "acme.example" || o.Source != "one" || o.Class != galena.ClassProvider || o.Method != "api" ||
		o.Confidence != 1 || o.FetchedAt.IsZero() || !o.ObservedAt.Equal(o.FetchedAt) || o.CostMicros != 20_000 || o.RequestID == "" {
		t.Errorf("the observation is not complete: %+v", o)
	}
	if got := a.ExpiresAt.Sub(a.FetchedAt); got != 90*24*time.Hour {
		t.Errorf("a hit is held for %v", got)
	}
	again, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
	if err != nil || call.Outcome != "cached" || call.Cents != 0 || b.calls.Load() != 1 || again.Observations[0].ID != o.ID {
		t.Errorf("asked again: %+v after %d calls, %v", call, b.calls.Load(), err)
	}
	if len(b.memory.ledger) != 1 || b.memory.ledger[0].Outcome != "hit" || b.memory.ledger[0].CostMicros != 20_000 {
		t.Errorf("ledger %+v", b.memory.ledger)
	}
	for series, want := range map[string]float64{
		"galena_provider_calls_total one hit": 1, "galena_provider_calls_total one cached": 1,
		"galena_provider_cents_total one hit": 2, "galena_breaker_state one": 0,
	} {
		if got := number(t, b.reg, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

func TestIDsAreNameBasedUUIDs(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"acme.example", strings.Repeat("long.", 50) + "example"} {
		call := uuid.NewSHA1(uuid.NameSpaceURL, []byte("one "+domain+" "+clock().Format(time.RFC3339Nano)))
		x := newIDs("one", domain, clock().In(time.FixedZone("", 3600)))
		for _, field := range []string{"company.name", "company.hq_city"} {
			if want := uuid.NewSHA1(call, []byte(field)).String(); x.request != call.String() || x.of(field) != want {
				t.Errorf("%s and %s, want %s and %s", x.request, x.of(field), call, want)
			}
		}
	}
}

func TestAValueKeepsNoAnswerAlive(t *testing.T) {
	t.Parallel()
	body := strings.Clone("in the answer")
	var r Record
	r.Add("company.name", galena.TextValue(body[3:6]), "name")
	set := galena.Value{Type: galena.TypeSet, Set: []string{body[7:]}}
	r.Add("company.tags", set, "tags")
	for _, part := range []string{r.Observations[0].Value.Text, r.Observations[1].Value.Set[0]} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(part))) - uintptr(unsafe.Pointer(unsafe.StringData(body))); at < uintptr(len(body)) {
			t.Errorf("%q is a part of the answer", part)
		}
	}
	if set.Set[0] != "answer" {
		t.Error("the adapter's own list was changed")
	}
}

func TestMissIsHeldAndPaidByBilling(t *testing.T) {
	t.Parallel()
	for billing, cents := range map[string]float64{"per_call": 2, "per_match": 0} {
		b := newBundle(t, fails(failure(galena.NotFound)), func(e *Entry, _ *Deps) { e.Billing = billing })
		a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if err != nil || call.Outcome != "miss" || call.Cents != cents || a.Kind != galena.NotFound {
			t.Errorf("%s: %+v %v", billing, call, err)
		}
		if got := a.ExpiresAt.Sub(a.FetchedAt); got != 7*24*time.Hour {
			t.Errorf("a miss is held for %v", got)
		}
		if _, call, _ = b.Ask(t.Context(), "one", "acme.example", nil); call.Outcome != "cached" || b.calls.Load() != 1 {
			t.Errorf("%s: a miss was asked for again", billing)
		}
	}
}

func TestFailureCostsNothingAndIsNotHeld(t *testing.T) {
	t.Parallel()
	b := newBundle(t, fails(&galena.Error{Kind: galena.Unavailable, Op: "one.enrich", Cause: "500", Err: errors.New("status 500")}), nil)
	for range 2 {
		a, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if galena.KindOf(err) != galena.Unavailable || call.Outcome != "error:500" || call.Cents != 0 || a.Kind != galena.Unavailable {
			t.Errorf("got %+v, %v", call, err)
		}
	}
	if b.calls.Load() != 2 || len(b.memory.held) != 0 || len(b.memory.ledger) != 2 || b.memory.ledger[0].CostMicros != 0 {
		t.Errorf("%d calls, held %v, ledger %+v", b.calls.Load(), b.memory.held, b.memory.ledger)
	}
}

func TestNothingIsBoughtWithoutMemory(t *testing.T) {
	t.Parallel()
	b := newBundle(t, hit, nil)
	b.memory.down = galena.Errorf(galena.Unavailable, "sql.answer", "away")
	if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Unavailable || b.calls.Load() != 0 {
		t.Errorf("%d calls, %v", b.calls.Load(), err)
	}
}

func TestOneFlightForAHundredWhoAskTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) { time.Sleep(time.Second); return hit(ctx, q) }, nil)
		var wg sync.WaitGroup
		var hits, cached, cents atomic.Int32
		for range 100 {
			wg.Go(func() {
				_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
				if err != nil {
					t.Error(err)
				}
				cents.Add(int32(call.Cents))
				switch call.Outcome {
				case "hit":
					hits.Add(1)
				case "cached":
					cached.Add(1)
				}
			})
		}
		wg.Wait()
		if b.calls.Load() != 1 || hits.Load() != 1 || cached.Load() != 99 || cents.Load() != 2 {
			t.Errorf("%d calls, %d hits, %d cached, %d cents", b.calls.Load(), hits.Load(), cached.Load(), cents.Load())
		}
	})
}

func TestACallerMayLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) { time.Sleep(time.Second); return hit(ctx, q) }, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, call, err := b.Ask(ctx, "one", "acme.example", nil)
		if time.Since(start) != 100*time.Millisecond || call.Outcome != "error:timeout" || galena.KindOf(err) != galena.Unavailable {
			t.Errorf("left after %v with %+v, %v", time.Since(start), call, err)
		}
		time.Sleep(time.Second)
		// What was under way is paid for: it is kept for whoever asks next.
		if _, call, err = b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "cached" || b.calls.Load() != 1 {
			t.Errorf("the answer was thrown away: %+v, %v", call, err)
		}
	})
}

func TestAHangingVendorEndsInTimeAndClosingBlamesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, _ Query) (Record, error) {
			<-ctx.Done()
			return Record{}, transportError("one.enrich", ctx.Err())
		}
		b := newBundle(t, hang, nil)
		start := time.Now()
		_, call, _ := b.Ask(t.Context(), "one", "acme.example", nil)
		if time.Since(start) != 2*time.Second || call.Outcome != "error:timeout" {
			t.Errorf("%v after %v", call, time.Since(start))
		}
		done := make(chan error)
		go func() {
			_, _, err := b.Ask(t.Context(), "one", "other.example", nil)
			done <- err
		}()
		synctest.Wait()
		go b.Close()
		if err := <-done; !errors.Is(err, context.Canceled) || verdictOf(err) != excluded {
			t.Errorf("closing: %v", err)
		}
		if _, _, err := b.Ask(t.Context(), "one", "third.example", nil); galena.KindOf(err) != galena.Unavailable || b.calls.Load() != 2 {
			t.Errorf("asked after closing: %v", err)
		}
	})
}

func TestFiveHundredsOpenWithinTwentyCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sick := true
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) {
			if sick {
				return Record{}, failure(galena.Unavailable)
			}
			return hit(ctx, q)
		}, nil)
		for range 100 {
			_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		}
		_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if b.calls.Load() != 20 || galena.KindOf(err) != galena.BreakerOpen || call.Outcome != "error:breaker_open" || b.Offers()[0].Available {
			t.Errorf("%d calls, %+v, %v, offers %+v", b.calls.Load(), call, err, b.Offers())
		}
		if got := number(t, b.reg, "galena_breaker_state one"); got != 2 {
			t.Errorf("galena_breaker_state %v, want 2", got)
		}
		if len(b.states) != 1 || b.states[0].Breaker != Open {
			t.Errorf("told %+v", b.states)
		}
		sick = false
		time.Sleep(breakerOpen + time.Millisecond)
		if _, call, err = b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" || b.States()[0].Breaker != Closed {
			t.Errorf("not closed again: %+v, %v", call, err)
		}
	})
}

func TestAMissStormLeavesItClosed(t *testing.T) {
	t.Parallel()
	b := newBundle(t, fails(failure(galena.NotFound)), nil)
	for i := range 1000 {
		_, _, _ = b.Ask(t.Context(), "one", string(rune('a'+i%26))+strings.Repeat("x", i/26)+".example", nil)
	}
	if b.calls.Load() != 1000 || b.States()[0].Breaker != Closed || !b.Offers()[0].Available {
		t.Errorf("%d calls, %+v", b.calls.Load(), b.States())
	}
}

func TestAVendorThatAsksForPauseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		wait time.Duration
		logs int
	}{
		{"RateLimitedWithHint", &galena.Error{Kind: galena.RateLimited, RetryAfter: 30 * time.Second}, 30 * time.Second, 0},
		{"RateLimitedWithout", &galena.Error{Kind: galena.RateLimited}, time.Second, 0},
		{"RateLimitedForAWeek", &galena.Error{Kind: galena.RateLimited, RetryAfter: 168 * time.Hour}, 24 * time.Hour, 0},
		{"Exhausted", &galena.Error{Kind: galena.Exhausted}, time.Hour, 1},
		{"Unauthorized", &galena.Error{Kind: galena.Unauthorized, RetryAfter: time.Second}, time.Hour, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				refusing := true
				b := newBundle(t, func(ctx context.Context, q Query) (Record, error) {
					if refusing {
						return Record{}, c.err
					}
					return hit(ctx, q)
				}, nil)
				kind := galena.KindOf(c.err)
				for range 50 {
					_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
					if galena.KindOf(err) != kind || call.Outcome != "error:"+string(kind) {
						t.Fatalf("got %+v, %v", call, err)
					}
				}
				_, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
				if b.calls.Load() != 1 || galena.RetryAfterOf(err) != c.wait || b.Offers()[0].Available ||
					!b.Offers()[0].Away || !b.Offers()[0].BackAt.Equal(time.Now().Add(c.wait)) {
					t.Errorf("%d calls, wait %v, want one call and %v", b.calls.Load(), galena.RetryAfterOf(err), c.wait)
				}
				if got := strings.Count(b.log.String(), "level=WARN"); got != c.logs {
					t.Errorf("%d warnings, want %d: %s", got, c.logs, b.log)
				}
				time.Sleep(c.wait - time.Nanosecond)
				_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
				if b.calls.Load() != 1 {
					t.Error("called before the time it gave")
				}
				time.Sleep(time.Nanosecond)
				_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil) // the probe is refused as well
				_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
				if b.calls.Load() != 2 || strings.Count(b.log.String(), "level=WARN") != c.logs {
					t.Errorf("%d calls, log %s", b.calls.Load(), b.log)
				}
				refusing = false
				time.Sleep(c.wait)
				if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
					t.Errorf("after the pause: %+v, %v", call, err)
				}
				last := b.states[len(b.states)-1]
				if last.PauseReason != "" || !last.PausedUntil.IsZero() || b.States()[0].Breaker != Closed {
					t.Errorf("the end of the pause was not told: %+v", last)
				}
			})
		})
	}
}

func TestOnePauseForAllProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := newBundle(t, fails(&galena.Error{Kind: galena.RateLimited, RetryAfter: 10 * time.Second}), nil)
		second := newBundle(t, hit, nil)
		_, _, _ = first.Ask(t.Context(), "one", "acme.example", nil)
		second.Adopt(first.states)
		if _, _, err := second.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.RateLimited || second.calls.Load() != 0 {
			t.Errorf("the other process asked: %v", err)
		}
		time.Sleep(10 * time.Second)
		if _, call, err := second.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" {
			t.Errorf("after the pause: %+v, %v", call, err)
		}
		second.Adopt(first.states) // old news
		if !second.Offers()[0].Available {
			t.Error("old news paused it again")
		}
		now := time.Now()
		second.Adopt([]galena.ProviderState{{Provider: "one", Breaker: Open, ChangedAt: now}, {Provider: "nobody"}})
		if _, _, err := second.Ask(t.Context(), "one", "other.example", nil); galena.KindOf(err) != galena.BreakerOpen {
			t.Errorf("another process's open breaker: %v", err)
		}
		time.Sleep(breakerOpen)
		if _, _, err := second.Ask(t.Context(), "one", "other.example", nil); err != nil {
			t.Error(err)
		}
	})
}

// Another process was asked to wait for a second, or opened its breaker, while this
// one was asked to wait for longer.
func TestAPauseIsNotCutShortByAShorterOne(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]galena.ProviderState{
		"TooFast":    {Provider: "one", Breaker: Closed, PauseReason: galena.RateLimited},
		"OpenedHers": {Provider: "one", Breaker: Open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBundle(t, fails(&galena.Error{Kind: galena.RateLimited, RetryAfter: time.Minute}), nil)
				_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
				time.Sleep(100 * time.Millisecond)
				if other.ChangedAt = time.Now(); other.PauseReason != "" {
					other.PausedUntil = other.ChangedAt.Add(time.Second)
				}
				b.Adopt([]galena.ProviderState{other})
				time.Sleep(59 * time.Second)
				if _, _, _ = b.Ask(t.Context(), "one", "other.example", nil); b.calls.Load() != 1 {
					t.Error("called before the minute was over")
				}
			})
		})
	}
}

// A call that was under way is refused for a moment while we wait for an hour.
func TestAShorterRefusalSaysNothingOfALongerPause(t *testing.T) {
	t.Parallel()
	now, p := time.Now(), &pause{}
	if got := p.settle(now, failure(galena.Exhausted), false); got != began {
		t.Fatalf("the quota is gone: change %d", got)
	}
	got := p.settle(now.Add(time.Second), failure(galena.RateLimited), false)
	if until, reason, _ := p.state(now.Add(time.Second)); got != unchanged || reason != galena.Exhausted || !until.Equal(now.Add(time.Hour)) {
		t.Errorf("change %d: away for %s, %s; want the hour of %s", got, until.Sub(now), reason, galena.Exhausted)
	}
	got = p.settle(now.Add(2*time.Second), &galena.Error{Kind: galena.RateLimited, RetryAfter: 2 * time.Hour}, false)
	if until, reason, _ := p.state(now.Add(time.Hour)); got != began || reason != galena.RateLimited || !until.Equal(now.Add(2*time.Hour+2*time.Second)) {
		t.Errorf("change %d: away for %s, %s; want the longer one", got, until.Sub(now), reason)
	}
}

// The vendor refuses a call of another process, or one of ours that was under way
// before, while our probe waits for its turn, which is then not taken.
func TestARefusalDuringAProbeThatIsNotMadeStays(t *testing.T) {
	t.Parallel()
	const wait = 2 * time.Second
	for name, refuse := range map[string]func(*pause, time.Time){
		"ToAnother": func(p *pause, now time.Time) {
			p.adopt(galena.ProviderState{Breaker: Closed, PauseReason: galena.RateLimited, PausedUntil: now.Add(wait), ChangedAt: now}, now)
		},
		"ToUs": func(p *pause, now time.Time) {
			p.settle(now, &galena.Error{Kind: galena.RateLimited, RetryAfter: wait}, false)
		},
	} {
		now := time.Now()
		p := &pause{}
		p.settle(now, failure(galena.RateLimited), false)
		now = now.Add(time.Minute)
		if _, _, probe := p.enter(now, wait); !probe {
			t.Fatal("no probe when the pause was over")
		}
		refuse(p, now)
		p.forgo(now)
		if reason, left, _ := p.enter(now, wait); reason != galena.RateLimited || left != wait {
			t.Errorf("%s: reason %q for %s, want the refusal for %s", name, reason, left, wait)
		}
	}
}

// The vendor answers our probe, and meanwhile asks another process, or a call of ours
// that was under way before, to wait: it is left alone for as long as it said.
func TestARefusalDuringAProbeThatIsAnsweredStays(t *testing.T) {
	t.Parallel()
	const wait = 30 * time.Second
	for name, refuse := range map[string]func(*pause, time.Time){
		"ToAnother": func(p *pause, now time.Time) {
			p.adopt(galena.ProviderState{Breaker: Closed, PauseReason: galena.RateLimited, PausedUntil: now.Add(wait), ChangedAt: now}, now)
		},
		"ToUs": func(p *pause, now time.Time) {
			p.settle(now, &galena.Error{Kind: galena.RateLimited, RetryAfter: wait}, false)
		},
	} {
		for said, err := range map[string]error{"AHit": nil, "AShorterWait": failure(galena.RateLimited)} {
			now := time.Now()
			p := &pause{}
			p.settle(now, failure(galena.RateLimited), false)
			now = now.Add(time.Minute)
			if _, _, probe := p.enter(now, time.Second); !probe {
				t.Fatal("no probe when the pause was over")
			}
			refuse(p, now)
			p.settle(now.Add(time.Millisecond), err, true)
			if reason, left, _ := p.enter(now, time.Second); reason != galena.RateLimited || left != wait {
				t.Errorf("%s, %s: reason %q for %s, want the refusal for %s", name, said, reason, left, wait)
			}
		}
	}
}

// A probe that waits for its turn hears of a refusal like any other call.
func TestAProbeIsNotMadeWhenAnotherWasRefusedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, fails(failure(galena.RateLimited)), func(e *Entry, d *Deps) {
			e.Rate, d.Limiter = &Rate{PerSecond: 10, Burst: 2}, &turns{wait: 200 * time.Millisecond}
		})
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		time.Sleep(time.Minute)
		time.AfterFunc(100*time.Millisecond, func() {
			now := time.Now()
			b.Adopt([]galena.ProviderState{{Provider: "one", Breaker: Closed, PauseReason: galena.RateLimited, PausedUntil: now.Add(30 * time.Second), ChangedAt: now}})
		})
		if _, _, err := b.Ask(t.Context(), "one", "other.example", nil); b.calls.Load() != 1 || galena.RetryAfterOf(err) < 29*time.Second {
			t.Errorf("%d calls, %v; want the one before, and the refusal", b.calls.Load(), err)
		}
	})
}

func TestAProcessThatOnlyHeardOfAnOpenBreakerProbesAsIfItWereItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer vendorFunc
		calls  int32 // in a minute of asking ten times a second
		told   int
	}{
		"StillSick":       {fails(failure(galena.Unavailable)), 5, 0},
		"Nonsense":        {fails(failure(galena.Malformed)), 5, 0},
		"WellAgain":       {hit, 500, 1},
		"NotFoundIsWell":  {fails(failure(galena.NotFound)), 500, 1},
		"LaterIsWell":     {fails(failure(galena.Pending)), 500, 1},
		"OursIsNoVerdict": {fails(failure(galena.Invalid)), 20, 0}, // the next goes first once the time of the one before is over
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBundle(t, c.answer, func(_ *Entry, d *Deps) { d.Cache = nil })
				b.Adopt([]galena.ProviderState{{Provider: "one", Breaker: Open, ChangedAt: time.Now()}})
				for range 600 {
					_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
					time.Sleep(100 * time.Millisecond)
				}
				if n := b.calls.Load(); n != c.calls {
					t.Errorf("%d calls, want %d", n, c.calls)
				}
				if len(b.states) != c.told || c.told > 0 && b.states[0].PauseReason != "" {
					t.Errorf("told %+v, want %d: whoever opened the breaker tells of it", b.states, c.told)
				}
			})
		})
	}
}

// A probe that hangs until its time is up is still under way a moment later.
func TestTheNextProbeComesWhenTheOneBeforeIsOver(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second
	now := time.Now()
	p := &pause{}
	p.adopt(galena.ProviderState{Breaker: Open, ChangedAt: now}, now)
	now = now.Add(breakerOpen)
	if _, _, probe := p.enter(now, limit); !probe {
		t.Fatal("no probe when the breaker's time was up")
	}
	if reason, _, probe := p.enter(now.Add(limit+20*time.Millisecond), limit); probe || reason != galena.BreakerOpen {
		t.Errorf("probe %v, reason %q, want one at a time", probe, reason)
	}
	if _, _, probe := p.enter(now.Add(limit+probeSlack), limit); !probe {
		t.Error("a probe that never came back keeps the turn")
	}
}

func TestAProbeTellsNobodyThatItIsOneInItsPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newBundle(t, fails(failure(galena.Unavailable)), nil), newBundle(t, fails(failure(galena.Unavailable)), nil)
		for i := range 20 {
			_, _, _ = first.Ask(t.Context(), "one", fmt.Sprintf("c%d.example", i), nil)
		}
		for i := range 600 { // both hear of everything that either tells, as often as they look
			if i%20 == 0 {
				states := append(slices.Clone(first.states), second.states...)
				slices.SortFunc(states, func(a, b galena.ProviderState) int { return a.ChangedAt.Compare(b.ChangedAt) })
				newest := states[len(states)-1:]
				first.Adopt(newest)
				second.Adopt(newest)
			}
			_, _, _ = first.Ask(t.Context(), "one", fmt.Sprintf("a%d.example", i), nil)
			_, _, _ = second.Ask(t.Context(), "one", fmt.Sprintf("b%d.example", i), nil)
			time.Sleep(100 * time.Millisecond)
		}
		if a, b := first.calls.Load()-20, second.calls.Load(); a < 4 || a > 6 || b < 4 || b > 6 {
			t.Errorf("%d and %d probes in a minute, want one in ten seconds each", a, b)
		}
		for _, s := range first.states {
			if s.PauseReason != "" || !s.PausedUntil.IsZero() {
				t.Errorf("told %+v, want no pause: it was told of none", s)
			}
		}
	})
}

// turns is a shared limiter that gives every turn after a fixed wait, or refuses it
// with that, or fails; each answer takes a while.
type turns struct {
	refuses    bool
	wait, took time.Duration
	err        error
	asks       atomic.Int32
}

func (l *turns) Turn(context.Context, string, float64, int, time.Duration) (bool, time.Duration, error) {
	l.asks.Add(1)
	time.Sleep(l.took)
	return !l.refuses && l.err == nil, l.wait, l.err
}

func TestPace(t *testing.T) {
	t.Parallel()
	paced := func(l Limiter) func(*Entry, *Deps) {
		return func(e *Entry, d *Deps) { e.Rate, d.Limiter = &Rate{PerSecond: 10, Burst: 2}, l }
	}
	t.Run("AShortWaitIsWaited", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, hit, paced(&turns{wait: 10 * time.Millisecond}))
			start := time.Now()
			if _, call, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil || call.Outcome != "hit" || time.Since(start) != 10*time.Millisecond {
				t.Errorf("%+v, %v after %v", call, err, time.Since(start))
			}
		})
	})
	t.Run("ALongOneIsPutOffAndPausesNobody", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, hit, paced(&turns{refuses: true, wait: time.Minute}))
		_, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != time.Minute || b.calls.Load() != 0 || !b.Offers()[0].Available {
			t.Errorf("%d calls, %v", b.calls.Load(), err)
		}
	})
	t.Run("WithoutTheSharedOneEachKeepsItsOwn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBundle(t, hit, paced(&turns{err: errors.New("redis is away")}))
			start := time.Now()
			for i := range 12 {
				if _, _, err := b.Ask(t.Context(), "one", string(rune('a'+i))+".example", nil); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(start); took < 990*time.Millisecond || took > 1100*time.Millisecond {
				t.Errorf("12 calls at 10 a second with a burst of 2 took %v", took)
			}
		})
	})
}

func TestFrozenCarriesNothingFromLeadToLead(t *testing.T) {
	t.Parallel()
	b := newBundle(t, fails(&galena.Error{Kind: galena.RateLimited, Cause: "429", RetryAfter: time.Hour}), func(e *Entry, d *Deps) {
		d.Frozen, d.Now = true, clock
		e.Rate = &Rate{PerSecond: 0.001, Burst: 1}
	})
	for range 50 {
		if _, call, _ := b.Ask(t.Context(), "one", "acme.example", nil); call.Outcome != "error:429" || call.MS != 0 {
			t.Fatalf("got %+v", call)
		}
	}
	if b.calls.Load() != 50 || !b.Offers()[0].Available {
		t.Errorf("%d calls, want all 50", b.calls.Load())
	}
}

func TestSetsAreClosedByTheCatalogue(t *testing.T) {
	t.Parallel()
	sets := func(context.Context, Query) (Record, error) {
		var r Record
		r.Add("company.technologies", galena.SetValue(nil, false), "tech")
		r.Add("company.name", galena.TextValue("Acme"), "name")
		r.AddIndustry("category", "Cow Leasing")
		return r, nil
	}
	for semantics, want := range map[string]int{"closed": 2, "open": 1} {
		b := newBundle(t, sets, func(e *Entry, _ *Deps) { e.SetSemantics = semantics })
		a, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if err != nil || len(a.Observations) != want {
			t.Errorf("%s: %+v, %v", semantics, a.Observations, err)
		}
		if semantics == "closed" && !a.Observations[0].Value.Closed {
			t.Error("the set is open")
		}
		if !strings.Contains(a.Observations[0].Ref, `unmapped company.industry="Cow Leasing"`) {
			t.Errorf("the unmapped word is lost: %q", a.Observations[0].Ref)
		}
		if got := number(t, b.reg, "galena_provider_unmapped_total one company.industry"); got != 1 {
			t.Errorf("unmapped counted %v times", got)
		}
	}
}

func TestAPanicIsOneFailure(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(context.Context, Query) (Record, error) { panic("sk_marker") }, nil)
	_, call, err := b.Ask(t.Context(), "one", "acme.example", nil)
	if galena.KindOf(err) != galena.Internal || call.Outcome != "error:internal" || strings.Contains(err.Error()+b.log.String(), "sk_marker") {
		t.Errorf("%+v, %v, %s", call, err, b.log)
	}
}

func TestWhoIsSwitchedOn(t *testing.T) {
	t.Parallel()
	spec := Spec{Name: "keyed", BaseURL: "https://keyed.example", Fields: map[string]float64{"company.name": 1},
		New: func(Settings) (Provider, error) { return vendorFunc(hit), nil }}
	generic := Spec{Name: "fixture", Keyless: true, New: spec.New}
	for _, c := range []struct {
		name    string
		entry   Entry
		key     string
		on, bad bool
	}{
		{"AutoWithKey", Entry{ID: "keyed"}, "k", true, false},
		{"AutoWithoutKey", Entry{ID: "keyed"}, "", false, false},
		{"TrueWithoutKey", Entry{ID: "keyed", Enabled: "true"}, "", false, true},
		{"FalseWithKey", Entry{ID: "keyed", Enabled: "false"}, "k", false, false},
		{"GenericWithoutAddress", Entry{ID: "ours"}, "", false, false},
		{"GenericWithAddress", Entry{ID: "ours", URL: "http://127.0.0.1:9"}, "", true, false},
		{"UnusableAddress", Entry{ID: "ours", URL: "ftp://x"}, "", false, true},
		{"NoSuchAdapter", Entry{ID: "ours", Adapter: "none"}, "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, err := New(Config{Providers: []Entry{c.entry}, AlwaysCollect: Collect{"all"}},
				Deps{Specs: []Spec{spec, generic}, Keys: func(string) string { return c.key }})
			if (err != nil) != c.bad {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			defer w.Close()
			if got := w.Offers()[0].Available; got != c.on {
				t.Errorf("available %v, want %v", got, c.on)
			}
			if got := len(w.AlwaysCollect()) == 1; got != (c.on && c.entry.ID == "keyed") {
				t.Errorf("always collect %v", w.AlwaysCollect())
			}
		})
	}
}

func TestANewCatalogueKeepsTheCounters(t *testing.T) {
	t.Parallel()
	b := newBundle(t, hit, nil)
	if _, _, err := b.Ask(t.Context(), "one", "acme.example", nil); err != nil {
		t.Fatal(err)
	}
	again, err := New(Config{Providers: []Entry{{ID: "one"}}}, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, _, err := again.Ask(t.Context(), "one", "other.example", nil); err != nil {
		t.Fatal(err)
	}
	if got := number(t, b.reg, "galena_provider_calls_total one hit"); got != 2 {
		t.Errorf("counted %v hits, want 2", got)
	}
}

func TestANewCatalogueKeepsWhatIsKnownOfAVendor(t *testing.T) {
	t.Parallel()
	next := func(b *bundle, e Entry) *Waterfall {
		d := b.deps
		d.Before = b.Waterfall
		w, err := New(Config{Providers: []Entry{e}}, d)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		return w
	}
	t.Run("AnOpenBreakerStaysOpen", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, fails(galena.Errorf(galena.Unavailable, "one", "down")), nil)
		for i := range breakerMin {
			_, _, _ = b.Ask(t.Context(), "one", fmt.Sprintf("acme-%d.example", i), nil)
		}
		cents := 9.0
		w := next(b, Entry{ID: "one", CostCents: &cents})
		if s := w.States()[0]; s.Breaker != Open || w.Offers()[0].Available || w.Offers()[0].CostMicros != 90_000 {
			t.Errorf("%+v %+v, want the new price and the open breaker", s, w.Offers()[0])
		}
		if got := number(t, b.reg, "galena_breaker_state one"); got != 2 {
			t.Errorf("the metric says %v, want 2", got)
		}
	})
	t.Run("APauseGoesOn", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, fails(galena.Errorf(galena.Exhausted, "one", "no credits")), nil)
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		if s := next(b, Entry{ID: "one"}).States()[0]; s.PauseReason != galena.Exhausted {
			t.Errorf("%+v, want the pause", s)
		}
	})
	t.Run("AnotherAddressIsAnotherVendor", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, fails(galena.Errorf(galena.Exhausted, "one", "no credits")), nil)
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		w := next(b, Entry{ID: "one", URL: "https://elsewhere.example"})
		w.Adopt(b.States())
		if s := w.States()[0]; s.PauseReason != "" {
			t.Errorf("%+v, want no pause", s)
		}
	})
	t.Run("ThePublishedPauseOfTheOldAddressIsTakenBack", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, fails(galena.Errorf(galena.Unauthorized, "one", "refused")), nil)
		_, _, _ = b.Ask(t.Context(), "one", "acme.example", nil)
		if next(b, Entry{ID: "one"}); len(b.states) != 1 || b.states[0].PauseReason != galena.Unauthorized {
			t.Fatalf("told %+v, want the pause, and nothing of a vendor who is the same", b.states)
		}
		next(b, Entry{ID: "one", URL: "https://elsewhere.example"})
		if len(b.states) != 2 || b.states[1].PauseReason != "" || b.states[1].Breaker != Closed || b.states[1].ChangedAt.Before(b.states[0].ChangedAt) {
			t.Errorf("told %+v, want a newer word without a pause", b.states)
		}
	})
	t.Run("AVendorThatIsGoneLeavesTheMetrics", func(t *testing.T) {
		t.Parallel()
		b := newBundle(t, hit, nil)
		two := Entry{ID: "two", Adapter: "one"}
		next(b, two)
		if got := number(t, b.reg, "galena_breaker_state one"); got != -1 {
			t.Errorf("the metric of a vendor that is gone says %v", got)
		}
	})
	t.Run("OneFlightAcrossBoth", func(t *testing.T) {
		t.Parallel()
		arrived, free := make(chan struct{}), make(chan struct{})
		b := newBundle(t, func(ctx context.Context, q Query) (Record, error) {
			close(arrived)
			<-free
			return hit(ctx, q)
		}, nil)
		w := next(b, Entry{ID: "one"})
		old := make(chan error, 1)
		go func() { _, _, err := b.Ask(context.Background(), "one", "acme.example", nil); old <- err }()
		<-arrived
		now := make(chan error, 1)
		go func() { _, _, err := w.Ask(context.Background(), "one", "acme.example", nil); now <- err }()
		retired := make(chan struct{})
		go func() { b.Retire(); close(retired) }()
		time.Sleep(20 * time.Millisecond)
		close(free)
		if err := errors.Join(<-old, <-now); err != nil || b.calls.Load() != 1 {
			t.Errorf("%v after %d calls, want one call for both", err, b.calls.Load())
		}
		<-retired
		if _, _, err := b.Ask(t.Context(), "one", "late.example", nil); galena.KindOf(err) != galena.Unavailable {
			t.Errorf("a retired catalogue answers %v", err)
		}
	})
}

// Two processes read a changed catalogue at different moments. What the first hears from
// the new address is not taken back by the second, who has heard nothing yet.
func TestARenewalTakesBackNoPauseOfTheNewAddress(t *testing.T) {
	t.Parallel()
	refused := fails(galena.Errorf(galena.Exhausted, "one", "no credits"))
	a, b := newBundle(t, refused, nil), newBundle(t, refused, nil)
	ask := func(w *Waterfall) {
		if _, _, err := w.Ask(t.Context(), "one", "acme.example", nil); galena.KindOf(err) != galena.Exhausted {
			t.Fatalf("asked: %v", err)
		}
	}
	next := func(x *bundle) *Waterfall {
		d := x.deps
		d.Before = x.Waterfall
		w, err := New(Config{Providers: []Entry{{ID: "one", URL: "https://elsewhere.example"}}}, d)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		return w
	}
	var row published
	ask(a.Waterfall) // the old address refuses
	row.save(a.states[0])
	b.Adopt([]galena.ProviderState{row.ProviderState})
	time.Sleep(time.Millisecond)
	newA := next(a)
	row.save(a.states[1])
	if row.PauseReason != "" {
		t.Fatalf("the pause of the old address stays: %+v", row.ProviderState)
	}
	time.Sleep(time.Millisecond)
	ask(newA) // and so does the new one
	row.save(a.states[2])
	if row.PauseReason != galena.Exhausted {
		t.Fatalf("the pause of the new address is not published: %+v", row.ProviderState)
	}
	time.Sleep(time.Millisecond)
	next(b)
	row.save(b.states[0])
	if row.PauseReason != galena.Exhausted {
		t.Errorf("the other process took back what the first heard of the new address: %+v", row.ProviderState)
	}
}

package crm

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// moody answers each call with the error in force.
type moody struct {
	CRM
	err   error
	calls int
}

func (*moody) Name() string { return "moody" }

func (m *moody) Apply(context.Context, []Change) ([]Result, error) {
	m.calls++
	return nil, m.err
}

func TestEveryKindSaysWhatItTellsOfTheCRM(t *testing.T) {
	t.Parallel()
	for _, kind := range galena.Kinds() {
		if _, ok := verdicts[kind]; !ok {
			t.Errorf("no verdict on %s", kind)
		}
	}
}

func TestACRMThatCannotServeIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		calls  int // that are made before it is left alone
		reason galena.Kind
		wait   time.Duration
	}{
		{"quota", &galena.Error{Kind: galena.Exhausted, RetryAfter: time.Hour}, 1, galena.Exhausted, time.Hour},
		{"token", &galena.Error{Kind: galena.Unauthorized}, 1, galena.Unauthorized, restFor},
		{"away", &galena.Error{Kind: galena.Unavailable}, 5, galena.BreakerOpen, openFor},
		{"too many calls", &galena.Error{Kind: galena.RateLimited, RetryAfter: 12 * time.Second}, 1, galena.RateLimited, 12 * time.Second},
		{"too many calls, without a hint", &galena.Error{Kind: galena.RateLimited}, 1, galena.RateLimited, slowFor},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
			m := &moody{err: c.err}
			var told []galena.ProviderState
			k := NewKeeper(m, func() time.Time { return now }, func(s galena.ProviderState) { told = append(told, s) })
			call := func() error { _, err := k.Apply(t.Context(), nil); return err }
			for range 20 {
				_ = call()
			}
			err := call()
			if m.calls != c.calls || galena.KindOf(err) != c.reason || galena.RetryAfterOf(err) != c.wait {
				t.Errorf("%d calls, then %v for %s; want %d, %s for %s", m.calls, err, galena.RetryAfterOf(err), c.calls, c.reason, c.wait)
			}
			if len(told) != 1 || told[0].PauseReason != c.reason || told[0].Provider != "crm:moody" {
				t.Errorf("told %+v, want one alert", told)
			}
			now = now.Add(c.wait)
			_ = call() // the one that tries
			if m.calls != c.calls+1 || galena.KindOf(call()) != c.reason || m.calls != c.calls+1 {
				t.Errorf("%d calls after the rest, want one that tries", m.calls-c.calls)
			}
			now, m.err = now.Add(2*c.wait), nil
			if first, second := call(), call(); first != nil || second != nil || told[len(told)-1].PauseReason != "" {
				t.Errorf("it serves again and is not called, or nobody is told: %+v", told)
			}
		})
	}
}

func TestOurOwnPaceIsNoRestAndAnotherProcessIsBelieved(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	m := &moody{err: &galena.Error{Kind: galena.RateLimited, RetryAfter: time.Second, Cause: galena.CausePace}}
	k := NewKeeper(m, func() time.Time { return now }, nil)
	for range 20 {
		_, _ = k.Apply(t.Context(), nil)
	}
	if m.calls != 20 {
		t.Errorf("%d calls of 20: our own pace closed the door", m.calls)
	}
	k.Adopt(galena.ProviderState{Provider: "crm:moody", PauseReason: galena.Exhausted, PausedUntil: now.Add(time.Hour)})
	if _, err := k.Apply(t.Context(), nil); galena.KindOf(err) != galena.Exhausted || m.calls != 20 {
		t.Errorf("error %v after %d calls", err, m.calls)
	}
	if _, err := k.Encode(Company, Score, galena.TextValue("1")); galena.KindOf(err) != galena.Exhausted {
		t.Errorf("a value is encoded with %v while the CRM rests", err)
	}
}

func TestACRMThatStaysAwayIsTriedLessOftenAndNeverRarely(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	m := &moody{err: &galena.Error{Kind: galena.Unavailable}}
	k := NewKeeper(m, func() time.Time { return now }, nil)
	for range faultsAllowed {
		_, _ = k.Apply(t.Context(), nil)
	}
	var waits []time.Duration
	for range 4 {
		_, err := k.Apply(t.Context(), nil)
		waits = append(waits, galena.RetryAfterOf(err))
		now = now.Add(galena.RetryAfterOf(err))
		_, _ = k.Apply(t.Context(), nil) // the one that tries
	}
	if want := []time.Duration{openFor, 2 * openFor, openMost, openMost}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
}

func TestEveryKindSaysWhatBecomesOfADelivery(t *testing.T) {
	t.Parallel()
	for _, kind := range galena.Kinds() {
		f, ok := fates[kind]
		if !ok {
			t.Errorf("no fate for %s", kind)
		}
		young := Wait(&galena.Error{Kind: kind, RetryAfter: 20 * time.Second}, time.Hour, 0.5)
		old := Wait(&galena.Error{Kind: kind, RetryAfter: 20 * time.Second}, 25*time.Hour, 0.5)
		if (f == lost) != (young < 0) || old >= 0 {
			t.Errorf("%s waits %s after an hour and %s after a day", kind, young, old)
		}
		if f == later && (young < 20*time.Second || young > 23*time.Second) {
			t.Errorf("%s waits %s, was asked to wait 20s", kind, young)
		}
	}
	for _, c := range []struct {
		name string
		kind galena.Kind
		age  time.Duration
		want time.Duration
	}{
		{"a first failure", galena.Unavailable, 0, rareFirst},
		{"one that lasts", galena.Unavailable, 20 * time.Second, 20 * time.Second},
		{"a long outage", galena.Unavailable, time.Hour, rareMost},
		{"a record that changed", galena.Conflict, time.Hour, soonWait},
		{"no hint", galena.Pending, time.Hour, laterWait},
	} {
		if got := Wait(&galena.Error{Kind: c.kind}, c.age, 0.5); got != c.want {
			t.Errorf("%s: waits %s, want %s", c.name, got, c.want)
		}
	}
}

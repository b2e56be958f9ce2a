package crm

import (
	"context"
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
			now, m.err = now.Add(c.wait), nil
			if first, second := call(), call(); first != nil || second != nil || told[len(told)-1].PauseReason != "" {
				t.Errorf("it serves again and is not called, or nobody is told: %+v", told)
			}
		})
	}
}

func TestALimitIsNoFaultAndAnotherProcessIsBelieved(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	m := &moody{err: &galena.Error{Kind: galena.RateLimited, RetryAfter: time.Second}}
	k := NewKeeper(m, func() time.Time { return now }, nil)
	for range 20 {
		_, _ = k.Apply(t.Context(), nil)
	}
	if m.calls != 20 {
		t.Errorf("%d calls of 20: a limit closed the door", m.calls)
	}
	k.Adopt(galena.ProviderState{Provider: "crm:moody", PauseReason: galena.Exhausted, PausedUntil: now.Add(time.Hour)})
	if _, err := k.Apply(t.Context(), nil); galena.KindOf(err) != galena.Exhausted || m.calls != 20 {
		t.Errorf("error %v after %d calls", err, m.calls)
	}
}

package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestEveryKindHasAnAction(t *testing.T) {
	t.Parallel()
	for _, k := range galena.Kinds() {
		if _, ok := actions[k]; !ok {
			t.Errorf("no action for %s", k)
		}
	}
	if len(actions) != len(galena.Kinds()) {
		t.Errorf("%d actions for %d kinds", len(actions), len(galena.Kinds()))
	}
}

// stepLog records what was written of a step.
type stepLog struct {
	parked time.Time
	failed galena.Kind
	Steps
}

func (l *stepLog) Park(_ context.Context, _ galena.Step, due time.Time, _ galena.Kind, _ string) error {
	l.parked = due
	return nil
}

func (l *stepLog) Fail(_ context.Context, _ galena.Step, k galena.Kind, _ string) error {
	l.failed = k
	return nil
}

func TestAFailedStepIsParkedOrKeptForAPerson(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	throttled := &galena.Error{Kind: galena.RateLimited, RetryAfter: 90 * time.Second}
	for _, tc := range []struct {
		name  string
		err   error
		age   time.Duration
		tries int
		want  time.Duration
		fails bool
	}{
		{"a young one is tried again in about a second", errors.New("boom"), 0, 0, time.Second, false},
		{"an older one waits as long as it has failed", errors.New("boom"), time.Minute, 0, time.Minute, false},
		{"but never more than five minutes", errors.New("boom"), 3 * time.Hour, 0, 5 * time.Minute, false},
		{"a hint is obeyed", throttled, time.Minute, 0, 90 * time.Second, false},
		{"a changed record is read again at once", galena.Errorf(galena.Conflict, "x", "moved"), time.Hour, 0, 0, false},
		{"bad input stops", galena.Errorf(galena.Invalid, "x", "bad"), 0, 0, 0, true},
		{"a day is enough", errors.New("boom"), 25 * time.Hour, 0, 0, true},
		{"a day of waiting for a hint is enough", throttled, 25 * time.Hour, 1, 0, true},
		{"one that lay about is tried as a young one is", errors.New("boom"), 25 * time.Hour, 1, time.Second, false},
		{"and again", errors.New("boom"), 25 * time.Hour, 4, 4 * time.Second, false},
		{"and waits longer and longer", errors.New("boom"), 25 * time.Hour, 20, 5 * time.Minute, false},
		{"until it was tried for a day", errors.New("boom"), 25 * time.Hour, 300, 0, true},
		{"who dies of it uses up nothing", errors.New("boom"), time.Minute, 300, time.Minute, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := &stepLog{}
			f := fate{err: tc.err, age: tc.age, tries: tc.tries, chance: 0.5, now: now, log: slog.New(slog.DiscardHandler)}
			if err := settle(context.Background(), l, galena.Step{}, f); err != nil {
				t.Fatal(err)
			}
			if tc.fails != (l.failed != "") {
				t.Fatalf("failed as %q, want failed = %v", l.failed, tc.fails)
			}
			if got := l.parked.Sub(now); !tc.fails && got != tc.want {
				t.Errorf("parked for %v, want %v", got, tc.want)
			}
		})
	}
}

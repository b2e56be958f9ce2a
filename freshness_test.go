package galena_test

import (
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestAnAnswerIsStaleSoonerForTheHighestTier(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	hit := galena.Answer{FetchedAt: at, FreshUntil: at.Add(100 * day), ExpiresAt: at.Add(200 * day)}
	miss := galena.Answer{Kind: galena.NotFound, FetchedAt: at, ExpiresAt: at.Add(7 * day)}
	old := galena.Answer{FetchedAt: at, ExpiresAt: at.Add(90 * day)}
	for _, tc := range []struct {
		name   string
		answer galena.Answer
		top    bool
		want   time.Duration
	}{
		{"a hit, after its time", hit, false, 100 * day},
		{"a hit of the highest tier, after q = 0.05 instead of 0.10", hit, true, 4870 * day / 100},
		{"a miss is never stale, it ends", miss, true, 7 * day},
		{"an answer without a time is fresh to its end", old, true, 90 * day},
	} {
		if got := tc.answer.StaleAt(tc.top).Sub(at); (got - tc.want).Abs() > time.Minute {
			t.Errorf("%s: stale after %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestAValueIsFreshThenStaleThenExpired(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for age, want := range map[time.Duration]galena.Freshness{
		0: galena.Fresh, 151 * day: galena.Fresh, 152 * day: galena.Stale, 302 * day: galena.Stale, 303 * day: galena.Expired,
	} {
		if got := galena.FreshnessOf(age, 151*day, 302*day); got != want {
			t.Errorf("after %v it is %s, want %s", age, got, want)
		}
	}
}

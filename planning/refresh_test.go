package planning

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestADecisionNearAThresholdIsTheOneToRefresh(t *testing.T) {
	t.Parallel()
	minimums := []galena.Tenths{750, 550, 350, 0}
	for _, tc := range []struct {
		name   string
		lo, hi galena.Tenths
		want   float64
	}{
		{"across a threshold", 700, 800, 1},
		{"on it", 750, 750, 1},
		{"five points above", 800, 800, 0.5},
		{"five points below", 680, 700, 0.5},
		{"ten points from either", 650, 650, 0.25},
		{"25 points above the highest", 1000, 1000, 0.03125},
		{"far below the lowest: 0 is no threshold", 0, 50, 0.015625},
	} {
		if got := pChange(minimums, tc.lo, tc.hi); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestTheChanceOfAStaleValueIsQAtTheEndOfItsTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tc := range []struct {
		age, ttl time.Duration
		want     float64
	}{{0, 151 * day, 0}, {151 * day, 151 * day, 0.10}, {302 * day, 151 * day, 0.19}, {day, 0, 1}, {-day, day, 0}} {
		if got := pStale(tc.age, tc.ttl); math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("after %v of %v: %v, want %v", tc.age, tc.ttl, got, tc.want)
		}
	}
}

func TestTheHighestTierIsWorthMost(t *testing.T) {
	t.Parallel()
	tiers := []string{"A", "B", "C", "D"}
	for tier, want := range map[string]float64{"A": 1, "B": .75, "C": .5, "D": .25, "X": .05} {
		if got := tierValue(tiers, tier); got != want {
			t.Errorf("tier %s is worth %v, want %v", tier, got, want)
		}
	}
}

func TestAHerdIsSpreadOverFourteenDays(t *testing.T) {
	t.Parallel()
	days := map[int]int{}
	for i := range 14_000 {
		domain := fmt.Sprintf("company-%d.example", i)
		at := turn(domain, spread)
		if at < 0 || at >= spread || at != turn(domain, spread) {
			t.Fatalf("%s comes after %v", domain, at)
		}
		days[int(at.Hours()/24)]++
	}
	for d := range 14 {
		if n := days[d]; n < 850 || n > 1150 {
			t.Errorf("%d of 14,000 on day %d, want about 1,000", n, d)
		}
	}
	if turn("acme.example", -time.Hour) != 0 {
		t.Error("a company whose answers end at once does not come at once")
	}
}

func TestOnlyWhatIsNotUrgentWaits(t *testing.T) {
	t.Parallel()
	p, s := exampleProfile(t), galena.StaleCompany{Domain: "acme.example", Tier: "A"}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s.FetchedAt, s.FreshTill, s.ExpiresAt = now.AddDate(0, 0, -100), now.AddDate(0, 0, -10), now.AddDate(0, 0, 80)
	top := p.Minimums()[0]
	s.Lo, s.Hi = top, top
	near := Refresh(p, s, now)
	s.Lo, s.Hi = 1000, 1000
	far := Refresh(p, s, now)
	if !near.DueAt.Equal(now) || !far.DueAt.After(now) || far.DueAt.After(now.Add(spread)) {
		t.Errorf("near a threshold due %v, far from it %v, now it is %v", near.DueAt, far.DueAt, now)
	}
	if near.Score <= far.Score || far.Score <= 0 {
		t.Errorf("scores %v and %v, want the near one higher and both above 0", near.Score, far.Score)
	}
	s.ExpiresAt = now.Add(time.Hour)
	if got := Refresh(p, s, now); got.DueAt.After(s.ExpiresAt) {
		t.Errorf("due at %v, after everything is gone at %v", got.DueAt, s.ExpiresAt)
	}
}

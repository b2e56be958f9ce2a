package planning

import (
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

const (
	// tolerated is the share of stale values at the end of a time to live: what
	// merging's default q says.
	tolerated = 0.10
	// halfway is the distance to a threshold, in points, at which a refresh is
	// half as likely to change a decision.
	halfway = 5.0
	// urgent is the chance of another decision from which a refresh does not wait
	// for its day: the score is within ten points of a threshold.
	urgent = 0.25
	// spread is the time over which refreshes that are not urgent are spread, so
	// that the answers of one large import do not come due on one day again.
	spread = 14 * 24 * time.Hour
	// leastValue is what a company outside every tier is worth.
	leastValue = 0.05
)

// Refresh says how much it would do to ask for a company's data again, and when
// (SEMANTICS 5): tier value × P(stale) × P(decision changes). A lead far from
// any threshold is worth next to nothing and waits.
func Refresh(p *scoring.Profile, c galena.StaleCompany, now time.Time) galena.Refresh {
	change := pChange(p.Minimums(), c.Lo, c.Hi)
	r := galena.Refresh{Domain: c.Domain, DueAt: now,
		Score: tierValue(p.Tiers(), c.Tier) * pStale(now.Sub(c.FetchedAt), c.FreshTill.Sub(c.FetchedAt)) * change}
	if change < urgent {
		r.DueAt = now.Add(turn(c.Domain, min(spread, c.ExpiresAt.Sub(now))))
	}
	return r
}

// tierValue is 1 for the highest tier and falls in equal steps.
func tierValue(tiers []string, tier string) float64 {
	i := slices.Index(tiers, tier)
	if i < 0 {
		return leastValue
	}
	return float64(len(tiers)-i) / float64(len(tiers))
}

// pStale is the chance that a value has changed. Whatever the decay of the
// field, it is q at the time to live and (1-q)^(age/ttl) are still right.
func pStale(age, ttl time.Duration) float64 {
	switch {
	case age <= 0:
		return 0
	case ttl <= 0:
		return 1
	default:
		return 1 - math.Pow(1-tolerated, float64(age)/float64(ttl))
	}
}

// pChange halves with every five points between the score's interval and the
// nearest threshold; an interval across one is certain to matter. The lowest
// tier begins at 0, which is no threshold.
func pChange(minimums []galena.Tenths, lo, hi galena.Tenths) float64 {
	best := 0.0
	for _, t := range minimums {
		if t <= 0 {
			continue
		}
		away := max(0, t-hi, lo-t)
		best = max(best, math.Exp2(-float64(away)/10/halfway))
	}
	return best
}

// turn is the company's own moment in a span of time: always the same one.
func turn(domain string, span time.Duration) time.Duration {
	seconds := uint64(max(span, 0) / time.Second)
	if seconds == 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(domain))                        // a hash takes every byte
	return time.Duration(h.Sum64()%seconds) * time.Second //nolint:gosec // below seconds, which came from a Duration
}

package galena

import "time"

// topTierShare is how much of its time an answer counts as fresh for a company
// of the highest tier. Half the share of stale values is tolerated there (q 0.05
// instead of 0.10), and ln(1-0.05)/ln(1-0.10) is 0.487 whatever the decay.
const topTierShare = 0.487

// StaleAt is when the answer begins to be stale: worth using, and worth asking
// for again. A miss never is; it is held or it is not.
func (a Answer) StaleAt(topTier bool) time.Time {
	if a.Kind != "" || a.FreshUntil.IsZero() {
		return a.ExpiresAt
	}
	if topTier {
		return a.FetchedAt.Add(time.Duration(topTierShare * float64(a.FreshUntil.Sub(a.FetchedAt))))
	}
	return a.FreshUntil
}

// Freshness is how far a value is on its way from true to unknown.
type Freshness string

// The three ages of a value (SEMANTICS 5).
const (
	Fresh   Freshness = "fresh"
	Stale   Freshness = "stale"   // used with less confidence, and asked for again
	Expired Freshness = "expired" // as good as unknown
)

// FreshnessOf tells a value's age apart: fresh up to ttl, stale up to maxStale.
func FreshnessOf(age, ttl, maxStale time.Duration) Freshness {
	switch {
	case age <= ttl:
		return Fresh
	case age <= maxStale:
		return Stale
	default:
		return Expired
	}
}

// Refresh asks that a company's stale answers be bought anew. There is one per
// company at a time; of two wishes the more urgent one counts.
type Refresh struct {
	Domain string
	Score  float64 // effect on decisions: the highest goes first
	DueAt  time.Time
}

// Holding is what is held of a company when it is about to be refreshed.
type Holding struct {
	TopTier  bool          // its newest decision is of the highest tier
	Answers  []Answer      // hits and misses, expired ones too
	Standing []Observation // what CRM, people, registries and forms said
}

// StaleCompany is a company with stale answers and a recent decision that rests on them.
type StaleCompany struct {
	Domain    string
	Tier      string
	Lo, Hi    Tenths
	FetchedAt time.Time // of the oldest stale answer
	FreshTill time.Time // of the same
	ExpiresAt time.Time
}

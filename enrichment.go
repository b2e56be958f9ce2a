package galena

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// CacheUse says which held answers may stand for a call.
type CacheUse string

// The three uses of SEMANTICS 5.
const (
	CacheIfPresent CacheUse = "if_present" // whatever is held and not expired
	CacheIfFresh   CacheUse = "if_fresh"   // what is held and fresh
	CacheNever     CacheUse = "never"      // every vendor is asked anew
)

// CacheUses lists them.
func CacheUses() []CacheUse { return []CacheUse{CacheIfPresent, CacheIfFresh, CacheNever} }

// EnrichOrder asks for what vendors know of a company that no lead came from.
type EnrichOrder struct {
	Domain      string
	UseCache    CacheUse
	MaxAge      time.Duration // of a held answer, 0 = any that UseCache lets through
	NoFallback  bool          // where a vendor fails, what it said before does not count
	LimitMicros int64         // what it may cost, below 0 = what one lead may
	Patient     bool          // nobody's request waits: no deadline
	Told        func(Call)    // hears of each step as it happens; nil = nobody does
}

// Accepts says whether a held hit or miss may stand for a call.
func (o EnrichOrder) Accepts(a Answer, now time.Time) bool {
	switch {
	case o.UseCache == CacheNever, a.Kind != "" && a.Kind != NotFound, !now.Before(a.ExpiresAt):
		return false
	case o.MaxAge > 0 && now.Sub(a.FetchedAt) > o.MaxAge:
		return false
	default:
		return o.UseCache != CacheIfFresh || now.Before(a.StaleAt(false))
	}
}

// Enrichment is what became of an EnrichOrder.
type Enrichment struct {
	Company    Company
	Steps      []Call
	Stop       Stop
	Cents      float64
	LimitCents float64
	Open       []string // unknown fields of the company that could still change some lead's decision
	Away       []string // vendors that failed or are away: what they know is missing
}

// ParseAge reads a length of time such as "30d" or "12h".
func ParseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 36500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf("must be such as 30d or 12h, is %q", s)
}

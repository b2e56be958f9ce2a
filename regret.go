package galena

import (
	"math"
	"time"
)

// RegretAudit is one settled decision held against everything that could have
// been bought. It never changes the decision.
type RegretAudit struct {
	LeadID     string
	Epoch      int
	Changed    bool // tier, rule or territory would have been another
	Calls      int  // calls beyond those of the decision
	CostMicros int64
	TierBefore string
	TierAfter  string
	RuleBefore string
	RuleAfter  string
	Steps      []Call // what was asked beyond the decision
	At         time.Time
}

// Regret sums the audits up: how often stopping early was wrong.
type Regret struct {
	Audits     int
	Changed    int
	CostMicros int64 // what the audits themselves cost
}

// Share is the part of the audited decisions that would have changed, 0 while
// there is none.
func (r Regret) Share() float64 {
	if r.Audits == 0 {
		return 0
	}
	return float64(r.Changed) / float64(r.Audits)
}

// Interval is Wilson's 95 % interval of the share: 0 to 1 while nothing is
// known. Unlike the usual one it says something of shares near 0, where this
// one should be.
func (r Regret) Interval() (low, high float64) {
	if r.Audits == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(r.Audits), r.Share()
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	low, high = (middle-half)/(1+z*z/n), (middle+half)/(1+z*z/n)
	if r.Changed == 0 {
		low = 0 // exactly, where the square root leaves a trace
	}
	if r.Changed == r.Audits {
		high = 1
	}
	return low, high
}

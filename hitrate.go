package galena

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// KindHitRates is what a decision calls the hit rates it was planned with among
// its files.
const KindHitRates = "HitRates"

// Segment is the kind of company a lead comes from, as far as it is known before
// anybody is asked. Vendors know some kinds better than others.
type Segment struct {
	TLD     string `json:"tld,omitempty"`     // com, generic or national; "" = nothing is known
	Country string `json:"country,omitempty"` // alpha-2
	Size    string `json:"size,omitempty"`    // band of employees
}

// Levels names the segment and what it is a part of, the broadest first.
func (s Segment) Levels() []string {
	if s.TLD == "" {
		return []string{""}
	}
	country := s.TLD + "/" + s.Country
	return []string{"", s.TLD, country, country + "/" + s.Size}
}

// Tally is how one vendor fared in one segment, a company at a time: by the
// decisions for which it was asked, and by the audits of those that settled
// without it.
type Tally struct {
	Asked        int            `json:"asked,omitempty"`
	Found        map[string]int `json:"found,omitempty"`   // of Asked, by field
	Unasked      int            `json:"unasked,omitempty"` // settled without it
	Audited      int            `json:"audited,omitempty"` // of Unasked
	Sampled      int            `json:"sampled,omitempty"` // of Audited: asked then
	SampledFound map[string]int `json:"sampled_found,omitempty"`
}

// HitRates are the tallies that every process plans with on one day. They never
// change, so that a decision can be planned again.
type HitRates struct {
	Day       string                      // 2026-11-23, in UTC
	Companies int                         // that were counted
	Tallies   map[string]map[string]Tally // by segment level, then by vendor
	CountedAt time.Time
}

// Ref names the rates in a decision: their day, and the SHA-256 of the tallies as JSON.
func (h HitRates) Ref() ConfigRef {
	text, _ := json.Marshal(h.Tallies) //nolint:errchkjson // numbers by name cannot fail
	sum := sha256.Sum256(text)
	return ConfigRef{Kind: KindHitRates, Name: h.Day, Hash: hex.EncodeToString(sum[:])}
}

// Outcome is what became of one decided lead, as far as it tells of vendors.
type Outcome struct {
	LeadID  string
	Domain  string // of the company
	Segment Segment
	Settled bool // nothing could have changed the decision: the buying ended for that
	Steps   []Call
	Audited bool
	Sampled []Call // what the audit asked beyond the steps
}

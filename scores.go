package galena

import "time"

// Scores are how a provider fared over some time: the ledger's lines of it, and
// what became of the values that it gave.
type Scores struct {
	Provider     string
	Calls        int // that were made; an answer that was held is none
	Hits, Misses int // the rest erred
	P95          time.Duration
	CostMicros   int64
	MissMicros   int64        // of it, for misses
	UnusedMicros int64        // of it, for hits of which no decision used a value
	Useful       int          // values on which a decision rests
	Fields       []FieldCount // most first
}

// FieldCount is how many answers had a field.
type FieldCount struct {
	Field   string
	Answers int
}

// HitRate is the share of clean answers that knew the company; false without any.
func (s Scores) HitRate() (float64, bool) { return s.share(s.Hits) }

// Coverage is the share of clean answers that had the field; false without any.
func (s Scores) Coverage(c FieldCount) (float64, bool) { return s.share(min(c.Answers, s.Hits)) }

func (s Scores) share(n int) (float64, bool) {
	if s.Hits+s.Misses == 0 {
		return 0, false
	}
	return float64(n) / float64(s.Hits+s.Misses), true
}

// CentsPerUseful is what a value cost on which a decision rests, with all that
// was spent for nothing; false without one.
func (s Scores) CentsPerUseful() (float64, bool) {
	if s.Useful == 0 {
		return 0, false
	}
	return CentsOf(s.CostMicros) / float64(s.Useful), true
}

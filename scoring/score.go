package scoring

import (
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Result is a score with what the planner must know to stop buying.
type Result struct {
	galena.Score
	TierLo, TierHi    string   // the tiers at lo and at hi; X twice for a disqualified lead
	Reachable         []string // tiers that a completion of the facts may give, highest first
	Need              []Need   // criterion fields that still have room
	Moving            []string // fields of the rows whose printed lo and hi differ, in the order of the criteria
	OpenDisqualifiers []string // unresolved fields of disqualifiers that are unknown and still matter
	OpenRequires      []string // unresolved fields of unknown requires of reachable tiers and of unknown applies_when
	Stops             bool     // a disqualifier is TRUE and nothing that is open can change its sink
}

// Need is a field with the points that it can still move.
type Need struct {
	Field  string
	Points galena.Tenths
}

// sheet is the readings of one lead and their sums, all in weight x 1/10,000.
type sheet struct {
	p        *Profile
	readings []reading
	a, b, e  int64
	base     int64 // P, less what policy exclude leaves out
	free     int64 // sum of weight x (b - a)
}

// Score judges the facts as of now. Final says that nobody is left to ask: then
// a disqualifier that is unknown and says `hold` keeps the lead in its sink.
func (p *Profile) Score(facts galena.Facts, now time.Time, final bool) Result {
	var s sheet
	r := p.measure(&s, facts, now, final)
	r.Rows = s.rows(now)
	r.TopReasons = s.topReasons()
	if !r.Settled && r.Disqualified == nil {
		r.WouldChange = s.wouldChange(&r)
	}
	return r
}

// Glance is Score without rows, reasons and hint. A lead is looked at after every
// answer, and once for each side of a conflict, and is explained once: the words
// are most of the work, and nobody reads those of a look that leads to another
// question.
func (p *Profile) Glance(facts galena.Facts, now time.Time, final bool) Result {
	var room [16]reading // enough for most profiles, and on the stack: each holds a whole fact
	s := sheet{readings: room[:0]}
	return p.measure(&s, facts, now, final)
}

func (p *Profile) measure(s *sheet, facts galena.Facts, now time.Time, final bool) Result {
	known := facts.Believing(p.minConfidence)
	s.fill(p, known, now)
	var r Result
	r.Lo, r.Hi = share(s.a, p.total), share(s.b, p.total)
	r.Score.Score = s.score(r.Lo, r.Hi)
	r.Coverage = math.Round(100*s.coverage()) / 100
	r.Confidence = s.confidence()
	s.room(&r)
	p.judge(&r, s, known, now, final)
	return r
}

// fill reads the facts into an empty sheet, which may bring room for the readings.
func (s *sheet) fill(p *Profile, known galena.Lookup, now time.Time) {
	s.p, s.base = p, p.total
	if cap(s.readings) < len(p.criteria) {
		s.readings = make([]reading, len(p.criteria))
	}
	s.readings = s.readings[:len(p.criteria)]
	for i := range p.criteria {
		c := &p.criteria[i]
		r := &s.readings[i]
		c.read(r, known, now)
		s.a += c.weight * r.a
		s.b += c.weight * r.b
		s.free += c.weight * (r.b - r.a)
		if r.left {
			s.base -= c.weight * max(0, c.vmax)
		} else {
			s.e += c.weight * r.e
		}
	}
}

// score divides once and stays within [lo, hi]. The clip is needed by policy
// exclude only: what is left can be better or worse than any completion.
func (s *sheet) score(lo, hi galena.Tenths) galena.Tenths {
	if s.base == 0 {
		return lo
	}
	return max(lo, min(hi, share(s.e, s.base)))
}

// share is 100 x sum / of, clamped to 0..100, rounded half up to a tenth.
func share(sum, of int64) galena.Tenths {
	sum = clip(sum, 0, of)
	return galena.Tenths((2*1000*sum + of) / (2 * of))
}

// points is a row's share, not clamped, rounded half away from zero.
func points(sum, of int64) galena.Tenths {
	if of == 0 {
		return 0
	}
	if sum < 0 {
		return -points(-sum, of)
	}
	return galena.Tenths((2*1000*sum + of) / (2 * of))
}

// coverage is the share of the score's room to move that is pinned down.
func (s *sheet) coverage() float64 {
	if s.p.room == 0 {
		return 1
	}
	return float64(s.p.room-s.free) / float64(s.p.room)
}

// covers compares the exact coverage with a gate in 1/10,000.
func (s *sheet) covers(gate int64) bool {
	return s.p.room == 0 || (s.p.room-s.free)*unit >= gate*s.p.room
}

// confidence is the mean effective confidence of the known fields, weighted by
// how much each can move the score.
func (s *sheet) confidence() float64 {
	var sum, weight float64
	for i := range s.readings {
		r := &s.readings[i]
		if r.state == galena.Unknown || r.applies == galena.False {
			continue
		}
		lo, hi := r.c.span()
		w := float64(r.c.weight * (hi - lo))
		sum += w * r.fact.Confidence
		weight += w
	}
	if weight == 0 {
		return 0
	}
	return math.Round(100*sum/weight) / 100
}

// room lists the fields that can still move: those of the rows with an interval,
// and of them those that are worth buying, each once with all its points. They
// are the points of the printed rows.
func (s *sheet) room(out *Result) {
	for i := range s.readings {
		r := &s.readings[i]
		if r.a == r.b {
			continue
		}
		room := points(r.c.weight*r.b, s.p.total) - points(r.c.weight*r.a, s.p.total)
		if room > 0 {
			out.Moving = append(out.Moving, r.c.field)
		}
		if !r.open {
			continue
		}
		if i := slices.IndexFunc(out.Need, func(n Need) bool { return n.Field == r.c.field }); i >= 0 {
			out.Need[i].Points += room
			continue
		}
		out.Need = append(out.Need, Need{Field: r.c.field, Points: room})
	}
}

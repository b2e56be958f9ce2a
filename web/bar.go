package web

import (
	"strconv"

	"github.com/galenahq/galena"
)

// bar is one horizontal bar drawn in SVG, its numbers in percent of the width.
// Attributes carry them, because the policy bars inline style.
type bar struct {
	Label        string // what it shows, for those who cannot see it
	Left, Width  string // the interval in which the truth lies
	Mark         string // where the estimate stands
	From, Filled string // what is certain, for a criterion
	Zero         string // where nothing is earned
	Below        bool   // points can be lost, so zero is not the left end
	Track        string // where the best possible ends
	Exact        bool   // nothing is open
}

func pct(x float64) string { return strconv.FormatFloat(min(100, max(0, x)), 'f', 1, 64) + "%" }

// scoreBar shows lo, score and hi on the scale from 0 to 100.
func scoreBar(s galena.Score) bar {
	lo, hi := float64(s.Lo)/10, float64(s.Hi)/10
	return bar{Left: pct(min(lo, 99)), Width: pct(max(hi-lo, 1)), Mark: pct(float64(s.Score) / 10), Exact: s.Lo == s.Hi,
		Label: "Score " + points(s.Score) + ", between " + points(s.Lo) + " and " + points(s.Hi) + " of 100"}
}

// scale is the room that the bars of all criteria share, so that a long bar
// means many points.
type scale struct{ lo, hi float64 }

func scaleOf(rows []galena.Row) scale {
	s := scale{0, 1}
	for _, r := range rows {
		s.lo = min(s.lo, float64(r.Lo), float64(r.Points))
		s.hi = max(s.hi, float64(r.Max), float64(r.Hi))
	}
	return s
}

func (s scale) at(t galena.Tenths) float64 { return (float64(t) - s.lo) / (s.hi - s.lo) * 100 }

// rowBar shows what a criterion earned, what is still open, and what was to be had.
func (s scale) rowBar(r galena.Row) bar {
	zero := s.at(0)
	b := bar{Exact: r.Lo == r.Hi, Track: pct(s.at(max(r.Max, 0)) - zero), Mark: pct(s.at(r.Points)),
		Left: pct(s.at(r.Lo)), Width: pct(s.at(r.Hi) - s.at(r.Lo)), Zero: pct(zero), Below: s.lo < 0}
	sure := max(r.Lo, 0) // what is earned, or lost, whatever the unknown turns out to be
	if r.Hi < 0 {
		sure = r.Hi
	}
	b.From, b.Filled = pct(min(zero, s.at(sure))), pct(max(s.at(sure)-zero, zero-s.at(sure)))
	b.Label = short(r.Points) + " of " + short(r.Max) + " points"
	if !b.Exact {
		b.Label += ", can be " + short(r.Lo) + " to " + short(r.Hi)
	}
	return b
}

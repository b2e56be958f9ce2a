package scoring

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/galenahq/galena"
)

// reasonsShown is how many reasons a rep reads.
const reasonsShown = 3

// rows explains every criterion. Each number is rounded on its own; the exact
// ones sum to the score before clamping.
func (s *sheet) rows(now time.Time) []galena.Row {
	out := make([]galena.Row, len(s.readings))
	ages, sures := make([]int, len(out)), make([]float64, len(out))
	for i := range s.readings {
		r := &s.readings[i]
		out[i] = galena.Row{
			Criterion: r.c.id, Field: r.c.field, State: r.state, Label: r.label,
			Lo: points(r.c.weight*r.a, s.p.total), Hi: points(r.c.weight*r.b, s.p.total),
			Max: points(r.c.weight*max(0, r.c.vmax), s.p.total),
		}
		if r.b > r.a {
			out[i].AtLeast = r.least
		}
		if !r.left {
			out[i].Points = points(r.c.weight*r.e, s.base)
		}
		if r.state == galena.Unknown {
			continue
		}
		ages[i], sures[i] = ageDays(r.fact, now), math.Round(100*r.fact.Confidence)/100
		out[i].Source, out[i].AgeDays, out[i].EffectiveConfidence = r.fact.Source, &ages[i], &sures[i]
		if r.state != galena.Absent {
			out[i].Value = r.fact.Value.String()
		}
	}
	return out
}

// ageDays counts whole days; a fact without a date is of today.
func ageDays(f galena.Fact, now time.Time) int {
	if f.ObservedAt.IsZero() || f.ObservedAt.After(now) {
		return 0
	}
	return int(now.Sub(f.ObservedAt) / (24 * time.Hour))
}

// topReasons puts the rows that tell this lead from others into words: those
// furthest from what the criterion mostly earns.
func (s *sheet) topReasons() []string {
	type reason struct {
		reading *reading
		far     int64
	}
	all := make([]reason, 0, len(s.readings))
	for i := range s.readings {
		r := &s.readings[i]
		far := r.c.weight * (r.e - r.c.mean)
		if r.state == galena.Unknown || r.applies == galena.False || far == 0 {
			continue
		}
		all = append(all, reason{r, max(far, -far)})
	}
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Compare(b.far, a.far) })
	out := make([]string, 0, reasonsShown)
	for _, x := range all[:min(len(all), reasonsShown)] {
		out = append(out, s.reason(x.reading))
	}
	return out
}

// reason puts one row into words: "Industry: fintech (core vertical) +22.7".
func (s *sheet) reason(r *reading) string {
	what := r.fact.Value.String()
	if r.state == galena.Absent {
		what = "none"
	}
	return r.c.title + ": " + withLabel(what, r.label) + " " + signed(points(r.c.weight*r.e, s.base))
}

// signed prints points with their sign and one decimal: "+22.7".
func signed(p galena.Tenths) string {
	text := strconv.FormatFloat(float64(p)/10, 'f', 1, 64)
	if p >= 0 {
		return "+" + text
	}
	return text
}

// withLabel prints "fintech (core vertical)"; a label that only repeats the
// value is left out.
func withLabel(value, label string) string {
	if label == "" || label == value {
		return value
	}
	return value + " (" + label + ")"
}

// wouldChange names the one unknown criterion that could move the tier from
// where it stands while all others keep their estimate. Prices are not known
// here, so of several it is the one with the furthest reach: the fewest
// purchases.
func (s *sheet) wouldChange(r *Result) *galena.Hint {
	var best *galena.Hint
	for i := range s.readings {
		x := &s.readings[i]
		if !x.open {
			continue
		}
		down, up := s.with(i, x.a), s.with(i, x.b)
		if s.name(down) == r.Tier && s.name(up) == r.Tier {
			continue
		}
		reach := max(up-r.Score.Score, r.Score.Score-down)
		if best == nil || reach > best.Points {
			best = &galena.Hint{Criterion: x.c.id, Field: x.c.field, Points: reach}
		}
	}
	return best
}

func (s *sheet) name(score galena.Tenths) string { return s.p.tiers[s.p.index(score)].name }

// with is the score if reading i had the value v.
func (s *sheet) with(i int, v int64) galena.Tenths {
	r := &s.readings[i]
	sum, base := s.e+r.c.weight*(v-r.e), s.base
	if r.left {
		sum, base = s.e+r.c.weight*v, s.base+r.c.weight*max(0, r.c.vmax)
	}
	if base == 0 {
		return 0
	}
	return share(sum, base)
}

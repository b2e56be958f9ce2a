package scoring

import (
	"math"
	"slices"

	"github.com/galenahq/galena"
)

// reading is what the facts say of one criterion: a value in [a, b], in
// integers of 1/10,000 of the weight, and an estimate between them.
type reading struct {
	c       *criterion
	fact    galena.Fact
	applies galena.Truth
	state   galena.State
	label   string
	least   string // of an interval: the label of what earns least in it
	a, b, e int64
	open    bool // a further value of the field itself would narrow [a, b]
	left    bool // left out of both sums (policy exclude)
}

// read looks up the criterion's field and bounds what it can give. The reading is
// filled in place: it holds a whole fact, too large to hand around.
func (c *criterion) read(r *reading, known galena.Lookup, now galena.Clock) {
	r.c, r.fact, r.applies = c, known(c.field), c.applies.Eval(known, now)
	r.state = r.fact.State
	if r.applies == galena.False {
		r.label = "does not apply"
		if r.state == galena.Partial {
			r.state = galena.Known
		}
		return
	}
	switch {
	case r.state == galena.Unknown:
		r.guess()
	case r.state != galena.Absent && numeric(r.fact.Value) && !r.fact.Value.Exact():
		r.weigh(now)
	default:
		r.value(now)
	}
	r.open = r.b > r.a
	if r.applies == galena.UnknownTruth {
		r.a, r.b = min(r.a, 0), max(r.b, 0)
		if r.state == galena.Unknown && c.policy == PolicyWorst {
			r.e = r.a
		}
	}
	if r.state == galena.Known || r.state == galena.Partial {
		r.state = galena.Known
		if r.b > r.a {
			r.state = galena.Partial
		}
	}
}

func numeric(v galena.Value) bool {
	return v.Type == galena.TypeNumber || v.Type == galena.TypeDate
}

// guess estimates a field that nobody knows.
func (r *reading) guess() {
	r.a, r.b = r.c.vmin, r.c.vmax
	switch r.c.policy {
	case PolicyWorst:
		r.e = r.a
	case PolicyExclude:
		r.left = true
	default:
		r.e = r.c.prior
		if r.c.counted {
			r.label = "portfolio mean"
		}
	}
}

// value reads an exact value, a set, or a verified absence. An element that an
// open set does not list is unknown: the estimate takes the set as it was seen,
// the interval allows for more.
func (r *reading) value(now galena.Clock) {
	m := r.c.match(r.fact, now)
	r.a, r.b, r.e = m.a, m.b, m.e
	r.label = m.label
	if m.label == "" && !m.matched && !r.c.sum && m.a == m.b {
		r.label = "no band matched"
	}
}

// matching is the bands' answer to one value.
type matching struct {
	a, b, e int64
	matched bool   // some band is TRUE
	label   string // of the bands that are, joined by " + "
}

func (c *criterion) match(f galena.Fact, now galena.Clock) matching {
	if c.sum {
		return c.matchSum(f, now)
	}
	return c.matchFirst(f, now)
}

func (c *criterion) matchFirst(f galena.Fact, now galena.Clock) matching {
	m := matching{a: math.MaxInt64, b: math.MinInt64}
	possible := func(v int64) { m.a, m.b = min(m.a, v), max(m.b, v) }
	for i := range c.bands {
		b := &c.bands[i]
		switch b.eval(f, now) {
		case galena.True:
			possible(b.value)
			m.e, m.matched, m.label = b.value, true, b.label
			return m
		case galena.UnknownTruth:
			possible(b.value)
		}
	}
	possible(c.other)
	m.e = c.other
	return m
}

func (c *criterion) matchSum(f galena.Fact, now galena.Clock) matching {
	var m matching
	var sure, less, more int64
	doubt := false
	for i := range c.bands {
		b := &c.bands[i]
		switch b.eval(f, now) {
		case galena.True:
			sure += b.value
			m.matched = true
			if m.label != "" && b.label != "" {
				m.label += " + "
			}
			m.label += b.label
		case galena.UnknownTruth:
			doubt = true
			less += min(0, b.value)
			more += max(0, b.value)
		}
	}
	switch {
	case m.matched:
		m.a, m.b, m.e = c.clamp(sure+less), c.clamp(sure+more), c.clamp(sure)
	case doubt:
		m.a, m.b, m.e = min(c.clamp(less), c.other), max(c.clamp(more), c.other), c.other
	default:
		m.a, m.b, m.e = c.other, c.other, c.other
	}
	return m
}

// eval answers a band. Absent takes else, so bands on values never hold for it;
// a band that asks for the absence itself does.
func (b *band) eval(f galena.Fact, now galena.Clock) galena.Truth {
	if f.State == galena.Absent && !b.onState {
		return galena.False
	}
	return b.when.On(f, now)
}

// weigh reads an interval of integers: cut where a band begins or ends, each
// piece has one value. The estimate weights the pieces by their logarithmic
// length, because sizes are log-distributed.
func (r *reading) weigh(now galena.Clock) {
	lo, hi := r.fact.Value.Lo, r.fact.Value.Hi
	r.label = r.fact.Value.String()
	starts := r.c.cuts(lo, hi, now)
	end := float64(hi)
	if hi == galena.OpenEnd {
		end = 10 * float64(max(lo, 1))
	}
	r.a, r.b = math.MaxInt64, math.MinInt64
	var sum, weight, plain float64
	for i, from := range starts {
		to := hi
		if i+1 < len(starts) {
			to = starts[i+1] - 1
		}
		piece := r.fact
		piece.Value.Lo, piece.Value.Hi = from, to
		m := r.c.match(piece, now)
		if m.a < r.a {
			r.least = m.label
		}
		r.a, r.b = min(r.a, m.a), max(r.b, m.b)
		w := math.Max(0, math.Log(math.Max(1, math.Min(float64(to), end)+1))-math.Log(math.Max(1, float64(from))))
		sum += w * float64(m.e)
		weight += w
		plain += float64(m.e)
	}
	if weight == 0 { // all of it below one: no logarithm tells the pieces apart
		sum, weight = plain, float64(len(starts))
	}
	r.e = clip(int64(math.Round(sum/weight)), r.a, r.b)
}

// cuts lists where the pieces of lo..hi begin.
func (c *criterion) cuts(lo, hi int64, now galena.Clock) []int64 {
	starts := []int64{lo}
	for _, b := range c.bands {
		spans, _ := b.when.Spans(now)
		for _, s := range spans {
			if s.Lo > lo && s.Lo <= hi {
				starts = append(starts, s.Lo)
			}
			if s.Hi >= lo && s.Hi < hi {
				starts = append(starts, s.Hi+1)
			}
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}

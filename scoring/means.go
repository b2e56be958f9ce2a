package scoring

import (
	"slices"

	"github.com/galenahq/galena"
)

// The portfolio that means are made of: from how many decided leads on there are
// any, and how many of the latest are counted.
const (
	PortfolioLeast = 200
	PortfolioMost  = 2000
)

// meanLeast is on how many leads a criterion must have been known: the mean of a
// handful is chance, and it would stay for as long as the profile does.
const meanLeast = 30

// Means is what each criterion earned on the leads of the portfolio where it was
// known, in 1/10,000 of its weight. The leads are read with this profile, whatever
// profile they were decided with, at the time of their decision. Criteria that were
// hardly ever known have no mean.
func (p *Profile) Means(portfolio []galena.Past) map[string]int64 {
	sums, known := make([]int64, len(p.criteria)), make([]int64, len(p.criteria))
	for _, lead := range portfolio {
		var s sheet
		s.fill(p, lead.Facts.Believing(p.minConfidence), lead.At)
		for i := range s.readings {
			r := &s.readings[i]
			if r.state != galena.Unknown && r.applies != galena.False {
				sums[i] += r.e
				known[i]++
			}
		}
	}
	out := map[string]int64{}
	for i, n := range known {
		if n >= meanLeast {
			out[p.criteria[i].id] = mean(sums[i], n)
		}
	}
	return out
}

// mean divides, rounding half away from zero.
func mean(sum, n int64) int64 {
	if sum < 0 {
		return -mean(-sum, n)
	}
	return (2*sum + n) / (2 * n)
}

// WithMeans is the profile with estimates from the portfolio: under policy prior
// an unknown criterion is worth its mean, unless the file gives that criterion a
// prior of its own; and reasons are measured from the mean. A mean is held within
// what the criterion can earn.
func (p *Profile) WithMeans(means map[string]int64) *Profile {
	out := *p
	out.criteria = slices.Clone(p.criteria)
	for i := range out.criteria {
		c := &out.criteria[i]
		m, ok := means[c.id]
		if !ok {
			continue
		}
		c.mean = clip(m, c.vmin, c.vmax)
		if c.policy == PolicyPrior && !c.ownPrior {
			c.prior, c.counted = c.mean, true
		}
	}
	return &out
}

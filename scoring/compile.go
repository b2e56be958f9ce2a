package scoring

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/galenahq/galena"
)

// unit is one whole weight: values are kept in integers of 1/10,000.
const unit = 10_000

// Profile is a checked configuration, ready to score. It is immutable and safe
// for concurrent use.
type Profile struct {
	criteria      []criterion
	disqualifiers []disqualifier
	tiers         []tier
	groups        galena.Groups
	total         int64 // P: the best reachable sum of weight x value
	room          int64 // sum of weight x (vmax - vmin)
	minConfidence float64
	fields        []string
}

type criterion struct {
	id, field, title string
	weight           int64
	sum              bool
	clampLo, clampHi int64
	bands            []band
	other            int64 // else, clamped in mode sum
	vmin, vmax       int64 // over bands and else
	policy           string
	prior            int64 // the estimate of an unknown under policy prior
	ownPrior         bool  // the file gives this criterion a prior of its own: no mean replaces it
	mean             int64 // what the criterion mostly earns; the prior's share until that was counted
	counted          bool  // the estimate of an unknown is the mean
	applies          galena.Predicate
	conditional      bool // has applies_when: zero is possible as well
}

type band struct {
	when    galena.Predicate
	value   int64
	label   string
	onState bool // asks whether there is a value, not which
}

type disqualifier struct {
	galena.Disqualification
	when galena.Predicate
	hold bool
}

type tier struct {
	name     string
	min      galena.Tenths
	coverage int64 // min_coverage in 1/10,000
	requires galena.Predicate
	routable bool
}

// New checks the configuration and makes it ready to run. Warnings do not
// matter here; any error refuses the whole.
func New(c Config) (*Profile, error) {
	k := check(c)
	var errs []error
	for _, f := range k.faults {
		if !strings.HasPrefix(f.Code, "W") {
			errs = append(errs, f)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	k.profile.fields = k.profile.reads()
	return k.profile, nil
}

// Tiers lists the tier names, highest first.
func (p *Profile) Tiers() []string {
	names := make([]string, len(p.tiers))
	for i, t := range p.tiers {
		names[i] = t.name
	}
	return names
}

// Minimums are the points at which the tiers begin, in the order of Tiers.
func (p *Profile) Minimums() []galena.Tenths {
	out := make([]galena.Tenths, len(p.tiers))
	for i, t := range p.tiers {
		out[i] = t.min
	}
	return out
}

// Fields lists what the profile reads, sorted. Nobody changes the list.
func (p *Profile) Fields() []string { return p.fields }

// MinConfidence is the confidence below which a fact is unknown for a decision.
func (p *Profile) MinConfidence() float64 { return p.minConfidence }

func (p *Profile) reads() (out []string) {
	for i := range p.criteria {
		out = append(append(out, p.criteria[i].field), p.criteria[i].applies.Fields()...)
	}
	for _, d := range p.disqualifiers {
		out = append(out, d.when.Fields()...)
	}
	for _, t := range p.tiers {
		out = append(out, t.requires.Fields()...)
	}
	return unique(out)
}

// Groups are the named sets of the profile.
func (p *Profile) Groups() galena.Groups { return p.groups }

// fix turns a configured share into integers of 1/10,000.
func fix(x float64) int64 { return int64(math.Round(x * unit)) }

func clip(x, lo, hi int64) int64 { return max(lo, min(hi, x)) }

func compileCriterion(c Criterion, u Unknown, bands []band, applies galena.Predicate) criterion {
	k := criterion{
		id: c.ID, field: c.Field, title: title(c.ID), weight: int64(c.Weight), sum: c.Mode == ModeSum,
		bands: bands, other: fix(c.Else), applies: applies, conditional: c.AppliesWhen != nil,
	}
	if k.sum && len(c.Clamp) == 2 {
		k.clampLo, k.clampHi = fix(c.Clamp[0]), fix(c.Clamp[1])
		k.other = k.clamp(k.other)
	}
	k.vmin, k.vmax = k.bounds()
	prior := u.Prior
	k.policy = u.Policy
	if o := c.Unknown; o != nil {
		if o.Policy != "" {
			k.policy = o.Policy
		}
		if o.Prior != nil {
			prior, k.ownPrior = *o.Prior, true
		}
	}
	// Rounded before it is summed, or platforms would differ.
	k.prior = clip((fix(prior)*max(0, k.vmax)+unit/2)/unit, k.vmin, k.vmax)
	k.mean = k.prior
	return k
}

func (c *criterion) clamp(x int64) int64 { return clip(x, c.clampLo, c.clampHi) }

// bounds is the least and the most that a known or absent value can give.
func (c *criterion) bounds() (lo, hi int64) {
	if !c.sum {
		lo, hi = c.other, c.other
		for _, b := range c.bands {
			lo, hi = min(lo, b.value), max(hi, b.value)
		}
		return lo, hi
	}
	for _, b := range c.bands {
		lo += min(0, b.value)
		hi += max(0, b.value)
	}
	return min(c.clamp(lo), c.other), max(c.clamp(hi), c.other)
}

// span is bounds, with zero where the criterion may turn out not to apply.
func (c *criterion) span() (lo, hi int64) {
	if c.conditional {
		return min(c.vmin, 0), max(c.vmax, 0)
	}
	return c.vmin, c.vmax
}

func compileTiers(c []Tier, requires []galena.Predicate) []tier {
	someRoutable := slices.ContainsFunc(c, func(t Tier) bool { return t.Routable })
	out := make([]tier, len(c))
	for i, t := range c {
		out[i] = tier{
			name: t.Name, min: galena.Tenths(math.Round(t.Min * 10)), coverage: fix(t.MinCoverage),
			requires: requires[i], routable: t.Routable || !someRoutable && i < 2,
		}
	}
	return out
}

// title turns an id into words: "tech-stack" reads "Tech stack".
func title(id string) string {
	r := []rune(strings.NewReplacer("-", " ", "_", " ").Replace(id))
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

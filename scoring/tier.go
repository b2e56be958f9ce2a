package scoring

import (
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// TierX is the tier of a disqualified lead.
const TierX = "X"

// judge gives the tier (SEMANTICS 1.4) and says what is still open.
func (p *Profile) judge(r *Result, s *sheet, known galena.Lookup, now time.Time, final bool) {
	if p.disqualify(r, known, now, final) {
		r.Tier, r.TierLo, r.TierHi, r.Reachable = TierX, TierX, TierX, []string{TierX}
		r.Settled = r.Stops
		r.Provisional = !r.Settled
		return
	}
	requires := make([]galena.Truth, len(p.tiers))
	for i := range p.tiers {
		requires[i] = p.tiers[i].requires.Eval(known, now)
	}
	low, high := p.tierAt(r.Lo, requires), p.tierAt(r.Hi, requires)
	r.TierLo, r.TierHi = p.tiers[low].name, p.tiers[high].name
	p.reach(r, requires, known)
	if low != high {
		// An unknown applies_when only widens [lo, hi]: it cannot matter where
		// the whole interval lies in one tier.
		for i := range s.readings {
			x := &s.readings[i]
			if x.applies == galena.UnknownTruth {
				r.OpenRequires = append(r.OpenRequires, unresolved(x.c.applies, known)...)
			}
		}
	}
	r.OpenRequires = unique(r.OpenRequires)
	if low == high && requires[low] == galena.True && !p.someUnknown(r) {
		r.Tier, r.Settled = p.tiers[low].name, true
		return
	}
	at := p.gated(r.Score.Score, s, requires)
	r.Tier, r.Provisional = p.tiers[at].name, true
	r.Undecided = p.tiers[high].routable && !p.tiers[at].routable
}

// disqualify evaluates the hard rules and reports whether one holds. A TRUE one
// leaves an earlier one open only if that would send the lead elsewhere.
func (p *Profile) disqualify(r *Result, known galena.Lookup, now time.Time, final bool) bool {
	first, held := -1, -1
	r.Disqualifiers = slices.Grow(r.Disqualifiers, len(p.disqualifiers))
	for i, d := range p.disqualifiers {
		t := d.when.Eval(known, now)
		r.Disqualifiers = append(r.Disqualifiers, galena.DisqualifierState{ID: d.ID, Result: t})
		if t == galena.True && first < 0 {
			first = i
		}
		if t == galena.UnknownTruth && d.hold && held < 0 {
			held = i
		}
	}
	for i, d := range p.disqualifiers {
		matters := first < 0 || i < first && d.Sink != p.disqualifiers[first].Sink
		if matters && r.Disqualifiers[i].Result == galena.UnknownTruth {
			r.OpenDisqualifiers = append(r.OpenDisqualifiers, unresolved(d.when, known)...)
		}
	}
	r.OpenDisqualifiers = unique(r.OpenDisqualifiers)
	switch {
	case first >= 0:
		d := p.disqualifiers[first].Disqualification
		r.Disqualified, r.Stops = &d, p.firm(r, first)
	case final && held >= 0:
		d := p.disqualifiers[held].Disqualification
		d.Reason = "Not verified: " + d.Reason
		r.Disqualified = &d
	}
	return r.Disqualified != nil
}

// firm says that no earlier disqualifier with another sink is unknown.
func (p *Profile) firm(r *Result, first int) bool {
	for i, d := range p.disqualifiers[:first] {
		if r.Disqualifiers[i].Result == galena.UnknownTruth && d.Sink != p.disqualifiers[first].Sink {
			return false
		}
	}
	return true
}

func (p *Profile) someUnknown(r *Result) bool {
	return slices.ContainsFunc(r.Disqualifiers, func(d galena.DisqualifierState) bool {
		return d.Result == galena.UnknownTruth
	})
}

// index is the first tier whose minimum the score reaches.
func (p *Profile) index(score galena.Tenths) int {
	for i, t := range p.tiers {
		if score >= t.min {
			return i
		}
	}
	return len(p.tiers) - 1
}

// tierAt is the tier at a score, passing over those whose requires is FALSE.
func (p *Profile) tierAt(score galena.Tenths, requires []galena.Truth) int {
	i := p.index(score)
	for i < len(p.tiers)-1 && requires[i] == galena.False {
		i++
	}
	return i
}

// reach lists the tiers that a completion may give, and the fields of the
// unknown requires among them. A gate of coverage is none: a completion covers all.
func (p *Profile) reach(r *Result, requires []galena.Truth, known galena.Lookup) {
	last := p.tierAt(r.Lo, requires)
	r.Reachable = make([]string, 0, len(p.tiers))
	for i := p.index(r.Hi); i < len(p.tiers); i++ {
		if requires[i] == galena.False {
			continue
		}
		r.Reachable = append(r.Reachable, p.tiers[i].name)
		if requires[i] == galena.UnknownTruth {
			r.OpenRequires = append(r.OpenRequires, unresolved(p.tiers[i].requires, known)...)
		} else if i >= last {
			return
		}
	}
}

// gated lowers the tier of an uncertain score to the first that may be given.
func (p *Profile) gated(score galena.Tenths, s *sheet, requires []galena.Truth) int {
	for i := p.index(score); i < len(p.tiers); i++ {
		if s.covers(p.tiers[i].coverage) && requires[i] == galena.True {
			return i
		}
	}
	return len(p.tiers) - 1
}

// unresolved lists the fields of a predicate of which more could be known.
func unresolved(when galena.Predicate, known galena.Lookup) []string {
	var out []string
	for _, field := range when.Fields() {
		f := known(field)
		open := f.State != galena.Absent && f.Value.Type == galena.TypeSet && !f.Value.Closed
		if f.State == galena.Unknown || f.State == galena.Partial || !f.Value.Exact() || open {
			out = append(out, field)
		}
	}
	return out
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

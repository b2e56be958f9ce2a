package planning

import (
	"math"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"pgregory.net/rapid"
)

// drawTallies are what one vendor was seen to know of a field, from all companies
// down to a segment.
func drawTallies(r *rapid.T) []galena.Tally {
	out := make([]galena.Tally, rapid.IntRange(0, 4).Draw(r, "levels"))
	for i := range out {
		t := galena.Tally{Asked: rapid.IntRange(0, 5000).Draw(r, "asked"), Unasked: rapid.IntRange(0, 5000).Draw(r, "unasked")}
		t.Audited = rapid.IntRange(0, t.Unasked).Draw(r, "audited")
		t.Sampled = rapid.IntRange(0, t.Audited).Draw(r, "sampled")
		t.Found = map[string]int{staff: rapid.IntRange(0, t.Asked).Draw(r, "found")}
		t.SampledFound = map[string]int{staff: rapid.IntRange(0, t.Sampled).Draw(r, "sampled found")}
		out[i] = t
	}
	return out
}

func TestAHitRateIsAChanceAndNeverCertain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		prior := rapid.Float64Range(0.001, 0.999).Draw(r, "prior")
		if got := HitRate(prior, staff, drawTallies(r)); !(got > 0 && got < 1) {
			r.Errorf("the rate is %v", got)
		}
	})
}

func TestAHitRateRisesWithEveryHit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		prior, tallies := rapid.Float64Range(0.001, 0.999).Draw(r, "prior"), drawTallies(r)
		if len(tallies) == 0 {
			return
		}
		before := HitRate(prior, staff, tallies)
		better := &tallies[rapid.IntRange(0, len(tallies)-1).Draw(r, "where")]
		in, most := better.Found, better.Asked
		if rapid.Bool().Draw(r, "an audit's") {
			in, most = better.SampledFound, better.Sampled
		}
		if in[staff] == most {
			return
		}
		in[staff]++
		if got := HitRate(prior, staff, tallies); got < before-1e-12 {
			r.Errorf("one hit more lowered %v to %v", before, got)
		}
		// For all companies, and where somebody was asked, it is worth something.
		if better == &tallies[0] && len(tallies) == 1 && most == better.Asked {
			if got := HitRate(prior, staff, tallies); got <= before {
				r.Errorf("one hit more left %v at %v", before, got)
			}
		}
	})
}

func TestWithoutCallsAHitRateIsTheCatalogues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		prior := rapid.Float64Range(0, 1).Draw(r, "prior")
		silent := make([]galena.Tally, rapid.IntRange(0, 4).Draw(r, "levels"))
		for i := range silent {
			silent[i].Unasked = rapid.IntRange(0, 5000).Draw(r, "unasked")
			silent[i].Audited = rapid.IntRange(0, silent[i].Unasked).Draw(r, "audited") // and could not be asked
		}
		if got := HitRate(prior, staff, silent); got != prior {
			r.Errorf("the rate is %v, the catalogue says %v", got, prior)
		}
	})
}

func TestHitRatesByHand(t *testing.T) {
	t.Parallel()
	all := galena.Tally{Asked: 80, Found: map[string]int{staff: 30}}
	for _, c := range []struct {
		name    string
		prior   float64
		tallies []galena.Tally
		want    float64
	}{
		{"TwentyCallsOfPrior", 0.5, []galena.Tally{all}, 0.40},                                                                                                                                       // (10 + 30) / 100
		{"WhatIsNotPromisedIsNotLearnt", 0, []galena.Tally{all}, 0},                                                                                                                                  //
		{"ASegmentBeginsWithTheWhole", 0.5, []galena.Tally{all, {Asked: 20, Found: map[string]int{staff: 16}}}, 0.60},                                                                                // (8 + 16) / 40
		{"WithoutAnAuditOnlyTheAskedCount", 0.5, []galena.Tally{{Asked: 80, Found: map[string]int{staff: 30}, Unasked: 900}}, 0.40},                                                                  //
		{"AnAuditSpeaksForTheUnasked", 0.5, []galena.Tally{{Asked: 80, Found: map[string]int{staff: 30}, Unasked: 240, Audited: 20, Sampled: 20, SampledFound: map[string]int{staff: 20}}}, 0.625},   // (80 x 0.40 + 240 x (8 + 20) / 40) / 320
		{"OnlyForThoseItCouldBeAskedFor", 0.5, []galena.Tally{{Asked: 80, Found: map[string]int{staff: 30}, Unasked: 160, Audited: 40, Sampled: 20, SampledFound: map[string]int{staff: 20}}}, 0.55}, // as many asked as not
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := HitRate(c.prior, staff, c.tallies); math.Abs(got-c.want) > 1e-9 {
				t.Errorf("the rate is %v, want %v", got, c.want)
			}
		})
	}
}

func TestASegmentIsWhatIsKnownBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	fact := func(field string, v galena.Value) *galena.Fact { return galena.KnownFact(field, v, "form", noon) }
	for _, c := range []struct {
		name, domain string
		more         []*galena.Fact
		want         string // its levels
	}{
		{"NoCompany", "", nil, ""},
		{"DotCom", "acme.com", nil, ",com,com/,com//"},
		{"ANationalDomainTellsTheCountry", "acme.co.uk", nil, ",national,national/GB,national/GB/"},
		{"OneThatAnybodyTakesDoesNot", "acme.io", nil, ",generic,generic/,generic//"},
		{"TheFormsCountry", "acme.de", []*galena.Fact{fact("lead.country", galena.CountryValue("AT"))}, ",national,national/AT,national/AT/"},
		{"TheCompanysOwnGoesFirst", "acme.com", []*galena.Fact{fact("lead.country", galena.CountryValue("AT")), fact(country, galena.CountryValue("US"))}, ",com,com/US,com/US/"},
		{"NoCodeIsNoCountry", "acme.com", []*galena.Fact{fact("lead.country", galena.CountryValue("call me at 555"))}, ",com,com/,com//"},
		{"Size", "acme.com", []*galena.Fact{fact(staff, galena.Number(200))}, ",com,com/,com//51-200"},
		{"AnIntervalWithinABand", "acme.com", []*galena.Fact{fact(staff, galena.Interval(501, 1000, "501-1000"))}, ",com,com/,com//201-1000"},
		{"AnIntervalOverBands", "acme.com", []*galena.Fact{fact(staff, galena.Interval(101, 300, "101-300"))}, ",com,com/,com//"},
		{"AnOpenInterval", "acme.com", []*galena.Fact{fact(staff, galena.Interval(10_001, galena.OpenEnd, "10,001+"))}, ",com,com/,com//1001+"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			known := galena.Facts{}
			for _, f := range append(c.more, fact("company.domain", galena.TextValue(c.domain))) {
				known[f.Field] = f
			}
			if got := strings.Join(Segment(known).Levels(), ","); got != c.want {
				t.Errorf("levels %q, want %q", got, c.want)
			}
		})
	}
}

// What each kind of decision adds to the tally of a vendor "v".
func TestWhatADecisionSaysOfAVendor(t *testing.T) {
	t.Parallel()
	step := func(outcome string, added ...string) []galena.Call {
		return []galena.Call{{Provider: "other", Outcome: "hit", Added: []string{tools}}, {Provider: "v", Outcome: outcome, Added: added}}
	}
	for _, c := range []struct {
		name string
		o    galena.Outcome
		want galena.Tally
	}{
		{"AHit", galena.Outcome{Steps: step("hit", staff)}, galena.Tally{Asked: 1, Found: map[string]int{staff: 1}}},
		{"AHeldHit", galena.Outcome{Steps: step("cached", staff)}, galena.Tally{Asked: 1, Found: map[string]int{staff: 1}}},
		{"AMiss", galena.Outcome{Steps: step("miss"), Settled: true}, galena.Tally{Asked: 1}},
		{"AnErrorSaysNothing", galena.Outcome{Steps: step("error:500"), Settled: true, Audited: true, Sampled: step("hit", staff)}, galena.Tally{}},
		{"SettledWithoutIt", galena.Outcome{Settled: true}, galena.Tally{Unasked: 1}},
		{"EndedForAnotherReason", galena.Outcome{Audited: true}, galena.Tally{}},
		{"AuditedAndNotAsked", galena.Outcome{Settled: true, Audited: true}, galena.Tally{Unasked: 1, Audited: 1}},
		{"AuditedMiss", galena.Outcome{Settled: true, Audited: true, Sampled: step("miss")}, galena.Tally{Unasked: 1, Audited: 1, Sampled: 1}},
		{"AuditedHit", galena.Outcome{Settled: true, Audited: true, Sampled: step("hit", staff)},
			galena.Tally{Unasked: 1, Audited: 1, Sampled: 1, SampledFound: map[string]int{staff: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := galena.HitRates{}
			Count(&h, c.o, []string{"v"})
			got := h.Tallies[""]["v"]
			if got.Asked != c.want.Asked || got.Unasked != c.want.Unasked || got.Audited != c.want.Audited || got.Sampled != c.want.Sampled ||
				got.Found[staff] != c.want.Found[staff] || got.SampledFound[staff] != c.want.SampledFound[staff] || got.Found[tools]+got.SampledFound[tools] > 0 {
				t.Errorf("tally %+v, want %+v", got, c.want)
			}
		})
	}
}

package scoring

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// repeated is the same lead n times.
func repeated(n int, facts ...*galena.Fact) []galena.Past {
	return slices.Repeat([]galena.Past{{Facts: factsOf(facts...), At: noon}}, n)
}

// TestMeans counts what each criterion of the small profile earned.
func TestMeans(t *testing.T) {
	t.Parallel()
	unsure := size(500, 500)
	unsure.Confidence = 0.4
	abroad := galena.KnownFact("company.hq_country", galena.CountryValue("US"), "alpha", noon)
	british := small()
	inBritain(&british)
	for _, c := range []struct {
		name   string
		config Config
		leads  []galena.Past
		want   map[string]int64
	}{
		{"NothingIsKnown", small(), repeated(2000), map[string]int64{}},
		{"AHandfulIsNoMean", small(), repeated(29, size(50, 50)), map[string]int64{}},
		{"OnlyWhereItIsKnown", small(), append(repeated(30, size(50, 50)), repeated(170, stack(true, "hubspot"))...), map[string]int64{"size": 5000, "tools": 7000}},
		{"Rounded", small(), append(repeated(20, size(50, 50)), repeated(11, size(100, 100))...), map[string]int64{"size": 6774}}, // 210,000 / 31
		{"RoundedBelowZero", small(), append(repeated(30, stack(true, "basalt-crm")), repeated(1, stack(true, "marketo"))...), map[string]int64{"tools": -4839}},
		{"AbsentEarnsElse", small(), repeated(30, absent("company.employee_count")), map[string]int64{"size": 2000}},
		{"PartialEarnsItsEstimate", small(), repeated(30, size(80, 120)), map[string]int64{"size": 7303}},
		{"TooUncertainIsUnknown", small(), append(repeated(30, size(50, 50)), repeated(100, unsure)...), map[string]int64{"size": 5000}},
		{"WhereItDoesNotApplyItIsNotCounted", british, append(repeated(30, size(50, 50)), repeated(100, size(500, 500), abroad)...), map[string]int64{"size": 5000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := mustNew(t, c.config)
			if got := p.Means(c.leads); !maps.Equal(got, c.want) {
				t.Errorf("means %v, want %v", got, c.want)
			}
			slices.Reverse(c.leads)
			if got := p.Means(c.leads); !maps.Equal(got, c.want) {
				t.Errorf("means %v in another order, want %v", got, c.want)
			}
		})
	}
}

// TestWithMeans: a mean is the estimate of an unknown under policy prior, unless
// the criterion has a prior of its own.
func TestWithMeans(t *testing.T) {
	t.Parallel()
	means := map[string]int64{"size": 7500, "tools": 1250}
	own := func(u UnknownOverride) func(*Config) { return func(c *Config) { c.Criteria[0].Unknown = &u } }
	sure := 1.0
	for _, c := range []struct {
		name         string
		change       func(*Config)
		means        map[string]int64
		size, tools  galena.Tenths // points of the rows
		score        galena.Tenths
		label, other string
	}{
		{"WithoutMeansThePrior", func(*Config) {}, nil, 240, 160, 400, "", ""},
		{"TheMeanReplacesThePriorOfTheProfile", func(c *Config) { c.Unknown.Prior = 0.9 }, means, 450, 50, 500, "portfolio mean", "portfolio mean"},
		{"WhatHasNoMeanKeepsThePrior", func(*Config) {}, map[string]int64{"size": 7500}, 450, 160, 610, "portfolio mean", ""},
		{"APriorOfItsOwnStays", own(UnknownOverride{Prior: &sure}), means, 600, 50, 650, "", "portfolio mean"},
		{"WorstStays", own(UnknownOverride{Policy: PolicyWorst}), means, 120, 50, 170, "", "portfolio mean"},
		{"ExcludeStays", own(UnknownOverride{Policy: PolicyExclude}), means, 0, 125, 125, "", "portfolio mean"},
		{"NoMoreThanCanBeEarned", func(*Config) {}, map[string]int64{"size": 20000, "tools": -20000}, 600, -200, 400, "portfolio mean", "portfolio mean"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := small()
			c.change(&config)
			p := mustNew(t, config)
			before := p.Score(nil, noon, false)
			got := p.WithMeans(c.means).Score(nil, noon, false)
			size, tools := got.Rows[0], got.Rows[1]
			if size.Points != c.size || tools.Points != c.tools || got.Score.Score != c.score || size.Label != c.label || tools.Label != c.other {
				t.Errorf("score %s, rows %+v %+v", got.Score.Score, size, tools)
			}
			if after := p.Score(nil, noon, false); after.Score.Score != before.Score.Score {
				t.Error("the profile without means has changed")
			}
		})
	}
}

// TestReasonsAreMeasuredFromTheMean: what every lead has tells none apart.
func TestReasonsAreMeasuredFromTheMean(t *testing.T) {
	t.Parallel()
	facts := factsOf(size(500, 500), stack(true, "hubspot"))
	config := small()
	usual := 1.0
	config.Criteria[0].Unknown = &UnknownOverride{Policy: PolicyWorst, Prior: &usual} // what is guessed is no yardstick
	p := mustNew(t, config)
	for _, c := range []struct {
		means map[string]int64
		want  []string
	}{
		{map[string]int64{"size": 10000, "tools": 1000}, []string{"Tools: hubspot (crm) +28"}},
		{map[string]int64{"size": 1000, "tools": 6000}, []string{"Size: 500 (large) +60", "Tools: hubspot (crm) +28"}},
	} {
		got := p.WithMeans(c.means).Score(facts, noon, true).TopReasons
		if len(got) != len(c.want) {
			t.Fatalf("reasons %q, want %q", got, c.want)
		}
		for i := range got {
			if !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("reasons %q, want %q", got, c.want)
			}
		}
	}
}

// TestAMeanIsToldAsOne: nobody should take a guess for a fact, nor one guess for another.
func TestAMeanIsToldAsOne(t *testing.T) {
	t.Parallel()
	r := mustNew(t, small()).WithMeans(map[string]int64{"size": 7500}).Score(nil, noon, true)
	text := Explain(galena.Decision{Score: r.Score})
	for _, want := range []string{" +45.0 Size: unknown (portfolio mean, 12 to 60)\n", " +16.0 Tools: unknown (-20 to 40)\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

package scoring

import (
	"slices"
	"testing"

	"github.com/galenahq/galena"
)

func in(country string) *galena.Fact {
	return galena.KnownFact("company.hq_country", galena.CountryValue(country), "alpha", noon)
}

func when(field string, o galena.Operators) galena.Condition {
	return galena.Condition{Field: field, Operators: o}
}

// TestTier shows SEMANTICS 1.4.2 and 1.4.3 on small().
func TestTier(t *testing.T) {
	t.Parallel()
	domestic := when("company.hq_country", galena.Operators{Eq: "US"})
	requiring := func(c *Config) { c.Tiers[0].Requires = &domestic }
	same := func(*Config) {}
	best := []*galena.Fact{size(500, 500), stack(true, "hubspot", "snowflake")}
	for _, c := range []struct {
		name               string
		change             func(*Config)
		facts              []*galena.Fact
		tier               string
		settled, undecided bool
		reachable, open    []string
	}{
		{"OneTierIsSettled", same, best, "A", true, false, []string{"A"}, nil},
		{"TwoTiersAreNot", same, []*galena.Fact{size(500, 500)}, "B", false, false, []string{"A", "C"}, nil},
		{"UndecidedReachesHigher", same, nil, "C", false, true, []string{"A", "B", "C"}, nil},
		{"RequiresTrue", requiring, append(slices.Clone(best), in("US")), "A", true, false, []string{"A"}, nil},
		{"RequiresFalseContinuesBelow", requiring, append(slices.Clone(best), in("DE")), "B", true, false, []string{"B"}, nil},
		{"RequiresUnknownIsOpen", requiring, best, "B", false, false, []string{"A", "B"}, []string{"company.hq_country"}},
		{"UnknownApplicabilityIsOpen", inBritain, best, "B", false, false, []string{"A", "C"}, []string{"company.hq_country"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := small()
			c.change(&config)
			got := mustNew(t, config).Score(factsOf(c.facts...), noon, false)
			if got.Tier != c.tier || got.Settled != c.settled || got.Undecided != c.undecided || got.Provisional == c.settled {
				t.Errorf("tier %s, settled %v, undecided %v; want %s, %v, %v (score %s in %s..%s)",
					got.Tier, got.Settled, got.Undecided, c.tier, c.settled, c.undecided, got.Score.Score, got.Lo, got.Hi)
			}
			if got.TierHi != c.reachable[0] {
				t.Errorf("tier at hi %s, reachable %v", got.TierHi, c.reachable)
			}
			for _, name := range c.reachable {
				if !slices.Contains(got.Reachable, name) {
					t.Errorf("reachable %v, want %v among them", got.Reachable, c.reachable)
				}
			}
			if !slices.Equal(got.OpenRequires, c.open) {
				t.Errorf("open requires %v, want %v", got.OpenRequires, c.open)
			}
		})
	}
}

// TestCoverageGate: a high estimate that rests on little is given a lower tier.
func TestCoverageGate(t *testing.T) {
	t.Parallel()
	c := small()
	c.Unknown.Prior = 0.9
	got := mustNew(t, c).Score(nil, noon, false)
	if got.Score.Score != 900 || got.Tier != "B" || !got.Provisional {
		t.Errorf("%s, tier %s; want 90 lowered to B", got.Score.Score, got.Tier)
	}
}

// TestDisqualifiers shows SEMANTICS 1.4.1: which rule ends the evaluation, and
// whether buying may stop.
func TestDisqualifiers(t *testing.T) {
	t.Parallel()
	embargo := Disqualifier{ID: "embargo", Sink: "compliance_review", Reason: "Embargoed country", When: when("company.hq_country", galena.Operators{Eq: "KP"})}
	micro := Disqualifier{ID: "micro", Sink: "nurture", Reason: "Too small", When: when("company.employee_count", galena.Operators{Lt: 5})}
	sameSink, holds := embargo, embargo
	sameSink.Sink, holds.IfUnknown = "nurture", UnknownHold
	for _, c := range []struct {
		name           string
		rules          []Disqualifier
		facts          []*galena.Fact
		final          bool
		id             string
		stops, settled bool
		open           []string
	}{
		{"NoneHolds", []Disqualifier{embargo, micro}, []*galena.Fact{in("US"), size(50, 50), stack(true)}, false, "", false, true, nil},
		{"FirstTrueWins", []Disqualifier{embargo, micro}, []*galena.Fact{in("KP"), size(3, 3)}, false, "embargo", true, true, nil},
		{"UnknownKeepsTheTierOpen", []Disqualifier{embargo}, []*galena.Fact{size(50, 50), stack(true)}, true, "", false, false, []string{"company.hq_country"}},
		{"EarlierUnknownWithAnotherSinkStaysOpen", []Disqualifier{embargo, micro}, []*galena.Fact{size(3, 3)}, true, "micro", false, false, []string{"company.hq_country"}},
		{"EarlierUnknownWithTheSameSinkDoesNotMatter", []Disqualifier{sameSink, micro}, []*galena.Fact{size(3, 3)}, false, "micro", true, true, nil},
		{"LaterUnknownDoesNotMatter", []Disqualifier{micro, embargo}, []*galena.Fact{size(3, 3)}, false, "micro", true, true, nil},
		{"HoldWaitsWhileSomebodyCanBeAsked", []Disqualifier{holds}, []*galena.Fact{size(50, 50)}, false, "", false, false, []string{"company.hq_country"}},
		{"HoldKeepsTheLeadInTheEnd", []Disqualifier{holds}, []*galena.Fact{size(50, 50)}, true, "embargo", false, false, []string{"company.hq_country"}},
		{"TrueGoesBeforeHold", []Disqualifier{holds, micro}, []*galena.Fact{size(3, 3)}, true, "micro", false, false, []string{"company.hq_country"}},
		{"PartialValueIsOpen", []Disqualifier{micro}, []*galena.Fact{size(1, 10), stack(true)}, false, "", false, false, []string{"company.employee_count"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := small()
			config.Disqualifiers = c.rules
			got := mustNew(t, config).Score(factsOf(c.facts...), noon, c.final)
			id := ""
			if got.Disqualified != nil {
				id = got.Disqualified.ID
			}
			if id != c.id || got.Stops != c.stops || got.Settled != c.settled || (got.Tier == TierX) != (c.id != "") {
				t.Errorf("disqualified by %q, stops %v, settled %v, tier %s; want %q, %v, %v", id, got.Stops, got.Settled, got.Tier, c.id, c.stops, c.settled)
			}
			if !slices.Equal(got.OpenDisqualifiers, c.open) {
				t.Errorf("open %v, want %v", got.OpenDisqualifiers, c.open)
			}
			if len(got.Disqualifiers) != len(c.rules) || len(got.Rows) != 2 {
				t.Error("a disqualified lead keeps its rows and the state of every rule")
			}
		})
	}
}

// TestRoutable: the two highest tiers are routable unless the file says which.
func TestRoutable(t *testing.T) {
	t.Parallel()
	c := small()
	c.Tiers[2].Routable = true
	if got := mustNew(t, c).Score(nil, noon, false); got.Undecided {
		t.Error("tier C is routable here, so nothing is undecided")
	}
}

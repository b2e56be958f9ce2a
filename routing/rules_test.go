package routing

import (
	"slices"
	"testing"

	"github.com/galenahq/galena"
)

// input is a lead that nobody knows anything of, but whose form is known.
func input(reachable ...string) Input {
	facts := galena.Facts{}
	for _, m := range matches() {
		facts[m] = galena.KnownFact(m, galena.TextValue(""), "test", monday)
	}
	facts["lead.form"] = galena.KnownFact("lead.form", galena.EnumValue("ebook"), "form", monday)
	return Input{Score: galena.Score{Tier: reachable[0], Hi: 1000}, Reachable: reachable, Facts: facts, Now: monday}
}

func (in Input) with(field string, v galena.Value) Input {
	in.Facts[field] = galena.KnownFact(field, v, "test", monday)
	return in
}

func (in Input) final() Input {
	in.Final = true
	return in
}

func country(c string) galena.Value { return galena.CountryValue(c) }

func TestMatch(t *testing.T) {
	t.Parallel()
	hq := []string{"company.hq_country"}
	for _, c := range []struct {
		name      string
		in        Input
		rule      string
		territory string
		open      []string
		settled   bool
	}{
		{"AnUnknownTerritoryIsOpenForATierThatReadsIt", input("A"), "fit-but-no-territory", "", hq, false},
		{"ATierThatReadsNoTerritoryLeavesItAlone", input("C"), "tier-c", "", nil, true},
		{"OneReachableTierThatReadsItIsEnough", input("D", "C", "B"), "fallback", "", hq, false},
		{"AKnownTerritorySettles", input("A").with("company.hq_country", country("UK")), "tier-a", "emea", nil, true},
		{"TheLeadsOwnCountryWaitsForTheCompanys", input("B").with("lead.country", country("BR")), "fit-but-no-territory", "", hq, false},
		{"AndSpeaksWhenNobodyIsLeftToAsk", input("B").with("lead.country", country("BR")).final(), "tier-b", "latam", nil, true},
		{"AndWhenThereIsNoHeadquarters", input("B").with("lead.country", country("BR")).with("company.hq_country", country("")), "tier-b", "latam", nil, true},
		{"ACountryInNoTerritoryIsFalse", input("A").with("company.hq_country", country("JP")), "fit-but-no-territory", "", nil, true},
		{"SeveralTiersThatLeadToOneRuleAreSettled", input("A", "B").with("match.account_owner", galena.TextValue("erin.walsh")).
			with("company.hq_country", country("US")), "account-owner", "amer", nil, true},
		{"ARepMayHaveLeftSoTheTerritoryIsRead", input("A").with("match.account_owner", galena.TextValue("erin.walsh")), "account-owner", "", hq, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := exampleRouter(t).Match(c.in)
			if got.Rule != c.rule || got.Territory != c.territory || !slices.Equal(got.Open, c.open) || got.Settled != c.settled {
				t.Errorf("got %s %q open %v settled %v, want %s %q open %v settled %v", got.Rule, got.Territory,
					got.Open, got.Settled, c.rule, c.territory, c.open, c.settled)
			}
		})
	}
}

func TestMatchSaysWhatEachRuleSaw(t *testing.T) {
	t.Parallel()
	tierB := func(in Input) galena.RuleTry {
		got := exampleRouter(t).Match(in)
		return got.Tries[slices.IndexFunc(got.Tries, func(r galena.RuleTry) bool { return r.Rule == "tier-b" })]
	}
	if try := tierB(input("B", "C")); try.Result != galena.UnknownTruth || try.Values != nil {
		t.Errorf("got %v %v, want UNKNOWN while both tiers can be reached", try.Result, try.Values)
	}
	if try := tierB(input("B").final()); try.Result != galena.UnknownTruth || try.Values["decision.tier"] != "B" || try.Values["decision.territory"] != "unknown" {
		t.Errorf("got %v %v, want UNKNOWN for the territory", try.Result, try.Values)
	}
}

func TestAnOpenDisqualifierIsUnknownUntilNobodyIsLeftToAsk(t *testing.T) {
	t.Parallel()
	in := input("C")
	in.Score.Disqualifiers = []galena.DisqualifierState{{ID: "embargo", Result: galena.UnknownTruth}}
	r := exampleRouter(t)
	if got := r.Match(in); got.Tries[0].Result != galena.UnknownTruth || got.Settled || got.Open != nil {
		t.Errorf("got %v settled %v open %v, want UNKNOWN", got.Tries[0].Result, got.Settled, got.Open)
	}
	if got := r.Match(in.final()); got.Tries[0].Result != galena.False || got.Rule != "tier-c" {
		t.Errorf("got %v, want FALSE", got.Tries[0].Result)
	}
}

func TestARuleOnTheScoreReadsTheInterval(t *testing.T) {
	t.Parallel()
	c := Defaults()
	high := &Condition{Field: "decision.score", Operators: galena.Operators{Gte: 80}}
	c.Rules = slices.Insert(c.Rules, 0, Rule{ID: "top", When: high, To: Target{Queue: "top"}})
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	in := input("A")
	in.Score.Lo, in.Moving = 750, []string{"company.employee_count"}
	got := r.Match(in)
	if got.Tries[0].Result != galena.UnknownTruth || !slices.Equal(got.Open, []string{"company.employee_count"}) {
		t.Errorf("got %v open %v, want UNKNOWN and the field that can move the score", got.Tries[0].Result, got.Open)
	}
	if in.Score.Lo = 800; r.Match(in).Rule != "top" {
		t.Error("an interval inside the range must be TRUE")
	}
}

package planning

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func providers(next []Next) string {
	names := make([]string, len(next))
	for i, n := range next {
		names[i] = n.Provider
	}
	return strings.Join(names, " ")
}

// TestBeside: at the same time goes who is asked anyway, and nobody else.
func TestBeside(t *testing.T) {
	t.Parallel()
	all := func(s *State) { s.AlwaysCollect = []string{collectAll} }
	free := func(s *State) { s.Offers[0].CostMicros = 0 }
	indian, _ := galena.Condition{Field: country, Operators: galena.Operators{Eq: "IN"}}.Compile("", nil)
	for _, c := range []struct {
		name   string
		change []func(*State)
		first  string
		beside string
	}{
		{"NobodyWhenNothingIsCollected", nil, "cheap", ""},
		{"WhoAloneSuppliesWhatIsCollected", []func(*State){all}, "cheap", "tech"}, // dear only knows what cheap may say
		{"NotWhereADisqualifierMayEndIt", []func(*State){all, func(s *State) { s.Result.OpenDisqualifiers = []string{staff} }}, "cheap", ""},
		{"NotWhereAnotherPurchaseMayComeFirst", []func(*State){all, func(s *State) { s.LimitMicros = 129_999 }}, "cheap", ""},
		{"NotWhoIsAway", []func(*State){all, func(s *State) { s.Offers[2].Available, s.Offers[2].Away = false, true }}, "cheap", ""},
		{"NotWhoHasToBeToldMore", []func(*State){all, func(s *State) {
			s.Offers[2].Needs, s.Facts = []string{telephone}, galena.Facts{telephone: galena.KnownFact(telephone, galena.TextValue("1"), "form", noon)}
		}}, "cheap", ""},
		{"NotWhomAnAnswerMayRuleOut", []func(*State){all, func(s *State) {
			s.Offers[2].OnlyIf, s.Facts = indian, galena.Facts{country: galena.KnownFact(country, galena.CountryValue("IN"), "form", noon)}
			s.Offers[0].Hits[country] = 0.5
		}}, "cheap", ""},
		{"NotWhatIsKnown", []func(*State){all, func(s *State) {
			s.Facts = galena.Facts{tools: galena.KnownFact(tools, galena.SetValue([]string{"x"}, true), "crm", noon)}
		}}, "cheap", ""},
		{"WhoCostsNothing", []func(*State){all, free, func(s *State) { s.Offers[0].P95 = 0; s.Asked["cheap"] = true }}, "dear", "tech"},
		{"WhoCostsNothingThoughADisqualifierIsOpen", []func(*State){all, func(s *State) {
			s.Offers[2].CostMicros, s.Offers[2].Hits, s.Result.OpenDisqualifiers = 0, map[string]float64{tools: 0.01}, []string{staff}
		}}, "cheap", "tech"},
		{"NotWhoMayCostSomethingThoughItCostsNothingMostly", []func(*State){all, func(s *State) {
			s.Offers[2].CostMicros, s.Offers[2].MostMicros = 0, 50_000
			s.Offers[2].Hits, s.Result.OpenDisqualifiers = map[string]float64{tools: 0.01}, []string{staff}
		}}, "cheap", ""},
		{"NobodyBesideAStop", []func(*State){all, func(s *State) { s.Result.Stops = true }}, "", ""},
		{"AndTheSecondWhenTimeIsShort", []func(*State){all, func(s *State) {
			s.TimeLeft, s.Result.OpenDisqualifiers = 1099e6, []string{staff}
		}}, "cheap", "tech"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open()
			for _, change := range c.change {
				change(&s)
			}
			first, beside := Ask(s)
			if first.Provider != c.first || providers(beside) != c.beside {
				t.Errorf("asks %q and %q, want %q and %q", first.Provider, providers(beside), c.first, c.beside)
			}
			for _, n := range beside {
				if n.Why == "" {
					t.Errorf("%s is asked for no reason", n.Provider)
				}
			}
		})
	}
}

// Whoever is asked beside another is paid in full, and whoever costs something
// would have been asked in turn as well, whatever the others answered.
func TestNobodyIsAskedBesideAnotherWhoWouldNotBeAskedInTurn(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	seen := 0
	for i := range cases() {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		s := drawState(rnd)
		if s.AlwaysCollect = []string{staff, tools, telephone}; i%2 == 0 {
			s.AlwaysCollect = []string{collectAll}
		}
		s.LimitMicros *= 3
		first, beside := Ask(s)
		bill := s.price(t, first)
		for _, n := range beside {
			bill += s.price(t, n)
			if n.Provider == first.Provider {
				t.Fatalf("seed %d, case %d: %s is asked beside itself", seed, i, n.Provider)
			}
		}
		if len(beside) > 0 && bill > 0 && s.SpentMicros+bill > s.LimitMicros {
			t.Fatalf("seed %d, case %d: %d for all, %d allowed", seed, i, bill, s.LimitMicros)
		}
		if s.TimeLeft >= 0 {
			continue // who comes beside then comes for the time
		}
		asked := inTurn(rnd, s)
		for _, n := range beside {
			if s.price(t, n) > 0 && !asked[n.Provider] {
				t.Fatalf("seed %d, case %d: %s is asked beside %s, and in turn only %v are", seed, i, n.Provider, first.Provider, asked)
			}
			if s.price(t, n) > 0 {
				seen++
			}
		}
	}
	if seen < cases()/100 {
		t.Errorf("only %d of %d cases had anybody to ask beside another: the test shows nothing", seen, cases())
	}
}

// inTurn plays the plan out, one vendor after the other: each says some of what
// it may know, and the decision settles, or does not, on the way.
func inTurn(rnd *rand.Rand, s State) map[string]bool {
	s.Asked, s.Facts = map[string]bool{}, galena.Facts{}
	for next := Plan(s); next.Provider != ""; next = Plan(s) {
		s.Asked[next.Provider] = true
		o := s.Offers[slices.IndexFunc(s.Offers, func(o galena.Offer) bool { return o.Provider == next.Provider })]
		s.SpentMicros += o.CostMicros
		for field := range o.Hits {
			if rnd.IntN(3) > 0 {
				s.Facts[field] = galena.KnownFact(field, galena.TextValue("said"), o.Provider, noon)
			}
		}
		if rnd.IntN(3) == 0 {
			s.Result.TierLo, s.RouteSettled, s.RouteOpen, s.Result.OpenRequires = s.Result.TierHi, true, nil, nil
		}
	}
	return s.Asked
}

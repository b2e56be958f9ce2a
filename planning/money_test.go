package planning

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

// cases is how many random cases a loop tries, as TestMain tells rapid.
func cases() int {
	if testing.Short() {
		return 1_000
	}
	return 10_000
}

// drawState is a lead in any state, with vendors at any price.
func drawState(rnd *rand.Rand) State {
	fields := []string{staff, tools, country, turnover, telephone}
	field := func() string { return fields[rnd.IntN(len(fields))] }
	s := State{Asked: map[string]bool{}, LimitMicros: rnd.Int64N(20) * 10_000, TimeLeft: -1,
		RouteSettled: rnd.IntN(2) == 0, HasDomain: rnd.IntN(8) > 0, Spendable: rnd.IntN(8) > 0, Now: noon}
	s.Result = scoring.Result{TierLo: "C", TierHi: []string{"A", "C"}[rnd.IntN(2)], Stops: rnd.IntN(10) == 0}
	for range rnd.IntN(4) {
		s.Result.Need = append(s.Result.Need, scoring.Need{Field: field(), Points: galena.Tenths(rnd.IntN(300))})
	}
	for _, open := range []*[]string{&s.RouteOpen, &s.Result.OpenDisqualifiers, &s.Result.OpenRequires, &s.AlwaysCollect} {
		for range rnd.IntN(2) {
			*open = append(*open, field())
		}
	}
	for _, id := range []string{"a", "b", "c", "d"}[:rnd.IntN(5)] {
		o := offer(id, rnd.Int64N(10), rnd.IntN(900), map[string]float64{field(): rnd.Float64(), field(): rnd.Float64()})
		o.PerMatch, o.Available = rnd.IntN(2) == 0, rnd.IntN(8) > 0
		s.Offers = append(s.Offers, o)
	}
	if rnd.IntN(3) == 0 {
		s.TimeLeft = time.Duration(rnd.IntN(1500)) * time.Millisecond
	}
	return s
}

// price is what a planned call may cost at most.
func (s State) price(t *testing.T, n Next) int64 {
	t.Helper()
	if n.Provider == "" {
		return 0
	}
	if s.Asked[n.Provider] {
		t.Fatalf("%s is asked twice: %+v", n.Provider, s)
	}
	for _, o := range s.Offers {
		if o.Provider == n.Provider {
			return o.CostMicros
		}
	}
	t.Fatalf("%s offers nothing", n.Provider)
	return 0
}

// I9 for the budget of one lead: whatever is planned, alone or in pairs, can be
// paid in full, to the last call.
func TestI9NoPlanSpendsMoreThanALeadMayCost(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	for i := range cases() {
		s := drawState(rand.New(rand.NewPCG(seed, uint64(i))))
		for {
			next := Plan(s)
			first, second := Pair(s)
			if first.Provider != next.Provider || second.Provider != "" && second.Provider == first.Provider {
				t.Fatalf("seed %d, case %d: the plan is %q, the pair %q and %q", seed, i, next.Provider, first.Provider, second.Provider)
			}
			both := s.price(t, first) + s.price(t, second)
			if second.Provider != "" && both > 0 && s.SpentMicros+both > s.LimitMicros {
				t.Fatalf("seed %d, case %d: %d spent, %d more for a pair, %d allowed", seed, i, s.SpentMicros, both, s.LimitMicros)
			}
			if next.Provider == "" {
				break
			}
			s.SpentMicros += s.price(t, next)
			s.Asked[next.Provider] = true
			if s.SpentMicros > s.LimitMicros {
				t.Fatalf("seed %d, case %d: %d spent, %d allowed", seed, i, s.SpentMicros, s.LimitMicros)
			}
		}
	}
}

// I14: nobody is asked about a lead that may not be enriched.
func TestI14NobodyIsAskedAboutALeadThatMayNotBeEnriched(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	for i := range cases() {
		s := drawState(rand.New(rand.NewPCG(seed, uint64(i))))
		if s.Spendable = false; i%4 == 0 {
			s.Spendable, s.HasDomain = true, false
		}
		first, second := Pair(s)
		if next := Plan(s); next.Provider != "" || next.Stop == "" || first.Provider != "" || second.Provider != "" {
			t.Fatalf("seed %d, case %d: %q, %q and %q are asked (%s)", seed, i, next.Provider, first.Provider, second.Provider, next.Stop)
		}
	}
}

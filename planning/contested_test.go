package planning

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// TestWhoCouldDecideBetweenSourcesIsAsked shows SEMANTICS 3.5: a conflict that
// decides first tries one more provider.
func TestWhoCouldDecideBetweenSourcesIsAsked(t *testing.T) {
	t.Parallel()
	settled := func(s *State) { s.Result.TierLo, s.Result.TierHi = "B", "B" }
	contested := func(s *State) { s.Contested, s.Asked["cheap"] = []string{staff}, true }
	for _, c := range []struct {
		name   string
		change []func(*State)
		ask    string
		stop   galena.Stop
		why    string
	}{
		{"WhenSettled", []func(*State){settled, contested}, "dear", "", "sources disagree on " + staff},
		{"WhenDisqualified", []func(*State){contested, func(s *State) { s.Result.Stops = true }}, "dear", "", ""},
		{"AfterWhatIsOpen", []func(*State){contested, func(s *State) { s.Offers[2].Hits[tools] = 1; s.Offers[0].CostMicros = 140_000 }}, "tech", "", ""},
		{"NobodyElseSuppliesIt", []func(*State){settled, contested, func(s *State) { s.Asked["dear"] = true }}, "", galena.StopSettled, ""},
		{"NotBeyondTheBudget", []func(*State){settled, contested, func(s *State) { s.SpentMicros = 100_000 }}, "", galena.StopSettled, ""},
		{"NotBeyondTheTime", []func(*State){settled, contested, func(s *State) { s.TimeLeft = 0 }}, "", galena.StopSettled, ""},
		{"NeverWhatMayNotBeSpentOn", []func(*State){settled, contested, func(s *State) { s.Spendable = false }}, "", galena.StopSettled, ""},
		{"NeverWithoutADomain", []func(*State){settled, contested, func(s *State) { s.HasDomain = false }}, "", galena.StopSettled, ""},
		{"NothingContested", []func(*State){settled}, "", galena.StopSettled, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open()
			for _, change := range c.change {
				change(&s)
			}
			n := Plan(s)
			if n.Provider != c.ask || n.Stop != c.stop || c.why != "" && n.Why != c.why {
				t.Errorf("asks %q, stops %q, because %q; want %q, %q, %q", n.Provider, n.Stop, n.Why, c.ask, c.stop, c.why)
			}
		})
	}
}

func TestAConflictNeverChangesWhatIsAskedBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := open()
		for _, o := range s.Offers {
			s.Asked[o.Provider] = rapid.Bool().Draw(rt, o.Provider)
		}
		if rapid.Bool().Draw(rt, "settled") {
			s.Result.TierLo, s.Result.TierHi = "B", "B"
		}
		s.SpentMicros = rapid.Int64Range(0, 150_000).Draw(rt, "spent")
		without := Plan(s)
		s.Contested = rapid.SliceOf(rapid.SampledFrom([]string{staff, tools, country})).Draw(rt, "contested")
		with := Plan(s)
		if without.Provider != "" && with.Provider != without.Provider || with.Provider == "" && with.Stop != without.Stop {
			rt.Fatalf("%+v with the conflict, %+v without", with, without)
		}
	})
}

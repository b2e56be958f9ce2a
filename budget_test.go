package galena_test

import (
	"testing"

	"github.com/galenahq/galena"
)

func TestAProviderHasWhatTheTightestBudgetLeavesIt(t *testing.T) {
	t.Parallel()
	c := galena.Catalogue{Budgets: []galena.Budget{{Scope: "day", LimitMicros: 500_000}, {Scope: "provider:alpha", LimitMicros: 100_000}, {Scope: "source:ads", LimitMicros: 1}}}
	for _, x := range []struct {
		id    string
		spent map[string]int64
		want  float64
	}{
		{"alpha", map[string]int64{"day": 450_000, "provider:alpha": 80_000}, 2},
		{"alpha", map[string]int64{"day": 495_000, "provider:alpha": 80_000}, 0.5},
		{"alpha", map[string]int64{"provider:alpha": 100_001}, 0},
		{"beta", map[string]int64{"day": 450_000, "provider:alpha": 80_000}, 5},
	} {
		if got, bounded := c.Left(x.id, x.spent); got != x.want || !bounded {
			t.Errorf("%s has %v (%v) of %v, want %v", x.id, got, bounded, x.spent, x.want)
		}
	}
	c.Budgets = c.Budgets[1:]
	if got, bounded := c.Left("beta", nil); bounded {
		t.Errorf("%v cents of no budget", got)
	}
}

package main

import (
	"testing"

	"github.com/galenahq/galena"
)

func TestAProviderHasWhatTheTightestBudgetLeavesIt(t *testing.T) {
	t.Parallel()
	budgets := []galena.Budget{{Scope: "day", LimitMicros: 500_000}, {Scope: "provider:alpha", LimitMicros: 100_000}, {Scope: "source:ads", LimitMicros: 1}}
	spent := map[string]int64{"day": 450_000, "provider:alpha": 80_000}
	for id, want := range map[string]float64{"alpha": 2, "beta": 5} {
		if got := budgetLeft(id, budgets, spent); got == nil || *got != want {
			t.Errorf("%s has %v, want %v", id, got, want)
		}
	}
	if got := budgetLeft("beta", budgets[1:], spent); got != nil {
		t.Errorf("%v cents of no budget", *got)
	}
}

package providers

import (
	"context"
	"testing"

	"github.com/galenahq/galena"
)

func TestAnAnswerThatCountsItsCreditsCostsThem(t *testing.T) {
	t.Parallel()
	for credits, want := range map[int64]int64{0: 0, 1: 20_000, 11: 220_000} {
		b := newBundle(t, func(context.Context, Query) (Record, error) {
			r := Record{Credits: &credits}
			r.Add("company.name", galena.TextValue("Acme"), "name")
			return r, nil
		}, nil)
		a, _, err := b.Ask(t.Context(), "one", "acme.example", nil)
		if err != nil || a.CostMicros != want || b.memory.ledger[0].CostMicros != want {
			t.Errorf("%d credits cost %d (%v), want %d", credits, a.CostMicros, err, want)
		}
	}
}

package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/merging"
)

// lifetimes is how long a value of a field counts as fresh, and at all: what the
// merge policy says, in the form that providers and pages ask for.
func lifetimes(r configs.Rules) (func(field string) (fresh, held time.Duration), error) {
	policy, err := merging.New(r.Merging, nil) // trust has no part in a time
	if err != nil {
		return nil, fmt.Errorf("merging: %w", err)
	}
	return func(field string) (fresh, held time.Duration) { return policy.TTL(field), policy.MaxStale(field) }, nil
}

// chance is the jitter of what is held; a scenario has none.
func chance(frozen bool) func() float64 {
	if frozen {
		return func() float64 { return 0.5 }
	}
	return rand.Float64
}

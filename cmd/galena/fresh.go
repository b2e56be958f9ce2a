package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/redis"
	"github.com/galenahq/galena/scoring"
	"github.com/galenahq/galena/worker"
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

// restocker keeps the data of decided leads fresh. A scenario has none: its
// clock stands still.
func (a *App) restocker() *worker.Restocker {
	limiter := redis.NewLimiter(a.redis)
	return &worker.Restocker{Shelf: a.store, Wake: a.relay.Nudge, Now: a.now, Log: a.log.With("part", "restock"),
		Profile:   func() (*scoring.Profile, error) { return scoring.New(a.book.current().rules.ICP) },
		PerMinute: func() int { return a.book.current().rules.Providers.Limits.RefreshPerMinute },
		Allow: func(ctx context.Context, perMinute int) (bool, error) {
			ok, _, err := limiter.Allow(ctx, "refresh", float64(perMinute)/60, refreshBurst(perMinute))
			return ok, err
		}}
}

// refreshBurst is what one look, every five seconds, may hand out at once.
func refreshBurst(perMinute int) int { return max(1, perMinute/12) }

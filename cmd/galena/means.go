package main

import (
	"context"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/worker"
)

// meansEvery is how often a worker looks whether its profile has portfolio means.
// It stops looking once it has them.
const meansEvery = 10 * time.Second

// countIn gives rules the portfolio means of their profile, if there are any. A
// store that is away leaves them as they are until the next look: a lead is better
// judged with the prior than not at all.
func (b *rulebook) countIn(ctx context.Context, rules *worker.Rules) *worker.Rules {
	if b.portfolio == nil {
		return rules
	}
	out, err := rules.WithPortfolio(ctx, b.portfolio)
	if err != nil {
		b.log.WarnContext(ctx, "portfolio means not looked up", "kind", galena.KindOf(err), "error", err)
	} else if out != rules {
		b.log.InfoContext(ctx, "portfolio means in force", "hash", out.Refs[len(out.Refs)-1].Hash)
	}
	return out
}

// lookForMeans counts means into the set in force, for the leads that begin from
// now on.
func (b *rulebook) lookForMeans(ctx context.Context) error {
	b.mu.Lock()
	set, before := b.set, b.set.compiled
	b.mu.Unlock()
	rules := b.countIn(ctx, before)
	b.mu.Lock()
	defer b.mu.Unlock()
	set.compiled = rules
	return nil
}

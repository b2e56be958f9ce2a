package main

import (
	"context"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/worker"
)

// meansEvery is how often a worker looks whether its profile has portfolio means,
// and the day hit rates. It stops looking for what it has.
const meansEvery = 10 * time.Second

// history is what decided leads say together.
type history interface {
	worker.Portfolio
	worker.HitRates
}

// countIn gives rules the hit rates of the day and the portfolio means of their
// profile, if there are any. A store that is away leaves them as they are until the
// next look: a lead is better judged with the prior than not at all.
func (b *rulebook) countIn(ctx context.Context, rules *worker.Rules) *worker.Rules {
	if b.history == nil {
		return rules
	}
	seen, err := rules.WithHitRates(ctx, b.history, worker.Day(b.now()))
	if err != nil {
		b.log.WarnContext(ctx, "hit rates not looked up", "kind", galena.KindOf(err), "error", err)
	} else if seen != rules {
		b.log.InfoContext(ctx, "hit rates in force", "day", seen.Hits.Day, "companies", seen.Hits.Companies)
	}
	out, err := seen.WithPortfolio(ctx, b.history)
	if err != nil {
		b.log.WarnContext(ctx, "portfolio means not looked up", "kind", galena.KindOf(err), "error", err)
	} else if out != seen {
		b.log.InfoContext(ctx, "portfolio means in force", "hash", out.Refs[len(out.Refs)-1].Hash)
	}
	return out
}

// lookForMeans counts means and hit rates into the set in force, for the leads that
// begin from now on.
func (b *rulebook) lookForMeans(ctx context.Context) error {
	b.mu.Lock()
	set, before := b.set, b.set.compiled
	b.mu.Unlock()
	if before == nil {
		return nil // the files in force name nobody who could be asked here
	}
	rules := b.countIn(ctx, before)
	b.mu.Lock()
	defer b.mu.Unlock()
	set.compiled = rules
	return nil
}

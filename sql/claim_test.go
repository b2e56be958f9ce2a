package sql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// purse is one budget of 500 cents, spent two cents at a time by the workers of
// two processes.
type purse struct {
	stores [2]*sql.Store
	hits   atomic.Int64
	killed bool // some workers die while they call
}

const (
	purseDay   = "2026-11-23"
	purseLimit = 5_000_000
	pursePrice = 20_000
	purseLease = 4 * time.Second // of those who will die; the others are never taken for dead, however slow the machine
)

func (p *purse) spent(t *testing.T) int64 {
	t.Helper()
	got, err := p.stores[0].Spent(t.Context(), purseDay)
	if err != nil {
		t.Fatal(err)
	}
	return got["day"]
}

// work calls until the budget is spent on answers. Of the calls a third fails and
// is refunded.
func (p *purse) work(ctx context.Context, s *sql.Store, worker int, chance *rand.Rand) error {
	for i := 0; p.hits.Load()*pursePrice < purseLimit && ctx.Err() == nil; i++ {
		roll, lease := chance.IntN(6), time.Hour
		dies := p.killed && roll == 5
		if dies {
			lease = purseLease
		}
		c := galena.CallClaim{Provider: "alpha", Domain: fmt.Sprintf("w%d-%d.test", worker, i), Day: purseDay, ReservedMicros: pursePrice,
			Token: fmt.Sprintf("%d %d", worker, i), Until: time.Now().Add(lease),
			Budgets: []galena.Budget{{Scope: "day", LimitMicros: purseLimit}, {Scope: "provider:alpha", LimitMicros: 2 * purseLimit}}}
		var g galena.Grant
		if err := patiently(ctx, func() (err error) { g, err = s.ClaimCall(ctx, c, galena.CallClaim{}); return err }); err != nil {
			return err
		}
		if !g.Granted { // until somebody's refund makes room
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if dies {
			continue
		}
		kind, cost := galena.Kind(""), int64(pursePrice)
		if roll < 2 {
			kind, cost = galena.Unavailable, 0
		}
		now := time.Now()
		c.Kind = kind
		done := galena.Settlement{Claim: c, Answer: galena.Answer{Provider: "alpha", Domain: c.Domain, Kind: kind, FetchedAt: now},
			Call: &galena.LedgerEntry{Provider: "alpha", Domain: c.Domain, Outcome: "hit", CostMicros: cost, At: now}}
		if err := patiently(ctx, func() error { return s.SettleCall(ctx, done) }); err != nil {
			return err
		}
		if kind == "" {
			p.hits.Add(1)
		}
	}
	return ctx.Err()
}

// patiently asks again while the database is too slow, as SQLite is for sixteen
// writers under the race detector.
func patiently(ctx context.Context, ask func() error) (err error) {
	for ctx.Err() == nil {
		if err = ask(); galena.KindOf(err) != galena.Unavailable {
			return err
		}
	}
	return err
}

// I9 for budgets of a day: 16 workers of two processes, a third of the calls
// refunded, and whoever looks at whatever instant sees no more than 500 cents.
func TestSpendIsNeverAboveTheBudgetAndEndsExact(t *testing.T) {
	t.Parallel()
	for name, killed := range map[string]bool{"NobodyDies": false, "SomeDie": true} {
		for engine, address := range addresses(t) {
			t.Run(engine+name, func(t *testing.T) {
				t.Parallel()
				p := &purse{stores: [2]*sql.Store{open(t, address, time.Now), open(t, address, time.Now)}, killed: killed}
				p.play(t)
			})
		}
	}
}

// play runs the workers, with somebody looking all the while.
func (p *purse) play(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	seed := rand.Uint64()
	var workers, looker sync.WaitGroup
	for i := range 16 {
		workers.Go(func() {
			if err := p.work(ctx, p.stores[i%2], i, rand.New(rand.NewPCG(seed, uint64(i)))); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	done, looks, most := make(chan struct{}), 0, int64(0)
	looker.Go(func() {
		for {
			most, looks = max(most, p.spent(t)), looks+1
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	workers.Wait()
	close(done)
	looker.Wait()
	if most > purseLimit || looks < 20 {
		t.Errorf("seed %d: %d micros at the most in %d looks, want no more than %d", seed, most, looks, purseLimit)
	}
	if got := p.spent(t); got != purseLimit || p.hits.Load() != purseLimit/pursePrice {
		t.Errorf("seed %d: %d micros spent on %d answers, want %d on %d", seed, got, p.hits.Load(), purseLimit, purseLimit/pursePrice)
	}
	t.Logf("%d looks, never above %d micros", looks, most)
}

package sqltest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var claimRules = map[string]func(*bench){
	"OneClaimAtATimeAndTheNextOnlyAfterItsEnd":     claimOnce,
	"ClaimsAtOnceShareWhatFitsAndEndExact":         claimTogether,
	"AClaimReservesInAllOfItsBudgetsOrInNone":      claimAllOrNone,
	"WhatACallDidNotCostIsFreeAgain":               claimSettled,
	"AnAbandonedClaimFreesItselfAndItsMoney":       claimAbandoned,
	"ALateSettlementCostsItsBudgetsAllTheSame":     claimLate,
	"AFullBudgetIsClearedOfTheDeadFirst":           claimClears,
	"HowAClaimEndedIsToldUntilItIsForgotten":       claimTold,
	"SpendIsNeverAboveABudgetWhateverTheSequence":  claimSequences,
	"ACallThatWasNotMadeIsNotInTheLedger":          claimUncalled,
	"AnotherDayIsAnotherBudgetAndOldOnesAreForgot": claimDays,
}

// claimOf is a claim for two cents within budgets of ten and six.
func (s *bench) claimOf(token, domain string) galena.CallClaim {
	return galena.CallClaim{Provider: "alpha", Domain: domain, Token: token, Day: "2026-11-23", ReservedMicros: 20_000,
		Until:   s.clock.now().Add(10 * time.Second),
		Budgets: []galena.Budget{{Scope: "day", LimitMicros: 100_000}, {Scope: "provider:alpha", LimitMicros: 60_000}}}
}

// claimed asks for a claim and says whether it was granted.
func (s *bench) claimed(c, seen galena.CallClaim) bool {
	s.Helper()
	g, err := s.ClaimCall(s.ctx, c, seen)
	s.ok(err)
	return g.Granted
}

// seen is the last claim of a domain, as others see it.
func (s *bench) seen(domain string) galena.CallClaim {
	s.Helper()
	_, _, c, err := s.Answer(s.ctx, "alpha", domain)
	s.ok(err)
	return c
}

// paid ends a claim by a call of that price and outcome.
func (s *bench) paid(c galena.CallClaim, kind galena.Kind, micros int64) {
	s.Helper()
	now := s.clock.now()
	c.Kind = kind
	s.ok(s.SettleCall(s.ctx, galena.Settlement{Claim: c,
		Call:   &galena.LedgerEntry{Provider: c.Provider, Domain: c.Domain, Outcome: "hit", CostMicros: micros, At: now},
		Answer: galena.Answer{Provider: c.Provider, Domain: c.Domain, Kind: kind, FetchedAt: now, ExpiresAt: now.Add(time.Hour)}}))
}

// spent checks what is spent of the budgets of the day.
func (s *bench) spent(want map[string]int64) {
	s.Helper()
	got, err := s.Spent(s.ctx, "2026-11-23")
	s.ok(err)
	if !maps.Equal(got, want) {
		s.Errorf("spent %v, want %v", got, want)
	}
}

func both(micros int64) map[string]int64 {
	return map[string]int64{"day": micros, "provider:alpha": micros}
}

func claimOnce(s *bench) {
	none := galena.CallClaim{}
	if !s.claimed(s.claimOf("one", "acme.test"), none) || s.claimed(s.claimOf("two", "acme.test"), none) {
		t := s.seen("acme.test")
		s.Fatalf("the claim is %+v, want one for the first and none for the second", t)
	}
	s.spent(both(20_000))
	one := s.seen("acme.test")
	if !one.Open || one.Token != "one" || !one.Until.Equal(s.clock.now().Add(10*time.Second)) {
		s.Errorf("others see %+v", one)
	}
	s.paid(s.claimOf("one", "acme.test"), "", 20_000)
	if s.claimed(s.claimOf("two", "acme.test"), none) {
		s.Error("who has not seen the first claim end was given the next: he would pay for the same answer")
	}
	if seen := s.seen("acme.test"); seen.Open || !s.claimed(s.claimOf("two", "acme.test"), seen) {
		s.Error("who has seen the first claim end was not given the next")
	}
	s.spent(both(40_000))
	if c := s.claimOf("two", "acme.test"); !s.claimed(c, s.seen("acme.test")) {
		s.Error("whoever repeats a claim because he heard nothing has it")
	}
	s.spent(both(40_000))
}

// claimTogether lets many ask at once, so that they share their transactions: who
// fits is granted, whatever the group; of those who ask about the same company one.
func claimTogether(s *bench) {
	const askers, companies = 120, 40
	var granted atomic.Int64
	ask := func(limit int64) (won []galena.CallClaim) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range askers {
			all.Go(func() {
				c := s.claimOf(fmt.Sprintf("%d of %d", i, limit), fmt.Sprintf("c%d-%d.test", i%companies, limit))
				c.Budgets = []galena.Budget{{Scope: "day", LimitMicros: limit}, {Scope: "source:web", LimitMicros: 10_000_000}}[:1+i%2]
				if g, err := s.ClaimCall(s.ctx, c, galena.CallClaim{}); err != nil {
					s.Error(err)
				} else if g.Granted {
					mu.Lock()
					won = append(won, c)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		granted.Add(int64(len(won)))
		return won
	}
	won := ask(10_000_000) // room for everybody
	if len(won) != companies {
		s.Errorf("%d claims for %d companies", len(won), companies)
	}
	won = append(won, ask(companies*20_000+15*20_000)...) // room for 15 more
	if granted.Load() != companies+15 {
		s.Errorf("%d granted, want %d", granted.Load(), companies+15)
	}
	source := int64(0)
	var all sync.WaitGroup
	for i, c := range won {
		cost := int64(20_000)
		if i%3 == 0 {
			cost = 5_000
		}
		if len(c.Budgets) == 2 {
			source += cost
		}
		all.Go(func() { s.paid(c, "", cost) })
	}
	all.Wait()
	got, err := s.Spent(s.ctx, "2026-11-23")
	cheap := int64(len(won)+2) / 3
	if want := (int64(len(won))-cheap)*20_000 + cheap*5_000; err != nil || got["day"] != want || got["source:web"] != source {
		s.Errorf("spent %v, %v, want %d a day and %d of the source", got, err, want, source)
	}
	for _, c := range won {
		if seen := s.seen(c.Domain); seen.Open || seen.Token != c.Token {
			s.Errorf("%s ended as %+v", c.Domain, seen)
		}
	}
}

func claimAllOrNone(s *bench) {
	for i := range 3 {
		if !s.claimed(s.claimOf("t", fmt.Sprintf("c%d.test", i)), galena.CallClaim{}) {
			s.Fatal("no room for two cents of six")
		}
	}
	g, err := s.ClaimCall(s.ctx, s.claimOf("t", "c3.test"), galena.CallClaim{})
	if err != nil || g.Granted || g.SpentMicros["provider:alpha"] != 60_000 || g.SpentMicros["day"] != 60_000 {
		s.Errorf("granted %+v, %v beyond the budget of the provider", g, err)
	}
	s.spent(both(60_000))
	if c := s.seen("c3.test"); c.Token != "" {
		s.Errorf("a claim without money: %+v", c)
	}
	free := s.claimOf("t", "c3.test")
	free.Budgets, free.ReservedMicros = nil, 0
	if !s.claimed(free, galena.CallClaim{}) {
		s.Error("what costs nothing needs no budget")
	}
}

func claimSettled(s *bench) {
	for _, tt := range []struct {
		name  string
		kind  galena.Kind
		costs int64
		spent int64
	}{{"hit.test", "", 20_000, 20_000}, {"cheaper.test", "", 5_000, 25_000}, {"miss.test", galena.NotFound, 0, 25_000},
		{"down.test", galena.Unavailable, 0, 25_000}, {"dearer.test", "", 30_000, 55_000}} {
		c := s.claimOf(tt.name, tt.name)
		if !s.claimed(c, galena.CallClaim{}) {
			s.Fatalf("%s: no claim", tt.name)
		}
		s.paid(c, tt.kind, tt.costs)
		s.spent(both(tt.spent))
		_, held, seen, err := s.Answer(s.ctx, "alpha", tt.name)
		if err != nil || seen.Open || seen.Kind != tt.kind || held != (tt.kind == "" || tt.kind == galena.NotFound) {
			s.Errorf("%s: held %v, claim %+v, %v", tt.name, held, seen, err)
		}
	}
}

func claimAbandoned(s *bench) {
	s.claimed(s.claimOf("dead", "acme.test"), galena.CallClaim{})
	s.clock.pass(10 * time.Second)
	seen := s.seen("acme.test")
	if !s.claimed(s.claimOf("heir", "acme.test"), seen) {
		s.Fatal("the claim of the dead was not freed")
	}
	s.spent(both(20_000))
	if c := s.seen("acme.test"); c.Token != "heir" || !c.Open {
		s.Errorf("the claim is %+v, want the heir's", c)
	}
}

func claimLate(s *bench) {
	late := s.claimOf("late", "acme.test")
	s.claimed(late, galena.CallClaim{})
	s.clock.pass(10 * time.Second)
	s.ok(s.Tidy(s.ctx))
	s.spent(both(0))
	if c := s.seen("acme.test"); c.Open || c.Cause != galena.CauseAbandoned {
		s.Errorf("the claim is %+v, want it abandoned", c)
	}
	s.paid(late, "", 20_000)
	s.spent(both(20_000))
	if _, held, _, _ := s.Answer(s.ctx, "alpha", "acme.test"); !held {
		s.Error("what was paid for is not held")
	}
}

func claimClears(s *bench) {
	for i := range 3 {
		s.claimed(s.claimOf("dead", fmt.Sprintf("c%d.test", i)), galena.CallClaim{})
	}
	s.clock.pass(10 * time.Second)
	if !s.claimed(s.claimOf("alive", "acme.test"), galena.CallClaim{}) {
		s.Error("the money of the dead was not freed")
	}
	s.spent(both(20_000))
}

func claimTold(s *bench) {
	c := s.claimOf("one", "acme.test")
	s.claimed(c, galena.CallClaim{})
	c.Kind, c.Cause, c.RetryAfter = galena.RateLimited, "429", 30*time.Second
	s.ok(s.SettleCall(s.ctx, galena.Settlement{Claim: c}))
	if got := s.seen("acme.test"); got.Kind != c.Kind || got.Cause != "429" || got.RetryAfter != c.RetryAfter || got.Open {
		s.Errorf("who waited is told %+v", got)
	}
	s.clock.pass(11 * time.Minute)
	s.ok(s.Tidy(s.ctx))
	if got := s.seen("acme.test"); got.Token != "" {
		s.Errorf("after 11 minutes the claim is still there: %+v", got)
	}
}

func claimUncalled(s *bench) {
	c := s.claimOf("one", "acme.test")
	s.claimed(c, galena.CallClaim{})
	c.Kind = galena.BreakerOpen
	s.ok(s.SettleCall(s.ctx, galena.Settlement{Claim: c}))
	s.spent(both(0))
	if _, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); held || err != nil {
		s.Errorf("an answer of nobody is held, %v", err)
	}
}

func claimDays(s *bench) {
	c := s.claimOf("one", "acme.test")
	s.claimed(c, galena.CallClaim{})
	s.clock.pass(9 * time.Second)
	next := s.claimOf("two", "next.test")
	next.Day = "2026-11-24"
	s.claimed(next, galena.CallClaim{})
	s.paid(c, galena.Unavailable, 0)
	s.spent(both(0))
	if got, err := s.Spent(s.ctx, next.Day); err != nil || !maps.Equal(got, both(20_000)) {
		s.Errorf("the next day has spent %v, %v", got, err)
	}
	s.clock.pass(36 * 24 * time.Hour)
	s.ok(s.Tidy(s.ctx))
	s.spent(map[string]int64{})
}

// claimSequences is I9 on random sequences of claims, endings and deaths, held
// against the sums of what is open and what was paid.
func claimSequences(s *bench) {
	const seed = 20261123
	chance := rand.New(rand.NewPCG(seed, 0))
	limits := []galena.Budget{{Scope: "day", LimitMicros: 100_000}, {Scope: "provider:alpha", LimitMicros: 60_000}, {Scope: "source:web", LimitMicros: 45_000}}
	want, open := map[string]int64{}, map[string]galena.CallClaim{}
	add := func(c galena.CallClaim, micros int64) {
		for _, b := range c.Budgets {
			want[b.Scope] += micros
		}
	}
	granted, refused, died := 0, 0, 0
	for i := range 400 {
		domain := fmt.Sprintf("c%d.test", chance.IntN(6))
		c, held := open[domain]
		switch roll := chance.IntN(10); {
		case roll == 0: // time passes: whoever has a claim is dead
			s.clock.pass(10 * time.Second)
			for _, dead := range open {
				add(dead, -dead.ReservedMicros)
				died++
			}
			clear(open)
			s.ok(s.Tidy(s.ctx))
		case held && roll < 8:
			costs := []int64{0, 0, 0, c.ReservedMicros / 2, c.ReservedMicros / 8}[chance.IntN(5)]
			s.paid(c, []galena.Kind{galena.Unavailable, ""}[min(costs, 1)], costs)
			add(c, costs-c.ReservedMicros)
			delete(open, domain)
		default:
			c = s.claimOf(fmt.Sprint(i), domain)
			c.ReservedMicros = 1000 + chance.Int64N(20_000)
			c.Budgets = limits[:1+chance.IntN(len(limits))]
			for _, b := range c.Budgets {
				want[b.Scope] += 0
			}
			if !s.claimed(c, s.lastEnded(domain)) {
				refused++
				break
			}
			if held {
				s.Fatalf("seed %d, step %d: two claims of one company", seed, i)
			}
			granted++
			open[domain] = c
			add(c, c.ReservedMicros)
		}
		got, err := s.Spent(s.ctx, "2026-11-23")
		s.ok(err)
		for _, b := range limits {
			if got[b.Scope] != want[b.Scope] || got[b.Scope] > b.LimitMicros {
				s.Fatalf("seed %d, step %d: %s has spent %d of %d, want %d", seed, i, b.Scope, got[b.Scope], b.LimitMicros, want[b.Scope])
			}
		}
	}
	if granted < 50 || refused < 50 || died < 10 {
		s.Errorf("%d granted, %d refused, %d died: the sequence shows too little", granted, refused, died)
	}
}

// lastEnded is the last claim of a domain, for somebody who takes it as over.
func (s *bench) lastEnded(domain string) galena.CallClaim {
	c := s.seen(domain)
	c.Open = false
	return c
}

// Package sqltest is the store's contract: what must hold on every database.
//
//	sqltest.Run(t, open) ─► intake  queue  ruling  rotation  reading  access
//	                        move  fresh  notice  conflict  identity  standing  configs
//	                        portfolio  hitrate  claim  group  figures
//	                        crm  failed  job  callback
//	                          each a sub-test with an empty store of its own
package sqltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// Open makes an empty, migrated store that reads the given clock, and closes it
// when the test ends.
type Open func(t testing.TB, now func() time.Time) *sql.Store

// Run plays the whole contract, each rule on a store of its own.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, group := range []map[string]func(*bench){intakeRules, queueRules, rulingRules, rotationRules, readingRules, accessRules,
		moveRules, holdRules, freshRules, noticeRules, conflictRules, identityRules, standingRules, configRules,
		portfolioRules, hitRateRules, claimRules, groupRules, figureRules, crmRules, failedRules, jobRules, callbackRules} {
		for name, rule := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				rule(newBench(t, open))
			})
		}
	}
}

// Benchmarks measures the two transactions that every lead needs, of leads that
// come one by one and of 64 that come at once.
func Benchmarks(b *testing.B, open Open) {
	b.Run("Accept", func(b *testing.B) {
		s := newBench(b, open)
		for i := 0; b.Loop(); i++ {
			s.accept(person(i))
		}
	})
	b.Run("AcceptAtOnce", func(b *testing.B) {
		s := newBench(b, open)
		atOnce(b, func(i int) { s.accept(person(i)) })
	})
	b.Run("TokenAtOnce", func(b *testing.B) {
		s := newBench(b, open)
		hash := bytes.Repeat([]byte{7}, 32)
		s.ok(s.CreateToken(s.ctx, galena.Token{ID: "t", Scopes: []string{galena.ScopeLeadsWrite}, Hash: hash, CreatedAt: s.clock.now()}))
		atOnce(b, func(int) {
			if got, err := s.TokenByHash(s.ctx, hash); err != nil || got.ID != "t" {
				b.Errorf("%+v, %v", got, err)
			}
		})
	})
	b.Run("RuleAtOnce", func(b *testing.B) {
		s := newBench(b, open)
		atOnce(b, func(i int) {
			id := s.accept(person(i)).ID
			s.begin(id)
			if _, err := s.Rule(s.ctx, s.ruling(id, rotate(nil))); err != nil {
				b.Error(err)
			}
		})
	})
	b.Run("BuyAtOnce", func(b *testing.B) { // an answer claimed, settled and held
		s := newBench(b, open)
		atOnce(b, func(i int) {
			c := s.claimOf("t", fmt.Sprintf("c%d.test", i))
			c.Budgets = []galena.Budget{{Scope: "day", LimitMicros: 1 << 50}}
			if s.claimed(c, galena.CallClaim{}) {
				s.paid(c, "", 20_000)
			}
		})
	})
	b.Run("AnswerAtOnce", func(b *testing.B) { // a dozen fields, as most vendors know
		s := newBench(b, open)
		a := galena.Answer{Provider: "alpha", Domain: "acme.test", FetchedAt: s.clock.now(), ExpiresAt: s.clock.now().Add(time.Hour)}
		for i := range 12 {
			a.Observations = append(a.Observations, galena.Observation{ID: fmt.Sprintf("o-%d", i), Entity: "acme.test", Field: "company.industry",
				Value: galena.EnumValue("software"), Source: "alpha", Class: galena.ClassProvider, Confidence: 1, ObservedAt: s.clock.now(), FetchedAt: s.clock.now()})
		}
		s.ok(s.SaveAnswer(s.ctx, a, galena.LedgerEntry{Provider: "alpha", Domain: "acme.test", Outcome: "hit", At: s.clock.now()}))
		atOnce(b, func(int) {
			if got, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); err != nil || !held || len(got.Observations) != 12 {
				b.Errorf("%+v, %v", got, err)
			}
		})
	})
	b.Run("Rule", func(b *testing.B) {
		s := newBench(b, open)
		for i := 0; b.Loop(); i++ {
			id := s.accept(person(i)).ID
			s.begin(id)
			if _, err := s.Rule(s.ctx, s.ruling(id, rotate(nil))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// bench is a store with its clock and short ways to use it.
type bench struct {
	testing.TB
	*sql.Store
	ctx   context.Context
	clock *clock
}

func newBench(t testing.TB, open Open) *bench {
	c := &clock{at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	return &bench{TB: t, Store: open(t, c.now), ctx: context.Background(), clock: c}
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// ok stops the test on an error.
func (s *bench) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// refused checks the kind and operation of an error.
func (s *bench) refused(err error, kind galena.Kind, op string) {
	s.Helper()
	e, ok := err.(*galena.Error) //nolint:errorlint // the store returns them unwrapped
	if !ok || e.Kind != kind || (op != "" && e.Op != op) {
		s.Fatalf("error %v, want kind %s, op %q", err, kind, op)
	}
}

// person is an accepted submission of a person of their own.
func person(i int) galena.Intake {
	return submission(fmt.Sprintf("ana%d@acme.test", i), "demo")
}

func submission(email, form string) galena.Intake {
	return galena.Intake{
		Lead: galena.Lead{
			Judgement: galena.Judgement{Verdict: galena.Accept, Email: email, Key: email, Host: "acme.test",
				Domain: "acme.test", Class: galena.Corporate, Spendable: true},
			Status: galena.StatusAccepted, Name: "Ana Souza", Form: form, Source: "web",
			UTM: map[string]string{"source": "ads"}, Consent: map[string]any{"marketing": true},
			Fields: map[string]any{"team": "12"},
		},
		RepeatWithin: 24 * time.Hour,
	}
}

func (s *bench) accept(in galena.Intake) galena.Receipt {
	s.Helper()
	r, err := s.Accept(s.ctx, in)
	s.ok(err)
	return r
}

// begin takes the first run of a lead's step.
func (s *bench) begin(id string) {
	s.Helper()
	ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 1)
	s.ok(err)
	if !ok {
		s.Fatalf("step of %s was not ours to begin", id)
	}
}

// run is a lead's step as a worker holds it.
func run(id string, n int) galena.Step {
	return galena.Step{Kind: galena.StepLead, ID: id, Epoch: 1, Run: n, Queue: sql.QueueLeads}
}

// begun accepts a lead and takes its step.
func (s *bench) begun(in galena.Intake) string {
	s.Helper()
	id := s.accept(in).ID
	s.begin(id)
	return id
}

// parallel runs n calls at once and waits for them.
func parallel(n int, call func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { call(i) })
	}
	wg.Wait()
}

// body is an event's body: one JSON text.
func body(text string) json.RawMessage { return json.RawMessage(strconv.Quote(text)) }

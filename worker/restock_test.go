package worker

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
	"github.com/galenahq/galena/sql"
)

// A vendor was switched off, and what it said of a company is still held and goes
// stale. Nobody can buy it anew, so it must not take the turn of those that can be.
func TestWhatNobodyCanRefreshKeepsNobodyFromTheirs(t *testing.T) {
	t.Parallel()
	ctx, log, now := t.Context(), slog.New(slog.DiscardHandler), testNow
	address := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	if err := sql.Migrate(ctx, address, nil); err != nil {
		t.Fatal(err)
	}
	store, err := sql.Open(ctx, address, log, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for _, c := range []struct {
		domain, provider string
		score            galena.Tenths
	}{{"gone.example", "off", 500}, {"live.example", "one", 520}} { // a refresh of the first would matter more
		a := aged(c.provider, 420, 100*testDay)
		a.Domain = c.domain
		a.Observations[0].Entity, a.Observations[0].ID = c.domain, c.domain
		if err := store.SaveAnswer(ctx, a, galena.LedgerEntry{Provider: c.provider, Domain: c.domain, Outcome: "hit", At: a.FetchedAt}); err != nil {
			t.Fatal(err)
		}
		mail := "ana@" + c.domain
		got, err := store.Accept(ctx, galena.Intake{Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: mail, Key: mail,
			Host: c.domain, Domain: c.domain, Spendable: true}, Status: galena.StatusAccepted, Form: "demo"}})
		if err != nil {
			t.Fatal(err)
		}
		step := galena.Step{Kind: galena.StepLead, ID: got.ID, Epoch: 1, Run: 1}
		m, tries, err := store.Start(ctx, step)
		if err != nil || tries != 1 {
			t.Fatal(tries, err)
		}
		if _, err := store.Rule(ctx, galena.Ruling{Step: step, Lead: m.Lead,
			Settle: func(r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
				return galena.Decision{LeadID: got.ID, Epoch: 1, Stop: galena.StopSettled, Rule: "r", To: "sink:x", DecidedAt: now,
					Score:      galena.Score{Score: c.score, Lo: c.score, Hi: c.score, Tier: "A", Settled: true},
					Assignment: galena.Assignment{LeadID: got.ID, Epoch: 1, Rule: "r", To: "sink:x", AssignedAt: now}}, nil, r, nil
			}}); err != nil {
			t.Fatal(err)
		}
	}
	rules, m, left := testRules(t), &freshMarket{offers: offers("one")}, 0
	rules.Market = m
	refresher := &Refresher{Steps: store, Holdings: store, Rules: func() *Rules { return rules }, Now: func() time.Time { return now },
		Chance: func() float64 { return 0.5 }, Metrics: NewMetrics(prometheus.NewRegistry()), Log: log, leases: newLeases()}
	restocker := &Restocker{Shelf: store, Profile: func() (*scoring.Profile, error) { return rules.ICP, nil }, PerMinute: func() int { return 1 },
		Allow: func(context.Context, int) (bool, error) { left--; return left >= 0, nil },
		Wake:  func() {}, Now: func() time.Time { return now }, Log: log}
	ran := map[string]int{}
	for range 60 { // minutes, each with one refresh
		if err := restocker.Plan(ctx); err != nil {
			t.Fatal(err)
		}
		left = 1
		if _, err := restocker.HandOut(ctx); err != nil {
			t.Fatal(err)
		}
		steps, err := store.ClaimOutbox(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if err := store.DropOutbox(ctx, []int64{s.Outbox}); err != nil {
				t.Fatal(err)
			}
			if s.Kind != galena.StepRefresh {
				continue
			}
			ran[s.ID]++
			if err := refresher.Process(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(time.Minute)
	}
	if len(m.asked) == 0 {
		t.Errorf("in an hour the refreshes were %v, and the vendor that is there was never asked", ran)
	}
	if ran["gone.example"] > 2 {
		t.Errorf("%d refreshes in an hour of what nobody sells", ran["gone.example"])
	}
}

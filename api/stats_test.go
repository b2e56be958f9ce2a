package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

// ledger is what the store knows of providers.
type ledger struct {
	scores []galena.Scores
	pairs  []galena.Disagreement
	regret galena.Regret
	spent  map[string]int64
	since  []time.Time
}

func (s *shelf) Scorecard(_ context.Context, since time.Time) ([]galena.Scores, error) {
	s.ledger.since = append(s.ledger.since, since)
	return s.ledger.scores, s.err
}

func (s *shelf) DisagreementsByProvider(context.Context, time.Time) ([]galena.Disagreement, error) {
	return s.ledger.pairs, s.err
}

func (s *shelf) Regret(context.Context) (galena.Regret, error) { return s.ledger.regret, s.err }

func (s *shelf) Spent(_ context.Context, day string) (map[string]int64, error) {
	return map[string]map[string]int64{"2026-11-23": s.ledger.spent}[day], s.err
}

func TestTheScorecardIsReadByPrograms(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shop = galena.Catalogue{Budgets: []galena.Budget{{Scope: "day", LimitMicros: 50_000_000}, {Scope: "source:webinar", LimitMicros: 10_000}}}
	d.shelf.ledger = ledger{spent: map[string]int64{"day": 120_000, "source:webinar": 20_000},
		regret: galena.Regret{Audits: 4, Changed: 1, CostMicros: 30_000},
		pairs:  []galena.Disagreement{{A: "alpha", B: "beta", Info: 2, Decision: 1}, {A: "beta", B: "gamma", Info: 4}},
		scores: []galena.Scores{
			{Provider: "alpha", Calls: 5, Hits: 3, Misses: 1, P95: 420 * time.Millisecond, CostMicros: 80_000, MissMicros: 20_000,
				UnusedMicros: 10_000, Useful: 4, Fields: []galena.FieldCount{{Field: "company.name", Answers: 3}, {Field: "company.industry", Answers: 1}}},
			{Provider: "beta", Calls: 1, P95: 2 * time.Second}}}
	w := d.call(http.MethodGet, "/v1/stats", "", auth(d.token(galena.ScopeOpsRead)))
	var got Stats
	if err := json.Unmarshal(w.Body.Bytes(), &got); w.Code != http.StatusOK || err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	rate, price := 0.75, 2.0
	want := Stats{Over: "24h", Since: d.now().Add(-24 * time.Hour),
		Providers: []ProviderStats{
			{ID: "alpha", Calls: 5, Hits: 3, Misses: 1, HitRate: &rate, Coverage: map[string]float64{"company.name": 0.75, "company.industry": 0.25},
				P95MS: 420, Cents: 8, CentsOnMisses: 2, CentsOnUnused: 1, Useful: 4, CentsPerFact: &price, Contradicted: 3, Against: map[string]int{"beta": 3}},
			{ID: "beta", Calls: 1, Coverage: map[string]float64{}, P95MS: 2000, Contradicted: 7, Against: map[string]int{"alpha": 3, "gamma": 4}}},
		Budgets: []BudgetStats{{"day", 5000, 4988}, {"source:webinar", 1, 0}}, Regret: got.Regret}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := got.Regret; r == nil || r.Audits != 4 || r.Share != 0.25 || !(r.Low > 0.04 && r.Low < 0.25 && r.High > 0.25 && r.High < 0.7) || r.Cents != 3 {
		t.Errorf("regret %+v", r)
	}
}

func TestTheScorecardOfAMonthAndWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ops := auth(d.token(galena.ScopeOpsRead))
	w := d.call(http.MethodGet, "/v1/stats?over=30d", "", ops)
	if want := `{"over":"30d","since":"2026-10-24T14:30:00Z","providers":[],"budgets":[],"early_stop_regret":null}` + "\n"; w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if since := d.shelf.ledger.since; len(since) != 1 || d.now().Sub(since[0]) != 30*24*time.Hour {
		t.Errorf("counted since %v", since)
	}
	for query, want := range map[string]int{"?over=1y": http.StatusUnprocessableEntity, "?over=": http.StatusOK} {
		if w := d.call(http.MethodGet, "/v1/stats"+query, "", ops); w.Code != want {
			t.Errorf("%s is answered %d %s", query, w.Code, w.Body)
		}
	}
	if w := d.call(http.MethodGet, "/v1/stats", "", auth(d.token(galena.ScopeLeadsRead, galena.ScopeLeadsWrite))); w.Code != http.StatusForbidden {
		t.Errorf("whoever reads leads is answered %d", w.Code)
	}
	d.shelf.err = galena.Errorf(galena.Unavailable, "sql", "away")
	if w := d.call(http.MethodGet, "/v1/stats", "", ops); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a store it is %d", w.Code)
	}
}

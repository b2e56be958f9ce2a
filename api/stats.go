package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
)

// Figures is the part of the store that knows how the providers fared.
type Figures interface {
	Scorecard(ctx context.Context, since time.Time) ([]galena.Scores, error)
	DisagreementsByProvider(ctx context.Context, since time.Time) ([]galena.Disagreement, error)
	Regret(ctx context.Context) (galena.Regret, error)
	Spent(ctx context.Context, day string) (map[string]int64, error)
}

// statsSpans are the times that can be asked for.
var statsSpans = map[string]time.Duration{"24h": 24 * time.Hour, "30d": 30 * 24 * time.Hour}

type statsInput struct {
	Over string `query:"over" enum:"24h,30d" default:"24h"`
}

// Stats is what the providers brought and what they cost.
type Stats struct {
	Over      string          `json:"over" enum:"24h,30d"`
	Since     time.Time       `json:"since"`
	Providers []ProviderStats `json:"providers" nullable:"false" doc:"Those that were asked since then"`
	Budgets   []BudgetStats   `json:"budgets" nullable:"false" doc:"Of today (UTC)"`
	Regret    *RegretStats    `json:"early_stop_regret" doc:"How often stopping to buy was wrong, of all audits so far; null before the first"`
}

// ProviderStats is one line of the scorecard.
type ProviderStats struct {
	ID            string             `json:"id"`
	Calls         int                `json:"calls" doc:"That were made; an answer that was held is none"`
	Hits          int                `json:"hits"`
	Misses        int                `json:"misses" doc:"The rest erred"`
	HitRate       *float64           `json:"hit_rate" doc:"Share of the clean answers that knew the company"`
	Coverage      map[string]float64 `json:"coverage" nullable:"false" doc:"Share of the clean answers that had the field"`
	P95MS         int64              `json:"p95_ms"`
	Cents         float64            `json:"cents"`
	CentsOnMisses float64            `json:"cents_on_misses"`
	CentsOnUnused float64            `json:"cents_on_unused" doc:"On hits of which no decision used a value"`
	Useful        int                `json:"useful_fields" doc:"Values on which a decision rests"`
	CentsPerFact  *float64           `json:"cents_per_useful_field"`
	Contradicted  int                `json:"contradicted" doc:"Conflicts with other sources"`
	Against       map[string]int     `json:"contradicted_by" nullable:"false"`
}

// BudgetStats is what is left of one budget.
type BudgetStats struct {
	Scope      string  `json:"scope" doc:"day, provider:ID or source:NAME"`
	LimitCents float64 `json:"limit_cents"`
	LeftCents  float64 `json:"left_cents" doc:"Reservations taken off"`
}

// RegretStats sums the audits of settled decisions up.
type RegretStats struct {
	Audits  int     `json:"audits"`
	Changed int     `json:"changed" doc:"Decisions that more data would have changed"`
	Share   float64 `json:"share"`
	Low     float64 `json:"low" doc:"Of the 95 % interval (Wilson)"`
	High    float64 `json:"high"`
	Cents   float64 `json:"cents" doc:"What the audits cost"`
}

func (h *handlers) registerStats(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "get-stats", Method: http.MethodGet, Path: "/v1/stats",
		Summary: "The scorecard of the providers: what they know, what contradicts them, and where the money went",
		Description: "What became of the values of the last days, and so useful_fields and cents_on_unused, is counted each night for " +
			"days that are over.",
		Security: needs(galena.ScopeOpsRead), Errors: []int{401, 403, 422, 429, 500, 503},
	}, h.getStats)
}

func (h *handlers) getStats(ctx context.Context, in *statsInput) (*struct{ Body Stats }, error) {
	now := h.deps.Now()
	out := Stats{Over: in.Over, Since: now.Add(-statsSpans[in.Over]).UTC(), Providers: []ProviderStats{}, Budgets: []BudgetStats{}}
	scores, err := h.deps.Figures.Scorecard(ctx, out.Since)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	pairs, err := h.deps.Figures.DisagreementsByProvider(ctx, out.Since)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	for _, s := range scores {
		out.Providers = append(out.Providers, statsOf(s, pairs))
	}
	spent, err := h.deps.Figures.Spent(ctx, galena.DayOf(now))
	if err != nil {
		return nil, refuse(ctx, err)
	}
	if h.deps.Catalogue != nil {
		for _, b := range h.deps.Catalogue().Budgets {
			out.Budgets = append(out.Budgets, BudgetStats{b.Scope, galena.CentsOf(b.LimitMicros), b.LeftCents(spent)})
		}
	}
	regret, err := h.deps.Figures.Regret(ctx)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	out.Regret = regretStats(regret)
	return &struct{ Body Stats }{out}, nil
}

func statsOf(s galena.Scores, pairs []galena.Disagreement) ProviderStats {
	out := ProviderStats{ID: s.Provider, Calls: s.Calls, Hits: s.Hits, Misses: s.Misses, Coverage: map[string]float64{},
		P95MS: s.P95.Milliseconds(), Cents: galena.CentsOf(s.CostMicros), CentsOnMisses: galena.CentsOf(s.MissMicros),
		CentsOnUnused: galena.CentsOf(s.UnusedMicros), Useful: s.Useful}
	if rate, ok := s.HitRate(); ok {
		out.HitRate = &rate
	}
	if cents, ok := s.CentsPerUseful(); ok {
		out.CentsPerFact = &cents
	}
	for _, f := range s.Fields {
		if share, ok := s.Coverage(f); ok {
			out.Coverage[f.Field] = share
		}
	}
	out.Against, out.Contradicted = galena.Against(s.Provider, pairs)
	return out
}

func regretStats(r galena.Regret) *RegretStats {
	if r.Audits == 0 {
		return nil
	}
	low, high := r.Interval()
	return &RegretStats{Audits: r.Audits, Changed: r.Changed, Share: r.Share(), Low: low, High: high, Cents: galena.CentsOf(r.CostMicros)}
}

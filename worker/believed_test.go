package worker

import (
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// What is too uncertain to score with is too uncertain to route by: the explanation
// would call it unknown, and the lead be in the territory of a guess.
func TestAGuessThatScoresNothingRoutesNobody(t *testing.T) {
	t.Parallel()
	rules, vendors := demoRules(t)
	rules.Enricher = vendors
	p := &Pipeline{Now: func() time.Time { return afternoon }}
	r := newRun(p, rules, galena.Memory{Lead: galena.Lead{
		ID: "l-1", JobTitle: "VP Revenue Operations", Form: "demo", Country: "DE", Epoch: 1, CreatedAt: afternoon,
		Judgement: galena.Judgement{Domain: "northwind-analytics.example", Class: galena.Corporate, Spendable: true},
	}})
	guess := said(t, "o-2", "alpha-firmo", "company.hq_country", "US")
	guess.Confidence = 0.3
	r.observed = galena.Refs([]galena.Observation{
		said(t, "o-1", "own-crawl", "company.industry", "software"), guess,
		said(t, "o-3", "alpha-firmo", "company.employee_count", 420),
	})
	if v := r.look(false); v.outcome.Settled || !slices.Contains(v.outcome.Open, "company.hq_country") {
		t.Errorf("settled %v in %q, open %v: the country is a guess, and may be bought", v.outcome.Settled, v.outcome.Territory, v.outcome.Open)
	}
	if v := r.look(true); v.outcome.Territory != "emea" || v.facts.Get("company.hq_country").State != galena.Known {
		t.Errorf("in %q: the lead says DE; what the vendor said stays on file", v.outcome.Territory)
	}
}

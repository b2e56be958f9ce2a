package worker

import (
	"context"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/planning"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// afternoon is when the demo's leads arrive: a Monday, 14:30 in London.
var afternoon = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

// shelf is a catalogue that can be read and not asked.
type shelf []galena.Offer

func (s shelf) Offers() []galena.Offer { return s }

func (shelf) Ask(context.Context, string, string, galena.Facts) (galena.Answer, galena.Call, error) {
	return galena.Answer{}, galena.Call{}, galena.Errorf(galena.Internal, "shelf.ask", "nobody is to be asked here")
}

// demoRules are the rules of the demo, and what its vendors offer.
func demoRules(t testing.TB) (*Rules, shelf) {
	t.Helper()
	files, err := configs.Load(configs.Demo(), configs.Options{Specs: registry.All()})
	if err != nil {
		t.Fatal(err)
	}
	w, err := providers.New(files.Providers, providers.Deps{Specs: registry.All(), Frozen: true,
		URLs: func(string) string { return "http://vendor.example" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	rules := &Rules{LimitMicros: w.Limits().PerLeadMicros(), Deadline: -1, Refs: files.Refs}
	if rules.ICP, err = scoring.New(files.ICP); err != nil {
		t.Fatal(err)
	}
	if rules.Merging, err = merging.New(files.Merging, w.Trust()); err != nil {
		t.Fatal(err)
	}
	router, err := routing.New(files.Routing)
	if err != nil {
		t.Fatal(err)
	}
	rules.Routing = router.Believing(files.ICP.Unknown.MinConfidence)
	return rules, w.Offers()
}

// said is one observation as a vendor would make it.
func said(t testing.TB, id, source, field string, raw any) galena.Observation {
	t.Helper()
	f, _ := galena.LookupField(field)
	v, err := galena.ParseValue(f, raw)
	if err != nil {
		t.Fatal(err)
	}
	v.Closed = v.Type == galena.TypeSet
	return galena.Observation{ID: id, Entity: "northwind-analytics.example", Field: field, Value: v, Source: source,
		Class: galena.ClassProvider, Confidence: 1, ObservedAt: afternoon, FetchedAt: afternoon}
}

// halfway is the first lead of the demo after two of its vendors have answered.
func halfway(t testing.TB) *run {
	t.Helper()
	rules, vendors := demoRules(t)
	rules.Enricher = vendors
	p := &Pipeline{Now: func() time.Time { return afternoon }}
	r := newRun(p, rules, galena.Memory{Lead: galena.Lead{
		ID: "l-1", JobTitle: "VP Revenue Operations", Form: "demo", Epoch: 1, CreatedAt: afternoon,
		Judgement: galena.Judgement{Domain: "northwind-analytics.example", Class: galena.Corporate, Spendable: true},
	}})
	r.observed = galena.Refs([]galena.Observation{
		said(t, "o-1", "own-crawl", "company.industry", "software"),
		said(t, "o-2", "own-crawl", "company.hq_country", "US"),
		said(t, "o-3", "alpha-firmo", "company.employee_count", 420),
		said(t, "o-4", "alpha-firmo", "company.industry", "software"),
		said(t, "o-5", "alpha-firmo", "company.hq_country", "US"),
	})
	r.asked = map[string]bool{"own-crawl": true, "alpha-firmo": true}
	return r
}

// BenchmarkDecision is one whole look at a lead, as the pipeline takes it after
// each answer: merge, score, match the rules, plan. The last look at a lead is the
// one that is written down, with its rows, its reasons and what each rule saw. The
// budget of both is 50 µs and 100 allocations.
func BenchmarkDecision(b *testing.B) {
	r := halfway(b)
	for _, final := range []bool{false, true} {
		b.Run(map[bool]string{false: "Look", true: "LastLook"}[final], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.facts = nil // an answer has come
				planning.Plan(r.state(r.look(final)))
			}
		})
	}
}

// The time of a benchmark depends on the machine, its allocations do not. It runs
// alone, because what is counted is what everybody allocates.
func TestADecisionAllocatesLittle(t *testing.T) {
	r := halfway(t)
	for _, final := range []bool{false, true} {
		got := testing.AllocsPerRun(100, func() {
			r.facts = nil
			planning.Plan(r.state(r.look(final)))
		})
		if got > 100 {
			t.Errorf("a look (last: %v) takes %v allocations, want at most 100", final, got)
		}
	}
}

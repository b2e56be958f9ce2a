package worker

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
)

// tallied is the store of hit rates, in memory.
type tallied struct {
	outcomes []galena.Outcome // the latest first
	frozen   map[string]galena.HitRates
	pages    int
	down     error
}

func (a *tallied) HitRates(_ context.Context, day string) (out galena.HitRates, err error) {
	for d, h := range a.frozen {
		if d <= day && d > out.Day {
			out = h
		}
	}
	if out.Day == "" && a.down == nil {
		return out, galena.Errorf(galena.NotFound, "store.hit_rates", "not counted")
	}
	return out, a.down
}

func (a *tallied) FreezeHitRates(_ context.Context, h galena.HitRates) error {
	if _, ok := a.frozen[h.Day]; !ok {
		a.frozen[h.Day] = h
	}
	return a.down
}

func (a *tallied) Outcomes(_ context.Context, before string, limit int) ([]galena.Outcome, error) {
	a.pages++
	i := slices.IndexFunc(a.outcomes, func(o galena.Outcome) bool { return before == "" || o.LeadID < before })
	if i < 0 {
		return nil, a.down
	}
	return a.outcomes[i:min(len(a.outcomes), i+limit)], a.down
}

func (a *tallied) counter(now time.Time) *Counter {
	return &Counter{Store: a, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Vendors: func() []string {
			return []string{"own-crawl", "alpha-firmo", "beta-prime", "gamma-tech", "registry-br"}
		}}
}

// live decides many made-up companies, audits a share of those that settled, and
// says what became of each.
func live(t *testing.T, rules *Rules, leads int, share float64, knows func(galena.Offer, string, int) float64) []galena.Outcome {
	t.Helper()
	market, _ := rules.Enricher.(*stall)
	sample := *rules
	sample.AuditShare = share
	p := &Pipeline{Now: func() time.Time { return afternoon }, Log: slog.New(slog.DiscardHandler)}
	out := make([]galena.Outcome, leads)
	for n := range leads {
		c := found(t, market.offers, 5, uint64(n), knows)
		market.of = c
		m := galena.Memory{Lead: c.lead}
		r := newRun(p, &sample, m)
		if err := r.enrich(t.Context()); err != nil {
			t.Fatal(err)
		}
		v := r.look(true)
		d := r.decision(v, galena.Assignment{LeadID: c.lead.ID, Epoch: 1}, nil)
		o := galena.Outcome{LeadID: c.lead.ID, Domain: c.lead.Domain, Segment: d.Segment, Settled: d.Stop == galena.StopSettled && d.Settled, Steps: d.Steps}
		if r.audited(v) {
			again := recall(p, &sample, m, d)
			if err := again.enrich(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := again.buyTheRest(t.Context()); err != nil {
				t.Fatal(err)
			}
			o.Audited, o.Sampled = true, again.compare(d).Steps
		}
		out[leads-1-n] = o
	}
	return out
}

// Of every second company hardly any vendor knows anything. The dear vendor is
// asked for what the others did not know, which is mostly these: what it shows when
// it is asked is not what it knows.
func TestTheAuditUndoesTheBiasOfEarlyStops(t *testing.T) {
	t.Parallel()
	const field, leads = "company.employee_count", 6000
	knows := func(o galena.Offer, f string, staff int) float64 {
		if o.Hits[f] > 0 && staff%2 == 0 {
			return 0.1
		}
		return min(1, o.Hits[f]*1.2)
	}
	rules := stallRules(t)
	store := &tallied{outcomes: live(t, rules, leads, 0.2, knows), frozen: map[string]galena.HitRates{}}
	if err := store.counter(afternoon).Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	beta := store.frozen["2026-11-23"].Tallies[""]["beta-prime"]
	if beta.Sampled < 100 || beta.Asked+beta.Unasked < leads/2 {
		t.Fatalf("tally %+v", beta)
	}
	// The truth of all companies that the tally is about.
	var sum, of float64
	market, _ := rules.Enricher.(*stall)
	for _, o := range store.outcomes {
		asked := slices.ContainsFunc(o.Steps, func(c galena.Call) bool { return c.Provider == "beta-prime" })
		if !asked && !o.Settled {
			continue
		}
		c := found(t, market.offers, 5, number(o.LeadID), knows)
		if of++; slices.ContainsFunc(c.answers["beta-prime"], func(x galena.Observation) bool { return x.Field == field }) {
			sum++
		}
	}
	truth := sum / of
	corrected := planning.HitRate(0.85, field, []galena.Tally{beta})
	beta.Audited, beta.Sampled, beta.SampledFound = 0, 0, nil
	naive := planning.HitRate(0.85, field, []galena.Tally{beta})
	t.Logf("true %.3f, as asked %.3f, with the audits %.3f", truth, naive, corrected)
	if math.Abs(corrected-truth) > 0.03 || math.Abs(naive-truth) < 2*math.Abs(corrected-truth) {
		t.Errorf("the truth is %.3f; asked alone say %.3f, with the audits it is %.3f", truth, naive, corrected)
	}

	// Whatever is learnt changes who is asked, and no early decision.
	got := compare(t, rules.withHits(store.frozen["2026-11-23"]), 2000, 7, knows)
	if got.differ > 0 {
		t.Errorf("%d of %d early decisions differ, as the first: %s", got.differ, got.early, got.first)
	}
}

func number(id string) (n uint64) {
	for _, c := range id {
		n = 10*n + uint64(c-'0')
	}
	return n
}

// Rates are counted once a day; every process plans with the same ones until the
// next, and each decision names them.
func TestHitRatesStandForADay(t *testing.T) {
	t.Parallel()
	poor := func(o galena.Offer, f string, _ int) float64 {
		if o.Provider == "alpha-firmo" {
			return 0
		}
		return o.Hits[f]
	}
	rules := stallRules(t)
	store := &tallied{outcomes: live(t, rules, 1200, 0, poor), frozen: map[string]galena.HitRates{}}
	if same, err := rules.WithHitRates(t.Context(), store, Day(afternoon)); same != rules || err != nil {
		t.Fatalf("rates before any were counted: %v", err)
	}
	store.outcomes = append(store.outcomes, store.outcomes[1199]) // an older lead of a company counts no second time
	store.outcomes[1200].LeadID = "-"
	for range 2 {
		if err := store.counter(afternoon).Count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := store.frozen[Day(afternoon)]
	if len(store.frozen) != 1 || first.Companies != 1200 || store.pages != 3 {
		t.Fatalf("%d companies in %d pages", first.Companies, store.pages)
	}
	for level, vendors := range first.Tallies {
		for v, x := range vendors {
			if level != "" && x.Asked+x.Sampled < 20 {
				t.Errorf("%s is kept in %q for %+v", v, level, x)
			}
		}
	}
	learnt, err := rules.WithHitRates(t.Context(), store, Day(afternoon))
	if err != nil || learnt.Refs[len(learnt.Refs)-1] != first.Ref() || len(learnt.Refs) != len(rules.Refs)+1 {
		t.Fatalf("configs %+v, %v", learnt.Refs, err)
	}
	if same, err := learnt.WithHitRates(t.Context(), &tallied{down: context.Canceled}, Day(afternoon)); same != learnt || err != nil {
		t.Errorf("looked again on the same day: %v", err)
	}

	// Another process plans alike; the vendor that knows nothing is not asked first any more.
	other, _ := stallRules(t).WithHitRates(t.Context(), store, Day(afternoon))
	a, b := live(t, learnt, 50, 0, poor), live(t, other, 50, 0, poor)
	if !bytes.Equal(encoded(t, a), encoded(t, b)) {
		t.Error("two processes plan differently on one day")
	}
	begins := func(list []galena.Outcome) (n int) {
		for _, o := range list {
			if len(o.Steps) > 0 && o.Steps[0].Provider == "alpha-firmo" {
				n++
			}
		}
		return n
	}
	if was, is := begins(store.outcomes[:50]), begins(a); was < 10 || is != 0 {
		t.Errorf("a vendor that never knows anything goes first for %d of 50, before for %d", is, was)
	}
}

// The next day has rates of its own, and they take the place of the day before's in
// a decision.
func TestTheNextDayHasHitRatesOfItsOwn(t *testing.T) {
	t.Parallel()
	rules := stallRules(t)
	store := &tallied{outcomes: live(t, rules, 100, 0, asPromised), frozen: map[string]galena.HitRates{}}
	if err := store.counter(afternoon).Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	learnt, err := rules.WithHitRates(t.Context(), store, Day(afternoon))
	if err != nil || learnt == rules {
		t.Fatal(learnt == rules, err)
	}
	tomorrow := afternoon.Add(24 * time.Hour)
	store.outcomes = store.outcomes[50:]
	if still, err := learnt.WithHitRates(t.Context(), store, Day(tomorrow)); still != learnt || err != nil {
		t.Errorf("other rates before the next count: %v", err)
	}
	if err := store.counter(tomorrow).Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, err := learnt.WithHitRates(t.Context(), store, Day(tomorrow))
	if err != nil || next.Hits.Day != "2026-11-24" || len(next.Refs) != len(learnt.Refs) || learnt.Hits.Day != "2026-11-23" {
		t.Errorf("configs %+v, %v", next.Refs, err)
	}
}

func TestHitRatesThatCannotBeReadChangeNothing(t *testing.T) {
	t.Parallel()
	rules := stallRules(t)
	if got, err := rules.WithHitRates(t.Context(), &tallied{down: context.DeadlineExceeded}, Day(afternoon)); got != rules || err == nil {
		t.Errorf("other rules %v, error %v", got != rules, err)
	}
	store := &tallied{frozen: map[string]galena.HitRates{}}
	if err := store.counter(afternoon).Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := rules.WithHitRates(t.Context(), store, Day(afternoon)); got != rules || err != nil {
		t.Errorf("a day without companies: other rules %v, error %v", got != rules, err)
	}
	if err := (&tallied{down: context.DeadlineExceeded}).counter(afternoon).Count(t.Context()); err == nil {
		t.Error("counted without a store")
	}
}

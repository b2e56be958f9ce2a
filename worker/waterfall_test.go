package worker

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// firm is a made-up company: what is true of it, and what each vendor of the
// catalogue would say. Vendors may be silent; what they say is true, so that they
// never disagree.
type firm struct {
	lead    galena.Lead
	truth   []galena.Observation
	answers map[string][]galena.Observation
	asked   []string
}

// found draws the n-th company. A vendor knows a field as often as the catalogue
// promises, unless knows says otherwise.
func found(t testing.TB, offers []galena.Offer, seed, n uint64, knows func(o galena.Offer, field string, staff int) float64) *firm {
	rnd := rand.New(rand.NewPCG(seed, n))
	staff := int(math.Exp(rnd.Float64() * math.Log(20_000)))
	suffix := pick(rnd, []string{"com", "com", "com", "io", "de", "co.uk", "com.br"})
	c := &firm{answers: map[string][]galena.Observation{}, lead: galena.Lead{
		ID: fmt.Sprintf("%06d", n), Epoch: 1, CreatedAt: afternoon, JobTitle: pick(rnd, titles), Form: pick(rnd, forms),
		Judgement: galena.Judgement{Domain: fmt.Sprintf("company-%d.%s", n, suffix), Class: pick(rnd, classesOf[:2]), Spendable: true},
	}}
	facts := map[string]any{
		"company.employee_count":     staff,
		"company.annual_revenue_usd": staff * (40_000 + rnd.IntN(260_000)),
		"company.industry":           pick(rnd, industries),
		"company.hq_country":         pick(rnd, []any{"US", "US", "US", "CA", "GB", "DE", "FR", "SE", "BR", "MX", "JP", "IN", "IR"}),
		"company.technologies":       pick(rnd, stacks),
	}
	for _, o := range offers {
		for _, field := range companyFields {
			if o.Hits[field] == 0 || facts[field] == nil {
				continue
			}
			x := said(t, fmt.Sprintf("%d-%s-%s", n, o.Provider, field), o.Provider, field, facts[field])
			c.truth = append(c.truth, x)
			if rnd.Float64() < knows(o, field, staff) {
				c.answers[o.Provider] = append(c.answers[o.Provider], x)
			}
		}
	}
	return c
}

func asPromised(o galena.Offer, field string, _ int) float64 { return o.Hits[field] }

// stall sells what the vendors know of one company at a time.
type stall struct {
	offers []galena.Offer
	of     *firm
}

func (s *stall) Offers() []galena.Offer { return s.offers }

func (s *stall) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	o := s.offers[slices.IndexFunc(s.offers, func(o galena.Offer) bool { return o.Provider == provider })]
	call := galena.Call{Provider: provider, Outcome: "hit", Cents: galena.CentsOf(s.of.price(o))}
	if slices.Contains(s.of.asked, provider) {
		call.Outcome, call.Cents = "cached", 0
	}
	s.of.asked = append(s.of.asked, provider)
	for _, x := range s.of.answers[provider] {
		call.Added = append(call.Added, x.Field)
	}
	if len(call.Added) == 0 {
		if call.Outcome == "hit" {
			call.Outcome = "miss"
		}
		return galena.Answer{Provider: provider, Kind: galena.NotFound}, call, nil
	}
	return galena.Answer{Provider: provider, Observations: s.of.answers[provider]}, call, nil
}

// price is what the vendor takes for its answer about the company.
func (c *firm) price(o galena.Offer) int64 {
	if o.PerMatch && len(c.answers[o.Provider]) == 0 {
		return 0
	}
	return o.CostMicros
}

// tally is what became of many leads.
type tally struct {
	leads, early, differ int
	spent, everyone      int64
	first                string // the first decision that the truth would have changed
}

// stallRules are the rules of the demo, with its vendors as a stall.
func stallRules(t testing.TB) *Rules {
	rules, offers := demoRules(t)
	rules.Enricher = &stall{offers: offers}
	return rules
}

// compare decides the companies as the pipeline does and holds each decision that
// left somebody unasked against one that knows everything.
func compare(t testing.TB, rules *Rules, leads int, seed uint64, knows func(galena.Offer, string, int) float64) (out tally) {
	market, _ := rules.Enricher.(*stall)
	offers := market.offers
	p := &Pipeline{Now: func() time.Time { return afternoon }, Log: slog.New(slog.DiscardHandler)}
	out.leads = leads
	for n := range leads {
		c := found(t, offers, seed, uint64(n), knows)
		market.of = c
		r := newRun(p, rules, galena.Memory{Lead: c.lead})
		if err := r.enrich(context.Background()); err != nil {
			t.Fatal(err)
		}
		v := r.look(true)
		d := r.decision(v, galena.Assignment{LeadID: c.lead.ID, Epoch: 1}, nil)
		d.Rule, d.Territory = v.outcome.Rule, v.outcome.Territory
		out.spent += r.spent
		left := false
		for _, o := range offers {
			if o.OnlyIf.Eval(v.facts.Get, afternoon) != galena.True {
				continue // nobody who asks everybody asks this one
			}
			out.everyone += c.price(o)
			left = left || !slices.Contains(c.asked, o.Provider)
		}
		if !left || d.Stop != galena.StopSettled && d.Stop != galena.StopDisqualified {
			continue
		}
		out.early++
		knowing := newRun(p, rules, galena.Memory{Lead: c.lead, Observations: c.truth})
		if truth := knowing.look(true); !knowing.same(truth, d) {
			if out.differ++; out.differ == 1 {
				out.first = fmt.Sprintf("%s stopped %s after %v on tier %s by %s; the truth is %s by %s", c.lead.Domain, d.Stop, c.asked,
					d.Tier, d.Rule, truth.score.Tier, truth.outcome.Rule)
			}
		}
	}
	return out
}

// BenchmarkWaterfall20000 decides 20,000 made-up companies with the vendors of the
// example and tells how many decisions needed no further vendor, what that saved
// against asking everybody, and that no early decision would have been another.
// Of real vendors only the audit of early stops can tell (docs/performance.md).
func BenchmarkWaterfall20000(b *testing.B) {
	for b.Loop() {
		got := compare(b, stallRules(b), 20_000, 2026, asPromised)
		if got.differ > 0 {
			b.Errorf("%d of %d early decisions differ from the truth, as the first: %s", got.differ, got.early, got.first)
		}
		cents := func(micros int64) float64 { return galena.CentsOf(micros) / float64(got.leads) }
		b.ReportMetric(100*float64(got.early)/float64(got.leads), "%early")
		b.ReportMetric(cents(got.spent), "cents/lead")
		b.ReportMetric(cents(got.everyone), "cents/lead-asking-everyone")
		b.ReportMetric(float64(got.differ), "early-that-differ")
		b.ReportMetric(float64(got.early), "early")
	}
}

// Where vendors agree, a decision that stops early is the one that knowing
// everything would have made, however often the vendors really know something.
func TestAnEarlyDecisionIsTheOneOfTheWholeTruth(t *testing.T) {
	t.Parallel()
	leads := cases() / 10
	for name, knows := range map[string]func(galena.Offer, string, int) float64{
		"AsPromised":        asPromised,
		"EverythingKnown":   func(galena.Offer, string, int) float64 { return 1 },
		"LessThanPromised":  func(o galena.Offer, f string, _ int) float64 { return o.Hits[f] / 2 },
		"SmallOnesAreNotIn": func(o galena.Offer, f string, staff int) float64 { return o.Hits[f] * min(1, float64(staff)/500) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := compare(t, stallRules(t), leads, 7, knows)
			if got.differ > 0 {
				t.Errorf("%d of %d early decisions differ, as the first: %s", got.differ, got.early, got.first)
			}
			if got.early < leads/20 || got.spent >= got.everyone {
				t.Errorf("%d of %d stopped early, %d of %d spent: the case shows nothing", got.early, leads, got.spent, got.everyone)
			}
		})
	}
}

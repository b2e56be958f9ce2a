package worker

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// crowd is three vendors of whom two may have to be asked at the same time: then
// the second answers when the first was asked, and the first when it has.
type crowd struct {
	t      *testing.T
	offers []galena.Offer
	asking atomic.Int32
	atOnce int32
	most   atomic.Int32
	asked  chan struct{} // the first was
	done   chan struct{} // the second has answered
}

func newCrowd(t *testing.T, atOnce int32) *crowd {
	t.Helper()
	c := &crowd{t: t, atOnce: atOnce, asked: make(chan struct{}), done: make(chan struct{})}
	c.most.Store(1)
	for _, o := range []struct{ id, field string }{{"first", "company.technologies"}, {"second", "company.employee_count"}, {"third", "company.phone"}} {
		c.offers = append(c.offers, galena.Offer{Provider: o.id, P95: 600 * time.Millisecond, Available: true,
			Hits: map[string]float64{o.field: 0.9}})
	}
	return c
}

func (c *crowd) Offers() []galena.Offer { return c.offers }

func (c *crowd) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	n := c.asking.Add(1)
	defer c.asking.Add(-1)
	if n > 1 {
		c.most.Store(n)
	}
	if c.atOnce > 1 {
		mine, other := c.done, c.asked
		if provider == "first" {
			close(c.asked)
			mine, other = nil, c.done
		}
		select {
		case <-other:
		case <-time.After(5 * time.Second):
			c.t.Error("nobody else was asked meanwhile")
		}
		if mine != nil {
			defer close(mine)
		}
	}
	o := said(c.t, "o-"+provider, provider, "company.name", provider)
	return galena.Answer{Observations: []galena.Observation{o}}, galena.Call{Provider: provider, Outcome: "hit"}, nil
}

// relay is two vendors of whom the second has to be told what the first says.
type relay struct {
	t    *testing.T
	sure float64 // the first is of what it says
	told []string
}

func (relay) Offers() []galena.Offer {
	return []galena.Offer{
		{Provider: "second", Available: true, Needs: []string{"company.name"}, Hits: map[string]float64{"company.technologies": 1, "company.employee_count": 1}},
		{Provider: "first", Available: true, P95: time.Second, Hits: map[string]float64{"company.employee_count": 0.1}},
	}
}

func (v *relay) Ask(_ context.Context, provider, _ string, known galena.Facts) (galena.Answer, galena.Call, error) {
	v.told = append(v.told, provider+" "+known.Get("company.name").Value.Text)
	if provider == "second" {
		return galena.Answer{}, galena.Call{Provider: provider, Outcome: "miss"}, nil
	}
	o := said(v.t, "o", provider, "company.name", "Acme")
	o.Confidence = v.sure
	return galena.Answer{Observations: []galena.Observation{o}}, galena.Call{Provider: provider, Outcome: "hit"}, nil
}

func TestASecondHopIsAskedOnceItCanBeTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sure float64
		told []string
	}{
		"the better bargain second, and told what the first said": {1, []string{"first ", "second Acme"}},
		"a guess is told to nobody":                               {0.3, []string{"first "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, _ := demoRules(t)
			vendors := &relay{t: t, sure: c.sure}
			rules.Enricher = vendors
			p := &Pipeline{Now: func() time.Time { return afternoon }, Log: slog.New(slog.DiscardHandler)}
			r := newRun(p, rules, galena.Memory{Lead: galena.Lead{ID: "l", JobTitle: "CEO", CreatedAt: afternoon,
				Judgement: galena.Judgement{Domain: "acme.example", Class: galena.Corporate, Spendable: true}}})
			r.deadline = -1
			if err := r.enrich(context.Background()); err != nil || !slices.Equal(vendors.told, c.told) {
				t.Errorf("told %q, %v; want %q", vendors.told, err, c.told)
			}
			vendors.told = nil
			if err := r.buyTheRest(context.Background()); err != nil || len(vendors.told) != 0 {
				t.Errorf("the audit told %q, %v; want nobody else", vendors.told, err)
			}
		})
	}
}

func TestTwoAreAskedAtOnceWhenTimeIsShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		deadline time.Duration
		atOnce   int32
	}{
		{"TimeForEachButNotInTurn", time.Second, 2},
		{"TimeForOneAfterTheOther", 2 * time.Second, 1},
		{"AScenarioHasNoDeadline", -1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules, _ := demoRules(t)
			vendors := newCrowd(t, c.atOnce)
			rules.Enricher = vendors
			p := &Pipeline{Now: func() time.Time { return afternoon }, Log: slog.New(slog.DiscardHandler)}
			r := newRun(p, rules, galena.Memory{Lead: galena.Lead{ID: "l", JobTitle: "CEO", CreatedAt: afternoon,
				Judgement: galena.Judgement{Domain: "acme.example", Class: galena.Corporate, Spendable: true}}})
			r.deadline = c.deadline
			if err := r.enrich(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := vendors.most.Load(); got != c.atOnce {
				t.Errorf("%d were asked at once, want %d", got, c.atOnce)
			}
			var steps, seen []string
			for _, s := range r.steps {
				steps = append(steps, s.Provider)
			}
			for _, o := range r.observed {
				seen = append(seen, o.Source)
			}
			// Alone the better bargain goes first; a pair counts in catalogue order.
			want := []string{"second", "first"}
			if c.atOnce == 2 {
				want = []string{"first", "second"}
			}
			if !slices.Equal(steps, want) || !slices.Equal(seen, want) {
				t.Errorf("steps %v with observations of %v, want %v", steps, seen, want)
			}
			if r.decision(r.look(true), galena.Assignment{}, nil).LimitCents != 15 {
				t.Error("the decision does not say what the lead was allowed to cost")
			}
		})
	}
}

// broke is a vendor whose budget of the day is used up, and one that costs nothing.
type broke struct{ asked []string }

func (*broke) Offers() []galena.Offer {
	hits := map[string]float64{"company.employee_count": 1, "company.technologies": 1}
	return []galena.Offer{{Provider: "paid", CostMicros: 10_000, Available: true, Hits: hits},
		{Provider: "free", Available: true, P95: time.Minute, Hits: hits}}
}

func (v *broke) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	v.asked = append(v.asked, provider)
	if provider == "paid" {
		return galena.Answer{}, galena.Call{Provider: provider, Outcome: "error:budget"},
			&galena.Error{Kind: galena.Exhausted, Op: "paid.ask", Cause: galena.CauseBudget}
	}
	return galena.Answer{}, galena.Call{Provider: provider, Outcome: "miss"}, nil
}

func TestAUsedUpBudgetIsNoStepAndIsWhyTheBuyingStops(t *testing.T) {
	t.Parallel()
	rules, _ := demoRules(t)
	vendors := &broke{}
	rules.Enricher, rules.LimitMicros = vendors, 1_000_000
	p := &Pipeline{Now: func() time.Time { return afternoon }, Log: slog.New(slog.DiscardHandler)}
	r := newRun(p, rules, galena.Memory{Lead: galena.Lead{ID: "l", JobTitle: "CEO", CreatedAt: afternoon,
		Judgement: galena.Judgement{Domain: "acme.example", Class: galena.Corporate, Spendable: true}}})
	r.deadline = -1
	if err := r.enrich(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(vendors.asked, []string{"paid", "free"}) || len(r.steps) != 1 || r.stop != galena.StopBudget || r.failed {
		t.Errorf("asked %v, steps %+v, stop %q, failed %v: want both once, the free one as a step, stop budget", vendors.asked, r.steps, r.stop, r.failed)
	}
}

package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

const testDay = 24 * time.Hour

// aged is a held hit that says how many people work there.
func aged(provider string, people int64, age time.Duration) galena.Answer {
	at := testNow.Add(-age)
	return galena.Answer{Provider: provider, Domain: "acme.example", FetchedAt: at, FreshUntil: at.Add(89 * testDay), ExpiresAt: at.Add(178 * testDay),
		Observations: []galena.Observation{{ID: provider + at.String(), Entity: "acme.example", Field: "company.employee_count", Value: galena.Number(people),
			Source: provider, Class: galena.ClassProvider, Confidence: 1, ObservedAt: at, FetchedAt: at}}}
}

func TestADecisionOnAStaleAnswerUsesItAndWishesForARefresh(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		people int64
		age    time.Duration
		wish   bool
	}{
		{"fresh", 20, 88 * testDay, false},
		{"stale", 20, 90 * testDay, true},
		{"fresh for most, stale for the highest tier", 420, 50 * testDay, true},
		{"fresh for the highest tier too", 420, 40 * testDay, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, m := &desk{}, &market{}
			p, _ := pipelineOn(t, d, m)
			p.Rules().Enricher = heldMarket{market: m, answer: aged("one", tc.people, tc.age)}
			if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
				t.Fatalf("error %v, %d decisions", err, len(d.ruled))
			}
			if got := d.ruled[0]; got.Steps[0].Outcome != "cached" || got.Cents != 0 {
				t.Errorf("steps %+v, want the held answer used", got.Steps)
			}
			if got := d.wished != nil; got != tc.wish {
				t.Fatalf("wish %+v, want one = %v", d.wished, tc.wish)
			}
			if tc.wish && (d.wished.Domain != "acme.example" || d.wished.Score <= 0) {
				t.Errorf("wish %+v", d.wished)
			}
		})
	}
}

// heldMarket answers from what is held.
type heldMarket struct {
	*market
	answer galena.Answer
}

func (h heldMarket) Ask(context.Context, string, string, galena.Facts) (galena.Answer, galena.Call, error) {
	return h.answer, galena.Call{Provider: "one", Outcome: "cached"}, nil
}

// pantry is what is held of one company.
type pantry struct {
	stepLog
	holding galena.Holding
	saved   *galena.Company
	learnt  []*galena.Observation
}

func (p *pantry) Begin(context.Context, string, string, int, int) (bool, error) { return true, nil }

func (p *pantry) Holding(context.Context, string, string, time.Time) (galena.Holding, error) {
	return p.holding, nil
}

func (p *pantry) Refreshed(_ context.Context, _ galena.Step, c galena.Company, learnt []*galena.Observation) error {
	p.saved, p.learnt = &c, learnt
	return nil
}

func (p *pantry) PlanRefreshes(context.Context, []galena.Refresh) error { return nil }

// freshMarket says 500 of everybody who is asked.
type freshMarket struct {
	offers []galena.Offer
	err    error
	asked  []string
	known  galena.Facts
}

func (m *freshMarket) Offers() []galena.Offer { return m.offers }

func (m *freshMarket) AskFresh(_ context.Context, provider, _ string, known galena.Facts) (galena.Answer, galena.Call, error) {
	m.known = known
	m.asked = append(m.asked, provider)
	if m.err != nil {
		return galena.Answer{}, galena.Call{Outcome: "error:500"}, m.err
	}
	a := aged(provider, 500, 0)
	a.CostMicros = 20_000
	return a, galena.Call{Provider: provider, Outcome: "hit", Cents: 2}, nil
}

func offers(ids ...string) []galena.Offer {
	var out []galena.Offer
	for _, id := range ids {
		out = append(out, galena.Offer{Provider: id, CostMicros: 20_000, Available: true})
	}
	return out
}

func refresherOn(t *testing.T, p *pantry, m *freshMarket) *Refresher {
	t.Helper()
	rules := testRules(t)
	rules.Market = m
	return &Refresher{Steps: p, Holdings: p, Rules: func() *Rules { return rules },
		Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler), leases: newLeases()}
}

var refreshRun = galena.Step{Kind: galena.StepRefresh, ID: "acme.example", Epoch: 1, Run: 1}

func TestARefreshBuysWhatIsStaleAndMergesTheRecord(t *testing.T) {
	t.Parallel()
	miss := galena.Answer{Provider: "four", Kind: galena.NotFound, FetchedAt: testNow.Add(-testDay), ExpiresAt: testNow.Add(testDay), Misses: 1}
	p := &pantry{holding: galena.Holding{Answers: []galena.Answer{
		aged("one", 20, 100*testDay), aged("two", 21, testDay), aged("three", 22, 200*testDay), miss}}}
	m := &freshMarket{offers: offers("one", "two", "three", "four")}
	if err := refresherOn(t, p, m).Process(context.Background(), refreshRun); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.asked, []string{"one"}) {
		t.Errorf("asked %v, want the stale one alone: not the fresh, the expired or the missed", m.asked)
	}
	if p.saved == nil || p.saved.Facts.Get("company.employee_count").State != galena.Known || len(p.learnt) != 2 {
		t.Fatalf("saved %+v with %d observations, want the record of both answers", p.saved, len(p.learnt))
	}
}

func TestARefreshTellsASecondHopWhatIsHeld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field string
		sure  float64
		want  int
	}{{"company.employee_count", 1, 1}, {"company.employee_count", 0.3, 0}, {"company.legal_name", 1, 0}} {
		held := galena.Holding{Answers: []galena.Answer{aged("one", 20, testDay), aged("two", 21, 100*testDay)}}
		for _, a := range held.Answers {
			a.Observations[0].Confidence = c.sure
		}
		m := &freshMarket{offers: offers("one", "two")}
		m.offers[1].Needs = []string{c.field}
		if err := refresherOn(t, &pantry{holding: held}, m).Process(context.Background(), refreshRun); err != nil || len(m.asked) != c.want {
			t.Errorf("with a need for %s, known by %v: asked %v, %v", c.field, c.sure, m.asked, err)
		}
		if c.want == 1 && m.known.Get(c.field).Value.Lo == 0 {
			t.Errorf("told %+v, want what the first vendor said", m.known)
		}
	}
}

func TestARefreshOfTheHighestTierIsSooner(t *testing.T) {
	t.Parallel()
	for top, want := range map[bool]int{true: 1, false: 0} {
		p := &pantry{holding: galena.Holding{TopTier: top, Answers: []galena.Answer{aged("one", 420, 50*testDay)}}}
		m := &freshMarket{offers: offers("one")}
		if err := refresherOn(t, p, m).Process(context.Background(), refreshRun); err != nil || len(m.asked) != want {
			t.Errorf("highest tier %v: asked %v, %v", top, m.asked, err)
		}
	}
}

func TestASecondRefreshFindsNothingToDo(t *testing.T) {
	t.Parallel()
	p := &pantry{holding: galena.Holding{Answers: []galena.Answer{aged("one", 20, time.Hour)}}}
	m := &freshMarket{offers: offers("one")}
	if err := refresherOn(t, p, m).Process(context.Background(), refreshRun); err != nil || len(m.asked) != 0 || p.saved == nil {
		t.Errorf("asked %v, saved %v, %v; want the step ended without a call", m.asked, p.saved, err)
	}
}

func TestARefreshWaitsForAVendorThatFailsAndKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	stale := func() *pantry {
		return &pantry{holding: galena.Holding{Answers: []galena.Answer{aged("one", 20, 100*testDay), aged("two", 20, 100*testDay)}}}
	}
	away, off, dear := offers("one"), offers("one"), offers("one", "two")
	away[0].Available, away[0].Away = false, true
	off[0].Available = false
	dear[0].CostMicros = 140_000 // 14 of 15 cents: the answer itself cost 2
	dear[1].CostMicros = 140_000
	for _, tc := range []struct {
		name   string
		market *freshMarket
		asked  int
		parked bool
	}{
		{"one that errs", &freshMarket{offers: offers("one"), err: errors.New("status 500")}, 1, true},
		{"one that is away", &freshMarket{offers: away}, 0, true},
		{"one that is switched off", &freshMarket{offers: off}, 0, false},
		{"no longer in the catalogue", &freshMarket{}, 0, false},
		{"a second one beyond the budget of a lead", &freshMarket{offers: dear}, 1, false},
	} {
		p := stale()
		if err := refresherOn(t, p, tc.market).Process(context.Background(), refreshRun); err != nil {
			t.Fatal(err)
		}
		if parked := !p.parked.IsZero(); len(tc.market.asked) != tc.asked || parked != tc.parked {
			t.Errorf("%s: asked %v, parked %v; want %d calls, parked %v", tc.name, tc.market.asked, parked, tc.asked, tc.parked)
		}
		if tc.parked && p.parked.Sub(testNow) != time.Hour {
			t.Errorf("%s: parked for %v, want an hour", tc.name, p.parked.Sub(testNow))
		}
	}
}

// larder knows one stale company and counts what is handed out.
type larder struct {
	stale   []galena.StaleCompany
	planned []galena.Refresh
	due     int
}

func (s *larder) StaleCompanies(context.Context, string, time.Time, int) ([]galena.StaleCompany, error) {
	return s.stale, nil
}

func (s *larder) PlanRefreshes(_ context.Context, w []galena.Refresh) error {
	s.planned = append(s.planned, w...)
	return nil
}

func (s *larder) HandOutRefresh(context.Context) (bool, error) {
	s.due--
	return s.due >= 0, nil
}

func TestRefreshesAreHandedOutWithinTheBudgetAndNeverAtZero(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                           string
		perMinute, tokens, due, handed int
	}{
		{"as many as are due", 10, 10, 3, 3},
		{"no more than the budget", 10, 4, 9, 4},
		{"none when it is switched off", 0, 10, 9, 0},
	} {
		profile, tokens, woken := testRules(t).ICP, tc.tokens, 0
		s := &larder{due: tc.due, stale: []galena.StaleCompany{{Domain: "acme.example", Tier: "A", Lo: 500, Hi: 500,
			FetchedAt: testNow.Add(-100 * testDay), FreshTill: testNow.Add(-11 * testDay), ExpiresAt: testNow.Add(78 * testDay)}}}
		r := &Restocker{Shelf: s, Profile: func() (*scoring.Profile, error) { return profile, nil }, PerMinute: func() int { return tc.perMinute },
			Allow: func(context.Context, int) (bool, error) { tokens--; return tokens >= 0, nil },
			Wake:  func() { woken++ }, Now: func() time.Time { return testNow }, Log: slog.New(slog.DiscardHandler)}
		n, err := r.HandOut(context.Background())
		if err != nil || n != tc.handed || (woken == 1) != (n > 0) {
			t.Errorf("%s: %d handed out, relay woken %d times, %v; want %d", tc.name, n, woken, err, tc.handed)
		}
		if err := r.Plan(context.Background()); err != nil || len(s.planned) != min(tc.perMinute, 1) {
			t.Errorf("%s: planned %+v, %v", tc.name, s.planned, err)
		}
	}
}

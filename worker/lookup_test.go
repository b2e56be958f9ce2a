package worker

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/routing"
)

// kiosk is a waterfall of vendors that each know the size of the company, and
// what is held of it.
type kiosk struct {
	frozen bool // the store says nothing
	pantry
	offers []galena.Offer
	err    error    // of whoever is asked anew
	calls  []string // "one" for a question, "one anew" for a fresh one
	owner  string
	after  []galena.Answer // held once somebody was asked
	vetted []string
	listed []galena.Observation
	leave  error // for who asked to be left alone
}

func (k *kiosk) Vet(_ context.Context, domains []string) ([]galena.Observation, error) {
	k.vetted = domains
	return k.listed, k.leave
}

func (k *kiosk) Offers() []galena.Offer { return k.offers }

func (k *kiosk) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	k.calls = append(k.calls, provider)
	for _, a := range k.holding.Answers {
		if a.Provider == provider {
			return a, galena.Call{Provider: provider, Outcome: "cached", Added: []string{"company.employee_count"}}, nil
		}
	}
	return k.sell(provider)
}

func (k *kiosk) AskFresh(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	k.calls = append(k.calls, provider+" anew")
	if k.err != nil {
		return galena.Answer{}, galena.Call{Provider: provider, Outcome: "error:500"}, k.err
	}
	return k.sell(provider)
}

func (k *kiosk) sell(provider string) (galena.Answer, galena.Call, error) {
	a := aged(provider, 500, 0)
	k.after = append(k.after, a)
	return a, galena.Call{Provider: provider, Outcome: "hit", Cents: 2, Added: []string{"company.employee_count"}}, nil
}

func (k *kiosk) CompanyMemory(ctx context.Context, domain string) (galena.Memory, error) {
	if k.frozen {
		<-ctx.Done()
		return galena.Memory{}, galena.Errorf(galena.Unavailable, "sql", "no answer")
	}
	m := galena.Memory{Lead: galena.Lead{Judgement: galena.Judgement{Domain: domain, Spendable: true}}, AccountOwner: k.owner}
	m.Observations = k.holding.Standing
	return m, nil
}

func (k *kiosk) Holding(context.Context, string, string, time.Time) (galena.Holding, error) {
	h := k.holding
	h.Answers = slices.Concat(k.after, slices.DeleteFunc(slices.Clone(h.Answers), func(a galena.Answer) bool {
		return slices.ContainsFunc(k.after, func(b galena.Answer) bool { return a.Provider == b.Provider })
	}))
	return h, nil
}

func (k *kiosk) SaveCompany(_ context.Context, c galena.Company, learnt []*galena.Observation) error {
	k.saved, k.learnt = &c, learnt
	return nil
}

func lookupOn(t *testing.T, k *kiosk) *Lookup {
	t.Helper()
	if k.offers == nil {
		k.offers = offers("one", "two")
	}
	for i := range k.offers {
		k.offers[i].Hits = map[string]float64{"company.employee_count": 0.9}
	}
	rules := testRules(t)
	rules.Enricher, rules.Market = k, k
	return &Lookup{Companies: k, Vetter: k, Rules: func() *Rules { return rules }, Now: func() time.Time { return testNow }, Log: slog.New(slog.DiscardHandler)}
}

func staffOf(e galena.Enrichment) string {
	return e.Company.Facts.Get("company.employee_count").Value.String()
}

// Whoever asks a store that says nothing is told so in time.
func TestASilentStoreKeepsNobodyWhoAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := lookupOn(t, &kiosk{frozen: true}).Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: -1})
		if took := time.Since(began); galena.KindOf(err) != galena.Unavailable || took != recallMost {
			t.Errorf("%v after %v, want to hear of it after %v", err, took, recallMost)
		}
	})
}

func TestACompanyIsEnrichedWithoutALead(t *testing.T) {
	t.Parallel()
	k := &kiosk{owner: "ana"}
	var told []galena.Call
	got, err := lookupOn(t, k).Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: -1,
		Told: func(c galena.Call) { told = append(told, c) }})
	if err != nil {
		t.Fatal(err)
	}
	if got.Stop != galena.StopSettled || got.Cents != 2 || got.LimitCents != 15 || len(got.Open) != 0 || staffOf(got) != "500" || got.Company.Owner != "ana" {
		t.Errorf("%+v, want the size for 2 of 15 cents, settled", got)
	}
	if len(told) != 1 || told[0].Provider != "one" || told[0].Why == "" || len(told[0].Added) != 1 {
		t.Errorf("told %+v, want the one step with its reason", told)
	}
	if k.saved == nil || k.saved.Facts.Get("company.employee_count").State != galena.Known || len(k.learnt) != 1 {
		t.Errorf("saved %+v with %d observations, want the record", k.saved, len(k.learnt))
	}
}

func TestNobodyIsAskedAboutACompanyThatIsSuppressed(t *testing.T) {
	t.Parallel()
	k := &kiosk{leave: galena.Errorf(galena.Invalid, "suppressed", "is suppressed")}
	_, err := lookupOn(t, k).Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: -1})
	if galena.KindOf(err) != galena.Invalid || len(k.calls) != 0 || k.saved != nil {
		t.Errorf("%v after %q, saved %+v", err, k.calls, k.saved)
	}
	if !slices.Contains(k.vetted, "acme.example") {
		t.Errorf("judged by %q", k.vetted)
	}
}

func TestWhatOurListsKnowOfACompanyCounts(t *testing.T) {
	t.Parallel()
	k := &kiosk{listed: []galena.Observation{{ID: "l", Entity: "acme.example", Field: "company.competitor", Value: galena.BoolValue(true), Source: "hygiene",
		Class: galena.ClassCRM, Confidence: 1, ObservedAt: testNow, FetchedAt: testNow}}}
	got, err := lookupOn(t, k).Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: -1})
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Company.Facts.Get("company.competitor"); f.State != galena.Known || f.Source != "hygiene" {
		t.Errorf("told %+v, want the competitor", f)
	}
	if len(k.learnt) != 1 || k.learnt[0].Field != "company.employee_count" {
		t.Errorf("learnt %+v, want the vendor's word alone: the list is read each time", k.learnt)
	}
}

func TestWhatOnlyAPersonCanSayKeepsNobodyBuying(t *testing.T) {
	t.Parallel()
	k := &kiosk{}
	l := lookupOn(t, k)
	rules := l.Rules()
	router, err := routing.New(routing.Config{Rules: []routing.Rule{
		{ID: "bosses", When: &galena.Condition{Field: "lead.job_title", Operators: galena.Operators{Eq: "CEO"}}, To: routing.Target{Queue: "hot"}},
		{ID: "rest", To: routing.Target{Sink: "archive"}}}, Fallback: routing.Fallback{Queue: "unrouted"}})
	if err != nil {
		t.Fatal(err)
	}
	rules.Routing = router
	got, err := l.Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: -1})
	if err != nil || got.Stop != galena.StopSettled || len(got.Steps) != 1 {
		t.Errorf("%+v, %v; want settled by the size alone", got, err)
	}
}

func TestAnOrderSaysWhichHeldAnswersCount(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		order galena.EnrichOrder
		held  time.Duration // age of what vendor one said: 20 people
		fails bool
		calls string
		staff string
	}{
		{"held counts", galena.EnrichOrder{UseCache: galena.CacheIfPresent}, 100 * testDay, false, "one", "20"},
		{"stale does not when it must be fresh", galena.EnrichOrder{UseCache: galena.CacheIfFresh}, 100 * testDay, false, "one anew", "500"},
		{"fresh does", galena.EnrichOrder{UseCache: galena.CacheIfFresh}, 10 * testDay, false, "one", "20"},
		{"too old for the caller", galena.EnrichOrder{MaxAge: 5 * testDay}, 10 * testDay, false, "one anew", "500"},
		{"young enough for the caller", galena.EnrichOrder{MaxAge: 15 * testDay}, 10 * testDay, false, "one", "20"},
		{"never", galena.EnrichOrder{UseCache: galena.CacheNever}, time.Hour, false, "one anew", "500"},
		{"a failure falls back", galena.EnrichOrder{UseCache: galena.CacheNever}, time.Hour, true, "one anew", "20"},
		{"and does not where none is wanted", galena.EnrichOrder{UseCache: galena.CacheNever, NoFallback: true}, time.Hour, true, "one anew", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			k := &kiosk{offers: offers("one"), pantry: pantry{holding: galena.Holding{Answers: []galena.Answer{aged("one", 20, tc.held)}}}}
			if tc.fails {
				k.err = galena.Errorf(galena.Unavailable, "one.enrich", "status 500")
			}
			tc.order.Domain, tc.order.LimitMicros = "acme.example", -1
			got, err := lookupOn(t, k).Enrich(context.Background(), tc.order)
			if err != nil || !slices.Equal(k.calls, []string{tc.calls}) || staffOf(got) != tc.staff {
				t.Errorf("asked %q, %s people, %v; want %q and %s", k.calls, staffOf(got), err, tc.calls, tc.staff)
			}
			if n := k.saved.Facts.Get("company.employee_count"); n.State != galena.Known {
				t.Error("the record lost what is held")
			}
		})
	}
}

func TestAnOrderMayCostLessThanALead(t *testing.T) {
	t.Parallel()
	k := &kiosk{}
	got, err := lookupOn(t, k).Enrich(context.Background(), galena.EnrichOrder{Domain: "acme.example", LimitMicros: 19_999})
	if err != nil || got.Stop != galena.StopBudget || len(k.calls) != 0 || len(got.Open) != 1 || k.saved != nil {
		t.Errorf("%+v after %q, %v; want nobody asked and nothing saved", got, k.calls, err)
	}
}

package worker

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// ledger is the store of the portfolio, in memory.
type ledger struct {
	mu     sync.Mutex
	past   []galena.Past
	frozen map[string]galena.Means
	read   int // times that the portfolio was read as a whole
	down   error
}

func (l *ledger) Means(_ context.Context, profile string) (galena.Means, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m, ok := l.frozen[profile]; ok || l.down != nil {
		return m, l.down
	}
	return galena.Means{}, galena.Errorf(galena.NotFound, "ledger.means", "not counted")
}

func (l *ledger) Portfolio(_ context.Context, least, most int, _ []string) ([]galena.Past, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.past) < least {
		return nil, l.down
	}
	l.read++
	return l.past[max(0, len(l.past)-most):], l.down
}

func (l *ledger) FreezeMeans(_ context.Context, m galena.Means) (galena.Means, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.frozen[m.Profile]; !ok {
		l.frozen[m.Profile] = m
	}
	return l.frozen[m.Profile], l.down
}

// judged is a decision on what is known of a lead, as it would be stored.
func judged(rules *Rules, m galena.Memory) galena.Decision {
	r := newRun(&Pipeline{Now: func() time.Time { return afternoon }}, rules, m)
	return r.decision(r.look(true), galena.Assignment{LeadID: "l", Epoch: 1}, nil)
}

// From the 200th decided lead on an unknown is worth what leads mostly earn: the
// same for every process, whenever it looks, and a decision made before keeps its
// own numbers.
func TestFromTwoHundredLeadsOnEstimatesAreThePortfolios(t *testing.T) {
	t.Parallel()
	rules, vendors := demoRules(t)
	rules.Enricher = vendors
	store := &ledger{frozen: map[string]galena.Means{}}
	rnd := rand.New(rand.NewPCG(7, 7))
	stranger := galena.Memory{Lead: galena.Lead{ID: "l", Epoch: 1, CreatedAt: afternoon,
		Judgement: galena.Judgement{Domain: "nobody.example", Class: galena.Corporate}}}
	early := judged(rules, stranger)
	for n := range 260 {
		if got, err := rules.WithPortfolio(t.Context(), store); err != nil || (got == rules) != (n < 200) {
			t.Fatalf("after %d leads: other rules %v, error %v", n, got != rules, err)
		}
		d := judged(rules, drawMemory(t, rnd))
		store.past = append(store.past, galena.Past{Facts: d.Facts, At: d.DecidedAt})
	}
	counted, err := rules.WithPortfolio(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	frozen := store.frozen[rules.Refs[0].Hash]
	if store.read != 1 || frozen.Leads != 200 || !maps.Equal(frozen.Values, rules.ICP.Means(store.past[:200])) {
		t.Fatalf("counted %d times, kept %+v", store.read, frozen)
	}
	late := judged(counted, stranger)
	if late.Score.Score == early.Score.Score || late.Lo != early.Lo || late.Hi != early.Hi {
		t.Errorf("score %s in %s..%s, before %s in %s..%s: only the estimate moves", late.Score.Score, late.Lo, late.Hi, early.Score.Score, early.Lo, early.Hi)
	}
	if n := len(late.Configs) - len(early.Configs); n != 1 || late.Configs[len(early.Configs)] != frozen.Ref(rules.Refs[0]) {
		t.Errorf("configs %+v, before %+v", late.Configs, early.Configs)
	}

	// Another process, after a restart.
	again, _ := demoRules(t)
	again.Enricher = vendors
	recounted, err := again.WithPortfolio(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := recounted.WithPortfolio(t.Context(), &ledger{down: context.Canceled}); same != recounted || err != nil {
		t.Errorf("rules with means looked for some: %v", err)
	}
	for _, d := range []galena.Decision{early, late} {
		was := encoded(t, d)
		k := decoded[kept](t, was)
		if got := encoded(t, judged(k.rules(t, again, recounted), k.memory(stranger.Lead, nil))); !bytes.Equal(got, was) {
			t.Errorf("replayed\n%s\nwas\n%s", got, was)
		}
	}
}

func TestRulesStayWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	rules, _ := demoRules(t)
	got, err := rules.WithPortfolio(t.Context(), &ledger{down: context.DeadlineExceeded})
	if got != rules || err == nil {
		t.Errorf("other rules %v, error %v", got != rules, err)
	}
}

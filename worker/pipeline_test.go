package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// desk is a store in memory for one lead.
type desk struct {
	unread error // of Memory
	stepLog
	memory   galena.Memory
	refuse   bool  // Begin: this hand-out is an old one
	away     error // Begin: the store cannot be reached
	ruleErrs []error
	ruled    []galena.Decision
	later    time.Time
	told     []galena.Delivery
	ruling   galena.Ruling // the last one
	finished bool
	held     []galena.Lead
	holdErr  error
	tries    int
	wished   *galena.Refresh
	audit    bool
}

func (d *desk) Begin(context.Context, string, string, int, int) (bool, error) {
	return !d.refuse && d.away == nil, d.away
}

func (d *desk) Finish(context.Context, galena.Step) error {
	d.finished = true
	return nil
}

func (d *desk) Start(context.Context, galena.Step) (galena.Memory, int, error) {
	if d.refuse || d.away != nil {
		return galena.Memory{}, 0, d.away
	}
	return d.memory, max(d.tries, 1), d.unread
}

func (d *desk) Memory(context.Context, string) (galena.Memory, error) { return d.memory, d.unread }

func (d *desk) Rule(_ context.Context, r galena.Ruling) (galena.Decision, error) {
	if len(d.ruleErrs) > 0 {
		err := d.ruleErrs[0]
		d.ruleErrs = d.ruleErrs[1:]
		if err != nil {
			return galena.Decision{}, err
		}
	}
	decision, told, _, err := r.Settle(galena.Roster{Credits: map[string]map[string]int64{}, Reps: map[string]galena.RepState{}, NextSeq: 1})
	d.wished, d.audit = r.Refresh, r.Audit
	d.ruled, d.told, d.later, d.ruling = append(d.ruled, decision), append(d.told, told...), r.Later, r
	return decision, err
}

func (d *desk) Hold(_ context.Context, _ galena.Step, l galena.Lead, told []galena.Delivery) error {
	if d.holdErr == nil {
		d.held, d.told = append(d.held, l), append(d.told, told...)
	}
	return d.holdErr
}

// market is a waterfall with one provider.
type market struct {
	offers []galena.Offer
	err    error
	panics bool
	small  bool // the company has twelve people instead of 420
	asked  int
}

func (m *market) Offers() []galena.Offer { return m.offers }

func (m *market) Ask(_ context.Context, provider, domain string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	m.asked++
	if m.panics {
		panic("a vendor's answer that nobody foresaw")
	}
	call := galena.Call{Provider: provider, Outcome: "hit", Cents: 2}
	if m.err != nil {
		return galena.Answer{Kind: galena.KindOf(m.err)}, galena.Call{Provider: provider, Outcome: "error:500"}, m.err
	}
	people := galena.Number(420)
	if m.small {
		people = galena.Number(12)
	}
	return galena.Answer{Observations: []galena.Observation{{ID: "o1", Entity: domain, Field: "company.employee_count",
		Value: people, Source: provider, Class: galena.ClassProvider, Confidence: 1,
		ObservedAt: testNow, FetchedAt: testNow}}}, call, nil
}

type nobody struct{}

func (nobody) Announce(r galena.Record) ([]galena.Delivery, error) {
	return []galena.Delivery{{ID: "d1", Event: galena.EventRouted, LeadID: r.Lead.ID}}, nil
}

func (nobody) Rerouted(r galena.Record) ([]galena.Delivery, error) {
	return []galena.Delivery{{ID: "d2", Event: galena.EventRerouted, LeadID: r.Lead.ID}}, nil
}

func (nobody) Quarantined(l galena.Lead) ([]galena.Delivery, error) {
	return []galena.Delivery{{ID: "d2", Event: galena.EventQuarantined, LeadID: l.ID}}, nil
}

func (nobody) Disputed(l galena.Lead, d galena.Dispute) ([]galena.Delivery, error) {
	return []galena.Delivery{{Event: galena.EventConflict, LeadID: l.ID, Key: d.Field}}, nil
}

var testNow = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

// testRules score by size alone and send A to a queue.
func testRules(t *testing.T) *Rules {
	t.Helper()
	icp, err := scoring.New(scoring.Config{Unknown: scoring.Defaults().Unknown,
		Criteria: []scoring.Criterion{{ID: "size", Field: "company.employee_count", Weight: 10,
			Bands: []scoring.Band{{Operators: galena.Operators{Range: []any{100, nil}}, Value: 1, Label: "large"}}}},
		Tiers: []scoring.Tier{{Name: "A", Min: 50}, {Name: "D", Min: 0}}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := merging.New(merging.Defaults(), map[string]float64{"one": 0.8})
	if err != nil {
		t.Fatal(err)
	}
	router, err := routing.New(routing.Config{Rules: []routing.Rule{
		{ID: "tier-a", When: &galena.Condition{Field: "decision.tier", Operators: galena.Operators{Eq: "A"}}, To: routing.Target{Queue: "hot"}},
		{ID: "rest", When: &galena.Condition{Field: "decision.tier", Operators: galena.Operators{Eq: "D"}}, To: routing.Target{Sink: "archive"}},
	}, Fallback: routing.Fallback{Queue: "unrouted"}})
	if err != nil {
		t.Fatal(err)
	}
	return &Rules{ICP: icp, Merging: policy, Routing: router, LimitMicros: 150_000, Deadline: -1}
}

// oneVendor has all that the rules of the tests want to know.
var oneVendor = galena.Offer{Provider: "one", CostMicros: 20_000, P95: time.Second, Available: true,
	Hits: map[string]float64{"company.employee_count": 0.9}}

// pipelineOn builds a pipeline on a desk and a market.
func pipelineOn(t *testing.T, d *desk, m *market) (p *Pipeline, woken *int) {
	t.Helper()
	if m.offers == nil {
		m.offers = []galena.Offer{oneVendor}
	}
	d.memory.Lead = galena.Lead{ID: someLead, Epoch: 1, CreatedAt: testNow, Judgement: galena.Judgement{
		Email: "ana@acme.example", Domain: "acme.example", Class: galena.Corporate, Verdict: galena.Accept, Spendable: true}}
	rules, woken := testRules(t), new(int)
	rules.Enricher = m
	return &Pipeline{Steps: d, Leads: d, Announce: nobody{}, Rules: func() *Rules { return rules },
		Wake: func() { *woken++ }, Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler), leases: newLeases()}, woken
}

var firstRun = galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1}

func TestALeadIsAskedForScoredRoutedAndTold(t *testing.T) {
	t.Parallel()
	d, m := &desk{}, &market{}
	p, woken := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil {
		t.Fatal(err)
	}
	if len(d.ruled) != 1 {
		t.Fatalf("%d decisions, want one", len(d.ruled))
	}
	got := d.ruled[0]
	if got.Tier != "A" || got.To != "queue:hot" || got.Stop != galena.StopSettled || got.Cents != 2 || got.Calls != 1 {
		t.Errorf("tier %s to %s, stop %s, %v cents in %d calls; want A to queue:hot, settled, 2 cents in 1", got.Tier, got.To, got.Stop, got.Cents, got.Calls)
	}
	if len(d.told) != 1 || *woken != 1 {
		t.Errorf("%d deliveries, relay woken %d times; want one of each", len(d.told), *woken)
	}
	if l := d.ruling.Lesson; len(l.Observations) != 1 || !slices.Equal(l.Used, []string{l.Observations[0].ID}) {
		t.Errorf("learnt %+v, want the size named as what the decision rests on", l)
	}
}

func TestAValueThatNobodyAskedForOrThatSaysNothingIsNotUsed(t *testing.T) {
	t.Parallel()
	p, _ := pipelineOn(t, &desk{}, &market{})
	r := newRun(p, p.Rules(), galena.Memory{})
	for _, field := range []string{"company.employee_count", "company.phone"} {
		r.observed = append(r.observed, &galena.Observation{ID: field, Field: field, Value: galena.Number(420), Source: "one", Class: galena.ClassProvider,
			Confidence: 1, ObservedAt: testNow, FetchedAt: testNow})
	}
	r.observed = append(r.observed, &galena.Observation{ID: "says nothing", Field: "company.annual_revenue_usd", Source: "one", Class: galena.ClassProvider, Confidence: 1, ObservedAt: testNow})
	if used := r.used(r.look(true)); !slices.Equal(used, []string{"company.employee_count"}) {
		t.Errorf("%v, want the size alone", used)
	}
}

// made is the id of a lead that came then, as UUIDv7 has it.
func made(ago time.Duration) string {
	ms := testNow.Add(-ago).UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000001", ms>>16, ms&0xffff)
}

// A lead that nobody can read is as old as its id says. One that the store did not
// hand out is not too old.
func TestALeadThatCannotBeReadWaits(t *testing.T) {
	t.Parallel()
	away, broken := galena.Errorf(galena.Unavailable, "sql.memory", "sqlstate 55P03"), galena.Errorf(galena.Internal, "sql.memory", "not JSON")
	for name, c := range map[string]struct {
		id   string
		err  error
		wait time.Duration // 0 = put aside
	}{
		"TheStoreIsAway":      {made(48 * time.Hour), away, firstWait},
		"JustNow":             {made(0), broken, firstWait},
		"ForAMinute":          {made(time.Minute), broken, time.Minute},
		"ForHours":            {made(5 * time.Hour), broken, maxWait},
		"ForTwoDays":          {made(48 * time.Hour), broken, 0},
		"AnIDThatSaysNothing": {"lead-1", broken, firstWait},
	} {
		d := &desk{unread: c.err, tries: 300}
		p, _ := pipelineOn(t, d, &market{})
		d.memory = galena.Memory{}
		s := firstRun
		s.ID = c.id
		if err := p.Process(context.Background(), s); err != nil || (d.failed != "") != (c.wait == 0) || c.wait > 0 && d.parked.Sub(testNow).Round(10*time.Millisecond) != c.wait {
			t.Errorf("%s: error %v, failed %q, parked until %v; want it parked for %v", name, err, d.failed, d.parked, c.wait)
		}
	}
}

// unreadable is a store in which a decided lead cannot be read.
type unreadable struct {
	*desk
	err error
}

func (u unreadable) Record(context.Context, string) (galena.Record, error) {
	return galena.Record{}, u.err
}
func (unreadable) Note(context.Context, galena.Step, galena.Notice, galena.Lesson) error { return nil }
func (unreadable) Awaken(context.Context, string, string) (int, error)                   { return 0, nil }
func (unreadable) SaveAudit(context.Context, galena.Step, galena.RegretAudit, []*galena.Observation) error {
	return nil
}

// A second look at a lead that nobody can read any more, and an audit of it, wait longer
// and longer too, and are put aside in the end.
func TestADecidedLeadThatCannotBeReadWaits(t *testing.T) {
	t.Parallel()
	away, broken := galena.Errorf(galena.Unavailable, "sql.record", "sqlstate 55P03"), galena.Errorf(galena.Internal, "sql.record", "not JSON")
	for name, c := range map[string]struct {
		id   string
		err  error
		wait time.Duration // 0 = put aside
	}{
		"TheStoreIsAway": {made(72 * time.Hour), away, firstWait},
		"JustNow":        {made(0), broken, firstWait},
		"ForHours":       {made(5 * time.Hour), broken, maxWait},
		"ForThreeDays":   {made(72 * time.Hour), broken, 0},
	} {
		for _, kind := range []string{galena.StepComplete, galena.StepAudit} {
			d := &desk{}
			p, _ := pipelineOn(t, d, &market{})
			u := unreadable{d, c.err}
			p.Completions = u
			process := p.Complete
			if kind == galena.StepAudit {
				process = (&Auditor{Pipeline: p, Audits: u}).Process
			}
			if err := process(context.Background(), galena.Step{Kind: kind, ID: c.id, Epoch: 1, Run: 1}); err != nil ||
				(d.failed != "") != (c.wait == 0) || c.wait > 0 && d.parked.Sub(testNow).Round(10*time.Millisecond) != c.wait {
				t.Errorf("%s %s: error %v, failed %q, parked for %v; want %v", name, kind, err, d.failed, d.parked.Sub(testNow), c.wait)
			}
		}
	}
}

// A lead that was held over the week-end, or lay about while no worker ran, has as
// many tries from its release on as a new one.
func TestALeadThatLayAboutIsTriedAsANewOne(t *testing.T) {
	t.Parallel()
	d := &desk{ruleErrs: []error{galena.Errorf(galena.Unavailable, "sql.rule", "away")}}
	p, _ := pipelineOn(t, d, &market{})
	d.memory.Lead.CreatedAt = testNow.Add(-72 * time.Hour)
	if err := p.Process(context.Background(), firstRun); err != nil || d.failed != "" || d.parked.Sub(testNow) != firstWait {
		t.Errorf("error %v, put aside as %q, parked until %v; want it tried again in a second", err, d.failed, d.parked)
	}
}

func TestAnOldHandOutDoesNothing(t *testing.T) {
	t.Parallel()
	d, m := &desk{refuse: true}, &market{}
	p, _ := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil || m.asked != 0 || len(d.ruled) != 0 {
		t.Errorf("error %v, %d calls, %d decisions; want none of all", err, m.asked, len(d.ruled))
	}
}

func TestAProvidersErrorIsAStepAndNotTheLeads(t *testing.T) {
	t.Parallel()
	d, m := &desk{}, &market{err: galena.Errorf(galena.Unavailable, "one.enrich", "status 500")}
	p, _ := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
		t.Fatalf("error %v, %d decisions; want the lead decided on what is known", err, len(d.ruled))
	}
	if got := d.ruled[0]; got.Stop != galena.StopDegraded || got.Settled || got.Cents != 0 {
		t.Errorf("stop %s, settled %v, %v cents; want degraded, provisional and free", got.Stop, got.Settled, got.Cents)
	}
}

func TestALeadFollowsAColleagueWhoTookTheAccountMeanwhile(t *testing.T) {
	t.Parallel()
	race := &galena.Error{Kind: galena.Conflict, Op: "owner", Err: errors.New("taken")}
	d, m := &desk{ruleErrs: []error{race, nil}}, &market{}
	p, _ := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
		t.Errorf("error %v, %d decisions; want it decided at the second reading", err, len(d.ruled))
	}
}

func TestAStaleRunEndsQuietly(t *testing.T) {
	t.Parallel()
	stale := &galena.Error{Kind: galena.Conflict, Op: "fence", Err: errors.New("stale")}
	d, m := &desk{ruleErrs: []error{stale}}, &market{}
	p, woken := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil || !d.parked.IsZero() || d.failed != "" || *woken != 0 {
		t.Errorf("error %v, parked %v, failed %q; want nothing written", err, d.parked, d.failed)
	}
}

func TestAPanicParksItsLeadAlone(t *testing.T) {
	t.Parallel()
	d, m := &desk{}, &market{panics: true}
	p, _ := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); err != nil || d.parked.IsZero() {
		t.Errorf("error %v, parked %v; want the step parked and the process alive", err, d.parked)
	}
}

func TestAStoreThatIsAwayLeavesTheStepToTheQueue(t *testing.T) {
	t.Parallel()
	d, m := &desk{away: galena.Errorf(galena.Unavailable, "sql.begin", "away")}, &market{}
	p, _ := pipelineOn(t, d, m)
	if err := p.Process(context.Background(), firstRun); galena.KindOf(err) != galena.Unavailable {
		t.Errorf("error %v, want the store's: asynq tries again", err)
	}
}

// target answers every delivery alike.
type target struct{ err error }

func (t target) Send(context.Context, galena.Delivery) error { return t.err }

func (d *desk) Delivery(context.Context, string) (galena.Delivery, error) {
	return galena.Delivery{ID: "d1", Attempts: 2}, nil
}

func TestADeliveryEndsWaitsOrIsGivenUp(t *testing.T) {
	t.Parallel()
	throttled := &galena.Error{Kind: galena.RateLimited, RetryAfter: time.Hour}
	for _, tc := range []struct {
		name     string
		err      error
		giveUp   bool
		finished bool
		waits    time.Duration
		failed   galena.Kind
	}{
		{name: "taken", finished: true},
		{name: "away for a moment", err: galena.Errorf(galena.Unavailable, "x", "status 502"), waits: time.Minute},
		{name: "a longer hint is obeyed", err: throttled, waits: time.Hour},
		{name: "gone for good", err: galena.Errorf(galena.Invalid, "x", "status 410"), failed: galena.Invalid},
		{name: "tried often enough", err: galena.Errorf(galena.Unavailable, "x", "status 502"), giveUp: true, failed: galena.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := &desk{}
			deliverer := &Deliverer{Steps: d, Deliveries: d, Sender: target{tc.err}, Now: func() time.Time { return testNow },
				Chance: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(2),
				Wait: Patience(func(tries int, _ float64) time.Duration {
					if tries != 3 {
						t.Errorf("waits after %d tries, want 3: two before and this one", tries)
					}
					if tc.giveUp {
						return -1
					}
					return time.Minute
				})}
			if err := deliverer.Process(context.Background(), galena.Step{Kind: galena.StepDeliver, ID: "d1"}); err != nil {
				t.Fatal(err)
			}
			if d.finished != tc.finished || d.failed != tc.failed {
				t.Errorf("finished %v, failed %q; want %v, %q", d.finished, d.failed, tc.finished, tc.failed)
			}
			if tc.waits > 0 && d.parked.Sub(testNow) != tc.waits {
				t.Errorf("waits %v, want %v", d.parked.Sub(testNow), tc.waits)
			}
		})
	}
}

func TestAFailureIsNotedShort(t *testing.T) {
	t.Parallel()
	if got := noteOf(errors.New(strings.Repeat("x", 500))); len(got) != 200 {
		t.Errorf("a note of %d bytes, want it cut at 200", len(got))
	}
}

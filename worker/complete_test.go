package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// archive is a desk that keeps its decision, for a second look at it.
type archive struct {
	desk
	moveErr error
	noteErr error
	moves   []galena.Move
	moved   galena.Decision
	noted   []galena.Notice
	learnt  galena.Lesson
	awoken  []string // of whom an answer was looked for
}

func (a *archive) Awaken(_ context.Context, provider, domain string) (int, error) {
	a.awoken = append(a.awoken, provider+" "+domain)
	return 0, nil
}

func (a *archive) Rule(ctx context.Context, r galena.Ruling) (galena.Decision, error) {
	d, err := a.desk.Rule(ctx, r)
	a.memory.Lead.DecidedAt = d.DecidedAt
	return d, err
}

func (a *archive) Record(context.Context, string) (galena.Record, error) {
	r := galena.Record{Lead: a.memory.Lead}
	if n := len(a.ruled); n > 0 {
		r.Decision = &a.ruled[n-1]
	}
	return r, nil
}

func (a *archive) Note(_ context.Context, _ galena.Step, n galena.Notice, l galena.Lesson) error {
	if a.noteErr == nil {
		a.noted, a.learnt = append(a.noted, n), l
	}
	return a.noteErr
}

func (a *archive) Move(_ context.Context, m galena.Move) (galena.Decision, error) {
	a.moves = append(a.moves, m)
	if a.moveErr != nil {
		return galena.Decision{}, a.moveErr
	}
	a.learnt = m.Lesson
	d, told, _, err := m.Settle(a.ruled[len(a.ruled)-1], galena.Held{Reps: []string{"ana"}}, galena.Roster{})
	a.moved, a.told = d, append(a.told, told...)
	return d, err
}

// watch is a clock that is moved by hand.
type watch struct{ at time.Time }

func (w *watch) now() time.Time { return w.at }

var secondLook = galena.Step{Kind: galena.StepComplete, ID: someLead, Epoch: 1, Run: 2}

// degraded decides a lead while its vendor errs.
func degraded(t *testing.T, err error) (*Pipeline, *archive, *market, *watch) {
	t.Helper()
	a, m, w := &archive{}, &market{err: err}, &watch{testNow}
	p, _ := pipelineOn(t, &a.desk, m)
	p.Steps, p.Leads, p.Completions, p.Mover, p.Now = a, a, a, a, w.now
	if err := p.Process(context.Background(), firstRun); err != nil {
		t.Fatal(err)
	}
	if len(a.ruled) != 1 || a.ruled[0].To != "sink:archive" {
		t.Fatalf("decided %+v, want the archive on what is known", a.ruled)
	}
	return p, a, m, w
}

// look plays one second look.
func look(t *testing.T, p *Pipeline) {
	t.Helper()
	if err := p.Complete(context.Background(), secondLook); err != nil {
		t.Fatal(err)
	}
}

var outage = galena.Errorf(galena.Unavailable, "one.enrich", "status 500")

// Somebody spoke of the company while the lead was under way, and it is not decided
// yet: whoever decides it reads the word.
func TestALeadThatIsNotDecidedIsNotLookedAtAgain(t *testing.T) {
	t.Parallel()
	p, a, m, _ := degraded(t, outage)
	a.ruled = nil
	asked := m.asked
	look(t, p)
	if !a.finished || a.failed != "" || m.asked != asked {
		t.Errorf("finished %t, failed %q, %d vendors asked; want it finished and nobody asked", a.finished, a.failed, m.asked-asked)
	}
}

// A rep gave the lead back as spam while a vendor was away: nothing is bought for it
// any more.
func TestALeadThatWasGivenBackForGoodIsNotLookedAtAgain(t *testing.T) {
	t.Parallel()
	p, a, m, _ := degraded(t, outage)
	spam := a.ruled[0]
	spam.Epoch, spam.To = 2, rejected
	a.ruled = append(a.ruled, spam)
	m.err = nil
	asked := m.asked
	look(t, p)
	if !a.finished || len(a.noted) > 0 || m.asked != asked {
		t.Errorf("finished %t, %d notices, %d vendors asked; want it finished and nobody asked", a.finished, len(a.noted), m.asked-asked)
	}
}

func TestADegradedDecisionIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	hint := &galena.Error{Kind: galena.RateLimited, RetryAfter: 5 * time.Minute, Err: errors.New("status 429")}
	for _, tc := range []struct {
		name   string
		err    error
		change func(*Pipeline, *market)
		want   time.Duration // 0 = never
	}{
		{"a vendor that erred", outage, nil, firstLook},
		{"its hint is obeyed", hint, nil, 5 * time.Minute},
		{"another company's record", galena.Errorf(galena.WrongSubject, "one.enrich", "another domain"), nil, 0},
		{"a question it does not take", galena.Errorf(galena.Invalid, "one.enrich", "status 422"), nil, firstLook},
		{"a pause is obeyed", nil, func(_ *Pipeline, m *market) {
			m.offers[0].Available, m.offers[0].Away, m.offers[0].BackAt = false, true, testNow.Add(time.Hour)
		}, time.Hour},
		{"an open breaker", nil, func(_ *Pipeline, m *market) { m.offers[0].Available, m.offers[0].Away = false, true }, firstLook},
		{"no time was left", nil, func(p *Pipeline, _ *market) {
			r := *p.Rules()
			r.Deadline = 0
			p.Rules = func() *Rules { return &r }
		}, firstLook},
		{"no money was left", nil, func(p *Pipeline, _ *market) { p.Rules().LimitMicros = 0 }, 0},
		{"nothing is switched on", nil, func(_ *Pipeline, m *market) { m.offers[0].Available = false }, 0},
		{"all is known", nil, nil, 0},
		{"a scenario", outage, func(p *Pipeline, _ *market) { p.FirstLook = -1 }, 0},
		{"another first wait", outage, func(p *Pipeline, _ *market) { p.FirstLook = time.Second }, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, m := &desk{}, &market{err: tc.err}
			p, _ := pipelineOn(t, d, m)
			if tc.change != nil {
				tc.change(p, m)
			}
			if err := p.Process(context.Background(), firstRun); err != nil {
				t.Fatal(err)
			}
			want := time.Time{}
			if tc.want > 0 {
				want = testNow.Add(tc.want)
			}
			if !d.later.Equal(want) {
				t.Errorf("stop %s, looked at again at %v, want %v", d.ruled[0].Stop, d.later, want)
			}
		})
	}
}

// double is a vendor that is down beside one that tells of somebody else.
type double struct{ asked map[string]int }

func (*double) Offers() []galena.Offer {
	hits := map[string]float64{"company.employee_count": 0.9}
	return []galena.Offer{{Provider: "down", CostMicros: 20_000, Hits: hits, Available: true}, {Provider: "liar", CostMicros: 20_000, Hits: hits, Available: true}}
}

func (x *double) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	x.asked[provider]++
	err := outage
	if provider == "liar" {
		err = galena.Errorf(galena.WrongSubject, "liar.enrich", "another domain")
	}
	return galena.Answer{}, galena.Call{Provider: provider, Outcome: "error:" + string(galena.KindOf(err))}, err
}

// Who told of another company would again, and charge for it.
func TestASecondLookAsksNobodyWhoToldOfAnotherCompany(t *testing.T) {
	t.Parallel()
	p, a, _, w := degraded(t, outage)
	vendors := &double{map[string]int{}}
	p.Rules().Enricher = vendors
	if a.ruled = nil; p.Process(context.Background(), firstRun) != nil || len(a.ruled) != 1 {
		t.Fatal("not decided")
	}
	for range 3 {
		w.at = w.at.Add(time.Minute)
		look(t, p)
	}
	if vendors.asked["down"] != 4 || vendors.asked["liar"] != 1 {
		t.Errorf("asked %v in four looks, want who was down each time and the other once", vendors.asked)
	}
}

// An outage of a day: the looks grow apart, never beyond ten minutes, and end.
func TestTheLooksGrowApartAndEndAfterADay(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	var waits []time.Duration
	due := a.later
	for len(a.noted) == 0 {
		w.at, a.parked = due, time.Time{}
		look(t, p)
		if due = a.parked; !due.IsZero() {
			waits = append(waits, due.Sub(w.at))
		}
	}
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if waits[i] != want {
			t.Errorf("wait %d is %v, want %v", i+2, waits[i], want)
		}
	}
	if age := w.at.Sub(testNow); age != maxAge || len(waits) > 160 {
		t.Errorf("ended at age %v after %d waits, want a day", age, len(waits))
	}
	if n := a.noted[0]; n.Kind != galena.NoticeUnchanged || n.Stop != galena.StopDegraded || len(a.moves) != 0 {
		t.Errorf("noted %+v, %d moves; want unchanged and degraded", n, len(a.moves))
	}
	if a.failed != "" || m.asked != len(waits)+2 {
		t.Errorf("failed %q, asked %d times in %d looks", a.failed, m.asked, len(waits)+1)
	}
}

// The last look comes when the decision is a day old: what it finds is not lost because
// the store is away for a moment.
func TestTheLastLookWaitsForTheStore(t *testing.T) {
	t.Parallel()
	p, a, _, w := degraded(t, outage)
	w.at = testNow.Add(maxAge + time.Second)
	a.noteErr = galena.Errorf(galena.Unavailable, "sql.note", "no connection to the database")
	look(t, p)
	if a.failed != "" || a.parked.Sub(w.at) != maxWait {
		t.Errorf("failed %q, parked for %v; want it parked for %v", a.failed, a.parked.Sub(w.at), maxWait)
	}
	a.noteErr = nil
	if look(t, p); len(a.noted) != 1 {
		t.Errorf("%d notices, want one once the store is back", len(a.noted))
	}
}

// Whatever the outage, its length and the moment a lead came in: the lead is
// decided at once, completed at most 15 minutes after the vendor is back, and
// never has more than one look ahead.
func TestEveryLeadIsCompletedWithin15MinutesOfRecovery(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p, a, m, w := degraded(t, outage)
		p.Chance = func() float64 { return rapid.Float64Range(0, 1).Draw(r, "chance") }
		back := testNow.Add(time.Duration(rapid.IntRange(1, 23*3600).Draw(r, "outage, s")) * time.Second)
		due := a.later
		for looks := 0; len(a.noted)+len(a.moves) == 0; looks++ {
			if due.IsZero() || looks > 300 {
				r.Fatalf("after %d looks the lead waits for nothing", looks)
			}
			if w.at = due; !w.at.Before(back) {
				m.err = nil
			}
			a.parked = time.Time{}
			look(t, p)
			due = a.parked
		}
		if late := w.at.Sub(back); late < 0 || late > 15*time.Minute {
			r.Fatalf("completed %v after the recovery", late)
		}
	})
}

// The answer may come between the question and the commit: it is looked for once
// the second look is stored, then and after each further wait.
func TestALateAnswerIsLookedForOnceTheSecondLookIsStored(t *testing.T) {
	t.Parallel()
	for kind, looks := range map[galena.Kind]int{galena.Pending: 2, galena.Unavailable: 0} {
		p, a, _, w := degraded(t, &galena.Error{Kind: kind, RetryAfter: 3 * time.Minute, Err: errors.New("status 202")})
		if due := a.later.Sub(testNow); due != 3*time.Minute {
			t.Errorf("%s: looked at again in %v, want the end of the wait", kind, due)
		}
		w.at = a.later
		look(t, p)
		if len(a.awoken) != looks || a.parked.IsZero() {
			t.Errorf("%s: looked for an answer of %v, parked until %v; want %d looks", kind, a.awoken, a.parked, looks)
		}
	}
}

func TestAVendorWithTooManyCallersDoesNotMakeTheWaitGrow(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	m.err = &galena.Error{Kind: galena.RateLimited, RetryAfter: 50 * time.Millisecond, Err: errors.New("our own pace")}
	w.at = testNow.Add(3 * time.Hour)
	look(t, p)
	if got := a.parked.Sub(w.at); got != firstLook {
		t.Errorf("waits %v, want %v", got, firstLook)
	}
}

func TestAChangedDecisionMovesTheLeadOnce(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	m.err, w.at = nil, testNow.Add(firstLook)
	look(t, p)
	if len(a.moves) != 1 || len(a.noted) != 0 || len(a.learnt.Observations) != 1 {
		t.Fatalf("%d moves, %d notices, %d observations learnt; want one move and its observation", len(a.moves), len(a.noted), len(a.learnt.Observations))
	}
	got := a.moves[0]
	if got.Step != secondLook || got.From != 1 || got.Reason != "settled" || !got.Refund || !got.Untouched || got.Actor != "galena" {
		t.Errorf("move %+v, want a settled, untouched one with refund", got)
	}
	if d := a.moved; d.Epoch != 2 || d.Tier != "A" || d.To != "queue:hot" || !d.Settled || d.Cents != 2 {
		t.Errorf("decision %d: tier %s to %s, settled %v, %v cents", d.Epoch, d.Tier, d.To, d.Settled, d.Cents)
	}
	if last := a.told[len(a.told)-1]; last.Event != galena.EventRerouted {
		t.Errorf("told %s, want lead.rerouted", last.Event)
	}
}

func TestALeadThatMayNotBeMovedGetsANotice(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*archive, *watch)
		tries  int
	}{
		{"after the window", func(_ *archive, w *watch) { w.at = testNow.Add(2*time.Minute + time.Second) }, 0},
		{"after a touch", func(a *archive, _ *watch) {
			a.moveErr = galena.Errorf(galena.Conflict, "moved", "accepted by ana at 14:30:20 UTC")
		}, 1},
		{"moved by somebody else", func(a *archive, _ *watch) { a.ruled[0].Epoch = 2 }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, a, m, w := degraded(t, outage)
			m.err, w.at = nil, testNow.Add(time.Minute)
			tc.change(a, w)
			look(t, p)
			if len(a.moves) != tc.tries || len(a.noted) != 1 {
				t.Fatalf("%d moves tried, %d notices; want %d and 1", len(a.moves), len(a.noted), tc.tries)
			}
			n := a.noted[0]
			if n.Kind != galena.NoticeToday || n.Text != "today this lead would be tier A" || n.Epoch != a.ruled[0].Epoch {
				t.Errorf("notice %+v", n)
			}
		})
	}
}

func TestAnUnchangedDecisionIsOnlyNoted(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	m.small, m.err, w.at = true, nil, testNow.Add(firstLook)
	look(t, p)
	if len(a.moves) != 0 || len(a.noted) != 1 || len(a.learnt.Observations) != 1 {
		t.Fatalf("%d moves, %d notices, %d learnt", len(a.moves), len(a.noted), len(a.learnt.Observations))
	}
	if n := a.noted[0]; n.Kind != galena.NoticeUnchanged || n.Tier != "D" || n.Stop != galena.StopSettled || n.Cents != 2 || n.Calls != 1 {
		t.Errorf("notice %+v", n)
	}
}

// Two sources stand against each other by the time of the look: it opens the
// conflict with the tier that either leads to, and closes it when they agree.
func TestALookOpensAndClosesConflictsAsTheFirstDecisionDoes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		late int64 // what the one says; the other says 460
		was  []galena.Dispute
		want string
	}{
		{"it contradicts", 45, nil, "open decision D A"},
		{"it contradicts, to no effect", 700, nil, "open info A A"},
		{"it agrees", 470, nil, ""},
		{"it agrees by now", 470, []galena.Dispute{{Field: headcount, Severity: galena.SeverityDecision, Status: galena.ConflictOpen,
			Candidates: []galena.Claim{{Source: "two"}, {Source: "one"}}}}, "resolved decision"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, a, m, w := degraded(t, outage)
			a.memory.Observations, a.memory.Disputes = stated(tc.late), tc.was
			m.err, m.offers[0].Available, w.at = nil, false, testNow.Add(time.Hour)
			look(t, p)
			got := ""
			for _, d := range a.learnt.Conflicts {
				got = string(d.Status) + " " + string(d.Severity)
				for _, c := range d.Candidates {
					if c.Tier != "" {
						got += " " + c.Tier
					}
				}
				if d.Entity != "acme.example" || d.LeadID != someLead || d.Epoch != 1 || len(a.noted) != 1 {
					t.Errorf("%+v with %d notices", d, len(a.noted))
				}
			}
			if got != tc.want {
				t.Errorf("%q, want %q: %+v", got, tc.want, a.learnt.Conflicts)
			}
		})
	}
}

func TestALookCountsWhatTheLeadHasPaid(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	a.ruled[0].Cents = 14 // of 15: the vendor's 2 cents are too many
	m.err, w.at = nil, testNow.Add(firstLook)
	look(t, p)
	if m.asked != 1 || len(a.noted) != 1 || a.noted[0].Stop != galena.StopBudget {
		t.Errorf("asked %d times, noted %+v; want the limit kept", m.asked-1, a.noted)
	}
	p, a, m, w = degraded(t, outage)
	a.ruled[0].Cents, a.ruled[0].Steps[0].Outcome = 15, "hit" // it is this vendor whom the lead has paid
	m.err, w.at = nil, testNow.Add(firstLook)
	look(t, p)
	if m.asked != 2 || len(a.moves) != 1 {
		t.Errorf("asked %d times, %d moves; want the answer that is held", m.asked-1, len(a.moves))
	}
}

func TestAStaleOrPanickingLookHarmsNobody(t *testing.T) {
	t.Parallel()
	p, a, m, w := degraded(t, outage)
	m.err, w.at = nil, testNow.Add(firstLook)
	a.moveErr = &galena.Error{Kind: galena.Conflict, Op: "fence", Err: errors.New("stale")}
	look(t, p)
	if len(a.noted) != 0 || !a.parked.IsZero() || a.failed != "" {
		t.Errorf("stale: noted %v, parked %v, failed %q; want nothing written", a.noted, a.parked, a.failed)
	}
	m.panics = true
	look(t, p)
	if a.parked.IsZero() || len(a.noted) != 0 {
		t.Errorf("panic: parked %v, noted %v; want it tried again", a.parked, a.noted)
	}
}

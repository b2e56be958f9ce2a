package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// till is a market of vendors that are paid once, and one that hangs.
type till struct {
	offers []galena.Offer
	held   map[string]bool
	paid   float64
}

func (m *till) Offers() []galena.Offer { return m.offers }

func (m *till) Ask(ctx context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	if provider == "hangs" {
		<-ctx.Done()
		return galena.Answer{Kind: galena.Unavailable}, galena.Call{Provider: provider, Outcome: "error:timeout"}, galena.Errorf(galena.Unavailable, "hangs.ask", "timeout")
	}
	call := galena.Call{Provider: provider, Outcome: "hit", Cents: 10}
	if m.held[provider] {
		call.Outcome, call.Cents = "cached", 0
	}
	if !m.held[provider] {
		m.paid += 10
	}
	m.held[provider] = true
	return galena.Answer{Provider: provider, CostMicros: 100_000}, call, nil
}

var errOwner = &galena.Error{Kind: galena.Conflict, Op: "owner", Err: errors.New("taken")}

// What a lead bought before a colleague took the account is paid for: it counts towards
// the lead's limit and is in its decision.
func TestALeadThatFollowsAColleagueKeepsItsLimit(t *testing.T) {
	t.Parallel()
	offer := func(id string) galena.Offer {
		return galena.Offer{Provider: id, CostMicros: 100_000, P95: time.Second, Available: true, Hits: map[string]float64{"company.employee_count": 0.9}}
	}
	d := &desk{ruleErrs: []error{errOwner, nil}}
	p, _ := pipelineOn(t, d, &market{})
	m := &till{offers: []galena.Offer{offer("one"), offer("two")}, held: map[string]bool{}}
	p.Rules().Enricher = m // 15 cents a lead
	if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
		t.Fatalf("error %v, %d decisions", err, len(d.ruled))
	}
	if m.paid > 15 || d.ruled[0].Cents != 10 {
		t.Errorf("paid %v cents, the decision says %v; want 10, the limit of a lead is 15", m.paid, d.ruled[0].Cents)
	}
}

// A colleague who takes the account meanwhile gives a lead no more time.
func TestALeadThatFollowsAColleagueKeepsItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{ruleErrs: []error{errOwner, errOwner, nil}}
		p, _ := pipelineOn(t, d, &market{})
		p.Now = time.Now
		p.Rules().Deadline = 2200 * time.Millisecond
		p.Rules().Enricher = &till{offers: []galena.Offer{{Provider: "hangs", P95: 300 * time.Millisecond, Available: true,
			Hits: map[string]float64{"company.employee_count": 0.9}}}, held: map[string]bool{}}
		began := time.Now()
		if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
			t.Fatalf("error %v, %d decisions", err, len(d.ruled))
		}
		if took := time.Since(began); took > 2300*time.Millisecond {
			t.Errorf("decided after %s, the deadline is 2.2s", took)
		}
	})
}

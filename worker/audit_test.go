package worker

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/galenahq/galena"
)

func TestTheSampleIsAShareAndTheSameEveryTime(t *testing.T) {
	t.Parallel()
	n := 0
	for i := range 50_000 {
		id := fmt.Sprintf("0193%08x-lead", i)
		again := sampled(id, 0.02)
		if sampled(id, 0) || !sampled(id, 1) || sampled(id, 0.02) != again {
			t.Fatalf("%s is sampled by chance", id)
		}
		if sampled(id, 0.02) {
			n++
		}
	}
	if math.Abs(float64(n)-1000) > 150 {
		t.Errorf("%d of 50,000 leads, want about 1,000", n)
	}
}

// auditDesk keeps what an audit found.
type auditDesk struct {
	*desk
	record galena.Record
	found  []galena.RegretAudit
	learnt []*galena.Observation
}

func (d *auditDesk) Record(context.Context, string) (galena.Record, error) { return d.record, nil }

func (d *auditDesk) SaveAudit(_ context.Context, _ galena.Step, r galena.RegretAudit, learnt []*galena.Observation) error {
	d.found, d.learnt = append(d.found, r), learnt
	return nil
}

// twoMinds are vendors that disagree: "one" is held and says 420 people, "two"
// costs more, is never needed, and says what it is told to.
type twoMinds struct {
	two   int64
	err   error
	asked []string
}

func (m *twoMinds) Offers() []galena.Offer {
	hits := map[string]float64{"company.employee_count": 0.9}
	return []galena.Offer{{Provider: "one", CostMicros: 20_000, Available: true, Hits: hits},
		{Provider: "two", CostMicros: 80_000, Available: true, Hits: hits},
		{Provider: "three", CostMicros: 90_000, Available: true, Hits: hits},
		{Provider: "off", CostMicros: 0, Hits: hits}}
}

func (m *twoMinds) Ask(_ context.Context, provider, _ string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	m.asked = append(m.asked, provider)
	switch {
	case provider == "one":
		return aged("one", 420, 0), galena.Call{Provider: "one", Outcome: "cached"}, nil
	case m.err != nil:
		return galena.Answer{}, galena.Call{Provider: provider, Outcome: "error:500"}, m.err
	default:
		a := aged("two", m.two, 0)
		a.Observations[0].Class = galena.ClassRegistry
		return a, galena.Call{Provider: provider, Outcome: "hit", Cents: 8}, nil
	}
}

func TestAnAuditBuysTheRestAndSaysWhetherItMattered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		two     int64
		changed bool
		tier    string
	}{{"a vendor that agrees", 430, false, "A"}, {"a register that disagrees", 20, true, "D"}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			first, dearer := &desk{}, galena.Offer{Provider: "two", CostMicros: 80_000, Available: true}
			p, _ := pipelineOn(t, first, &market{offers: []galena.Offer{oneVendor, dearer}})
			p.Rules().AuditShare = 1
			if err := p.Process(context.Background(), firstRun); err != nil || len(first.ruled) != 1 || !first.audit {
				t.Fatalf("decided %d, audit %v, %v", len(first.ruled), first.audit, err)
			}
			before := first.ruled[0]
			d, m := &auditDesk{desk: first, record: galena.Record{Lead: first.memory.Lead, Decision: &before}}, &twoMinds{two: tc.two}
			p.Rules().Enricher = m
			if err := (&Auditor{Pipeline: p, Audits: d}).Process(context.Background(), galena.Step{Kind: galena.StepAudit, ID: someLead, Epoch: 1, Run: 1}); err != nil {
				t.Fatal(err)
			}
			if len(d.found) != 1 || len(first.ruled) != 1 {
				t.Fatalf("%d audits, %d decisions: want one of each", len(d.found), len(first.ruled))
			}
			got := d.found[0]
			if got.Changed != tc.changed || got.TierBefore != "A" || got.TierAfter != tc.tier || got.Calls != 1 || got.CostMicros != 80_000 {
				t.Errorf("found %+v", got)
			}
			if fmt.Sprint(m.asked) != "[one two]" {
				t.Errorf("asked %v, want the held one and what the 15 cents of a lead still buy", m.asked)
			}
		})
	}
}

func TestADecisionThatAskedEverybodyIsNotAudited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		other galena.Offer
		audit bool
	}{
		"nobody else":                    {oneVendor, false},
		"a dear one":                     {galena.Offer{Provider: "two", CostMicros: 80_000, Available: true}, true},
		"one who is away and comes back": {galena.Offer{Provider: "two", Away: true}, true},
		"one who is switched off":        {galena.Offer{Provider: "two"}, false},
	} {
		d := &desk{}
		p, _ := pipelineOn(t, d, &market{offers: []galena.Offer{oneVendor, c.other}})
		p.Rules().AuditShare = 1
		if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 || d.audit != c.audit {
			t.Errorf("%s: %d decisions, audit %v, %v; want one, audit %v", name, len(d.ruled), d.audit, err, c.audit)
		}
	}
}

func TestAnAuditWaitsForAVendorThatFails(t *testing.T) {
	t.Parallel()
	first := &desk{}
	p, _ := pipelineOn(t, first, &market{})
	if err := p.Process(context.Background(), firstRun); err != nil || first.audit {
		t.Fatalf("audit %v without a share, %v", first.audit, err)
	}
	d := &auditDesk{desk: first, record: galena.Record{Lead: first.memory.Lead, Decision: &first.ruled[0]}}
	p.Rules().Enricher = &twoMinds{err: galena.Errorf(galena.Unavailable, "two.enrich", "status 500")}
	err := (&Auditor{Pipeline: p, Audits: d}).Process(context.Background(), galena.Step{Kind: galena.StepAudit, ID: someLead, Epoch: 1, Run: 1})
	if err != nil || first.parked.IsZero() || len(d.found) != 0 {
		t.Errorf("error %v, parked %v, found %v; want it parked without a verdict", err, first.parked, d.found)
	}
}

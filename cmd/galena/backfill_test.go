package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// backfillBudget lets what is filled in afterwards cost three calls a day.
const backfillBudget = `apiVersion: galena/v1
kind: Providers
spec:
  providers:
    - {id: testvendor, adapter: fixture, cost_cents: 1, billing: per_call, p95_ms: 50, trust: 0.8,
       fields: {company.employee_count: 0.9, company.industry: 0.9, company.hq_country: 0.9}}
  limits: {per_lead_cents: 15, per_day_cents: 500, per_source_cents: {backfill: 3}, interactive_deadline_ms: 2200}
`

func TestABackfillStopsBuyingAtItsBudgetAndNewLeadsGoOn(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.write("providers.yaml", backfillBudget)
	s.start("serve")
	s.ready()
	const old = 12
	for i := range old {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"ana@old%d.example","source":"Backfill"}`, i)); status != http.StatusAccepted {
			t.Fatalf("%d %v", status, body)
		}
	}
	eventually(t, 30*time.Second, "all are routed", func() bool { return len(s.sink.events()) == old })
	if n := s.vendor.asked(); n != 3 {
		t.Errorf("the vendor was asked %d times, want 3", n)
	}
	m := s.metrics()
	for _, want := range []string{`galena_budget_remaining_cents{scope="source:backfill"} 0`, `galena_budget_remaining_cents{scope="day"} 497`} {
		if !strings.Contains(m, want+"\n") {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	status, stats, _ := s.do(http.MethodGet, "/v1/stats", strings.TrimSpace(s.must("token", "create", "--description", "ops", "--group", "ops")), "")
	if got := fmt.Sprint(stats["budgets"]); status != http.StatusOK || !strings.Contains(got, "left_cents:0 limit_cents:3 scope:source:backfill") {
		t.Errorf("%d %s", status, got)
	}
	if _, page := s.page(s.person("boss", "admin"), http.MethodGet, "/providers", nil); !strings.Contains(page, "<dt>Leads from backfill</dt>") {
		t.Error("the page does not show the budget")
	}
	if status, body, _ := s.post(testToken, `{"email":"ana@new.example","source":"web"}`); status != http.StatusAccepted {
		t.Fatalf("%d %v", status, body)
	}
	eventually(t, 30*time.Second, "the new one is routed", func() bool { return len(s.sink.events()) == old+1 })
	if n := s.vendor.asked(); n != 4 {
		t.Errorf("the vendor was asked %d times, want once more for a lead that has just come", n)
	}
}

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// herdVendors are two vendors that take 300 ms to say one field each.
type herdVendors struct {
	urls  map[string]string
	mu    sync.Mutex
	calls map[string][]time.Time
}

const (
	herdVendorTakes = 300 * time.Millisecond
	herdDomain      = "herd.example"
)

func newHerdVendors(t *testing.T) *herdVendors {
	t.Helper()
	v := &herdVendors{urls: map[string]string{}, calls: map[string][]time.Time{}}
	for id, answer := range map[string]string{
		"people":   `{"company.employee_count": 420, "company.hq_country": "US"}`,
		"industry": `{"company.industry": "software", "company.annual_revenue_usd": 90000000}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.String(), herdDomain) {
				v.mu.Lock()
				v.calls[id] = append(v.calls[id], time.Now())
				v.mu.Unlock()
			}
			time.Sleep(herdVendorTakes)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, answer)
		}))
		t.Cleanup(srv.Close)
		v.urls[id] = srv.URL
	}
	return v
}

// A herd of 200 people of one company that nobody has heard of, before two
// processes that have worked on others: one call per vendor, whoever makes it. How
// long they wait is printed; a test on a shared machine must not judge it.
func TestAHerdOfOneNewCompanyIsOneCallPerVendor(t *testing.T) {
	t.Parallel()
	if !onReal(t) {
		t.Log("two processes need real stores: run make test")
		return
	}
	const leads = 200
	s, vendors := newSystem(t, true), newHerdVendors(t)
	s.twoWorkers(`    - {id: people, adapter: fixture, url: ` + vendors.urls["people"] + `, cost_cents: 1, p95_ms: 300,
       fields: {company.employee_count: 0.9, company.hq_country: 0.9}}
    - {id: industry, adapter: fixture, url: ` + vendors.urls["industry"] + `, cost_cents: 1, p95_ms: 300,
       fields: {company.industry: 0.9, company.annual_revenue_usd: 0.9}}
`)
	const before = 40
	s.postAtOnce(before, "before.example")
	eventually(t, time.Minute, "the leads before the herd are routed", func() bool { return len(s.sink.events()) >= before })
	sent := s.postAtOnce(leads, herdDomain)
	eventually(t, time.Minute, "every lead is routed", func() bool { return len(s.sink.events()) >= before+leads })

	vendors.mu.Lock()
	defer vendors.mu.Unlock()
	for _, id := range []string{"people", "industry"} {
		if len(vendors.calls[id]) != 1 {
			t.Fatalf("%d calls to %s, want one", len(vendors.calls[id]), id)
		}
		t.Logf("%s was asked %s after the first was posted", id, vendors.calls[id][0].Sub(sent))
	}
	var took []time.Duration
	for _, e := range s.sink.events()[before:] {
		took = append(took, e.at.Sub(sent))
	}
	slices.Sort(took)
	t.Logf("%d leads of one company: first %s, p50 %s, p99 %s, last %s after the first was posted", leads,
		took[0], took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}

// twoWorkers starts a web and two workers that ask these vendors and no others, and
// waits until both have begun to take leads.
func (s *system) twoWorkers(providers string) {
	s.t.Helper()
	s.env = slices.DeleteFunc(s.env, func(kv string) bool { return strings.HasPrefix(kv, "GALENA_PROVIDER_") })
	s.write("providers.yaml", `apiVersion: galena/v1
kind: Providers
spec:
  providers:
`+providers+`  limits: {per_lead_cents: 15, per_day_cents: 500000, interactive_deadline_ms: 30000}
`)
	s.start("web")
	s.start("worker")
	s.start("worker")
	s.ready()
	time.Sleep(time.Second)
}

// postAtOnce posts leads of a company at the same time and says when it began.
func (s *system) postAtOnce(n int, domain string) time.Time {
	s.t.Helper()
	var wg sync.WaitGroup
	began := time.Now()
	for i := range n {
		wg.Go(func() {
			if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p%d@%s"}`, i, domain)); status != http.StatusAccepted {
				s.t.Errorf("lead %d: %d %v", i, status, body)
			}
		})
	}
	wg.Wait()
	return began
}

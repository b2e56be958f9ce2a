package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// What a vendor told one process the others know at once: nobody asks it again
// before the time that it gave.
func TestARefusalOfOneProcessIsKnownToTheOther(t *testing.T) {
	t.Parallel()
	if !onReal(t) {
		t.Log("two processes need real stores: run make test")
		return
	}
	var calls atomic.Int64
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(vendor.Close)
	s := newSystem(t, true)
	s.twoWorkers(`    - {id: people, adapter: fixture, url: ` + vendor.URL + `, cost_cents: 1, p95_ms: 300,
       fields: {company.employee_count: 0.9, company.hq_country: 0.9}}
`)
	s.postAtOnce(1, "first.example")
	eventually(t, time.Minute, "the vendor was asked", func() bool { return calls.Load() > 0 })
	time.Sleep(adoptEvery / 5) // long before the others would have looked by themselves
	asked, routed := calls.Load(), len(s.sink.events())
	const leads = 30
	for i := range leads { // some for either worker
		s.postAtOnce(1, fmt.Sprintf("c%d.example", i))
	}
	eventually(t, time.Minute, "the leads after the refusal are routed", func() bool { return len(s.sink.events()) >= routed+leads })
	if again := calls.Load() - asked; again > 0 {
		t.Errorf("the vendor was asked %d times before the time that it gave", again)
	}
}

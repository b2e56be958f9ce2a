package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// onReal says which stores an end-to-end test runs on: the ones that make test
// starts, or the embedded ones where somebody runs a single test by hand.
func onReal(t *testing.T) bool {
	pg, _ := stores(t)
	return pg != ""
}

func TestALeadTravelsThroughTheProcessesOfTheProcfile(t *testing.T) {
	t.Parallel()
	if !onReal(t) {
		t.Log("separate processes need real stores: run make test")
		return
	}
	s := newSystem(t, true)
	s.start("web")
	s.start("worker")
	s.start("scheduler")
	s.ready()

	began := time.Now()
	status, receipt, _ := s.post(testToken, `{"id":"crm-77","email":"Grace.Chen@northwind.example","job_title":"VP Revenue Operations","form":"demo","score":999}`)
	if status != http.StatusAccepted || receipt["external_id"] != "crm-77" || receipt["status"] != "accepted" {
		t.Fatalf("POST answered %d %v, want 202 with the caller's id", status, receipt)
	}
	eventually(t, 20*time.Second, "lead.routed reaches the sink", func() bool { return len(s.sink.events()) > 0 })
	e := s.sink.events()[0]
	t.Logf("lead.routed after %v", e.at.Sub(began).Round(time.Millisecond))

	leadID, _ := receipt["id"].(string)
	if want := "lead.routed:" + leadID + ":1"; e.id != want {
		t.Errorf("webhook-id %q, want %q", e.id, want)
	}
	if e.body["type"] != "lead.routed" || e.body["id"] != "crm-77" || e.body["lead_id"] != leadID {
		t.Errorf("body %v, want the event, the caller's id and ours", e.body)
	}
	status, lead, _ := s.do(http.MethodGet, "/v1/leads/"+leadID, testToken, "")
	if status != http.StatusOK || lead["status"] != "decided" {
		t.Fatalf("GET answered %d %v, want the decided lead", status, lead)
	}
	decision, _ := lead["decision"].(map[string]any)
	if decision["tier"] != e.body["tier"] || decision["score"] != e.body["score"] || decision["cents"] != 1.0 {
		t.Errorf("decision %v, want what the webhook said and 1 cent spent", decision)
	}
	if status, why, _ := s.do(http.MethodGet, "/v1/leads/"+leadID+"/why", testToken, ""); status != http.StatusOK || why["rows"] == nil {
		t.Errorf("why answered %d %v, want the explanation rows", status, why)
	}
}

func TestAFlushedQueueLosesNoLead(t *testing.T) {
	t.Parallel()
	if !onReal(t) {
		t.Log("flushing Redis needs real stores: run make test")
		return
	}
	const leads = 100
	s := newSystem(t, true)
	s.start("web")
	s.start("scheduler")
	worker := s.start("worker")
	s.ready()
	worker.stop(t)

	for i := range leads {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p%d@company-%d.example"}`, i, i)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v", i, status, body)
		}
	}
	if err := redisClient(t, s.variable("GALENA_REDIS_URL")).FlushDB(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	s.start("worker")
	eventually(t, 60*time.Second, "every lead is routed", func() bool { return len(s.sink.events()) >= leads })
	time.Sleep(time.Second) // a second delivery of any would arrive now
	seen := map[string]int{}
	for _, e := range s.sink.events() {
		seen[e.id]++
	}
	if len(seen) != leads || len(s.sink.events()) != leads {
		t.Errorf("%d webhooks with %d ids, want %d of each", len(s.sink.events()), len(seen), leads)
	}
}

// On real stores the process that is asked for its metrics calls no vendor for a
// lead: it says what the worker published.
func TestADeadVendorOpensItsBreakerAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.vendor.answer(http.StatusInternalServerError)
	if onReal(t) {
		s.start("web")
		s.start("worker")
		s.start("scheduler")
	} else {
		s.start("serve")
	}
	s.ready()
	const leads = 40
	for i := range leads {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p@broken-%d.example"}`, i)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v", i, status, body)
		}
	}
	eventually(t, 30*time.Second, "every lead is decided all the same", func() bool { return len(s.sink.events()) == leads })
	eventually(t, 5*time.Second, "the metrics say that the breaker is open", func() bool {
		return strings.Contains(s.metrics(), `galena_breaker_state{provider="testvendor"} 2`)
	})
	if n := s.vendor.asked(); n > leads {
		t.Errorf("the dead vendor was asked %d times for %d leads", n, leads)
	}
}

func TestBadInputIsToldAndNotStored(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.start("serve")
	s.ready()
	for _, tc := range []struct {
		name, token, body string
		status            int
		pointer           string
	}{
		{"bad JSON", testToken, `{"email":`, 400, ""},
		{"no e-mail", testToken, `{"name":"Ana"}`, 422, "/email"},
		{"not an address", testToken, `{"email":"plainaddress"}`, 422, "/email"},
		{"no token", "", `{"email":"ana@acme.example"}`, 401, ""},
		{"a wrong token", "gl_live_nonsense", `{"email":"ana@acme.example"}`, 401, ""},
		{"a megabyte", testToken, `{"email":"ana@acme.example","fields":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, ""},
	} {
		status, body, header := s.post(tc.token, tc.body)
		if status != tc.status || !strings.HasPrefix(header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %d as %s, want %d as application/problem+json", tc.name, status, header.Get("Content-Type"), tc.status)
		}
		if body["code"] == nil || body["request_id"] == nil {
			t.Errorf("%s: problem %v lacks code or request_id", tc.name, body)
		}
		if tc.pointer != "" && !strings.Contains(fmt.Sprint(body["errors"]), tc.pointer) {
			t.Errorf("%s: errors %v do not point at %s", tc.name, body["errors"], tc.pointer)
		}
	}
	for _, path := range []string{"/v1//leads", "/v1/leads/../leads", "/v1/nothing"} {
		if status, body, header := s.do(http.MethodGet, path, testToken, ""); status != http.StatusNotFound || body["code"] == nil {
			t.Errorf("%s: %d as %s, %v", path, status, header.Get("Content-Type"), body)
		}
	}
	status, list, _ := s.do(http.MethodGet, "/v1/leads", testToken, "")
	if items, _ := list["leads"].([]any); status != http.StatusOK || len(items) != 0 {
		t.Errorf("GET /v1/leads answered %d %v, want an empty list", status, list)
	}
}

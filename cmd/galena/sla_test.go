package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// shortClock routes every lead to two reps who have two seconds to accept.
const shortClock = `apiVersion: galena/v1
kind: Routing
metadata: {name: short, version: 1}
spec:
  reps: [{id: ana}, {id: ben}]
  pools: [{id: all, members: {ana: 1, ben: 1}}]
  rules:
    - id: everyone
      to: {pool: all}
      sla: {accept: 2s, on_breach: {action: reassign, to: all, max: 1, then: {queue: hot-desk, page: on-call}}}
  fallback: {queue: unrouted, alert: true}
`

func TestAnAssignmentWhoseClockRunsOutMovesOnceThoughTheQueueIsFlushed(t *testing.T) {
	t.Parallel()
	onStores := onReal(t)
	s := newSystem(t, onStores)
	s.write("routing.yaml", shortClock)
	if onStores {
		s.start("web")
		s.start("worker")
		s.start("scheduler")
	} else {
		s.start("serve")
	}
	s.ready()
	status, receipt, _ := s.post(testToken, `{"email":"grace@northwind.example","form":"demo"}`)
	if status != http.StatusAccepted {
		t.Fatalf("POST answered %d %v", status, receipt)
	}
	id, _ := receipt["id"].(string)
	eventually(t, 20*time.Second, "lead.routed reaches the sink", func() bool { return len(s.sink.events()) > 0 })
	first, _ := s.sink.events()[0].body["owner"].(string)
	if onStores { // half of the time is gone, and all that Redis knew
		time.Sleep(time.Second)
		if err := redisClient(t, s.variable("GALENA_REDIS_URL")).FlushDB(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	rerouted := func(epoch string) bool {
		for _, e := range s.sink.events() {
			if e.id == "lead.rerouted:"+id+":"+epoch {
				return true
			}
		}
		return false
	}
	eventually(t, 60*time.Second, "the lead moves to the other rep", func() bool { return rerouted("2") })
	_, lead, _ := s.do(http.MethodGet, "/v1/leads/"+id, testToken, "")
	decision, _ := lead["decision"].(map[string]any)
	second, _ := decision["owner"].(string)
	status, problem, _ := s.do(http.MethodPost, "/v1/leads/"+id+"/accept", testToken, `{"rep":"`+first+`","epoch":1}`)
	if status != http.StatusConflict || !strings.Contains(problem["detail"].(string), "moved to ") {
		t.Errorf("the first rep was answered %d %v, want 409 with who has the lead", status, problem)
	}
	if second != "" { // else the second rep's two seconds are over as well
		status, standing, _ := s.do(http.MethodPost, "/v1/leads/"+id+"/accept", testToken, `{"rep":"`+second+`"}`)
		t.Logf("%s let the clock run out, %s accepts: %d", first, second, status)
		if second == first || status != http.StatusOK && status != http.StatusConflict {
			t.Errorf("%s after %s: %d %v", second, first, status, standing)
		}
	}
	time.Sleep(12 * time.Second) // two sweeps: a second move of the same epoch would show by now
	seen := map[string]int{}
	for _, e := range s.sink.events() {
		seen[e.id]++
	}
	for _, want := range []string{"lead.routed:" + id + ":1", "lead.rerouted:" + id + ":2", "sla.breached:" + id + ":1"} {
		if seen[want] != 1 {
			t.Errorf("%s was told %d times, want once; all: %v", want, seen[want], seen)
		}
	}
}

// bothClocks runs out for whoever does nothing, and moves no lead.
const bothClocks = `apiVersion: galena/v1
kind: Routing
metadata: {name: both, version: 1}
spec:
  reps: [{id: ana}]
  pools: [{id: all, members: {ana: 1}}]
  rules:
    - id: everyone
      to: {pool: all}
      sla: {accept: 1s, first_touch: 3s}
  fallback: {queue: unrouted, alert: true}
`

func TestBothClocksOfAnAssignmentAreToldOf(t *testing.T) {
	t.Parallel()
	s := newSystem(t, false)
	s.write("routing.yaml", bothClocks)
	s.start("serve")
	s.ready()
	status, receipt, _ := s.post(testToken, `{"email":"grace@northwind.example","form":"demo"}`)
	if status != http.StatusAccepted {
		t.Fatalf("POST answered %d %v", status, receipt)
	}
	id, _ := receipt["id"].(string)
	told := func(key, kind string) func() bool {
		return func() bool {
			for _, e := range s.sink.events() {
				if e.id == key && e.body["kind"] == kind {
					return true
				}
			}
			return false
		}
	}
	eventually(t, 30*time.Second, "the rep did not accept", told("sla.breached:"+id+":1", "accept"))
	eventually(t, 30*time.Second, "the rep did not touch", told("sla.breached:"+id+":1:touch", "touch"))
}

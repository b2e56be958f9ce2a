package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestAFullRedisRefusesNobody runs alone: the server's memory is everybody's.
func TestAFullRedisRefusesNobody(t *testing.T) {
	if !onReal(t) {
		t.Log("filling Redis needs real stores: run make test")
		return
	}
	const leads = 50
	s := newSystem(t, true)
	s.start("serve")
	s.ready()
	redis, ctx := redisClient(t, s.variable("GALENA_REDIS_URL")), context.Background()
	limit := func(bytes string) {
		t.Helper()
		if err := redis.ConfigSet(ctx, "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { redis.ConfigSet(context.Background(), "maxmemory", "0") })
	limit("100kb")
	if err := redis.Set(ctx, "probe", "x", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("redis is not full: %v", err)
	}
	for i := range leads {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p%d@company-%d.example"}`, i, i)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v, want 202 by the outbox", i, status, body)
		}
	}
	limit("0")
	eventually(t, 60*time.Second, "every lead is routed", func() bool { return len(s.sink.events()) >= leads })
	if n := len(s.sink.events()); n != leads {
		t.Errorf("%d webhooks, want %d", n, leads)
	}
}

// TestAStopUnderLoadAnswersEverybody sends SIGTERM while leads come in.
func TestAStopUnderLoadAnswersEverybody(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	p := s.start("serve")
	s.ready()
	var accepted, broken atomic.Int64
	var turned, closed atomic.Int64 // when readiness turned, and when the listener closed
	var senders sync.WaitGroup
	stopped := make(chan struct{})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	for w := range 8 {
		senders.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stopped:
					return
				case <-time.After(20 * time.Millisecond):
				}
				if at := turned.Load(); at > 0 && time.Now().UnixMilli() > at+200 {
					return // as a balancer does that saw readiness turn
				}
				body := fmt.Sprintf(`{"email":"p%d-%d@company-%d.example"}`, w, i, w)
				req, _ := http.NewRequest(http.MethodPost, s.base+"/v1/leads", strings.NewReader(body))
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+testToken)
				res, err := client.Do(req)
				switch {
				case err == nil:
					if res.StatusCode == http.StatusAccepted {
						accepted.Add(1)
					}
					res.Body.Close()
				case strings.Contains(err.Error(), "refused"): // the listener is closed: a balancer asks elsewhere
				default:
					broken.Add(1)
					t.Logf("broken: %v", err)
				}
			}
		})
	}
	senders.Go(func() {
		for closed.Load() == 0 {
			res, err := client.Get(s.base + "/readyz")
			if err != nil {
				closed.Store(time.Now().UnixMilli())
				return
			}
			res.Body.Close()
			if res.StatusCode == http.StatusServiceUnavailable {
				turned.CompareAndSwap(0, time.Now().UnixMilli())
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	time.Sleep(time.Second)
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.end:
		if err != nil {
			t.Errorf("the process ended with %v", err)
		}
	case <-time.After(25 * time.Second):
		t.Fatal("the process did not end within 25 s")
	}
	took := time.Since(began)
	close(stopped)
	senders.Wait()
	if broken.Load() > 0 || accepted.Load() == 0 {
		t.Errorf("%d requests broken, %d accepted; want every request answered or refused", broken.Load(), accepted.Load())
	}
	if turned.Load() == 0 || turned.Load() >= closed.Load() {
		t.Errorf("readiness turned at %d, the listener closed at %d; want it to turn first", turned.Load(), closed.Load())
	}
	s.start("serve") // what was accepted is there, and is routed by whoever comes next
	eventually(t, 60*time.Second, "every accepted lead is routed", func() bool { return int64(len(s.sink.events())) >= accepted.Load() })
	t.Logf("stopped in %v, %d accepted, %d routed, ready turned %d ms before the listener closed", took.Round(time.Millisecond),
		accepted.Load(), len(s.sink.events()), closed.Load()-turned.Load())
}

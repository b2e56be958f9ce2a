package twenty_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/redis"
)

// TestProcessesThatShareAWorkspaceShareItsPace has two connectors, each with a
// limiter of its own at one Redis, call a workspace that lets one call through in
// every interval and no more.
func TestProcessesThatShareAWorkspaceShareItsPace(t *testing.T) {
	t.Parallel()
	client, err := redis.Open("", 4, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	fake := crmfake.New(crmfake.Twenty, "key", time.Now)
	var mu sync.Mutex
	var last time.Time
	calls, began := 0, time.Now()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest/companies" {
			mu.Lock()
			calls, last = calls+1, time.Now()
			mu.Unlock()
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	var g sync.WaitGroup
	for range 2 {
		c, err := twenty.New(twenty.Config{URL: srv.URL, Key: "key"},
			twenty.Deps{Client: srv.Client(), Limiter: redis.NewLimiter(client), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			g.Go(func() {
				found, err := c.Find(context.Background(), []crm.Key{{Object: crm.Company, Domain: "acme.example"}}, nil)
				if err != nil || found[0].Err != nil {
					t.Errorf("%v %+v", err, found)
				}
			})
		}
	}
	g.Wait()
	if calls != 8 { // each look-up asks for the deleted ones too
		t.Fatalf("%d calls, want 8", calls)
	}
	if took := last.Sub(began); took < 7*600*time.Millisecond { // a slow machine only adds to it
		t.Errorf("8 calls took %s: the processes do not share a pace", took)
	}
}

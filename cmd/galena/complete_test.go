package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/sql"
)

// inside runs an installation in this process, because the tests of second
// looks set how soon the first one comes. Everything else is as in serve.
func inside(t *testing.T, s *system, routing string) *App {
	t.Helper()
	dir := s.configs()
	if routing != "" {
		if err := os.WriteFile(filepath.Join(dir, "routing.yaml"), []byte(routing), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := configs.Load(os.DirFS(dir), configs.Options{Path: dir, Specs: registry.All()})
	if err != nil {
		t.Fatal(err)
	}
	env := configs.Env{Addr: freeAddr(t), AllowReservedDomains: true, AllowPrivateTargets: []string{"loopback"},
		DatabaseURL: configs.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "galena.db")),
		WebhookURL:  configs.NewSecret(s.sink.url), WebhookSecret: configs.NewSecret(testSecret)}
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	if err := sql.Migrate(ctx, databaseURL(env), log); err != nil {
		t.Fatal(err)
	}
	app, err := newApp(ctx, settings{env: env, rules: rules, roles: roles{web: true, worker: true, scheduler: true}, log: log,
		key: []byte("a-secret-of-the-tests"), now: time.Now, firstLook: time.Second,
		urls: func(string) string { return s.vendor.url }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		app.close()
	})
	return app
}

// stays is the default routing, with leads that are never moved by what comes late.
const stays = `apiVersion: galena/v1
kind: Routing
metadata: {name: stays, version: 1}
spec:
  settle_window: 0s
  rules:
    - {id: tier-a, when: {field: decision.tier, eq: A}, to: {queue: hot-leads}}
    - {id: rest, to: {sink: nurture}}
  fallback: {queue: unrouted}
`

func TestADegradedLeadIsCompletedWhenItsVendorIsBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, routing string
		moves         bool
	}{
		{"inside the window it moves once", "", true},
		{"a lead that must not move gets a notice", stays, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &system{t: t, sink: newSink(t), vendor: newVendor(t)}
			s.vendor.answer(http.StatusInternalServerError)
			app := inside(t, s, tc.routing)
			receipt, _, err := app.gate.Submit(t.Context(), galena.Submission{Email: "ana@northwind.example", JobTitle: "CEO"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			record := func() galena.Record {
				t.Helper()
				r, err := app.store.Record(t.Context(), receipt.ID)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			eventually(t, 10*time.Second, "the lead is decided on what is known", func() bool { return len(s.sink.events()) == 1 })
			first := record()
			if d := first.Decision; d.Stop != galena.StopDegraded || !d.Provisional {
				t.Fatalf("stop %s, provisional %v; want a degraded decision", d.Stop, d.Provisional)
			}
			s.vendor.answer(0)
			if tc.moves {
				eventually(t, 20*time.Second, "lead.rerouted reaches the sink", func() bool { return len(s.sink.events()) == 2 })
			} else {
				eventually(t, 20*time.Second, "a notice", func() bool { return len(record().Notices) == 1 })
			}
			time.Sleep(sweepTwice) // a second move, or a second notice, would come now
			got := record()
			if !tc.moves {
				if n := got.Notices[0]; got.Decision.Epoch != 1 || n.Kind != galena.NoticeToday || !strings.Contains(n.Text, "today this lead would be tier A") {
					t.Errorf("epoch %d, notice %+v; want the lead where it was", got.Decision.Epoch, n)
				}
				var out bytes.Buffer
				explain(&out, got)
				if !strings.Contains(out.String(), "Since then\n  ") || !strings.Contains(out.String(), got.Notices[0].Text) {
					t.Errorf("galena explain does not tell: %s", out.String())
				}
				return
			}
			e := s.sink.events()
			if d := got.Decision; d.Epoch != 2 || d.Tier != "A" || d.To != "queue:hot-leads" || d.Stop != galena.StopExhausted || d.Cents != 1 {
				t.Errorf("epoch %d: tier %s to %s, stop %s, %v cents", d.Epoch, d.Tier, d.To, d.Stop, d.Cents)
			}
			if len(e) != 2 || e[1].id != "lead.rerouted:"+receipt.ID+":2" || e[1].body["type"] != "lead.rerouted" || e[1].body["tier"] != "A" {
				t.Errorf("events %+v, want one lead.rerouted", e)
			}
		})
	}
}

// sweepTwice is longer than the sweep's interval.
const sweepTwice = 6 * time.Second

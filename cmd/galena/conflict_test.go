package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

// played is a demo that has decided the sample leads, in this process.
func played(t *testing.T) *demo {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo()); err != nil {
		t.Fatal(err)
	}
	d := &demo{cmd: demoCmd{Exit: true, JSON: true, Scenario: filepath.Join(dir, "leads.yaml"), Configs: dir},
		std: streams{Out: io.Discard, Err: io.Discard}, decided: make(chan galena.Record, 1)}
	s, err := d.settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.env.Addr = "127.0.0.1:0"
	s.env.DatabaseURL, s.env.RedisURL = configs.NewSecret("sqlite:"+filepath.Join(t.TempDir(), "galena.db")), configs.Secret{}
	if err := sql.Migrate(ctx, databaseURL(s.env), s.log); err != nil {
		t.Fatal(err)
	}
	if err := d.vendors(ctx, &s); err != nil {
		t.Fatal(err)
	}
	if d.app, err = newApp(ctx, s); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		d.app.close()
	})
	if err := d.play(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTheSampleLeadWithTwoHeadcountsIsAConflict is lead 22 of the examples: 45
// employees make it tier C (45.5 points), 460 tier B (64.5). All three vendors
// that could help were asked, so it waits for a person.
func TestTheSampleLeadWithTwoHeadcountsIsAConflict(t *testing.T) {
	t.Parallel()
	store := played(t).app.store
	found, err := store.Conflicts(t.Context(), galena.ConflictFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		t.Logf("%s %s %s: %s (%s) or %s (%s), margin %v", c.Entity, c.Field, c.Severity,
			c.Candidates[0].Value, c.Candidates[0].Tier, c.Candidates[1].Value, c.Candidates[1].Tier, c.Margin)
	}
	if len(found) != 1 {
		t.Fatalf("%d conflicts, want the one of the sample lead", len(found))
	}
	c := found[0]
	if c.Entity != "nordlys-energy.example" || c.Field != "company.employee_count" || c.Severity != galena.SeverityDecision ||
		c.Status != galena.ConflictOpen || c.Margin != 0.17 || len(c.Candidates) != 2 {
		t.Fatalf("conflict %+v", c)
	}
	held, other := c.Candidates[0], c.Candidates[1]
	if held.Value.Lo != 460 || held.Source != "beta-prime" || held.Tier != "B" || held.Rule != "tier-b" {
		t.Errorf("held: %+v, want 460 by beta-prime for tier B", held)
	}
	if other.Value.Lo != 45 || other.Source != "alpha-firmo" || other.Tier != "C" || other.Rule != "tier-c" {
		t.Errorf("other: %+v, want 45 by alpha-firmo for tier C", other)
	}
}

// A person's word reaches the lead as well. Within the settle window the lead,
// which nobody has touched, goes where the word sends it, once; later it stays
// and gets a notice.
func TestAPersonsWordOnAConflictReachesTheLead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		within bool
	}{{"within the window", true}, {"after it", false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := played(t)
			found, err := d.app.store.Conflicts(t.Context(), galena.ConflictFilter{})
			if err != nil || len(found) != 1 {
				t.Fatalf("conflicts %+v, %v", found, err)
			}
			c := found[0]
			record := func() galena.Record {
				t.Helper()
				r, err := d.app.store.Record(t.Context(), c.LeadID)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			if tc.within {
				at := record().Decision.DecidedAt.Add(time.Minute)
				d.clock.mu.Lock()
				d.clock.at = at
				d.clock.mu.Unlock()
			}
			if _, err := d.app.store.ResolveConflict(t.Context(), galena.Resolution{ID: c.ID, Value: galena.Number(45), By: "ana"}); err != nil {
				t.Fatal(err)
			}
			eventually(t, 3*sweepTwice, "the lead is looked at again", func() bool {
				return record().Decision.Epoch == 2 || len(record().Notices) == 1
			})
			got := record()
			switch d := got.Decision; {
			case tc.within && (d.Epoch != 2 || d.Tier != "C" || d.Rule != "tier-c" || d.Facts.Get(c.Field).Source != "human:ana"):
				t.Errorf("epoch %d: tier %s by %s, headcount by %s; want it moved by ana's word", d.Epoch, d.Tier, d.Rule, d.Facts.Get(c.Field).Source)
			case !tc.within && (d.Epoch != 1 || d.Tier != "B" || !strings.HasPrefix(got.Notices[0].Text, "today this lead would be tier C")):
				t.Errorf("epoch %d: tier %s, %+v; want a notice", d.Epoch, d.Tier, got.Notices)
			}
		})
	}
}

package sql_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// A lead on which three workers died may have met them by chance: the store says
// how many died without it, each once whatever it had in hand, and only those of
// these minutes.
func TestADeathWithoutTheLeadIsCountedOnce(t *testing.T) {
	t.Parallel()
	addresses := map[string]string{"SQLite": sqliteURL(t)}
	if server := postgresURL(t); server != "" {
		addresses["Postgres"] = schema(t, server)
	}
	for engine, address := range addresses {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &crash{T: t, address: address, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), runs: map[string]int{}}
			c.store = c.process()
			for _, n := range []int{1, 2, 3} {
				c.leads = append(c.leads, c.accept(n))
			}
			met, others := c.leads[0], c.leads[1:]
			c.dies(others[0])
			c.now = c.now.Add(6 * time.Minute) // long ago
			c.dies(met)
			c.dies(others...)
			c.dies(met, others[0])
			c.dies(others[1])
			c.dies(others[1])
			if third := c.last(met); third.Kills != 3 || third.Others != 3 {
				t.Errorf("%d died with it and %d without, want 3 and 3", third.Kills, third.Others)
			}
		})
	}
}

// crash plays processes that die with leads in hand.
type crash struct {
	*testing.T
	address string
	now     time.Time
	store   *sql.Store
	leads   []string
	runs    map[string]int
}

func (c *crash) process() *sql.Store {
	c.Helper()
	return open(c.T, c.address, func() time.Time { return c.now })
}

func (c *crash) accept(n int) string {
	c.Helper()
	email := fmt.Sprintf("ana%d@acme.test", n)
	r, err := c.store.Accept(c.Context(), galena.Intake{Lead: galena.Lead{
		Judgement: galena.Judgement{Verdict: galena.Accept, Email: email, Key: email, Host: "acme.test", Domain: "acme.test", Class: galena.Corporate},
		Status:    galena.StatusAccepted, Form: "demo", Source: "web",
	}})
	if err != nil {
		c.Fatal(err)
	}
	out, err := c.store.ClaimOutbox(c.Context(), 10)
	if err == nil {
		err = c.store.DropOutbox(c.Context(), []int64{out[0].Outbox})
	}
	if err != nil {
		c.Fatal(err)
	}
	return r.ID
}

// lost begins the leads in a process that dies, and lists what the sweep finds.
func (c *crash) lost(leads []string) []galena.Step {
	c.Helper()
	dead := c.process()
	for _, id := range leads {
		c.runs[id]++
		if ok, err := dead.Begin(c.Context(), galena.StepLead, id, 1, c.runs[id]); !ok || err != nil {
			c.Fatalf("run %d of %s did not begin: %v, %v", c.runs[id], id, ok, err)
		}
	}
	c.now = c.now.Add(7 * time.Second)
	found, err := c.store.Suspects(c.Context(), 10)
	if err != nil {
		c.Fatal(err)
	}
	return slices.DeleteFunc(found, func(st galena.Step) bool { return !slices.Contains(leads, st.ID) })
}

// dies hands out again what a process leaves.
func (c *crash) dies(leads ...string) {
	c.Helper()
	found := c.lost(leads)
	if n, err := c.store.Rehand(c.Context(), found); n != len(leads) || err != nil {
		c.Fatalf("%d of %d handed out again: %v", n, len(leads), err)
	}
	out, err := c.store.ClaimOutbox(c.Context(), 10)
	if err != nil {
		c.Fatal(err)
	}
	for _, st := range out {
		if err := c.store.DropOutbox(c.Context(), []int64{st.Outbox}); err != nil {
			c.Fatal(err)
		}
	}
}

// last is how the sweep finds a lead whose process dies once more.
func (c *crash) last(id string) galena.Step {
	c.Helper()
	found := c.lost([]string{id})
	if len(found) != 1 {
		c.Fatalf("suspects %+v, want %s", found, id)
	}
	return found[0]
}

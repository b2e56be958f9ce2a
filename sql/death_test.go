package sql_test

import (
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
	for engine, address := range addresses(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &crash{T: t, address: address, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), runs: map[string]int{}}
			c.store = c.process()
			for n := range 4 {
				c.leads = append(c.leads, c.accept(n))
			}
			met, one, two, fresh := c.leads[0], c.leads[1], c.leads[2], c.leads[3]
			c.dies(one)
			c.now = c.now.Add(6 * time.Minute) // long ago
			c.dies(met)
			c.dies(one, two)
			c.dies(met, one)
			c.dies(two)
			c.dies(two)
			c.begin(met, fresh)
			c.rehand(c.suspect(fresh)) // its worker is known to be dead now
			if third := c.suspect(met); third.Kills != 3 || third.Others != 3 {
				t.Errorf("%d died with it and %d without, want 3 and 3", third.Kills, third.Others)
			}
			c.aside(c.suspect(met))
			c.begin(two)
			c.aside(c.suspect(two))
			c.begin(fresh)
			if st := c.suspect(fresh); st.Kills != 2 || st.Others != 6 {
				t.Errorf("%d died with it and %d without, want 2 and 6", st.Kills, st.Others)
			}
		})
	}
}

// Leads on which two workers died go one by one, for one of them may be what kills.
// Where more workers die without them they were there by chance, and go at once; on
// whatever four have died goes alone.
func TestLeadsThatWereThereByChanceDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	for engine, address := range addresses(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &crash{T: t, address: address, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), runs: map[string]int{}}
			c.store = c.process()
			for n := range 3 {
				c.leads = append(c.leads, c.accept(n))
			}
			one, two, other := c.leads[0], c.leads[1], c.leads[2]
			for _, step := range []struct {
				name    string
				without int // more workers that die without them
				at      int // how many of the two are handed out at a time
			}{
				{"once", 0, 2},
				{"twice, and two others", 2, 1}, // the third time would condemn all but for one more
				{"three times, and four others", 2, 2},
				{"four times, and six others", 2, 1},
			} {
				for range step.without {
					c.dies(other)
				}
				c.begin(one, two)
				if got := c.struck(one, two); got != step.at {
					t.Errorf("%s: %d at a time, want %d", step.name, got, step.at)
				}
				c.rehand(c.suspect(one, two))
				c.rehand(c.suspect(one, two))
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
	id := accepted(c.T, c.store, n)
	c.relayed()
	return id
}

// relayed takes what is handed out to the queue.
func (c *crash) relayed() {
	c.Helper()
	out, err := c.store.ClaimOutbox(c.Context(), 10)
	if err == nil {
		err = c.store.DropOutbox(c.Context(), []int64{out[0].Outbox})
	}
	if err != nil {
		c.Fatal(err)
	}
}

// begin begins the leads in a process that dies.
func (c *crash) begin(leads ...string) {
	c.Helper()
	dead := c.process()
	for _, id := range leads {
		c.runs[id]++
		if ok, err := dead.Begin(c.Context(), galena.StepLead, id, 1, c.runs[id]); !ok || err != nil {
			c.Fatalf("run %d of %s did not begin: %v, %v", c.runs[id], id, ok, err)
		}
	}
	c.now = c.now.Add(7 * time.Second)
}

// suspect is how the sweep finds one of the leads, a little later if it is not
// the turn of any.
func (c *crash) suspect(leads ...string) galena.Step {
	c.Helper()
	for range 5 {
		found, err := c.store.Suspects(c.Context(), 10)
		if err != nil {
			c.Fatal(err)
		}
		if i := slices.IndexFunc(found, func(st galena.Step) bool { return slices.Contains(leads, st.ID) }); i >= 0 {
			return found[i]
		}
		c.now = c.now.Add(3 * time.Second)
	}
	c.Fatalf("none of %v is a suspect", leads)
	return galena.Step{}
}

// struck is how many of the leads the sweep finds at a time.
func (c *crash) struck(leads ...string) (n int) {
	c.Helper()
	found, err := c.store.Suspects(c.Context(), 10)
	if err != nil {
		c.Fatal(err)
	}
	for _, st := range found {
		if slices.Contains(leads, st.ID) {
			n++
		}
	}
	return n
}

func (c *crash) rehand(st galena.Step) {
	c.Helper()
	n, err := c.store.Rehand(c.Context(), []galena.Step{st})
	if n != 1 || err != nil {
		c.Fatalf("%s was not handed out again: %v", st.ID, err)
	}
	c.relayed()
}

func (c *crash) aside(st galena.Step) {
	c.Helper()
	if done, err := c.store.SetAside(c.Context(), st, "workers died", nil); !done || err != nil {
		c.Fatalf("%s was not set aside: %v", st.ID, err)
	}
}

// dies begins the leads in a process that dies, and hands out again what it leaves.
func (c *crash) dies(leads ...string) {
	c.Helper()
	c.begin(leads...)
	for range leads {
		c.rehand(c.suspect(leads...))
	}
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
)

// mixed has a target that does not answer and one that does.
type mixed struct {
	begun
	dead chan struct{}
	good chan string
}

func (m *mixed) Begin(context.Context, string, string, int, int) (bool, error) { return true, nil }

func (*mixed) Delivery(_ context.Context, id string) (galena.Delivery, error) {
	return galena.Delivery{ID: id, Target: id[:4]}, nil
}
func (*mixed) Finish(context.Context, galena.Step) error { return nil }
func (*mixed) Park(context.Context, galena.Step, time.Time, galena.Kind, string) error {
	return nil
}

func (m *mixed) Send(_ context.Context, d galena.Delivery) error {
	if d.Target == "dead" {
		select {
		case <-m.dead:
		case <-time.After(15 * time.Second):
		}
		return galena.Errorf(galena.Unavailable, "notify", "no answer in time")
	}
	m.good <- d.ID
	return nil
}

func TestABurstToADeadTargetLeavesPlacesForAnother(t *testing.T) {
	t.Parallel()
	for _, n := range []int{24, 60} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			log := slog.New(slog.DiscardHandler)
			conn, err := redis.Open("", 20, log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			m := &mixed{dead: make(chan struct{}), good: make(chan string, 1)}
			d := &Deliverer{Steps: m, Deliveries: m, Sender: m, Now: time.Now, Chance: func() float64 { return 0.5 },
				Wait: Patience(func(int, float64) time.Duration { return time.Minute }), Log: log}
			s := NewServer(conn.Shared(), ServerConfig{Concurrency: 8}, &Pipeline{Steps: m, Leads: m, Log: log}, d, log)
			if err := s.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Stop() })
			t.Cleanup(func() { close(m.dead) })
			c := NewClient(conn.Shared())
			for i := range n {
				if _, err := c.Enqueue(t.Context(), []galena.Step{{Kind: galena.StepDeliver, ID: fmt.Sprint("dead", i), Queue: queueDeliveries, Run: 1}}); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			began := time.Now()
			if _, err := c.Enqueue(t.Context(), []galena.Step{{Kind: galena.StepDeliver, ID: "good1", Queue: queueDeliveries, Run: 1}}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-m.good:
			case <-time.After(20 * time.Second):
				t.Error("not told for 20 s")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a target that answers was told after %v, because another one hangs", took)
			}
		})
	}
}

// A delivery whose commit took long is due again at once: a lease that is let run out
// is a worker that died on it.
func TestADeliveryWhoseCommitTookLongKeepsNoLease(t *testing.T) {
	t.Parallel()
	p := newPlatform(nil)
	close(p.open)
	d := &Deliverer{Steps: p, Deliveries: p, Sender: p, Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
		Log: slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(2)}
	err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: "d1", Run: 1, Begun: time.Now().Add(-3 * time.Second)})
	if wait, ok := p.parked["d1"]; err != nil || !ok || wait != 0 || p.begun != 0 {
		t.Errorf("parked %t for %v, %d tries, error %v, want it due at once", ok, wait, p.begun, err)
	}
}

// sluggard begins a step four seconds after it was asked: the lease was given by then.
type sluggard struct {
	*platform
	due func() []galena.Step
	n   int
}

func (s *sluggard) Begin(context.Context, string, string, int, int) (bool, error) {
	time.Sleep(4 * time.Second)
	return true, nil
}
func (*sluggard) Delivery(_ context.Context, id string) (galena.Delivery, error) {
	return galena.Delivery{ID: id, Target: "t"}, nil
}
func (s *sluggard) Send(context.Context, galena.Delivery) error {
	s.n = len(s.due())
	return nil
}

func TestTheLeaseOfADeliveryCountsFromWhenItWasAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &sluggard{platform: newPlatform(nil)}
		d := &Deliverer{Steps: p, Deliveries: p, Sender: p, Now: time.Now, Chance: func() float64 { return 0.5 },
			Log: slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(2)}
		p.due = func() []galena.Step { return d.leases.due(time.Now().Add(-renewAfter)) }
		if err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: "d1"}); err != nil {
			t.Fatal(err)
		}
		if p.n != 1 {
			t.Error("a lease that was asked for 4 seconds ago is not to be renewed: 2 seconds later it runs out")
		}
	})
}

package worker

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// The database is away for longer than a lease lasts, or the machine stands still. What
// waits for its turn at a CRM may be another worker's by then, and is sent by it.
func TestAnErrandWhoseLeaseRanOutIsNotSent(t *testing.T) {
	t.Parallel()
	for name, renewed := range map[string]bool{"it was renewed": true, "it was not": false} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlatform(nil)
			d := p.crowd(t, 20)
			for range 10 {
				time.Sleep(time.Second)
				if renewed {
					d.leases.renewed(d.leases.due(far), time.Now())
				}
			}
			d.leases.renewed(d.leases.due(far), time.Now()) // the database is back, and says not whose they are
			close(p.open)
			synctest.Wait()
			want := map[bool]int{true: 20, false: sidingPlaces}[renewed] // those had begun before
			if done, parked := p.counts(); p.begun != want || done != want || parked != 20-want || len(d.leases.held) != 0 {
				t.Errorf("%s: %d sent, %d done, %d given back, %d leases left; want %d sent", name, p.begun, done, parked, len(d.leases.held), want)
			}
			d.sidings.stop()
		})
	}
}

// laggard needs seven seconds to say what is to be delivered.
type laggard struct{ *platform }

func (l laggard) Delivery(context.Context, string) (galena.Delivery, error) {
	time.Sleep(7 * time.Second)
	return galena.Delivery{Target: "t"}, nil
}

func TestADeliveryWhoseLeaseRanOutIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(nil)
		close(p.open)
		d := &Deliverer{Steps: p, Deliveries: laggard{p}, Sender: p, Now: func() time.Time { return testNow }, Chance: func() float64 { return 0.5 },
			Log: slog.New(slog.DiscardHandler), leases: newLeases(), lanes: newLanes(2)}
		err := d.Process(t.Context(), galena.Step{Kind: galena.StepDeliver, ID: "d1"})
		if wait, ok := p.parked["d1"]; err != nil || p.begun != 0 || !ok || wait != 0 {
			t.Errorf("%d sent, parked %t for %v, error %v; want it due at once", p.begun, ok, wait, err)
		}
	})
}

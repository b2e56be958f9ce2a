package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// The first try of a delivery needs a place, which is kept until it ends, and
// given back when nothing was committed. A stop keeps no more and waits for those
// that were.
func TestADeliveryIsTriedWhereItWasCommitted(t *testing.T) {
	t.Parallel()
	began, end := make(chan string, 10), make(chan error)
	n := newNear(2, func(_ context.Context, s galena.Step) error {
		began <- s.ID
		if s.ID == "bad" {
			panic("bad")
		}
		return <-end
	}, slog.New(slog.DiscardHandler))
	if n.Keep() {
		t.Error("a place was kept before the server runs")
	}
	n.start(context.Background())
	if kept := []bool{n.Keep(), n.Keep(), n.Keep()}; !slices.Equal(kept, []bool{true, true, false}) {
		t.Errorf("kept %v, want two, for there are two places", kept)
	}
	n.Drop(1)
	if !n.Keep() {
		t.Error("want the place that was dropped")
	}
	n.Run(galena.Step{ID: "one"})
	n.Run(galena.Step{ID: "two"})
	end <- errors.New("the store is away")
	soon(t, "a place is free again", n.Keep)
	n.Run(galena.Step{ID: "bad"})
	soon(t, "and again after a panic", n.Keep)
	stopped := make(chan struct{})
	go func() { n.stop(); close(stopped) }()
	soon(t, "the stop keeps no more", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return !n.open
	})
	if n.Keep() {
		t.Error("kept after the stop")
	}
	n.Run(galena.Step{ID: "committed late"})
	select {
	case <-stopped:
		t.Error("stopped while two tries were under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(end)
	<-stopped
	if len(began) != 4 {
		t.Errorf("%d tries, want 4", len(began))
	}
}

// places are kept, and run what was begun.
type places struct {
	free int
	ran  []string
}

func (p *places) Keep() bool { p.free--; return p.free >= 0 }

func (p *places) Drop(n int) { p.free += n }

func (p *places) Run(s galena.Step) { p.ran = append(p.ran, s.ID) }

// What is begun does not go to the queue.
func TestTheRelayLeavesToTheServerWhatIsBegun(t *testing.T) {
	t.Parallel()
	q, near := &road{}, &places{free: 1}
	r := NewRelay(newBox(0), q, slog.New(slog.DiscardHandler))
	if r.Keep() {
		t.Error("a place was kept where there is no server")
	}
	r.Near(near)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	soon(t, "the relay is ready", r.Ready)
	if kept := []bool{r.Keep(), r.Keep()}; !slices.Equal(kept, []bool{true, false}) {
		t.Errorf("kept %v, want the server's one place", kept)
	}
	r.Take([]galena.Step{{Kind: galena.StepDeliver, ID: "one", Begun: time.Now()}})
	r.Take([]galena.Step{{Kind: galena.StepLead, ID: "lead"}, {Kind: galena.StepDeliver, ID: "two"}})
	soon(t, "the others are sent", func() bool { return q.count() == 2 })
	cancel()
	<-done
	if q.sent[0].ID != "lead" || q.sent[1].ID != "two" || !slices.Equal(near.ran, []string{"one"}) {
		t.Errorf("sent %v, ran %v, want the lead and the second delivery sent", q.sent, near.ran)
	}
}

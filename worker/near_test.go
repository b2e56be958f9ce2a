package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// The first try of a delivery needs a place; what finds none, and all that is no
// delivery, goes by the queue. A stop lets what was begun end.
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
	deliver := func(id string) galena.Step { return galena.Step{Kind: galena.StepDeliver, ID: id} }
	if n.take(deliver("early")) {
		t.Error("taken before the server runs")
	}
	n.open(context.Background())
	if n.take(galena.Step{Kind: galena.StepLead, ID: "lead"}) {
		t.Error("a lead was taken")
	}
	if !n.take(deliver("one")) || !n.take(deliver("two")) || n.take(deliver("three")) {
		t.Error("want two of three taken, for there are two places")
	}
	end <- errors.New("the store is away")
	soon(t, "a place is free again", func() bool { return n.take(deliver("bad")) })
	soon(t, "and again after a panic", func() bool { return n.take(deliver("four")) })
	stopped := make(chan struct{})
	go func() { n.stop(); close(stopped) }()
	soon(t, "the stop takes no more", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.start == nil
	})
	if n.take(deliver("late")) {
		t.Error("taken after the stop")
	}
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

// What the server takes does not go to the queue.
func TestTheRelayLeavesToTheServerWhatItTakes(t *testing.T) {
	t.Parallel()
	q := &road{}
	r := NewRelay(newBox(0), q, slog.New(slog.DiscardHandler))
	tried := 0
	r.Near(func(s galena.Step) bool {
		if s.Kind == galena.StepDeliver {
			tried++
		}
		return s.Kind == galena.StepDeliver && tried == 1
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	soon(t, "the relay is ready", r.Ready)
	r.Take([]galena.Step{{Kind: galena.StepDeliver, ID: "one"}})
	r.Take([]galena.Step{{Kind: galena.StepLead, ID: "lead"}, {Kind: galena.StepDeliver, ID: "two"}})
	soon(t, "the others are sent", func() bool { return q.count() == 2 })
	cancel()
	<-done
	if q.sent[0].ID != "lead" || q.sent[1].ID != "two" || tried != 2 {
		t.Errorf("sent %v after %d offers, want the lead and the second delivery", q.sent, tried)
	}
}

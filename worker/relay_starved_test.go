package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A row that another process left is brought to the queue also by a relay that is
// nudged all the time, for the sweep takes what stands in the outbox for late only.
func TestABusyRelayLooksAtTheOutboxToo(t *testing.T) {
	t.Parallel()
	b, q := newBox(0), &road{}
	r := NewRelay(b, q, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = r.Run(ctx); close(done) }()
	soon(t, "the relay is ready", r.Ready)
	time.Sleep(50 * time.Millisecond) // the first look is over

	left := []galena.Step{{Kind: galena.StepLead, ID: "left by another", Epoch: 1, Run: 1}}
	if err := b.PutOutbox(ctx, left); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); b.left() > 0 && time.Since(began) < 6*relayPoll; time.Sleep(20 * time.Millisecond) {
		r.Take([]galena.Step{{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1}})
	}
	if n := b.left(); n != 0 {
		t.Errorf("%d rows wait after %s, want none after %s", n, 6*relayPoll, relayPoll)
	}
	cancel()
	<-done
}

// That there was nothing to send is no sign that the queue works.
func TestAnEmptyOutboxIsNoSignThatTheQueueWorks(t *testing.T) {
	t.Parallel()
	b, q := newBox(1), &road{closed: true}
	r := NewRelay(b, q, slog.New(slog.DiscardHandler))
	for range 2 { // the second time the row is still marked as claimed
		_, _ = r.empty(t.Context())
	}
	if r.Ready() {
		t.Error("the relay takes steps although the queue refused all that it was sent")
	}
}

package redis

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// heralds are those of two processes on one server.
func heralds(t *testing.T, follow ...func(string)) (a, b *Herald, server *miniredis.Miniredis) {
	t.Helper()
	server = miniredis.RunT(t)
	return join(t, server, follow...), join(t, server, follow...), server
}

// join is a herald of one more process.
func join(t *testing.T, server *miniredis.Miniredis, follow ...func(string)) *Herald {
	t.Helper()
	c, err := Open("redis://"+server.Addr(), 4, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := NewHerald(c)
	for _, f := range follow {
		h.Follow(f)
	}
	there := server.PubSubNumSub(heraldChannel)[heraldChannel]
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); _ = c.Close() })
	for server.PubSubNumSub(heraldChannel)[heraldChannel] == there {
		time.Sleep(time.Millisecond)
	}
	return h
}

// A process that is alone sends a few words a second; as soon as another is there
// that one hears them, and then they all are sent.
func TestWhoIsAloneKeepsHisWordsToHimself(t *testing.T) {
	t.Parallel()
	own := miniredis.RunT(t)
	var messages atomic.Int64
	own.Server().SetPreHook(func(_ *server.Peer, cmd string, _ ...string) bool {
		if cmd == "PUBLISH" {
			messages.Add(1)
		}
		return false
	})
	a := join(t, own)
	tell := func(n int) (sent, most int64) {
		before, began := messages.Load(), time.Now()
		for range n {
			a.Tell("x")
			time.Sleep(2 * time.Millisecond)
		}
		return messages.Load() - before, int64(time.Since(began)/aloneFor) + 1
	}
	tell(50) // until it knows
	if sent, most := tell(200); sent == 0 || sent > 2*most {
		t.Errorf("alone it sent %d of 200 words, want some, and %d at the most", sent, 2*most)
	}
	b := join(t, own)
	heard, stop := b.Listen("x")
	defer stop()
	for deadline := time.Now().Add(5 * time.Second); !heardWithin(heard, 0); a.Tell("x") {
		if time.Now().After(deadline) {
			t.Fatal("who joined heard nothing")
		}
		time.Sleep(time.Millisecond)
	}
	if sent, _ := tell(100); sent < 80 {
		t.Errorf("it sent %d of 100 words when another was there, want nearly all", sent)
	}
}

func heardWithin(heard <-chan struct{}, d time.Duration) bool {
	select {
	case <-heard:
		return true
	case <-time.After(d):
		return false
	}
}

func TestAWordIsHeardInEveryProcessByWhoeverListensForIt(t *testing.T) {
	t.Parallel()
	followed := make(chan string, 2)
	a, b, _ := heralds(t, func(topic string) { followed <- topic })
	here, stopHere := a.Listen("hunter acme.example")
	there, stopThere := b.Listen("hunter acme.example")
	other, stopOther := b.Listen("hunter other.example")
	defer stopHere()
	defer stopThere()
	defer stopOther()
	a.Tell("hunter acme.example")
	if !heardWithin(here, 5*time.Second) || !heardWithin(there, 5*time.Second) {
		t.Error("the word was not heard")
	}
	if got := <-followed; got != "hunter acme.example" || len(followed) > 0 {
		t.Errorf("who follows heard %q and %d more, want the word of the other process alone", got, len(followed))
	}
	if heardWithin(other, 20*time.Millisecond) {
		t.Error("somebody heard what he did not listen for")
	}
}

func TestWhoHasStoppedListeningIsForgotten(t *testing.T) {
	t.Parallel()
	a, _, _ := heralds(t)
	first, stopFirst := a.Listen("x")
	second, stopSecond := a.Listen("x")
	stopFirst()
	a.Tell("x")
	if heardWithin(first, 0) || !heardWithin(second, 5*time.Second) {
		t.Error("the first still listens, or the second does not")
	}
	stopSecond()
	if len(a.waiting) != 0 {
		t.Errorf("%d topics are kept that nobody listens for", len(a.waiting))
	}
}

func TestTellNeverBlocksWithoutRedisAndGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	a, b, server := heralds(t)
	server.Close()
	for range 3 * heraldMost {
		a.Tell("lost")
	}
	if len(a.outgoing) > heraldMost {
		t.Errorf("%d words wait", len(a.outgoing))
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	heard, stop := b.Listen("found")
	defer stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		a.Tell("found")
		if heardWithin(heard, 100*time.Millisecond) {
			return
		}
	}
	t.Error("no word came through after Redis was back")
}

func TestAnEmbeddedServerHasOneProcessToTell(t *testing.T) {
	t.Parallel()
	c := inProcess(t, 4)
	h := NewHerald(c)
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard, stop := h.Listen("x")
	defer stop()
	h.Tell("x")
	if !heardWithin(heard, 5*time.Second) || len(h.outgoing) != 0 {
		t.Errorf("not heard, or %d words wait for nobody", len(h.outgoing))
	}
}

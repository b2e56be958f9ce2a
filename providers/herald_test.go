package providers

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// grapevine is a herald that both processes of a test hear.
type grapevine struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{}
}

func (g *grapevine) Tell(topic string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.waiting[topic] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (g *grapevine) Listen(topic string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting[topic] = append(g.waiting[topic], c)
	return c, func() {}
}

// The other process holds the answer in the moment in which the vendor gave it,
// not at its next look.
func TestWhoWaitsForAnotherProcessHearsWhenItIsThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		herald := &grapevine{waiting: map[string][]chan struct{}{}}
		a := newBundle(t, slowly(hit), func(_ *Entry, d *Deps) { d.Herald = herald })
		b := newBundle(t, slowly(hit), func(_ *Entry, d *Deps) { d.Cache, d.Herald = a.memory, herald })
		began := time.Now()
		var wg sync.WaitGroup
		for _, w := range []*bundle{a, b} {
			wg.Go(func() {
				if _, _, err := w.Ask(t.Context(), "one", "acme.example", nil); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != 300*time.Millisecond {
					t.Errorf("answered after %s, want the 300ms of the vendor", took)
				}
			})
		}
		wg.Wait()
		if n := a.calls.Load() + b.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

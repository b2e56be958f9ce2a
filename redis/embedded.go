package redis

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embedded is a Redis in this process: for the demo and for one machine.
type embedded struct {
	server *miniredis.Miniredis
	done   chan struct{}
	wg     sync.WaitGroup
}

func startEmbedded() (*embedded, error) {
	s := miniredis.NewMiniRedis()
	if err := s.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("embedded redis: %w", err)
	}
	e := &embedded{server: s, done: make(chan struct{})}
	e.wg.Go(e.tick)
	return e, nil
}

// tick moves the server's clock: miniredis expires nothing by itself.
func (e *embedded) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			e.server.FastForward(time.Second)
		case <-e.done:
			return
		}
	}
}

func (e *embedded) stop() {
	close(e.done)
	e.wg.Wait()
	e.server.Close()
}

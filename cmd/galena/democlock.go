package main

import (
	"sync"
	"time"

	"github.com/galenahq/galena/configs"
)

// demoClock is the file's time: standing still inside a lead in a scenario,
// running from the file's first moment in the demo.
type demoClock struct {
	scenario configs.Scenario
	frozen   bool
	began    time.Time
	mu       sync.Mutex
	at       time.Time
}

// lead moves the clock to the arrival of lead n.
func (c *demoClock) lead(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.scenario.At(n)
}

func (c *demoClock) now() time.Time {
	if !c.frozen {
		return c.scenario.Now.Add(time.Since(c.began))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

package worker

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

const (
	// asynqLease is how long asynq lets a worker have a task, from each sign of life.
	asynqLease = 30 * time.Second
	// silence is how long a worker gives no sign when it is dead: it gives one every
	// five seconds.
	silence = 12 * time.Second
	// orphanLook is how long one look for orphans may take: the other questions about
	// the queue wait for it.
	orphanLook = 2 * time.Second
)

// orphanage is what dead workers of a queue had taken: for each task its steps.
// asynq puts such a task back after one or two minutes, at the end of the queue.
type orphanage struct {
	looked time.Time
	tasks  map[string]map[galena.Step]bool
}

// orphan says that a worker took the step, among others, and died before its turn.
// How long the queue is says nothing about it: in a long one the step would look as
// if it waited there.
func (c *Client) orphan(s galena.Step) bool {
	if c.stage == nil {
		return false
	}
	c.orphansMu.Lock()
	defer c.orphansMu.Unlock()
	o := c.orphans[s.Queue]
	if time.Since(o.looked) > lookEvery {
		o = c.visit(s.Queue, o)
		c.orphans[s.Queue] = o
	}
	named := galena.Step{Kind: s.Kind, ID: s.ID, Epoch: s.Epoch, Run: s.Run}
	for _, steps := range o.tasks {
		if steps[named] {
			return true
		}
	}
	return false
}

// visit looks for orphans. A task is read once; one for which there is no time now
// is read at the next look.
func (c *Client) visit(queue string, before orphanage) (o orphanage) {
	now := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), orphanLook)
	defer cancel()
	o = orphanage{tasks: map[string]map[galena.Step]bool{}}
	defer func() { o.looked = time.Now() }()
	active, err := c.stage.Active(ctx, queue)
	if err != nil {
		return o // the head of the queue must do
	}
	for id, until := range active {
		if until.Add(-asynqLease).After(now.Add(-silence)) {
			continue
		}
		steps, known := before.tasks[id]
		if !known && ctx.Err() == nil {
			steps, known = c.stepsOf(queue, id)
		}
		if known {
			o.tasks[id] = steps
		}
	}
	return o
}

// stepsOf reads the steps of a task. Not known: it is gone, or the queue did not say.
func (c *Client) stepsOf(queue, id string) (steps map[galena.Step]bool, known bool) {
	info, err := c.inspector.GetTaskInfo(queue, id)
	if err != nil {
		return nil, false
	}
	steps = map[galena.Step]bool{}
	of, _ := decodePayload(info.Type, info.Payload) // one that nobody can read holds none
	for _, s := range of {
		steps[s] = true
	}
	return steps, true
}

package worker

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

const (
	// silence is how long a worker gives no sign when it is dead: a living one moves
	// its leases every five seconds.
	silence = 12 * time.Second
	// doubtful is how long one that may be dead gave no sign: it missed one.
	doubtful = 7 * time.Second
	// orphanLook is how long one look for orphans may take: the other questions about
	// the queue wait for it.
	orphanLook = 2 * time.Second
	// orphanEvery is how long a look is remembered: less than from one sweep to the
	// next, for each of them looks.
	orphanEvery = sweepEvery / 2
)

// orphanage is what workers of a queue have taken. asynq puts a dead one's task back
// after one or two minutes, at the end of the queue.
type orphanage struct {
	looked time.Time
	tasks  map[string]taken
}

// taken is a task that some worker took. That it lives shows as its lease moves: the
// lease is by its clock, which may be wrong, so it is compared with no other.
type taken struct {
	lease time.Time
	since time.Time            // it has not moved, by ours
	steps map[galena.Step]bool // those of a task whose worker may be dead; nil = not read yet
	dead  bool
}

// Look sees what workers have taken. It is called all the time, whether or not a step
// is suspect: a dead worker's lease must be seen to stand still. Who looks already
// will do.
func (c *Client) Look() {
	if c.stage == nil || !c.orphansMu.TryLock() {
		return
	}
	defer c.orphansMu.Unlock()
	for _, queue := range Queues() {
		c.orphansOf(queue)
	}
}

// orphan says that a worker took the step, among others, and died before its turn, or
// that this may be so. How long the queue is says nothing about it: in a long one the
// step would look as if it waited there.
func (c *Client) orphan(s galena.Step) (dead, doubt bool) {
	if c.stage == nil {
		return false, false
	}
	c.orphansMu.Lock()
	defer c.orphansMu.Unlock()
	named := galena.Step{Kind: s.Kind, ID: s.ID, Epoch: s.Epoch, Run: s.Run}
	for _, t := range c.orphansOf(s.Queue).tasks {
		if t.steps[named] {
			return t.dead, !t.dead
		}
	}
	return false, false
}

// orphansOf looks again if the last look is too old.
func (c *Client) orphansOf(queue string) orphanage {
	o := c.orphans[queue]
	if time.Since(o.looked) > orphanEvery {
		o = c.visit(queue, o)
		o.looked = time.Now()
		c.orphans[queue] = o
	}
	return o
}

// visit looks for orphans. A task is read once; one for which there is no time now
// is read at the next look. A look that fails forgets all: while Redis was away no
// lease moved.
func (c *Client) visit(queue string, before orphanage) orphanage {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), orphanLook)
	defer cancel()
	o := orphanage{tasks: map[string]taken{}}
	active, err := c.stage.Active(ctx, queue)
	if err != nil {
		return o // the head of the queue must do
	}
	seen := time.Now()
	for id, lease := range active {
		t, ok := before.tasks[id]
		if !ok || !t.lease.Equal(lease) {
			t = taken{lease: lease, since: seen}
		}
		stood := asked.Sub(t.since)
		t.dead = lease.IsZero() || stood >= silence
		if (t.dead || stood >= doubtful) && t.steps == nil && ctx.Err() == nil {
			t.steps = c.stepsOf(queue, id)
		}
		o.tasks[id] = t
	}
	return o
}

// stepsOf reads the steps of a task. nil: it is gone, or the queue did not say.
func (c *Client) stepsOf(queue, id string) map[galena.Step]bool {
	info, err := c.inspector.GetTaskInfo(queue, id)
	if err != nil {
		return nil
	}
	steps := map[galena.Step]bool{}
	of, _ := decodePayload(info.Type, info.Payload) // one that nobody can read holds none
	for _, s := range of {
		steps[s] = true
	}
	return steps
}

package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
)

// Conn is the shared Redis client, in the form asynq asks for.
type Conn = asynq.RedisConnOpt

// Client puts steps on the queue. Losing what it wrote loses nothing: the
// sweep finds every step whose task is gone.
type Client struct {
	Tell func(queue string) // says that there is work; nil = nobody is told

	asynq     *asynq.Client
	inspector *asynq.Inspector
	stage     Backstage // a reconciler's; nil = whose worker died is not known

	// A lock each: it is held while Redis is asked, and what the one remembers must
	// not grow old while the other asks.
	headsMu   sync.Mutex
	heads     map[string]head
	orphansMu sync.Mutex
	orphans   map[string]orphanage
}

// NewClient uses the process's Redis client; there is nothing to close.
func NewClient(conn Conn) *Client {
	return &Client{asynq: asynq.NewClient(conn), inspector: asynq.NewInspector(conn), heads: map[string]head{}, orphans: map[string]orphanage{}}
}

const (
	// maxRetry is asynq's own counter: a backstop for the moment in which SQL
	// cannot be reached. Every other retry is a due time in SQL.
	maxRetry = 10
	// taskTimeout is asynq's; the pipeline's own deadlines are far below.
	taskTimeout = time.Minute
	// enqueuers is how many tasks are sent at once: asynq has no batch call.
	enqueuers = 16
)

// Enqueue sends the steps, a burst of them many to a task, and returns those
// that are on the queue now. A task id that is already taken is the very same
// hand-out, so it counts as sent.
func (c *Client) Enqueue(ctx context.Context, steps []galena.Step) (sent []galena.Step, err error) {
	tasks := parcel(steps)
	done := make([]bool, len(tasks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(enqueuers)
	for i, of := range tasks {
		g.Go(func() error {
			if err := c.enqueue(ctx, of); err != nil {
				return err
			}
			done[i] = true
			return nil
		})
	}
	err = g.Wait()
	for i, of := range tasks {
		if done[i] {
			sent = append(sent, of...)
		}
	}
	c.tell(sent)
	return sent, err
}

// tell says once of each queue that it holds something.
func (c *Client) tell(sent []galena.Step) {
	if c.Tell == nil {
		return
	}
	told := ""
	for _, s := range sent {
		if s.Queue != told { // a queue told twice does no harm
			c.Tell(s.Queue)
			told = s.Queue
		}
	}
}

func (c *Client) enqueue(ctx context.Context, of []galena.Step) error {
	s := of[0]
	body, err := encodePayload(of...)
	if err != nil {
		return err
	}
	id := taskID(s)
	if len(of) > 1 {
		id = batchID(s.Kind)
	}
	_, err = c.asynq.EnqueueContext(ctx, asynq.NewTask(s.Kind, body),
		asynq.TaskID(id), asynq.Queue(s.Queue), asynq.MaxRetry(maxRetry),
		asynq.Timeout(taskTimeout), asynq.Retention(0))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return galena.Errorf(galena.Unavailable, "worker.enqueue", "the queue does not take %s", s.Kind)
	}
	return nil
}

// Ask says whether the step's task still waits on the queue, and whether that is sure.
// One that is active does not wait: its step would have begun at once, so its worker
// is gone, and with the lease gone too asynq would never notice. It is not sure when
// Redis cannot be asked: handing the step out again would not help, and nobody has
// seen it. A step that shares a task cannot be found by name; it waits its turn as
// long as the queue holds something that waits for longer, unless its task is a dead
// worker's, or one's that may be.
func (c *Client) Ask(s galena.Step) (waits, sure bool) {
	info, err := c.inspector.GetTaskInfo(s.Queue, taskID(s))
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound) && shareable[s.Kind]:
		dead, doubt := c.orphan(s)
		if dead || doubt {
			return false, dead
		}
		return c.behind(s)
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return false, true
	case err != nil:
		return false, false
	}
	return info.State == asynq.TaskStatePending ||
		info.State == asynq.TaskStateScheduled || info.State == asynq.TaskStateRetry, true
}

// lookEvery is how long what was seen of a queue is remembered, from when the answer
// came: a sweep asks for hundreds of steps, and Redis may be slow.
const lookEvery = time.Second

// head is the oldest task that waits in a queue.
type head struct {
	looked time.Time
	since  time.Time // zero = none waits
	unsure bool      // since when it waits is not known
	away   bool      // Redis did not say
}

// behind says whether the step was handed out after the oldest task that waits, and
// whether Redis said so.
func (c *Client) behind(s galena.Step) (waits, sure bool) {
	c.headsMu.Lock()
	defer c.headsMu.Unlock()
	h := c.heads[s.Queue]
	if time.Since(h.looked) > lookEvery {
		h = c.headOf(s.Queue)
		c.heads[s.Queue] = h
	}
	return h.unsure || !h.since.IsZero() && !s.Since.Before(h.since.Add(-lookEvery)), !h.away
}

// headOf looks for the oldest task that waits.
func (c *Client) headOf(queue string) (h head) {
	asked := time.Now()
	info, err := c.inspector.GetQueueInfo(queue)
	switch {
	case err != nil:
		h.away = !errors.Is(err, asynq.ErrQueueNotFound)
	case info.Pending > 0 && info.Latency == 0:
		// A worker that stopped gave the head back: asynq forgets then since when it waits.
		h.unsure = true
	case info.Pending > 0:
		h.since = asked.Add(-info.Latency)
	}
	h.looked = time.Now()
	return h
}

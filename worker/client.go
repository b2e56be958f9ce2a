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
	conn      Conn
	inspector *asynq.Inspector

	mu     sync.Mutex
	asynq  *asynq.Client
	forget time.Time // when asynq's client is replaced
}

// NewClient uses the process's Redis client; there is nothing to close.
func NewClient(conn Conn) *Client {
	return &Client{conn: conn, inspector: asynq.NewInspector(conn)}
}

const (
	// maxRetry is asynq's own counter: a backstop for the moment in which SQL
	// cannot be reached. Every other retry is a due time in SQL.
	maxRetry = 10
	// taskTimeout is asynq's; the pipeline's own deadlines are far below.
	taskTimeout = time.Minute
	// enqueuers is how many tasks are sent at once: asynq has no batch call.
	enqueuers = 16
	// forgetAfter is how long a queue may be missing from the lists of a Redis
	// that was emptied. asynq's client writes a queue's name once in its life.
	forgetAfter = 20 * time.Second
)

// producer is asynq's client, a new one now and then: it is cheap, and the new
// one writes the names of the queues again.
func (c *Client) producer() *asynq.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); !now.Before(c.forget) {
		c.asynq, c.forget = asynq.NewClient(c.conn), now.Add(forgetAfter)
	}
	return c.asynq
}

// Enqueue sends the steps and returns those that are on the queue now. A task
// id that is already taken is the very same hand-out, so it counts as sent.
func (c *Client) Enqueue(ctx context.Context, steps []galena.Step) (sent []galena.Step, err error) {
	done := make([]bool, len(steps))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(enqueuers)
	for i, s := range steps {
		g.Go(func() error {
			if err := c.enqueue(ctx, s); err != nil {
				return err
			}
			done[i] = true
			return nil
		})
	}
	err = g.Wait()
	for i, s := range steps {
		if done[i] {
			sent = append(sent, s)
		}
	}
	return sent, err
}

func (c *Client) enqueue(ctx context.Context, s galena.Step) error {
	body, err := encodePayload(s)
	if err != nil {
		return err
	}
	_, err = c.producer().EnqueueContext(ctx, asynq.NewTask(s.Kind, body),
		asynq.TaskID(taskID(s)), asynq.Queue(s.Queue), asynq.MaxRetry(maxRetry),
		asynq.Timeout(taskTimeout), asynq.Retention(0))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return galena.Errorf(galena.Unavailable, "worker.enqueue", "the queue does not take %s", s.Kind)
	}
	return nil
}

// Alive says whether the step's task still waits on the queue. One that is active
// does not: its step would have begun at once, so its worker is gone, and with
// the lease gone too asynq would never notice. When Redis cannot
// be asked the answer is yes: handing the step out again would not help.
func (c *Client) Alive(s galena.Step) bool {
	info, err := c.inspector.GetTaskInfo(s.Queue, taskID(s))
	if err != nil {
		return !errors.Is(err, asynq.ErrTaskNotFound) && !errors.Is(err, asynq.ErrQueueNotFound)
	}
	return info.State == asynq.TaskStatePending ||
		info.State == asynq.TaskStateScheduled || info.State == asynq.TaskStateRetry
}

package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
)

// Backstage reaches what asynq's own inspector refuses to touch.
type Backstage interface {
	Active(ctx context.Context, queue string) (map[string]time.Time, error)
	Archived(ctx context.Context, queue string, limit int) ([]string, error)
	DropStray(ctx context.Context, queue, id string) (bool, error)
	DropTask(ctx context.Context, queue, id string) error
	Register(ctx context.Context, queues ...string) error
}

// Queues lists the queues, by weight.
func Queues() []string { return []string{queueLeads, queueDeliveries, queueBulk} }

// archivePage is how many dead tasks are removed at a time.
const archivePage = 500

// Reconciler keeps the queue in the form in which asynq can work, and empty of
// what asynq would keep for ever. It decides nothing about leads: a step whose
// task is gone is the sweep's.
type Reconciler struct {
	queue   *Client
	stage   Backstage
	repairs *prometheus.CounterVec
	now     func() time.Time
	log     *slog.Logger
}

// NewReconciler builds a reconciler and registers its counter. The client sees
// from now on which tasks are dead workers'.
func NewReconciler(c *Client, b Backstage, reg prometheus.Registerer, now func() time.Time, log *slog.Logger) *Reconciler {
	r := &Reconciler{queue: c, stage: b, now: now, log: log, repairs: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_queue_repairs_total",
		Help: "Tasks removed from the queue: dead (asynq gave up), stray (active without a worker), unreadable. Their steps are handed out again.",
	}, []string{"what"})}
	reg.MustRegister(r.repairs)
	c.stage = b
	return r
}

// Reconcile removes tasks that are dead, that no worker holds, or that nobody can
// read: a single unreadable one stops asynq from recovering any other. It names the
// queues again, for a Redis that was emptied, and for those that are seldom used:
// the first tries of deliveries do not go over theirs.
func (r *Reconciler) Reconcile(ctx context.Context) error {
	errs := []error{r.stage.Register(ctx, Queues()...)}
	for _, queue := range Queues() {
		errs = append(errs, r.strays(ctx, queue), r.dead(ctx, queue))
	}
	return errors.Join(errs...)
}

const reconcileEvery = 30 * time.Second

// Job is the reconciliation as the scheduler runs it.
func (r *Reconciler) Job() Job {
	return Job{Name: "reconcile", Every: reconcileEvery, Do: r.Reconcile}
}

func (r *Reconciler) strays(ctx context.Context, queue string) error {
	active, err := r.stage.Active(ctx, queue)
	if err != nil {
		return err
	}
	for id, until := range active {
		if ctx.Err() != nil { // the inspector takes no context
			return ctx.Err()
		}
		var what string
		switch {
		case until.IsZero():
			what, err = r.stray(ctx, queue, id)
		case until.Before(r.now()) && r.queue.unreadable(queue, id):
			what, err = "unreadable", r.drop(ctx, queue, id, "unreadable")
		}
		if err != nil {
			return err
		}
		if what != "" {
			r.log.ErrorContext(ctx, "task removed from the queue", "queue", queue, "task", id, "because", what)
		}
	}
	return nil
}

// stray removes a task that no worker holds and says that it was one. A worker may
// have ended it since we looked.
func (r *Reconciler) stray(ctx context.Context, queue, id string) (what string, err error) {
	gone, err := r.stage.DropStray(ctx, queue, id)
	if err != nil || !gone {
		return "", err
	}
	r.repairs.WithLabelValues("stray").Inc()
	return "stray", nil
}

// dead empties the archive: asynq cuts it without a word, and one that is full
// of old tasks takes no new ones.
func (r *Reconciler) dead(ctx context.Context, queue string) error {
	for {
		ids, err := r.stage.Archived(ctx, queue, archivePage)
		if err != nil || len(ids) == 0 {
			return err
		}
		r.log.WarnContext(ctx, "dead tasks removed from the queue", "queue", queue, "tasks", len(ids), "first", ids[0], "error", r.queue.lastError(queue, ids[0]))
		for _, id := range ids {
			if err := r.drop(ctx, queue, id, "dead"); err != nil {
				return err
			}
		}
	}
}

func (r *Reconciler) drop(ctx context.Context, queue, id, what string) error {
	err := r.stage.DropTask(ctx, queue, id)
	if err == nil {
		r.repairs.WithLabelValues(what).Inc()
	}
	return err
}

// unreadable says that the queue holds something under the id that is no task.
func (c *Client) unreadable(queue, id string) bool {
	_, err := c.inspector.GetTaskInfo(queue, id)
	return err != nil && !errors.Is(err, asynq.ErrTaskNotFound) && !errors.Is(err, asynq.ErrQueueNotFound) && c.asynq.Ping() == nil
}

// lastError is why asynq gave a task up, "" when it does not know.
func (c *Client) lastError(queue, id string) string {
	info, err := c.inspector.GetTaskInfo(queue, id)
	if err != nil {
		return ""
	}
	return noteOf(errors.New(info.LastErr))
}

package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
)

// taker is asynq's server: it takes tasks off the queue and gives them to a handler.
type taker interface {
	Start(h asynq.Handler) error
	Shutdown()
}

// Server takes tasks off the queue and runs them.
type Server struct {
	asynq   taker
	mux     *asynq.ServeMux
	leases  *leases
	sidings *sidings
	near    *near
	beside  *near         // as near, for the deliveries that come by the queue
	room    chan struct{} // a place for each step of shared tasks that may be worked on
	steps   Steps
	log     *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
}

const (
	// taskCheck is how long an idle server waits before it looks again: half of it
	// plus chance. asynq's own default is a second. A connection that waits for word
	// by itself (redis.Client.Idle) allows for less.
	taskCheck = 10 * time.Millisecond
	// shutdownWait is longer than any provider call and shorter than a platform's patience.
	shutdownWait = 20 * time.Second
	// stopMost is how long a stop takes at most. asynq counts shutdownWait from when
	// its last call to Redis ended, and one to a Redis that hangs ends after a dozen
	// seconds.
	stopMost = shutdownWait + 2*time.Second
)

// roomPerWorker is how many steps of shared tasks may be worked on for each task
// that is: most of them wait for a vendor or for the store.
const roomPerWorker = 4

// ServerConfig is how much a server does at once and how often an idle one looks.
type ServerConfig struct {
	Concurrency int
	Poll        time.Duration // 0 = taskCheck
}

// NewServer builds the server for a pipeline and a deliverer.
func NewServer(conn Conn, c ServerConfig, p *Pipeline, d *Deliverer, log *slog.Logger) *Server {
	s := &Server{leases: newLeases(), steps: p.Steps, log: log, mux: asynq.NewServeMux(),
		room: make(chan struct{}, roomPerWorker*max(c.Concurrency, 1))}
	s.sidings, s.near, s.beside = newSidings(d), newNear(c.Concurrency, d.Process, log), newNear(roomPerWorker*c.Concurrency, d.try, log)
	p.leases, d.leases, d.lanes, d.sidings, d.beside = s.leases, s.leases, newLanes(c.Concurrency), s.sidings, s.beside
	s.asynq = asynq.NewServer(conn, asynq.Config{
		Concurrency:              c.Concurrency,
		Queues:                   map[string]int{queueLeads: 6, queueDeliveries: 3, queueBulk: 1},
		TaskCheckInterval:        cmp.Or(c.Poll, taskCheck),
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          shutdownWait,
		RetryDelayFunc:           retryDelay,
		IsFailure:                func(err error) bool { return !errors.Is(err, errNotOurs) },
		Logger:                   asynqLog{log},
		LogLevel:                 asynq.WarnLevel,
	})
	s.mux.Handle(galena.StepLead, s.handler(galena.StepLead, p.Process))
	s.mux.Handle(galena.StepComplete, s.handler(galena.StepComplete, p.Complete))
	s.mux.Handle(galena.StepDeliver, s.handler(galena.StepDeliver, d.Process))
	return s
}

// Watch lets the server look at the clocks of reps too. Call it before Start.
func (s *Server) Watch(w *Watch) {
	w.leases = s.leases
	s.mux.Handle(galena.StepSLA, s.handler(galena.StepSLA, w.Process))
}

// errNotOurs puts a task back for the worker that knows it: another version of
// the program runs beside this one. It is no failure, so it is not counted and
// never ends in asynq's archive, however long that worker is away.
var errNotOurs = errors.New("a task for another version of the worker")

// putBack is how long such a task rests before somebody looks at it again.
const putBack = 5 * time.Second

// retryDelay is the backstop for tasks whose step could not be written: SQL was
// away. It grows to half a minute; the sweep is usually sooner.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	if errors.Is(err, errNotOurs) {
		return putBack
	}
	return min(time.Second<<min(n, 5), 30*time.Second)
}

// handler unpacks a task and runs its steps, all at once: they wait for vendors
// and for the store together. A panic in one is an error of its task.
func (s *Server) handler(kind string, process func(context.Context, galena.Step) error) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		steps, err := decodePayload(kind, t.Payload())
		if err != nil {
			return s.refuse(ctx, err)
		}
		if len(steps) == 1 {
			return process(ctx, steps[0])
		}
		var all errgroup.Group // not WithContext: one lead's error stops no other
		for _, step := range steps {
			all.Go(func() error {
				s.room <- struct{}{}
				defer func() { <-s.room }()
				return guarded(func() error { return process(ctx, step) })
			})
		}
		return all.Wait()
	})
}

// guarded makes a panic of one step an error of that step.
func guarded(step func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.task", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	return step()
}

// refuse puts a task of a later version back, and removes one that nobody can
// read: its step is in SQL, and the sweep hands it out again.
func (s *Server) refuse(ctx context.Context, err error) error {
	if galena.KindOf(err) == galena.Pending {
		return fmt.Errorf("%w: %w", err, errNotOurs)
	}
	id, _ := asynq.GetTaskID(ctx)
	s.log.ErrorContext(ctx, "task removed: it cannot be read", "task", id, "error", err)
	return fmt.Errorf("%w: %w", err, asynq.RevokeTask)
}

// route finds the handler of exactly this kind: asynq's own routing takes any
// kind that begins with a known one, and fails those that it does not know.
func (s *Server) route(ctx context.Context, t *asynq.Task) error {
	h, kind := s.mux.Handler(t)
	if kind != t.Type() {
		return errNotOurs
	}
	return h.ProcessTask(ctx, t)
}

// Near makes the first try of deliveries that this process commits.
func (s *Server) Near() Keeper { return s.near }

// Start begins to take tasks.
func (s *Server) Start(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.sidings.open(ctx)
	s.near.start(ctx)
	s.beside.start(ctx)
	if err := s.asynq.Start(asynq.HandlerFunc(s.route)); err != nil {
		s.near.stop()
		s.beside.stop()
		s.cancel()
		s.sidings.cancel()
		return galena.Errorf(galena.Unavailable, "worker.start", "the queue does not answer")
	}
	s.running.Go(func() { s.leases.run(ctx, s.steps, s.log) })
	return nil
}

// Stop lets running leads end, then returns. Leases are renewed to the last. It
// leaves behind what does not end in time: its leases run out, another process
// takes its steps over, and the fence refuses what it may still write. Then it
// says false, and what the server was given to work with has to stay open: asynq
// ends the process when its connections are closed under it.
func (s *Server) Stop() (ended bool) {
	if s.cancel == nil {
		return true
	}
	if ended = within(stopMost, s.near.stop, s.beside.stop, s.sidings.stop, s.asynq.Shutdown); !ended {
		s.log.Warn("worker stops although not all of its work has ended", "after", stopMost)
	}
	s.cancel()
	s.running.Wait()
	return ended
}

// within does all of that at once and says whether it ended in time.
func within(limit time.Duration, all ...func()) bool {
	ended := make(chan struct{})
	var g sync.WaitGroup
	for _, do := range all {
		g.Go(do)
	}
	go func() {
		g.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// asynqLog carries asynq's own lines.
type asynqLog struct{ log *slog.Logger }

func (a asynqLog) Debug(args ...any) { a.log.Debug("asynq", "detail", fmt.Sprint(args...)) }
func (a asynqLog) Info(args ...any)  { a.log.Info("asynq", "detail", fmt.Sprint(args...)) }
func (a asynqLog) Warn(args ...any)  { a.log.Warn("asynq", "detail", fmt.Sprint(args...)) }
func (a asynqLog) Error(args ...any) { a.log.Error("asynq", "detail", fmt.Sprint(args...)) }

// Fatal logs only: whether a process ends is decided in main.
func (a asynqLog) Fatal(args ...any) { a.log.Error("asynq", "detail", fmt.Sprint(args...)) }

package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// Job is work that is done once per tick, whatever the number of processes.
type Job struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context) error
}

// Ticks is the part of the store that gives each tick of a job to one holder.
type Ticks interface {
	ClaimJob(ctx context.Context, name, holder string, every time.Duration) (ours bool, wait time.Duration, err error)
	ReleaseJob(ctx context.Context, name, holder string) error
}

// Scheduler runs jobs. Any number may run the same ones: the store gives each
// tick to one of them. A run ends with its tick at the latest, because the next
// may be another process's; every job can be cut there and goes on at the next. Only
// what a sweep writes may take longer.
type Scheduler struct {
	Ticks  Ticks
	Holder string // unique to the process
	Log    *slog.Logger
}

// retryTick is how soon a scheduler asks again when the store was away.
const retryTick = time.Second

// Run works until the context ends. It leaves behind what does not end in time, as a
// server's stop does: a call to a Redis that hangs cannot be cut, and a job can.
func (s *Scheduler) Run(ctx context.Context, jobs ...Job) error {
	var running sync.WaitGroup
	for _, j := range jobs {
		running.Go(func() { s.keep(ctx, j) })
	}
	<-ctx.Done()
	if !within(stopMost, running.Wait) {
		s.Log.WarnContext(ctx, "scheduler stops although not all of its jobs have ended", "after", stopMost)
	}
	return nil
}

// keep runs the job at its ticks until the context ends.
func (s *Scheduler) keep(ctx context.Context, j Job) {
	for ctx.Err() == nil {
		wait := s.turn(ctx, j)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// turn runs the job if the tick is ours, and says when to ask again.
func (s *Scheduler) turn(ctx context.Context, j Job) time.Duration {
	asked := time.Now()
	ours, wait, err := s.Ticks.ClaimJob(ctx, j.Name, s.Holder, j.Every)
	if err != nil {
		s.complain(ctx, j, err)
		return retryTick
	}
	if !ours {
		return wait
	}
	run, cancel := context.WithTimeout(ctx, j.Every)
	defer cancel()
	if err := j.Do(run); err != nil {
		s.complain(ctx, j, err)
	}
	end, done := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer done()
	if err := s.Ticks.ReleaseJob(end, j.Name, s.Holder); err != nil {
		s.complain(ctx, j, err) // the tick's end releases it
	}
	return max(wait-time.Since(asked), 0)
}

func (s *Scheduler) complain(ctx context.Context, j Job, err error) {
	if ctx.Err() == nil {
		s.Log.WarnContext(ctx, "job failed", "job", j.Name, "kind", galena.KindOf(err), "error", err)
	}
}

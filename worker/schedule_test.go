package worker

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// always is a store that gives every tick to whoever asks.
type always struct{}

func (always) ClaimJob(_ context.Context, _, _ string, every time.Duration) (bool, time.Duration, error) {
	return true, every, nil
}

func (always) ReleaseJob(context.Context, string, string) error { return nil }

// A job that waits for a Redis that hangs does not hear that its context has ended.
func TestASchedulerEndsInTimeAlthoughAJobHangs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ takes, want time.Duration }{
		{0, 0},
		{5 * time.Second, 5 * time.Second},
		{41 * time.Second, stopMost},
	} {
		t.Run(tt.takes.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				job := Job{Name: "deaf", Every: time.Minute, Do: func(context.Context) error {
					time.Sleep(tt.takes)
					return nil
				}}
				var at time.Time
				go func() {
					synctest.Wait()
					at = time.Now()
					stop()
				}()
				s := &Scheduler{Ticks: always{}, Log: slog.New(slog.DiscardHandler)}
				if err := s.Run(ctx, job); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(at); took != tt.want {
					t.Errorf("it ended after %v, want %v", took, tt.want)
				}
				time.Sleep(tt.takes) // until nothing of it is left
			})
		})
	}
}

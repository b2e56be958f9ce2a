package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galenahq/galena"
)

// yard is a store with suspects: what is vouched for or handed out is none any more.
type yard struct {
	steps             []galena.Step
	rehanded, vouched []galena.Step
}

func (y *yard) Suspects(ctx context.Context, limit int) ([]galena.Step, error) {
	return y.steps[:min(limit, len(y.steps))], ctx.Err()
}

func (y *yard) Rehand(ctx context.Context, s []galena.Step) (int, error) {
	return len(s), y.write(ctx, s, &y.rehanded)
}

func (y *yard) Vouch(ctx context.Context, s []galena.Step) error {
	return y.write(ctx, s, &y.vouched)
}

func (y *yard) SetAside(ctx context.Context, _ galena.Step, _ string, _ func(galena.Lead) ([]galena.Delivery, error)) (bool, error) {
	return false, ctx.Err()
}

func (y *yard) write(ctx context.Context, s []galena.Step, to *[]galena.Step) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	*to = append(*to, s...)
	y.steps = slices.DeleteFunc(slices.Clone(y.steps), func(st galena.Step) bool { return slices.Contains(s, st) })
	return nil
}

// waiting is a yard with one step that was due and so many whose tasks may still
// wait on the queue; the last of those does not.
func waiting(n int) *yard {
	y := &yard{steps: []galena.Step{{Kind: galena.StepLead, ID: "due", Lost: true}}}
	for i := range n - 1 {
		y.steps = append(y.steps, galena.Step{Kind: galena.StepLead, ID: fmt.Sprint(i)})
	}
	y.steps = append(y.steps, galena.Step{Kind: galena.StepLead, ID: "flushed"})
	return y
}

// sweeper sweeps a yard behind a queue that answers after a while.
func sweeper(y Suspects, answer time.Duration) *Sweeper {
	return NewSweeper(y, func(st galena.Step) (waits, sure bool) {
		time.Sleep(answer)
		return st.ID != "flushed", true
	}, func() {}, slog.New(slog.DiscardHandler))
}

// ticks lets it sweep so many times.
func (s *Sweeper) ticks(t *testing.T, n int) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), sweepEvery)
		if _, err := s.Sweep(ctx); err != nil {
			t.Errorf("sweep: %v", err)
		}
		<-ctx.Done()
		cancel()
	}
}

func TestASlowQueueHoldsUpNothingThatIsLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer        time.Duration
		silent, ticks int
	}{
		{time.Millisecond, 600, 1},
		{5 * time.Millisecond, 600, 1},
		{20 * time.Millisecond, 600, 2},
		{300 * time.Millisecond, 600, 20},
		{340 * time.Millisecond, 40, 2},
		{900 * time.Millisecond, 40, 4},
		{12 * time.Second, 40, 37},
	} {
		t.Run(tt.answer.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := waiting(tt.silent)
				s := sweeper(y, tt.answer)
				s.ticks(t, 1)
				if len(y.rehanded) == 0 || y.rehanded[0].ID != "due" {
					t.Fatalf("handed out %v, want what was due", y.rehanded)
				}
				s.ticks(t, tt.ticks-1)
				if got := ids(y.rehanded); got != "due flushed" || len(y.vouched) != tt.silent-1 {
					t.Errorf("handed out %q and vouched for %d, want what was due, what was flushed, and %d", got, len(y.vouched), tt.silent-1)
				}
			})
		})
	}
}

// A sweep whose questions a hung queue does not answer ends all the same, at a stop at
// once, and has handed out what it had not to ask about.
func TestAQueueThatHangsIsAskedALittleAtATime(t *testing.T) {
	t.Parallel()
	for tick, want := range map[time.Duration]time.Duration{sweepEvery: sweepEvery / 2, 2 * time.Millisecond: time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			y := waiting(600)
			s := sweeper(y, 41*time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), tick)
			defer cancel()
			at := time.Now()
			if n, _ := s.Sweep(ctx); n != 1 || ids(y.rehanded) != "due" {
				t.Errorf("handed out %q, want what was due", ids(y.rehanded))
			}
			if took := time.Since(at); took != want || len(s.asked) != askers {
				t.Errorf("it took %v and %d questions, want %v and %d", took, len(s.asked), want, askers)
			}
			time.Sleep(time.Minute) // until nothing of it is left
		})
	}
}

func TestAStopWaitsForNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, stop)
		at := time.Now()
		_, _ = sweeper(waiting(40), 41*time.Second).Sweep(ctx) // what it could not write the next one writes
		if took := time.Since(at); took != 100*time.Millisecond {
			t.Errorf("the sweep ended after %v, want 100ms", took)
		}
		time.Sleep(time.Minute)
	})
}

// A step may begin, or be parked, while the queue is asked: then its task is gone
// because it is done with.
func TestAnAnswerCountsAsLongAsItsStepIsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := waiting(10)
		s := sweeper(y, 1500*time.Millisecond)
		s.ticks(t, 1)
		y.steps = slices.DeleteFunc(y.steps, func(st galena.Step) bool { return st.ID == "flushed" })
		s.ticks(t, 2)
		if got := ids(y.rehanded); got != "due" || len(y.vouched) != 9 {
			t.Errorf("handed out %q and vouched for %d, want what was due, and 9", got, len(y.vouched))
		}
	})
}

// sluggish is a yard that takes half a tick to say whom it suspects.
type sluggish struct{ *yard }

func (s sluggish) Suspects(ctx context.Context, limit int) ([]galena.Step, error) {
	time.Sleep(sweepEvery / 2)
	return s.yard.Suspects(ctx, limit)
}

func TestASlowStoreLeavesTimeToAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := waiting(10)
		sweeper(sluggish{y}, 0).ticks(t, 1)
		if got := ids(y.rehanded); got != "due flushed" || len(y.vouched) != 9 {
			t.Errorf("handed out %q and vouched for %d, want what was due, what was flushed, and 9", got, len(y.vouched))
		}
	})
}

// ponderous is a yard that takes longer than a tick to hand out.
type ponderous struct{ *yard }

func (p ponderous) Rehand(ctx context.Context, s []galena.Step) (int, error) {
	if len(s) == 0 {
		return 0, nil
	}
	select {
	case <-time.After(3 * sweepEvery / 2):
	case <-ctx.Done():
	}
	return p.yard.Rehand(ctx, s)
}

// What waits in SQL is handed out by nobody else: each tick must not begin the same
// writing anew and cut it.
func TestAStoreThatTakesLongerThanATickIsGivenTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := waiting(10)
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, stop)
		s := &Scheduler{Ticks: always{}, Log: slog.New(slog.DiscardHandler)}
		if err := s.Run(ctx, sweeper(ponderous{y}, 0).Job()); err != nil {
			t.Fatal(err)
		}
		if got := ids(y.rehanded); got != "due flushed" || len(y.vouched) != 9 {
			t.Errorf("handed out %q and vouched for %d in ten seconds, want what was due, what was flushed, and 9", got, len(y.vouched))
		}
	})
}

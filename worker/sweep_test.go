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

// yard is a store with suspects: what is vouched for or handed out is none any more,
// and nothing is written after the end of a tick.
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

func (y *yard) SetAside(ctx context.Context, _ galena.Step, _ string) (bool, error) {
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

// sweeps lets so many ticks sweep, behind a queue that answers after a while.
func (y *yard) sweeps(t *testing.T, ticks int, answer time.Duration) {
	t.Helper()
	s := NewSweeper(y, func(st galena.Step) bool {
		time.Sleep(answer)
		return st.ID != "flushed"
	}, func() {}, slog.New(slog.DiscardHandler))
	for range ticks {
		ctx, cancel := context.WithTimeout(t.Context(), sweepEvery)
		if _, err := s.Sweep(ctx); err != nil {
			t.Errorf("sweep: %v", err)
		}
		cancel()
	}
}

func TestASlowQueueHoldsUpNothingThatIsLost(t *testing.T) {
	t.Parallel()
	for answer, ticks := range map[time.Duration]int{time.Millisecond: 1, 5 * time.Millisecond: 1, 20 * time.Millisecond: 2, 300 * time.Millisecond: 20} {
		t.Run(answer.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := waiting(600)
				y.sweeps(t, 1, answer)
				if len(y.rehanded) == 0 || y.rehanded[0].ID != "due" {
					t.Fatalf("handed out %v, want what was due", y.rehanded)
				}
				y.sweeps(t, ticks-1, answer)
				if got := ids(y.rehanded); got != "due flushed" || len(y.vouched) != 599 {
					t.Errorf("handed out %q and vouched for %d, want what was due, what was flushed, and 599", got, len(y.vouched))
				}
			})
		})
	}
}

// A sweep that a hung queue does not answer ends with its tick's questions, and
// has handed out what it had not to ask about.
func TestAQueueThatHangsIsAskedALittleAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := waiting(600)
		asked := make(chan galena.Step, 600)
		s := NewSweeper(y, func(st galena.Step) bool {
			asked <- st
			time.Sleep(12 * time.Second)
			return true
		}, func() {}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), sweepEvery)
		defer cancel()
		if n, _ := s.Sweep(ctx); n != 1 || ids(y.rehanded) != "due" {
			t.Errorf("handed out %q, want what was due", ids(y.rehanded))
		}
		if len(asked) != askers+1 {
			t.Errorf("%d questions, want %d", len(asked), askers+1)
		}
	})
}

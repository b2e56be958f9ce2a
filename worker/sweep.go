package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
)

// Suspects is the part of the store that knows which steps may have been lost.
type Suspects interface {
	Suspects(ctx context.Context, limit int) ([]galena.Step, error)
	Rehand(ctx context.Context, steps []galena.Step) (int, error)
	Vouch(ctx context.Context, steps []galena.Step) error
	Delay(ctx context.Context, steps []galena.Step, gap time.Duration) error
	SetAside(ctx context.Context, s galena.Step, note string) (bool, error)
}

const (
	sweepEvery = 2 * time.Second
	sweepBatch = 500
	// maxKills is how many workers may die on a step before it is put aside.
	maxKills = 3
	// apartBy is longer than a lead takes and no shorter than the time between
	// two sweeps, so that steps under suspicion run one by one.
	apartBy = 3 * time.Second
)

// Sweeper hands out again whatever has no live task: steps that are due, steps
// whose worker's lease has run out, and queued steps whose task the queue has
// lost. Handing out raises the run, so an old task that does turn up writes
// nothing, and two sweepers cannot hand the same run out twice. A step that
// kills its workers is put aside after the third.
type Sweeper struct {
	store Suspects
	alive func(galena.Step) bool
	wake  func()
	log   *slog.Logger
}

// NewSweeper builds a sweeper; alive asks the queue, wake nudges the relay.
func NewSweeper(s Suspects, alive func(galena.Step) bool, wake func(), log *slog.Logger) *Sweeper {
	return &Sweeper{store: s, alive: alive, wake: wake, log: log}
}

// Job is the sweep as the scheduler runs it.
func (s *Sweeper) Job() Job {
	return Job{Name: "sweep", Every: sweepEvery, Do: func(ctx context.Context) error {
		n, err := s.Sweep(ctx)
		if n > 0 {
			s.log.InfoContext(ctx, "steps handed out again", "steps", n)
		}
		return err
	}}
}

// Sweep looks at every suspect once and says how many steps it handed out.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	total := 0
	for {
		suspects, err := s.store.Suspects(ctx, sweepBatch)
		if err != nil {
			return total, err
		}
		var lost, seen []galena.Step
		for _, st := range suspects {
			if !st.Lost && s.alive(st) {
				seen = append(seen, st)
			} else {
				lost = append(lost, st)
			}
		}
		// What is vouched for is no suspect for a while, so every page ends.
		if err := s.store.Vouch(ctx, seen); err != nil {
			return total, err
		}
		n, err := s.recover(ctx, triage(lost))
		if err != nil {
			return total, err
		}
		if total += n; n > 0 {
			s.wake()
		}
		if len(suspects) < sweepBatch {
			return total, nil
		}
	}
}

// verdicts is what becomes of lost steps.
type verdicts struct{ again, apart, aside []galena.Step }

// triage decides by how many workers have died on each step. Whoever was at work
// beside the culprit dies with it, so one death is no sign, and a second may
// still be bad company: from then on such steps run one at a time, and only the
// culprit gets to its third.
func triage(lost []galena.Step) (v verdicts) {
	watched := false
	for _, st := range lost {
		switch {
		case st.Kills >= maxKills:
			v.aside = append(v.aside, st)
		case st.Kills == maxKills-1 && watched:
			v.apart = append(v.apart, st)
		default:
			watched = watched || st.Kills == maxKills-1
			v.again = append(v.again, st)
		}
	}
	return v
}

// recover writes the verdicts and says how many steps were handed out.
func (s *Sweeper) recover(ctx context.Context, v verdicts) (int, error) {
	for _, st := range v.aside {
		done, err := s.store.SetAside(ctx, st, fmt.Sprintf("%d workers died while they ran it", st.Kills))
		if err != nil {
			return 0, err
		}
		if done {
			s.log.ErrorContext(ctx, "step put aside: workers die on it", "step", st.Kind, "id", st.ID, "epoch", st.Epoch, "kills", st.Kills)
		}
	}
	if err := s.store.Delay(ctx, v.apart, apartBy); err != nil {
		return 0, err
	}
	return s.store.Rehand(ctx, v.again)
}

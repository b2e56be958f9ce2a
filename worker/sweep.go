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
	SetAside(ctx context.Context, s galena.Step, note string) (bool, error)
}

const (
	sweepEvery = time.Second
	sweepBatch = 500
	// maxKills is how many workers may die on a step before it is put aside.
	// Whoever was at work beside the culprit dies with it, so one death is no
	// sign, and a second may still be bad company: from then on the store lists
	// such steps one at a time. Where workers die of something else a third may
	// still be chance: as long as as many died without the step it goes on, up to
	// twice as many.
	maxKills = 3
)

// Sweeper hands out again whatever has no live task: steps that are due, steps
// whose worker's lease has run out, and queued steps whose task the queue has
// lost. Handing out raises the run, so an old task that does turn up writes
// nothing, and two sweepers cannot hand the same run out twice. A step that
// kills its workers is put aside (guilty).
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
		v := s.judge(suspects)
		// What is vouched for is no suspect for a while, so every page ends.
		if err := s.store.Vouch(ctx, v.seen); err != nil {
			return total, err
		}
		n, err := s.recover(ctx, v)
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

// verdicts is what becomes of suspects.
type verdicts struct{ seen, again, aside []galena.Step }

func (s *Sweeper) judge(suspects []galena.Step) (v verdicts) {
	for _, st := range suspects {
		switch {
		case !st.Lost && s.alive(st):
			v.seen = append(v.seen, st)
		case guilty(st):
			v.aside = append(v.aside, st)
		default:
			v.again = append(v.again, st)
		}
	}
	return v
}

// guilty says whether workers die of the step, and not of something that kills
// them as often without it.
func guilty(st galena.Step) bool {
	return st.Kills >= maxKills && (st.Others < st.Kills || st.Kills >= 2*maxKills)
}

// recover writes the verdicts on what is lost and says how many steps were handed out.
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
	return s.store.Rehand(ctx, v.again)
}

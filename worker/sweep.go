package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

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
	// askFor is how long a sweep asks the queue: the rest of its tick is for what
	// it writes.
	askFor = sweepEvery / 2
	askers = 16 // questions at once: each takes the queue two round trips
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
	until := time.Now().Add(askFor)
	total := 0
	for {
		suspects, err := s.store.Suspects(ctx, sweepBatch)
		if err != nil {
			return total, err
		}
		n, all, err := s.page(ctx, suspects, until)
		total += n
		if err != nil || !all || len(suspects) < sweepBatch {
			return total, err
		}
	}
}

// page deals with some suspects. What is known to be lost needs no question, so a
// slow queue does not hold it up. Not all: the time to ask was over, and the next
// sweep asks for the rest.
func (s *Sweeper) page(ctx context.Context, suspects []galena.Step, until time.Time) (handed int, all bool, err error) {
	var lost, silent []galena.Step
	for _, st := range suspects {
		if st.Lost {
			lost = append(lost, st)
		} else {
			silent = append(silent, st)
		}
	}
	if handed, err = s.recover(ctx, lost); err != nil {
		return handed, false, err
	}
	seen, gone := s.ask(silent, until)
	n, err := s.recover(ctx, gone)
	handed += n
	if err == nil {
		// What is vouched for is no suspect for a while, so every page ends.
		err = s.store.Vouch(ctx, seen)
	}
	return handed, len(seen)+len(gone) == len(silent), err
}

// ask lets the queue say which steps are still on it, as many as there is time for.
func (s *Sweeper) ask(silent []galena.Step, until time.Time) (seen, gone []galena.Step) {
	alive := make([]bool, len(silent))
	asked := 0
	var g errgroup.Group
	g.SetLimit(askers)
	for i, st := range silent {
		if !time.Now().Before(until) {
			break
		}
		g.Go(func() error {
			alive[i] = s.alive(st)
			return nil
		})
		asked++
	}
	_ = g.Wait() // no question fails
	for i, st := range silent[:asked] {
		if alive[i] {
			seen = append(seen, st)
		} else {
			gone = append(gone, st)
		}
	}
	return seen, gone
}

// recover hands out what is lost, puts aside what is guilty, and says how many
// steps were handed out.
func (s *Sweeper) recover(ctx context.Context, lost []galena.Step) (int, error) {
	var again []galena.Step
	for _, st := range lost {
		if !guilty(st) {
			again = append(again, st)
			continue
		}
		done, err := s.store.SetAside(ctx, st, fmt.Sprintf("%d workers died while they ran it", st.Kills))
		if err != nil {
			return 0, err
		}
		if done {
			s.log.ErrorContext(ctx, "step put aside: workers die on it", "step", st.Kind, "id", st.ID, "epoch", st.Epoch, "kills", st.Kills)
		}
	}
	n, err := s.store.Rehand(ctx, again)
	if n > 0 {
		s.wake()
	}
	return n, err
}

// guilty says whether workers die of the step, and not of something that kills
// them as often without it.
func guilty(st galena.Step) bool {
	return st.Kills >= maxKills && (st.Others < st.Kills || st.Kills >= 2*maxKills)
}

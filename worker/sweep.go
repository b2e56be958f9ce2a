package worker

import (
	"context"
	"errors"
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
	SetAside(ctx context.Context, s galena.Step, note string, told func(galena.Lead) ([]galena.Delivery, error)) (bool, error)
}

const (
	sweepEvery = time.Second
	sweepBatch = 500
	askers     = 16 // questions at once: each takes the queue two round trips
	// writeMost is how long what a sweep writes may take. That is longer than its tick: a
	// store that is slow to write would have to begin anew at each, and what waits there
	// is handed out by nobody else. Another's sweep may be at the same steps by then, and
	// one of the two hands them out.
	writeMost = 3 * time.Second
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
	Look        func()                                       // at the queue, at every sweep; nil = nobody looks
	Quarantined func(galena.Lead) ([]galena.Delivery, error) // tells of a lead that workers die on; nil = nobody is told

	store Suspects
	queue func(galena.Step) (waits, sure bool)
	wake  func()
	log   *slog.Logger

	asked   map[galena.Step]bool // questions whose answer was not heard yet
	answers chan answer          // has room for each of them
}

// answer is what the queue said of a step.
type answer struct {
	step        galena.Step
	waits, sure bool
}

// NewSweeper builds a sweeper; queue is asked whether a step waits on it, wake nudges
// the relay.
func NewSweeper(s Suspects, queue func(galena.Step) (waits, sure bool), wake func(), log *slog.Logger) *Sweeper {
	return &Sweeper{store: s, queue: queue, wake: wake, log: log, asked: map[galena.Step]bool{}, answers: make(chan answer, askers)}
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
	if s.Look != nil {
		go s.Look() // a Redis that hangs holds up no sweep, and no stop
	}
	total := 0
	for {
		suspects, err := s.store.Suspects(ctx, sweepBatch)
		if err != nil {
			return total, err
		}
		n, all, err := s.page(ctx, suspects)
		total += n
		if err != nil || !all || len(suspects) < sweepBatch {
			return total, err
		}
	}
}

// page deals with some suspects. What is known to be lost needs no question, so a
// slow queue does not hold it up. Not all: the time to ask was over, and the next
// sweep asks for the rest.
func (s *Sweeper) page(ctx context.Context, suspects []galena.Step) (handed int, all bool, err error) {
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
	seen, gone, all := s.ask(ctx, silent)
	n, err := s.recover(ctx, gone)
	handed += n
	if err == nil {
		// What is vouched for is no suspect for a while, so every page ends.
		write, cancel := writing(ctx)
		defer cancel()
		err = s.store.Vouch(write, seen)
	}
	return handed, all, err
}

// ask lets the queue say which steps are still on it, for half of the time that is
// left: the rest is for what is written. A sweep does not wait for a slow answer, the
// next one hears it; it counts while its step is still silent, for a step that began
// or was parked meanwhile is not lost.
func (s *Sweeper) ask(ctx context.Context, silent []galena.Step) (seen, gone []galena.Step, all bool) {
	enough := time.NewTimer(left(ctx) / 2)
	defer enough.Stop()
	open := make(map[galena.Step]bool, len(silent))
	for _, st := range silent {
		open[st] = true
	}
	all = true
	for next := silent; len(open) > 0; {
		for ; len(next) > 0 && len(s.asked) < askers; next = next[1:] {
			if st := next[0]; open[st] && !s.asked[st] {
				s.question(st)
			}
		}
		select {
		case <-ctx.Done():
			return seen, gone, false
		case <-enough.C:
			return seen, gone, false
		case a := <-s.answers:
			delete(s.asked, a.step)
			switch {
			case !open[a.step]:
			case !a.sure: // nobody vouches for it: another sweep asks again
				all = false
			case a.waits:
				seen = append(seen, a.step)
			default:
				gone = append(gone, a.step)
			}
			delete(open, a.step)
		}
	}
	return seen, gone, all
}

// left is how much of a sweep's tick is left.
func left(ctx context.Context) time.Duration {
	if until, ok := ctx.Deadline(); ok {
		return time.Until(until)
	}
	return sweepEvery
}

// question asks the queue about a step. Nobody waits for its end at a stop: it writes
// nothing, and one to a Redis that hangs takes longer than a stop may.
func (s *Sweeper) question(st galena.Step) {
	s.asked[st] = true
	go func() {
		waits, sure := s.queue(st)
		s.answers <- answer{st, waits, sure}
	}()
}

// recover hands out what is lost, puts aside what is guilty, and says how many
// steps were handed out.
func (s *Sweeper) recover(ctx context.Context, lost []galena.Step) (int, error) {
	ctx, cancel := writing(ctx)
	defer cancel()
	var again []galena.Step
	var errs []error
	for _, st := range lost {
		if !guilty(st) {
			again = append(again, st)
			continue
		}
		done, err := s.store.SetAside(ctx, st, fmt.Sprintf("%d workers died while they ran it", st.Kills), s.Quarantined)
		errs = append(errs, err) // the others are handed out all the same
		if done {
			s.wake()
			s.log.ErrorContext(ctx, "step put aside: workers die on it", "step", st.Kind, "id", st.ID, "epoch", st.Epoch, "kills", st.Kills)
		}
	}
	n, err := s.store.Rehand(ctx, again)
	if n > 0 {
		s.wake()
	}
	return n, errors.Join(append(errs, err)...)
}

// writing is the time that a sweep has to write in, whatever is left of its tick.
func writing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writeMost)
}

// guilty says whether workers die of the step, and not of something that kills
// them as often without it.
func guilty(st galena.Step) bool {
	return st.Kills >= maxKills && (st.Others < st.Kills || st.Kills >= 2*maxKills)
}

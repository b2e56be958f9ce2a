package worker

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/galenahq/galena"
)

// action is what the queue does about an error.
type action int

const (
	stop  action = iota // it will not get better: keep it where ops can see and replay it
	retry               // try again, later and later
	park                // wait as long as the other side asked, or for the next opening
	again               // at once: the record changed under us
)

// actions is the queue's column of the table of kinds. NotFound stops a step
// because the pipeline already turned a provider's miss into an answer: here it
// means that the lead itself is gone.
var actions = map[galena.Kind]action{
	galena.Internal:     retry,
	galena.Invalid:      stop,
	galena.NotFound:     stop,
	galena.Unauthorized: park,
	galena.Exhausted:    park,
	galena.RateLimited:  park,
	galena.Unavailable:  retry,
	galena.Malformed:    retry,
	galena.BreakerOpen:  park,
	galena.Conflict:     again,
	galena.Pending:      park,
	galena.WrongSubject: stop,
}

const (
	maxAge    = 24 * time.Hour // parking ends by age, never by itself
	firstWait = time.Second
	maxWait   = 5 * time.Minute
	parkWait  = 30 * time.Second // where the other side gave no hint
)

// fate is what is known of a failed step.
type fate struct {
	err    error
	age    time.Duration
	tries  int // since somebody handed it out by hand, with this one; 0 = not known
	chance float64
	now    time.Time
	log    *slog.Logger
}

// settle writes what becomes of a failed step: parked until a due time, or
// failed for a person to look at. Its own error means that the store is away;
// the lease then runs out and the sweep hands the step out again.
func settle(ctx context.Context, steps Steps, s galena.Step, f fate) error {
	// The step's own context may be what ended; the row must be written all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	kind, note := galena.KindOf(f.err), noteOf(f.err)
	act := actions[kind]
	if act != park && f.tries > 0 { // a wait for others is no try
		f.age = min(f.age, trying(f.tries))
	}
	if act == stop || f.age > maxAge {
		f.log.ErrorContext(ctx, "step failed", "kind", kind, "error", note)
		return steps.Fail(ctx, s, kind, note)
	}
	f.log.WarnContext(ctx, "step parked", "kind", kind, "error", note)
	return steps.Park(ctx, s, f.now.Add(wait(act, f)), kind, note)
}

func wait(act action, f fate) time.Duration {
	switch act {
	case again:
		return 0
	case park:
		if hint := galena.RetryAfterOf(f.err); hint > 0 {
			return hint
		}
		return jitter(parkWait, f.chance)
	default:
		// A step that has been failing for a while waits about as long again:
		// no counter is needed, and a crash uses up nothing.
		return jitter(min(max(f.age, firstWait), maxWait), f.chance)
	}
}

// trying is how long one that was tried so often has been failing. It may be much
// older: it was held, or put aside, or nobody worked.
func trying(tries int) (d time.Duration) {
	for n := 1; n < tries && d <= maxAge; n++ {
		d += min(max(d, firstWait), maxWait)
	}
	return d
}

// jitter spreads a wait by ±25 %, so that what failed together does not return together.
func jitter(d time.Duration, chance float64) time.Duration {
	return time.Duration(math.Round(float64(d) * (0.75 + chance/2)))
}

// noteOf is the error in our own words, short enough for a page.
func noteOf(err error) string {
	s := err.Error()
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

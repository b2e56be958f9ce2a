package providers

import (
	"errors"
	"time"

	"github.com/galenahq/galena"
)

const (
	day = 24 * time.Hour
	// holdHit is for an answer whose fields nobody gives a time.
	holdHit = 90 * day
)

// holdMiss is how long a clean miss is held: the first, the second in a row,
// and every further one.
var holdMiss = []time.Duration{7 * day, 30 * day, 90 * day}

// holdNoHost is for a domain that is not there, which is no miss of a company.
const holdNoHost = day

// NoHost is the answer that a company's domain, or the host of its site, is not there.
func NoHost(op, words string) error {
	return &galena.Error{Kind: galena.NotFound, Op: op, Cause: causeNoHost, Err: errors.New(words)}
}

// hold says how long an answer is fresh and when it ends. A company that was
// missed again is asked for less and less often; the jitter keeps the misses of
// one import from coming back on one day. A failure is never held.
func (w *Waterfall) hold(a *galena.Answer, last galena.Answer, err error) {
	before := 0
	if last.Kind == galena.NotFound {
		before = last.Misses
	}
	switch a.Kind {
	case "":
		fresh, held := w.lifetime(*a)
		a.FreshUntil, a.ExpiresAt = a.FetchedAt.Add(fresh), a.FetchedAt.Add(held)
	case galena.NotFound:
		if galena.CauseOf(err) == causeNoHost {
			a.Misses, a.ExpiresAt = before, a.FetchedAt.Add(holdNoHost)
			return
		}
		a.Misses = before + 1
		a.ExpiresAt = a.FetchedAt.Add(missHeld(a.Misses, w.deps.Chance()))
	default:
	}
}

// missHeld is the time of the n-th miss in a row, ±10 % by chance.
func missHeld(n int, chance float64) time.Duration {
	d := holdMiss[min(max(n, 1), len(holdMiss))-1]
	return time.Duration((0.9 + 0.2*chance) * float64(d)).Round(time.Second)
}

// lifetime is the shortest over the fields that the answer carries: an answer is
// as old as its most perishable value.
func (w *Waterfall) lifetime(a galena.Answer) (fresh, held time.Duration) {
	if len(a.Observations) == 0 {
		return holdHit, holdHit
	}
	for i, o := range a.Observations {
		f, h := w.deps.TTL(o.Field)
		if i == 0 || f < fresh {
			fresh = f
		}
		if i == 0 || h < held {
			held = h
		}
	}
	return fresh, max(fresh, held)
}

// shorten lets a policy that has become stricter count for what is held
// already. One that has become more lenient counts from the next answer on.
func (w *Waterfall) shorten(a galena.Answer) galena.Answer {
	if a.Kind != "" {
		return a
	}
	fresh, held := w.lifetime(a)
	if until := a.FetchedAt.Add(fresh); a.FreshUntil.IsZero() || until.Before(a.FreshUntil) {
		a.FreshUntil = until
	}
	if until := a.FetchedAt.Add(held); until.Before(a.ExpiresAt) {
		a.ExpiresAt = until
	}
	return a
}

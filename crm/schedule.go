package crm

import (
	"time"

	"github.com/galenahq/galena"
)

// fate is what becomes of a delivery that met an error.
type fate int

const (
	lost  fate = iota // it will not get better: put aside, where ops see it and can run it again
	later             // after the hint, or a while: waiting is nobody's failure
	soon              // the record changed under us, or went away: plan anew
	rarer             // later and later, up to the age at which it is put aside
)

// fates is the delivery's column of the table of kinds. The keeper's says what
// becomes of the CRM as a whole, the writer's what becomes of one write.
var fates = map[galena.Kind]fate{
	galena.Internal:     rarer,
	galena.Invalid:      lost,
	galena.NotFound:     soon,
	galena.Unauthorized: later,
	galena.Exhausted:    later,
	galena.RateLimited:  later,
	galena.Unavailable:  rarer,
	galena.Malformed:    rarer,
	galena.BreakerOpen:  later,
	galena.Conflict:     soon,
	galena.Pending:      later,
	galena.WrongSubject: lost,
}

// The times of a delivery. It waits by its age and not by its tries, so an outage
// uses none of them up; and it waits no longer than rareMost, so that everything
// is done soon after an outage.
const (
	maxAge    = 24 * time.Hour
	laterWait = 10 * time.Second
	soonWait  = 2 * time.Second
	rareFirst = 2 * time.Second
	rareMost  = time.Minute
)

// Wait says how long a delivery waits that failed after so much time; negative =
// it is put aside. chance spreads by a quarter what failed together.
func Wait(err error, age time.Duration, chance float64) time.Duration {
	f, hint := fates[galena.KindOf(err)], galena.RetryAfterOf(err)
	var wait time.Duration
	switch {
	case f == lost, age > maxAge: // even waiting that is nobody's failure ends
		return -1
	case f == later && hint > 0:
		return hint + time.Duration(chance*float64(min(hint, laterWait))/4)
	case f == later:
		wait = laterWait
	case f == soon:
		wait = soonWait
	default:
		wait = max(min(max(age, rareFirst), rareMost), hint)
	}
	return time.Duration((0.75 + chance/2) * float64(wait))
}

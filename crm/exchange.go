package crm

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// maxWait is the longest hint that is believed.
const maxWait = 24 * time.Hour

// RetryAfter reads a hint of when to come back: seconds, a date of HTTP or of
// RFC 3339. Nonsense, the past and nothing are 0; more than a day is a day.
func RetryAfter(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if x, err := strconv.ParseFloat(s, 64); err == nil && x > 0 {
		return time.Duration(math.Min(x, maxWait.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(s)
	if err != nil {
		at, err = time.Parse(time.RFC3339, s)
	}
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxWait)
}

// ExchangeError puts an exchange that failed on its way into our own words: the
// library's name the URL, and a URL may name a person. Whether a write was done
// is not known then.
func ExchangeError(op string, err error) error {
	e := &galena.Error{Kind: galena.Unavailable, Op: op, Cause: "connection", Err: errors.New("the exchange failed")}
	var timeout interface{ Timeout() bool }
	switch {
	case galena.CauseOf(err) == galena.CauseForbiddenTarget:
		// Tried again: the name may lead elsewhere for a while.
		e.Cause, e.Err = galena.CauseForbiddenTarget, errors.New("the CRM's address is private: name it in GALENA_ALLOW_PRIVATE_TARGETS")
	case errors.Is(err, context.Canceled):
		e.Cause, e.Err = "cancelled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Cause, e.Err = "timeout", errors.New("no answer in time; what was asked for may still be done")
	}
	return e
}

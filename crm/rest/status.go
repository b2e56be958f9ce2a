package rest

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

func itoa(n int) string { return strconv.Itoa(n) }

// statuses is what the world means by a status; the file's table comes first.
var statuses = map[int]galena.Kind{
	http.StatusUnauthorized:       galena.Unauthorized,
	http.StatusPaymentRequired:    galena.Exhausted,
	http.StatusForbidden:          galena.Unauthorized,
	http.StatusNotFound:           galena.NotFound,
	http.StatusRequestTimeout:     galena.Unavailable,
	http.StatusConflict:           galena.Conflict,
	http.StatusGone:               galena.NotFound,
	http.StatusPreconditionFailed: galena.Conflict,
	http.StatusTooEarly:           galena.Unavailable,
	http.StatusTooManyRequests:    galena.RateLimited,
}

// kindOf reads a status; "" is a success.
func kindOf(status int) galena.Kind {
	if k, ok := statuses[status]; ok {
		return k
	}
	switch {
	case status >= 500:
		return galena.Unavailable
	case status >= 400:
		return galena.Invalid
	case status >= 200 && status < 300:
		return ""
	default: // a redirect would carry the token to whatever host it names
		return galena.Malformed
	}
}

// kinds are the words that the table of a file may use.
func kinds() []string {
	return []string{string(galena.RateLimited), string(galena.Exhausted), string(galena.Unauthorized), string(galena.Unavailable),
		string(galena.Invalid), string(galena.Conflict), string(galena.NotFound), string(galena.Malformed)}
}

// wait reads when to come back, from the usual header and the file's places.
func (c *Connector) wait(resp *http.Response, doc any) time.Duration {
	if d := retryAfter(resp.Header.Get("Retry-After"), c.now()); d > 0 {
		return d
	}
	for _, p := range c.config.Limits.RetryAfter {
		said := resp.Header.Get(p.Header)
		if p.At != "" {
			said = word(lead(p.At).get(doc))
		}
		if d := retryAfter(said, c.now()); d > 0 {
			return d
		}
	}
	return 0
}

// retryAfter reads seconds or a date; nonsense, the past and nothing are 0.
func retryAfter(s string, now time.Time) time.Duration {
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

// transportError puts a failed exchange into our own words: the library's name
// the URL. Whether a write was done is not known then.
func transportError(op string, err error) error {
	e := &galena.Error{Kind: galena.Unavailable, Op: op, Cause: "connection", Err: errors.New("the exchange failed")}
	var timeout interface{ Timeout() bool }
	switch {
	case strings.Contains(err.Error(), "not one we may call"): // the guarded client's own word
		e.Kind, e.Cause, e.Err = galena.Invalid, "forbidden_target", errors.New("the CRM's address is private: name it in GALENA_ALLOW_PRIVATE_TARGETS")
	case errors.Is(err, context.Canceled):
		e.Cause, e.Err = "cancelled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Cause, e.Err = "timeout", errors.New("no answer in time")
	}
	return e
}

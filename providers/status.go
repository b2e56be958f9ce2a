package providers

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

const (
	maxRetryAfter = 24 * time.Hour
	pendingWait   = 5 * time.Minute // a queued answer without a hint
)

// statuses is what the world means by a status; "" is a hit. Vendors who mean
// something else say so in their Request.
var statuses = map[int]galena.Kind{
	http.StatusOK:                         "",
	http.StatusAccepted:                   galena.Pending,
	http.StatusNoContent:                  galena.NotFound,
	http.StatusUnauthorized:               galena.Unauthorized,
	http.StatusPaymentRequired:            galena.Exhausted,
	http.StatusForbidden:                  galena.Unauthorized,
	http.StatusNotFound:                   galena.NotFound,
	http.StatusGone:                       galena.NotFound,
	http.StatusRequestTimeout:             galena.Unavailable,
	http.StatusTooEarly:                   galena.Unavailable,
	http.StatusTooManyRequests:            galena.RateLimited,
	http.StatusUnavailableForLegalReasons: galena.NotFound, // one company opted out: no fault of our key
}

// kindOf reads a status, first with the vendor's own table.
func kindOf(status int, means map[int]galena.Kind) galena.Kind {
	if k, ok := means[status]; ok {
		return k
	}
	if k, ok := statuses[status]; ok {
		return k
	}
	switch {
	case status >= 500:
		return galena.Unavailable
	case status >= 400:
		return galena.Invalid
	default: // 1xx that end a talk, odd 2xx, redirects
		return galena.Malformed
	}
}

// statusError is the failure that a status means. It is made before the body
// is looked at: an error body may echo the key, and a 101 has no end.
func statusError(r Request, kind galena.Kind, resp *http.Response, now time.Time) error {
	code := strconv.Itoa(resp.StatusCode)
	wait := RetryAfter(resp.Header.Get("Retry-After"), now)
	if kind == galena.RateLimited && wait == 0 && r.Reset != "" {
		wait = RetryAfter(resp.Header.Get(r.Reset), now)
	}
	if kind == galena.Pending && wait == 0 {
		wait = pendingWait
	}
	return &galena.Error{Kind: kind, Op: r.Op, RetryAfter: wait, Cause: code, Err: errors.New("status " + code)}
}

// StatusError is the failure that a status means which came in a callback's body.
func StatusError(op string, status int) error {
	code := strconv.Itoa(status)
	return &galena.Error{Kind: kindOf(status, nil), Op: op, Cause: code, Err: errors.New("status " + code)}
}

// RetryAfter reads a Retry-After header: seconds, any of the three forms of an
// HTTP date, or the instant that some vendors write in its place. Nonsense, the
// past and nothing are 0, no hint; more than a day is a day.
func RetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if strings.Trim(header, "0123456789") == "" {
		n, err := strconv.ParseInt(header, 10, 64)
		if err != nil || n > math.MaxInt64/int64(time.Second) {
			return maxRetryAfter
		}
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		at, err = time.Parse(time.RFC3339, header)
	}
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

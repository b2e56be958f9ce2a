package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

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
	if d := crm.RetryAfter(resp.Header.Get("Retry-After"), c.now()); d > 0 {
		return d
	}
	for _, p := range c.config.Limits.RetryAfter {
		said := resp.Header.Get(p.Header)
		if p.At != "" {
			said = word(lead(p.At).get(doc))
		}
		if d := crm.RetryAfter(said, c.now()); d > 0 {
			return d
		}
	}
	return 0
}

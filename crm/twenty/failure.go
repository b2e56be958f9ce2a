package twenty

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// read takes an answer for a hit, or says what it means. Status 200 says little:
// GraphQL fails with it. Nor does 400: it is a bad value, a duplicate, a role
// without leave, a limit, or a database that is away.
func read(op string, resp *http.Response, body []byte, now time.Time) (record, error) {
	if len(body) > maxBody {
		return nil, galena.Errorf(galena.Malformed, op, "the answer is larger than %d MiB", maxBody>>20)
	}
	v, err := decode(body)
	hit := resp.StatusCode >= 200 && resp.StatusCode < 300
	if hit && err != nil {
		return nil, galena.Errorf(galena.Malformed, op, "the answer is not JSON")
	}
	answer := recordOf(v)
	if answer == nil {
		answer = record{"data": v} // some lists come bare
	}
	said := complaintOf(answer)
	if hit && !said.graph {
		return answer, nil
	}
	kind, cause, sentence := said.meaning(resp.StatusCode)
	e := &galena.Error{Kind: kind, Op: op, Cause: cause, Err: errors.New(sentence)}
	if kind == galena.Invalid && said.field() != "" {
		e.Err = unfitError{said.field()}
	}
	if kind == galena.RateLimited {
		e.RetryAfter = max(interval, retryAfter(resp.Header.Get("Retry-After"), answer["retryAfterSeconds"], now))
	}
	return nil, e
}

// complaint is what an error body of any of the known shapes says:
//
//	{error, messages: []}    {error, message: ""}    {error, message: []}
//	{error: METADATA_VALIDATION_ERROR, errors: {}}   {errors: [{message, extensions}]}
type complaint struct {
	kind  string // "BadRequestException", "Error", "TypeError", "UNAUTHENTICATED"
	codes []string
	text  string // never shown: it quotes values
	graph bool
}

func complaintOf(answer record) complaint {
	c := complaint{kind: textOf(answer["error"])}
	add := func(v any) {
		if s := textOf(v); s != "" {
			c.text += s + "\n"
		}
	}
	code := func(r record) {
		for _, name := range []string{"code", "subCode", "limitKind", "exhaustedKind"} {
			if s := textOf(r[name]); s != "" {
				c.codes = append(c.codes, s)
			}
		}
	}
	add(answer["message"])
	code(answer)
	for _, name := range []string{"messages", "message"} {
		many, _ := answer[name].([]any)
		for _, m := range many {
			add(m)
		}
	}
	many, _ := answer["errors"].([]any)
	for _, it := range many {
		r := recordOf(it)
		add(r["message"])
		code(recordOf(r["extensions"]))
		c.graph = true
	}
	return c
}

// says looks for a code or a piece of text.
func (c complaint) says(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains(c.codes, w) || c.kind == w || strings.Contains(strings.ToLower(c.text), strings.ToLower(w))
	})
}

// The words that a server uses when something behind it is away.
var outages = []string{"ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "Connection terminated", "too many clients",
	"the database system is", "INTERNAL_SERVER_ERROR", "Query read timeout"}

// meaning puts what was said into a kind, a short word and a sentence for the
// operator. The first that applies wins.
func (c complaint) meaning(status int) (kind galena.Kind, cause, sentence string) {
	code := strconv.Itoa(status)
	switch {
	case slices.Contains(c.codes, "quota"), status == http.StatusPaymentRequired:
		return galena.Exhausted, code, "the workspace's plan has nothing left"
	case c.says("Limit reached", "LIMIT_REACHED", "RATE_LIMITED"), status == http.StatusTooManyRequests:
		return galena.RateLimited, code, "the workspace takes no more calls for the moment"
	case c.says("PERMISSION_DENIED", "does not have permission"):
		return galena.Unauthorized, "permission", "the key's role may not do this: give it the permission in Twenty under Settings, Roles"
	case status == http.StatusUnauthorized, status == http.StatusForbidden, c.says("UNAUTHENTICATED", "FORBIDDEN", "FORBIDDEN_EXCEPTION"):
		return galena.Unauthorized, code, c.refusal()
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, c.says(outages...):
		return galena.Unavailable, code, "the server, or what it stands on, is away"
	case status == http.StatusNotFound, status == http.StatusGone, c.says("RECORD_NOT_FOUND", "NOT_FOUND"):
		return galena.NotFound, code, "no such record"
	case status == http.StatusConflict, c.says("A duplicate entry was detected"):
		return galena.Conflict, "duplicate", "another record has this domain or address"
	case status >= 300 && status < 400:
		return galena.Malformed, code, "the server sends us elsewhere: is the URL the API's?"
	case c.kind == "" && c.text == "" && !c.graph:
		return galena.Malformed, code, "status " + code + " without a reason"
	case c.kind == "Error" && len(c.codes) == 0:
		return galena.Unavailable, "outage", "the server, or what it stands on, is away"
	}
	return galena.Invalid, code, "the server does not take what was sent"
}

// refusal tells the operator what is wrong with the key.
func (c complaint) refusal() string {
	switch {
	case c.says("has expired"):
		return "the key has expired: make a new one in Twenty under Settings, APIs & Webhooks"
	case c.says("is revoked"):
		return "the key was revoked: make a new one in Twenty under Settings, APIs & Webhooks"
	case c.says("Missing authentication token"):
		return "no key reached the server: does something on the way take the Authorization header out?"
	case c.says("Token invalid"):
		return "the key is damaged, or of another server: copy it once more, all of it"
	}
	return "the key is refused: is it of this workspace, and does its role let it in?"
}

// fieldNamed finds the name of a field in a message, which is no secret; what
// stands around it may be.
var fieldNamed = regexp.MustCompile(`field "([A-Za-z0-9.]{1,80})"|any "([A-Za-z0-9]{1,80})" field`)

// field is the field that was complained about, "" when none was named.
func (c complaint) field() string {
	m := fieldNamed.FindStringSubmatch(c.text)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// unfitError is a value that the server does not take for a field.
type unfitError struct{ field string }

// Error names the field, never the value.
func (e unfitError) Error() string { return "the server does not take what is meant for " + e.field }

// retryAfter reads when to come back from the header or from the body.
func retryAfter(header string, inBody any, now time.Time) time.Duration {
	if strings.TrimSpace(header) == "" {
		header = numberOf(inBody)
	}
	return crm.RetryAfter(header, now)
}

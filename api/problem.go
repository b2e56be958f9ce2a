package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
)

// Problem is an error as RFC 9457 has it. It never repeats what was posted.
type Problem struct {
	Type      string       `json:"type" doc:"urn:galena:problem: and the code: stable, for programs"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty" doc:"What is wrong, for a person"`
	Code      string       `json:"code" doc:"Stable word for programs"`
	Errors    []FieldError `json:"errors,omitempty"`
	RequestID string       `json:"request_id" doc:"Also in the header X-Request-Id"`

	header http.Header
}

// FieldError is one thing wrong with the request.
type FieldError struct {
	Pointer   string `json:"pointer,omitempty" doc:"RFC 6901 pointer into the body"`
	Parameter string `json:"parameter,omitempty" doc:"Name of the parameter or header"`
	Detail    string `json:"detail"`
	Code      string `json:"code,omitempty"`
}

// Error prints the code and the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is what huma answers with.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are sent with the problem.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType marks the body as a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(ctx context.Context, status int, code, detail string, errs ...FieldError) *Problem {
	return &Problem{Type: "urn:galena:problem:" + code, Title: http.StatusText(status), Status: status, Detail: detail,
		Code: code, Errors: errs, RequestID: requestID(ctx), header: http.Header{}}
}

func (p *Problem) with(header, value string) *Problem {
	p.header.Set(header, value)
	return p
}

// retry says when to come back, in whole seconds and at least one.
func (p *Problem) retry(after time.Duration) *Problem {
	return p.with("Retry-After", strconv.Itoa(max(1, int(math.Ceil(after.Seconds())))))
}

// write answers outside of huma.
func (p *Problem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) //nolint:errchkjson // the caller is gone when this fails
}

// statuses is the table from Kind to HTTP at the gate.
var statuses = map[galena.Kind]int{
	galena.Internal:     http.StatusInternalServerError,
	galena.Invalid:      http.StatusUnprocessableEntity,
	galena.NotFound:     http.StatusNotFound,
	galena.Unauthorized: http.StatusUnauthorized,
	galena.Exhausted:    http.StatusServiceUnavailable,
	galena.RateLimited:  http.StatusTooManyRequests,
	galena.Unavailable:  http.StatusServiceUnavailable,
	galena.Malformed:    http.StatusBadGateway,
	galena.BreakerOpen:  http.StatusServiceUnavailable,
	galena.Conflict:     http.StatusConflict,
	galena.Pending:      http.StatusAccepted,
	galena.WrongSubject: http.StatusInternalServerError,
}

// details says what a kind means to a caller. The cause stays in our log.
var details = map[int]string{
	http.StatusUnprocessableEntity: "the request cannot be taken as it is",
	http.StatusNotFound:            "there is nothing here by that name",
	http.StatusUnauthorized:        "a valid bearer token is needed",
	http.StatusServiceUnavailable:  "the service cannot answer just now; try again",
	http.StatusTooManyRequests:     "too many requests; try again later",
	http.StatusBadGateway:          "a system behind this one gave an unusable answer",
	http.StatusConflict:            "the same request is still being worked on; try again",
	http.StatusAccepted:            "the answer comes later",
}

// pause is told with every refusal that passes by itself.
const pause = 5 * time.Second

// problemOf turns an error into what the caller is told, by its kind alone.
func problemOf(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	kind := galena.KindOf(err)
	status, ok := statuses[kind]
	if !ok {
		kind, status = galena.Internal, http.StatusInternalServerError
	}
	detail, ok := details[status]
	if !ok {
		detail = "something went wrong on our side"
	}
	p := problem(ctx, status, string(kind), detail)
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusConflict:
		after := galena.RetryAfterOf(err)
		if after <= 0 {
			after = pause
		}
		return p.retry(after)
	}
	return p
}

// codes are the words for what huma itself refuses.
var codes = map[int]string{
	http.StatusBadRequest:            "malformed",
	http.StatusNotFound:              "not_found",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusNotAcceptable:         "not_acceptable",
	http.StatusRequestTimeout:        "timeout",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
	http.StatusUnprocessableEntity:   "invalid",
	http.StatusInternalServerError:   "internal",
}

// useOurProblems makes huma speak our errors: its own repeat the posted value.
// huma keeps this choice in two variables of its package, so it is made once.
var useOurProblems = sync.OnceFunc(func() {
	huma.NewErrorWithContext = func(c huma.Context, status int, message string, errs ...error) huma.StatusError {
		return fromHuma(c.Context(), status, message, errs)
	}
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return fromHuma(context.Background(), status, message, errs)
	}
})

func fromHuma(ctx context.Context, status int, message string, errs []error) *Problem {
	code, ok := codes[status]
	if !ok {
		code = "error"
	}
	if status >= http.StatusInternalServerError {
		message, errs = "something went wrong on our side", nil
	}
	p := problem(ctx, status, code, message)
	for _, err := range errs {
		e, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue // a text that we did not write may repeat what was posted
		}
		place, name, _ := strings.Cut(e.Location, ".")
		f := FieldError{Detail: e.Message, Code: code, Parameter: name}
		if place == "body" {
			f.Parameter, f.Pointer = "", "/"+strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(name)
		}
		p.Errors = append(p.Errors, f)
	}
	return p
}

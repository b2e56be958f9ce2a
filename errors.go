package galena

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what an error means. Each consumer (waterfall, breaker, queue,
// HTTP gate) keeps its own table from Kind to action beside its code.
type Kind string

// The kinds. Kinds lists them all; a consumer's test proves its table whole.
const (
	Internal     Kind = "internal"      // unknown, or a panic
	Invalid      Kind = "invalid"       // bad input: will not get better by itself
	NotFound     Kind = "not_found"     // a clean miss
	Unauthorized Kind = "unauthorized"  // key refused, or not allowed to ask
	Exhausted    Kind = "exhausted"     // credits or quota used up
	RateLimited  Kind = "rate_limited"  // too fast; RetryAfter says how long to wait
	Unavailable  Kind = "unavailable"   // timeout, refused connection, 5xx
	Malformed    Kind = "malformed"     // an answer of the wrong shape
	BreakerOpen  Kind = "breaker_open"  // not called, the breaker is open
	Conflict     Kind = "conflict"      // the record changed under us
	Pending      Kind = "pending"       // the answer comes later
	WrongSubject Kind = "wrong_subject" // the answer is about another company
)

// Kinds lists every Kind once.
func Kinds() []Kind {
	return []Kind{Internal, Invalid, NotFound, Unauthorized, Exhausted, RateLimited,
		Unavailable, Malformed, BreakerOpen, Conflict, Pending, WrongSubject}
}

// Error is a failure with a meaning. Op names what was being done
// ("hunter.enrich"); Err is the cause in our own words, never a URL, a key or a
// vendor's body.
type Error struct {
	Kind       Kind
	Op         string
	RetryAfter time.Duration // 0 = the other side gave no hint
	Cause      string        // short word printed in a waterfall step: "timeout", "500"; empty = Kind
	Err        error
}

// Error prints "op: kind: cause".
func (e *Error) Error() string {
	s := string(e.Kind)
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error. The format may use %w.
func Errorf(kind Kind, op, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// KindOf reads the Kind of an error chain: "" for nil, Unavailable for an
// expired deadline, Internal for what nobody named.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Unavailable
	}
	return Internal
}

// RetryAfterOf reads the other side's hint from an error chain, 0 when it gave none.
func RetryAfterOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// CauseForbiddenTarget is the Cause of a call that our own guard did not let out:
// the address is private, or the talk would be in the clear.
const CauseForbiddenTarget = "forbidden_target"

// CausePace is the Cause of RateLimited when it was our own pace that had no turn
// left, and nobody was called.
const CausePace = "pace"

// CauseOf reads the Cause from an error chain, "" where there is none.
func CauseOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Cause
	}
	return ""
}

// Fault is one thing wrong in a configuration file. Path is the operator's
// ("spec.criteria[0].weight"); the reader of the file turns it into line and
// column. Several are joined with errors.Join.
type Fault struct {
	Path    string
	Code    string // E01.., W01..; a code that begins with W is a warning
	Message string
	Hint    string // optional: what to write instead
}

// Error prints "path: CODE message (hint)".
func (f *Fault) Error() string {
	s := f.Path + ": " + f.Code + " " + f.Message
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// Faultf builds a Fault.
func Faultf(path, code, format string, args ...any) *Fault {
	return &Fault{Path: path, Code: code, Message: fmt.Sprintf(format, args...)}
}

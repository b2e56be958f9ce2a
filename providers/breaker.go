package providers

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/galenahq/galena"
)

// The breaker opens when, within 10 seconds, at least 20 calls were counted and
// half of them failed. It stays open for 10 seconds and then lets one call
// through at a time. A call counts where it began: of a vendor that may take more
// than five seconds the window is twice its time, or who hangs would never be counted.
const (
	breakerWindow = 10 * time.Second
	breakerBucket = time.Second
	breakerOpen   = 10 * time.Second
	breakerMin    = 20
)

// The states of a breaker, as they are printed and published.
const (
	Closed   = "closed"
	Open     = "open"
	HalfOpen = "half_open"
)

// verdict is what one call says about the health of a vendor.
type verdict int

const (
	healthy  verdict = iota // an answer, be it a miss
	failing                 // the vendor is not well
	excluded                // says nothing of its health
)

// verdicts is the breaker's table (LAYOUT 7). What is excluded is not counted
// at all: neither do 4xx hide a failing vendor, nor a 404 storm open it.
var verdicts = map[galena.Kind]verdict{
	"":                  healthy,
	galena.NotFound:     healthy, // a probe that finds nothing must be able to close
	galena.Internal:     failing,
	galena.Unavailable:  failing,
	galena.Malformed:    failing,
	galena.Invalid:      excluded,
	galena.Unauthorized: excluded,
	galena.Exhausted:    excluded,
	galena.RateLimited:  excluded,
	galena.BreakerOpen:  excluded,
	galena.Conflict:     excluded,
	galena.Pending:      excluded,
	galena.WrongSubject: excluded,
}

// verdictOf reads an outcome. A call that we ended ourselves is nobody's fault, and
// what is broken at one company says nothing of the next.
func verdictOf(err error) verdict {
	if isOfCompany(err) || errors.Is(err, context.Canceled) {
		return excluded
	}
	return verdicts[galena.KindOf(err)]
}

// OfCompany marks the failure of what is the company's own, such as its site, its
// name servers or its ending's register: anybody may post a lead of a broken one. It
// opens no breaker and pauses nobody.
func OfCompany(err error) error {
	if e, ok := errors.AsType[*galena.Error](err); ok && (verdicts[e.Kind] == failing || reactions[e.Kind].pauses) {
		marked := *e
		marked.Err = ofCompany{e.Err}
		return &marked
	}
	return err
}

type ofCompany struct{ error }

func (o ofCompany) Unwrap() error { return o.error }

func isOfCompany(err error) bool {
	_, of := errors.AsType[ofCompany](err)
	return of
}

// breaker guards one vendor.
type breaker struct {
	name   string
	notify func(state string)

	mu      sync.Mutex
	cb      *gobreaker.CircuitBreaker[Record]
	window  time.Duration // of cb
	longest time.Duration // that a call may take by the catalogue in force
	changes []string      // not yet told: gobreaker calls back under its own lock
}

// newBreaker makes a closed breaker for calls that may take so long; notify hears of
// each change, one at a time and outside of any lock.
func newBreaker(name string, longest time.Duration, notify func(state string)) *breaker {
	b := &breaker{name: name, notify: notify}
	b.allow(longest)
	b.counts(windowOf(longest))
	return b
}

func windowOf(longest time.Duration) time.Duration { return max(breakerWindow, 2*longest) }

// allow says how long a call may take from now on.
func (b *breaker) allow(longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.longest = longest
}

// counting is what counts the next call. Of a vendor whose time was changed it begins
// anew, with another window, once the vendor is taken for well.
func (b *breaker) counting() *gobreaker.CircuitBreaker[Record] {
	b.mu.Lock()
	cb, window, want := b.cb, b.window, windowOf(b.longest)
	b.mu.Unlock()
	if window == want || cb.State() != gobreaker.StateClosed {
		return cb
	}
	return b.counts(want)
}

// counts makes a closed one with such a window, unless somebody was faster.
func (b *breaker) counts(window time.Duration) *gobreaker.CircuitBreaker[Record] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.window == window {
		return b.cb
	}
	var cb *gobreaker.CircuitBreaker[Record]
	cb = gobreaker.NewCircuitBreaker[Record](gobreaker.Settings{
		Name: b.name, MaxRequests: 1, Interval: window, BucketPeriod: breakerBucket, Timeout: breakerOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			counted := c.TotalSuccesses + c.TotalFailures
			return counted >= breakerMin && 2*c.TotalFailures >= counted
		},
		IsSuccessful: func(err error) bool { return verdictOf(err) == healthy },
		IsExcluded:   func(err error) bool { return verdictOf(err) == excluded },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.cb == cb { // and not the one before, in which calls may still end
				b.changes = append(b.changes, stateName(to))
			}
		},
	})
	b.cb, b.window = cb, window
	return cb
}

// heard says that the vendor is well although it did not answer what it was asked.
// While it is taken for well that says nothing of its failures; a vendor that always
// answers later, or of somebody else, would never be taken for well again.
func heard(err error) bool {
	kind := galena.KindOf(err)
	return kind == galena.Pending || kind == galena.WrongSubject
}

// do makes the call unless the breaker refuses it. A probe closes it by whatever was
// heard.
func (b *breaker) do(op string, call func() (Record, error)) (Record, error) {
	defer b.tell()
	var said error
	cb := b.counting()
	r, err := cb.Execute(func() (Record, error) {
		probe := cb.State() == gobreaker.StateHalfOpen
		r, err := call()
		if probe && heard(err) {
			said = err
			return r, nil
		}
		return r, err
	})
	if said != nil {
		return r, said
	}
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return Record{}, &galena.Error{Kind: galena.BreakerOpen, Op: op, RetryAfter: breakerOpen,
			Err: errors.New("the breaker is open")}
	}
	return r, err
}

// state is what the next call would meet.
func (b *breaker) state() string {
	defer b.tell()
	return stateName(b.counting().State())
}

// tell passes on the changes that were noted meanwhile.
func (b *breaker) tell() {
	b.mu.Lock()
	changes := b.changes
	b.changes = nil
	b.mu.Unlock()
	for _, c := range changes {
		b.notify(c)
	}
}

func stateName(s gobreaker.State) string {
	switch s {
	case gobreaker.StateOpen:
		return Open
	case gobreaker.StateHalfOpen:
		return HalfOpen
	default:
		return Closed
	}
}

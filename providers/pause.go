package providers

import (
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// reaction is what an outcome does to the pause of a vendor.
type reaction struct {
	pauses   bool
	least    time.Duration // when the vendor gave no longer hint
	resolves bool          // the vendor takes calls again
}

// reactions is the table from outcome to pause. Failures that the breaker
// counts leave a pause as it is: they do not say that the quota is back.
var reactions = map[galena.Kind]reaction{
	"":                  {resolves: true},
	galena.NotFound:     {resolves: true},
	galena.Invalid:      {resolves: true},
	galena.Malformed:    {resolves: true},
	galena.Pending:      {resolves: true},
	galena.WrongSubject: {resolves: true},
	galena.RateLimited:  {pauses: true, least: time.Second},
	galena.Exhausted:    {pauses: true, least: time.Hour},
	galena.Unauthorized: {pauses: true, least: time.Hour},
	galena.Internal:     {},
	galena.Unavailable:  {},
	galena.BreakerOpen:  {},
	galena.Conflict:     {},
}

// pause keeps a vendor from being asked until it said it may be asked again.
// When the time is up one caller goes first and the others wait for what it
// hears: a herd would only be refused again.
type pause struct {
	mu      sync.Mutex
	until   time.Time
	reason  galena.Kind // "" = not paused
	changed time.Time
	probing time.Time // until when the last probe had the turn
	read    time.Time // when the newest word was said that was read of others
}

// probeSlack is how much longer than its call may take a probe has the turn: the
// call begins a moment after it got it, and ends a moment before that is noted.
const probeSlack = 500 * time.Millisecond

// enter asks to make a call. It returns why not and for how long, or whether
// the call is the one that finds out if the pause is over.
func (p *pause) enter(now time.Time, probeFor time.Duration) (reason galena.Kind, wait time.Duration, probe bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.reason == "":
		return "", 0, false
	case now.Before(p.until):
		return p.reason, p.until.Sub(now), false
	default:
		p.until = now.Add(probeFor + probeSlack)
		p.probing = p.until
		return "", 0, true
	}
}

// forgo notes that the probe was not made: the next caller goes first. What was
// heard of the vendor meanwhile stays.
func (p *pause) forgo(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" && p.until.Equal(p.probing) {
		p.until = now
	}
}

// yields says that a pause until then takes the place of ours: a longer one does, and
// any takes that of a probe's turn, which is no word of the vendor.
func (p *pause) yields(until time.Time) bool {
	return p.reason == "" || p.until.Equal(p.probing) || until.After(p.until)
}

// bars keeps back who was let in before the pause began; its own turn does not keep
// a probe back.
func (p *pause) bars(now time.Time, probe bool) (reason galena.Kind, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == "" || !now.Before(p.until) || probe && p.until.Equal(p.probing) {
		return "", 0
	}
	return p.reason, p.until.Sub(now)
}

// change is what an outcome did to a pause.
type change int

const (
	unchanged change = iota
	began            // or another reason took over
	prolonged
	ended
)

// settle notes what a call heard. Only a probe ends a pause, and none that began
// since: a call that was under way when the pause began knows nothing of it.
func (p *pause) settle(now time.Time, err error, probe bool) change {
	kind := galena.KindOf(err)
	r := reactions[kind]
	r.pauses = r.pauses && !isOfCompany(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.reason == galena.BreakerOpen && probe && !r.pauses:
		return p.reopen(now, err)
	case r.pauses:
		was := p.reason
		until := now.Add(min(max(r.least, galena.RetryAfterOf(err)), maxRetryAfter))
		if !p.yields(until) {
			return unchanged
		}
		p.reason, p.until, p.changed = kind, until, now
		if was == kind {
			return prolonged
		}
		return began
	case r.resolves && probe && p.until.Equal(p.probing):
		p.reason, p.until, p.changed = "", time.Time{}, now
		return ended
	default:
		return unchanged
	}
}

// reopen notes what a probe heard of a vendor that another process found failing.
// Our own breaker may have seen too little to open, so this is its half-open: a
// failure is as good as an open breaker, and told to nobody, for whoever opened
// theirs tells it. What the breaker does not count leaves the next to go first.
func (p *pause) reopen(now time.Time, err error) change {
	switch {
	case verdictOf(err) == failing:
		p.until = now.Add(breakerOpen)
		return unchanged
	case verdictOf(err) == healthy, heard(err):
		p.reason, p.until, p.changed = "", time.Time{}, now
		return ended
	default:
		return unchanged
	}
}

// adopt takes over what another process learned later than we did. It only
// ever pauses, and for longer: the other's good news may be older than a refusal it
// never saw, and a shorter refusal than ours takes nothing back.
func (p *pause) adopt(s galena.ProviderState, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.ChangedAt.After(p.read) {
		p.read = s.ChangedAt
	}
	if s.ChangedAt.Before(p.changed) {
		return
	}
	until, reason := s.PausedUntil, s.PauseReason
	if s.Breaker == Open && !until.After(now) {
		until, reason = s.ChangedAt.Add(breakerOpen), galena.BreakerOpen
	}
	if reason != "" && until.After(now) && p.yields(until) {
		p.reason, p.until, p.changed = reason, until, s.ChangedAt
	}
}

// state is the pause as it is published; zero when there is none.
func (p *pause) state(now time.Time) (until time.Time, reason galena.Kind, changed time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == "" || !now.Before(p.until) {
		return time.Time{}, "", p.changed
	}
	return p.until, p.reason, p.changed
}

// newest is when the newest word on it was said that we know of, be it another's that
// changed nothing.
func (p *pause) newest() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read.After(p.changed) {
		return p.read
	}
	return p.changed
}

package crm

import (
	"context"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// The figures of a keeper. Five faults in a row close the door for fifteen
// seconds, and twice as long each time that the one call fails which then tries,
// up to openMost: what waits for the CRM is done soon after its return. A CRM that
// named no end to its rest is tried again after restFor, one that only has enough
// calls for the moment after slowFor. At most atOnce calls are under way, so that
// a CRM that hangs keeps few workers.
const (
	faultsAllowed = 5
	openFor       = 15 * time.Second
	openMost      = time.Minute
	restFor       = 5 * time.Minute
	slowFor       = 5 * time.Second
	atOnce        = 8
	slotPatience  = 2 * time.Second
	slotPause     = 500 * time.Millisecond
)

// verdict is what an answer says of the CRM as a whole.
type verdict int

const (
	answers verdict = iota // it is there, whatever it said of the record
	silent                 // nothing is learnt of it
	slow                   // too many calls for the moment: nobody makes one until it says
	faulty                 // a fault: so many in a row, and it is left alone
	resting                // it will not serve us for a while, and ops must know
)

// verdicts is the keeper's column of the table of kinds.
var verdicts = map[galena.Kind]verdict{
	"":                  answers,
	galena.Invalid:      answers,
	galena.NotFound:     answers,
	galena.Conflict:     answers,
	galena.WrongSubject: answers,
	galena.RateLimited:  slow,
	galena.Pending:      silent,
	galena.BreakerOpen:  silent,
	galena.Unavailable:  faulty,
	galena.Malformed:    faulty,
	galena.Internal:     faulty,
	galena.Exhausted:    resting,
	galena.Unauthorized: resting,
}

// verdictOn is what an error says of the CRM.
func verdictOn(err error) verdict {
	if galena.CauseOf(err) == galena.CausePace {
		return silent
	}
	return verdicts[galena.KindOf(err)]
}

// Keeper is a CRM that is left alone while it cannot serve: it wants a pause, its
// quota is gone, its token is refused, or it failed again and again. Whoever calls
// it then is told at once how long to wait.
type Keeper struct {
	CRM
	now     func() time.Time
	changed func(galena.ProviderState) // told once of each change
	slots   chan struct{}

	mu      sync.Mutex
	faults  int           // in a row
	opened  time.Duration // how long it was left alone for its faults last
	until   time.Time
	reason  galena.Kind // why it rests; "" = it does not
	probing bool
}

// NewKeeper guards a connector. changed hears when it comes to rest and when it
// serves again; its state is that of a provider by the name "crm:<name>".
func NewKeeper(c CRM, now func() time.Time, changed func(galena.ProviderState)) *Keeper {
	return &Keeper{CRM: c, now: now, changed: changed, slots: make(chan struct{}, atOnce)}
}

// Resting is the error that a call would meet now, because the CRM rests.
func (k *Keeper) Resting() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if wait := k.until.Sub(k.now()); k.reason != "" && wait > 0 {
		return &galena.Error{Kind: k.reason, Op: "crm", RetryAfter: wait, Cause: "resting"}
	}
	return nil
}

// Encode implements CRM. A connector may ask the CRM for its layout, so it is not
// called while the CRM rests.
func (k *Keeper) Encode(o Object, f Field, v galena.Value) (Encoded, error) {
	if err := k.Resting(); err != nil {
		return Encoded{}, err
	}
	e, err := k.CRM.Encode(o, f, v)
	if verdictOn(err) > silent {
		k.note(err)
	}
	return e, err
}

// Find implements CRM.
func (k *Keeper) Find(ctx context.Context, keys []Key, want []Field) (out []Found, err error) {
	err = k.call(ctx, func() (error, error) {
		out, err = k.CRM.Find(ctx, keys, want)
		for _, f := range out {
			if verdictOn(f.Err) > silent {
				return f.Err, err
			}
		}
		return err, err
	})
	return out, err
}

// Apply implements CRM.
func (k *Keeper) Apply(ctx context.Context, changes []Change) (out []Result, err error) {
	err = k.call(ctx, func() (error, error) {
		out, err = k.CRM.Apply(ctx, changes)
		for _, r := range out {
			if verdictOn(r.Err) > silent {
				return r.Err, err
			}
		}
		return err, err
	})
	return out, err
}

// call makes one call. do returns what tells of the CRM, and the call's own error.
func (k *Keeper) call(ctx context.Context, do func() (telling, own error)) error {
	if err := k.enter(ctx); err != nil {
		return err
	}
	defer func() { <-k.slots }()
	telling, own := do()
	if ctx.Err() == nil { // we left; that says nothing of them
		k.note(telling)
	} else {
		k.mu.Lock()
		k.probing = false
		k.mu.Unlock()
	}
	return own
}

// enter refuses while the CRM rests, lets one call try once the rest is over, and
// waits a little for a free slot.
func (k *Keeper) enter(ctx context.Context) error {
	t := time.NewTimer(slotPatience)
	defer t.Stop()
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return &galena.Error{Kind: galena.Pending, Op: "crm", RetryAfter: slotPause, Cause: "busy"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch wait := k.until.Sub(k.now()); {
	case k.reason == "":
		return nil
	case wait > 0:
		<-k.slots
		return &galena.Error{Kind: k.reason, Op: "crm", RetryAfter: wait, Cause: "resting"}
	case k.probing:
		<-k.slots
		return &galena.Error{Kind: k.reason, Op: "crm", RetryAfter: slotPause, Cause: "resting"}
	}
	k.probing = true
	return nil
}

// note learns from an answer.
func (k *Keeper) note(err error) {
	k.mu.Lock()
	was, wasUntil := k.reason, k.until
	probing := k.probing
	k.probing = false
	kind := galena.KindOf(err)
	wait := func(least time.Duration) time.Time {
		if hint := galena.RetryAfterOf(err); hint > 0 {
			least = hint
		}
		return k.now().Add(least)
	}
	switch verdictOn(err) {
	case answers:
		k.faults, k.opened, k.reason, k.until = 0, 0, "", time.Time{}
	case faulty:
		if k.faults++; k.faults >= faultsAllowed || probing {
			k.open()
		}
	case resting:
		k.reason, k.until = kind, wait(restFor)
	case slow:
		k.reason, k.until = kind, wait(slowFor)
	case silent:
	}
	s, tell := k.state(), k.reason != was || k.reason != "" && !k.until.Equal(wasUntil)
	k.mu.Unlock()
	if tell && k.changed != nil {
		k.changed(s)
	}
}

// open leaves the CRM alone. Calls that were under way when it was closed say
// nothing new.
func (k *Keeper) open() {
	now := k.now()
	if k.reason == galena.BreakerOpen && now.Before(k.until) {
		return
	}
	k.opened = min(max(2*k.opened, openFor), openMost)
	k.reason, k.until = galena.BreakerOpen, now.Add(k.opened)
}

// state is published for other processes and for people.
func (k *Keeper) state() galena.ProviderState {
	s := galena.ProviderState{Provider: "crm:" + k.Name(), Breaker: "closed", PausedUntil: k.until, PauseReason: k.reason, ChangedAt: k.now()}
	if k.reason == galena.BreakerOpen {
		s.Breaker = "open"
	}
	return s
}

// Adopt learns of a rest that another process met.
func (k *Keeper) Adopt(s galena.ProviderState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.Provider == "crm:"+k.Name() && s.PauseReason != "" && s.PausedUntil.After(k.until) && s.PausedUntil.After(k.now()) {
		k.until, k.reason = s.PausedUntil, s.PauseReason
	}
}

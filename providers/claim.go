package providers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

const (
	// leaseSlack is how long after a call's time limit, and the longest wait for its
	// turn, its claim frees itself.
	leaseSlack = 5 * time.Second
	// Whoever waits for another process looks this often, and up to half as often,
	// should the word that it is through get lost.
	lookEvery = 25 * time.Millisecond
)

// turn is the right to make one call.
type turn struct {
	claim galena.CallClaim
	last  galena.Answer // what the vendor said before, if anything
	probe bool          // the call finds out whether a pause is over
}

// take comes to an answer that is held, or to the turn to ask. Of all processes
// one has the turn; the others wait for what it hears, be it a failure: to ask
// again at once would only be to fail again.
func (w *Waterfall) take(ctx context.Context, v *vendor, q Query, budgets []galena.Budget, fresh bool) (turn, result, error) {
	heard, stop := w.deps.Herald.Listen(topic(v.id, q.Domain)) // before the first look: nothing ends unheard
	defer stop()
	waits, before := false, "" // before = the claim before the one that we wait for
	for waited := time.Duration(0); ; {
		last, is, seen, err := w.recall(ctx, v, q)
		if err != nil {
			return turn{}, result{}, err
		}
		over := waits && !seen.Open && seen.Token != before && seen.Cause != galena.CauseAbandoned
		pending := w.pending(v, seen)
		switch {
		case is.held && !fresh, over && is.answer && answered(seen.Kind):
			return turn{}, result{answer: last, cached: true}, nil
		case pending != nil:
			return turn{}, result{}, pending
		case over && !answered(seen.Kind):
			return turn{}, result{}, &galena.Error{Kind: seen.Kind, Op: v.id + ".ask", Cause: seen.Cause,
				RetryAfter: seen.RetryAfter, Err: errors.New("as another worker heard")}
		case overdue(seen, w.deps.Now()):
			w.metrics.calledBy.WithLabelValues(v.id, galena.CauseTimeout).Inc()
			if err := w.deps.Cache.FreeCalls(ctx); err != nil {
				return turn{}, result{}, err
			}
		case !seen.Open || !w.deps.Now().Before(seen.Until):
			t, err := w.claim(ctx, v, q, budgets, seen)
			if err != nil || t.claim.Token != "" || w.deps.Cache == nil {
				t.last = last
				return t, result{}, err
			}
			before = seen.Token // somebody was faster
		}
		waits = true
		if waited >= v.allowed()+leaseSlack {
			return turn{}, result{}, galena.Errorf(galena.Pending, v.id+".ask", "another worker still waits for the answer")
		}
		pause := lookEvery + time.Duration(w.deps.Chance()*float64(lookEvery))
		select {
		case <-ctx.Done():
			return turn{}, result{}, gaveUp(ctx, v.id)
		case <-heard:
		case <-time.After(pause):
			waited += pause
		}
	}
}

// topic names the calls of a vendor about a company.
func topic(provider, domain string) string { return provider + " " + domain }

// silent is for a process that is alone.
type silent struct{}

// Tell implements Herald.
func (silent) Tell(string) {}

// Listen implements Herald: nothing is ever heard.
func (silent) Listen(string) (<-chan struct{}, func()) { return nil, func() {} }

// answered says that a call that ended so left an answer.
func answered(kind galena.Kind) bool { return kind == "" || kind == galena.NotFound }

// standing is what an answer from memory is good for.
type standing struct {
	answer bool // it answers this question
	held   bool // and may still be used
}

// recall looks for the last answer to the question and the last claim to ask it.
// An answer that was given for another name is none: it is asked for anew, and
// replaced. When the memory cannot be read nothing is bought: it would be bought
// again and again.
func (w *Waterfall) recall(ctx context.Context, v *vendor, q Query) (last galena.Answer, is standing, c galena.CallClaim, err error) {
	if w.deps.Cache == nil {
		return last, is, c, nil
	}
	last, ok, c, err := w.deps.Cache.Answer(ctx, v.id, q.Domain)
	if err != nil {
		return galena.Answer{}, is, c, fmt.Errorf("%s.held: %w", v.id, err)
	}
	if ok {
		w.shelf.put(topic(v.id, q.Domain), last, w.deps.Now())
		last, is.answer = recalled(last, q)
	}
	if !is.answer {
		return galena.Answer{}, is, c, nil
	}
	last = w.shorten(last)
	is.held = w.deps.Now().Before(last.ExpiresAt)
	return last, is, c, nil
}

// claim asks for the turn after the claim that was seen, and reserves its price.
// No token and no error: somebody was faster.
func (w *Waterfall) claim(ctx context.Context, v *vendor, q Query, budgets []galena.Budget, seen galena.CallClaim) (t turn, err error) {
	now := w.deps.Now()
	if err := w.short.refuses(v, budgets, now); err != nil {
		return t, err
	}
	if t.probe, err = w.admit(v); err != nil || w.deps.Cache == nil {
		return t, err
	}
	defer func() {
		if t.claim.Token == "" {
			w.forgo(v, t.probe)
		}
	}()
	c := galena.CallClaim{Provider: v.id, Domain: q.Domain, Token: uuid.NewString(), Day: galena.DayOf(now), Budgets: budgets,
		ReservedMicros: v.reserve(), Until: now.Add(v.allowed() + leaseSlack)}
	g, err := w.deps.Cache.ClaimCall(ctx, c, seen)
	switch {
	case err != nil:
		return t, fmt.Errorf("%s.claim: %w", v.id, err)
	case g.Granted:
		t.claim = c
		return t, nil
	}
	for _, b := range w.short.note(v, budgets, g, now) {
		w.deps.Log.WarnContext(ctx, "budget used up", "scope", b.Scope, "limit_cents", galena.CentsOf(b.LimitMicros), "until", midnight(now))
	}
	return t, w.short.refuses(v, budgets, now)
}

// conclude tells the store how a claim ended. An answer that cannot be saved is still
// an answer; its claim frees itself.
func (w *Waterfall) conclude(ctx context.Context, s galena.Settlement, err error) (saved bool) {
	if w.deps.Cache == nil {
		return false
	}
	s.Claim = endedBy(s.Claim, err)
	if err := w.deps.Cache.SettleCall(context.WithoutCancel(ctx), s); err != nil {
		w.deps.Log.WarnContext(ctx, "answer not saved", "provider", s.Claim.Provider, "error", err)
		return false
	}
	w.deps.Herald.Tell(topic(s.Claim.Provider, s.Claim.Domain))
	return true
}

// endedBy is a claim that ended so.
func endedBy(c galena.CallClaim, err error) galena.CallClaim {
	c.Kind, c.RetryAfter = galena.KindOf(err), galena.RetryAfterOf(err)
	if e, ok := errors.AsType[*galena.Error](err); ok {
		c.Cause = e.Cause
	}
	if errors.Is(err, context.Canceled) {
		c.Cause = galena.CauseAbandoned // we stopped: whoever waits may ask
	}
	return c
}

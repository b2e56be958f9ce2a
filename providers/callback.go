package providers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/galenahq/galena"
)

const (
	// minPoll is how soon a vendor that cannot call us is asked again at the least.
	minPoll = time.Second
	// askAgain is how long one is left alone that said "later" and never called, or
	// called to say what is no use.
	askAgain = 10 * time.Minute
)

// Asynchronous is a Provider whose vendor may answer later, by a call of its own.
// Until then its Enrich says Pending, and has told the vendor the Query's Ticket.
type Asynchronous interface {
	Provider
	// Ticket proves on the raw body that the vendor sent it, and reads which call
	// it answers. Whoever cannot prove it is Unauthorized.
	Ticket(header http.Header, body []byte) (string, error)
	// Hear reads the answer, as Enrich would have.
	Hear(q Query, body []byte) (Record, error)
}

// Waiting is the part of the Cache that keeps calls whose answer comes later.
type Waiting interface {
	// AwaitCall keeps a claim open until its vendor calls, or is to be asked again.
	AwaitCall(ctx context.Context, c galena.CallClaim) error
	// Awaited finds a claim by its token, as long as it is the last of its company.
	Awaited(ctx context.Context, provider, token string) (galena.CallClaim, error)
	// FreeCalls ends the claims whose time is over.
	FreeCalls(ctx context.Context) error
}

// calls says that the vendor can call us, and is waited for.
func (w *Waterfall) calls(v *vendor) bool {
	_, can := v.provider.(Asynchronous)
	return can && w.deps.Reachable && w.deps.Cache != nil && v.wait > 0
}

// await leaves the claim of a call open that the vendor answers later: until it
// calls, or until it is to be asked again.
func (w *Waterfall) await(ctx context.Context, v *vendor, c galena.CallClaim, err error) error {
	now := w.deps.Now()
	w.metrics.calls.WithLabelValues(v.id, string(galena.Pending)).Inc()
	c.PendingAt, c.Until, c.Polled = now, now.Add(v.wait), !w.calls(v)
	if c.Polled {
		c.Until = now.Add(max(galena.RetryAfterOf(err), minPoll))
	}
	if err := w.deps.Cache.AwaitCall(context.WithoutCancel(ctx), c); err != nil {
		w.deps.Log.WarnContext(ctx, "call not kept open", "provider", v.id, "error", err) // it frees itself
	}
	return later(v, c.Until.Sub(now))
}

// later is the error of a question whose answer is under way for so long at the most.
func later(v *vendor, wait time.Duration) error {
	return &galena.Error{Kind: galena.Pending, Op: v.id + ".ask", RetryAfter: wait, Err: errors.New("the answer comes later")}
}

// pending is the error of a question that was put and is not answered yet, or
// was not for so long that the vendor is left alone for a while; nil = it may be put.
// The vendor's call wakes who waits for it: were it asked anew by them, it would call
// to say the same, and so on.
func (w *Waterfall) pending(v *vendor, c galena.CallClaim) error {
	now, left := w.deps.Now(), c.EndedAt.Add(askAgain)
	switch {
	case c.PendingAt.IsZero():
		return nil
	case c.Open && now.Before(c.Until):
		return later(v, c.Until.Sub(now))
	case !c.Open && !c.Polled && !answered(c.Kind) && now.Before(left):
		return &galena.Error{Kind: c.Kind, Op: v.id + ".ask", Cause: c.Cause, RetryAfter: left.Sub(now),
			Err: errors.New("it said later, and no answer came")}
	default:
		return nil
	}
}

// overdue says that the vendor should have called by now.
func overdue(c galena.CallClaim, now time.Time) bool {
	return c.Open && !c.PendingAt.IsZero() && !c.Polled && !now.Before(c.Until)
}

// Callback takes a vendor's call: proves it, reads it, books the call that it
// answers, holds the answer and ends the claim. It returns the company that was
// spoken of, "" when the call answers nothing that we know. Of the same call
// twice, and of one whose claim is over, nothing counts. NotFound: there is no
// vendor that calls by this name; Unauthorized: somebody else sent it.
func (w *Waterfall) Callback(ctx context.Context, provider string, header http.Header, body []byte) (domain string, err error) {
	v, ok := w.byID[provider]
	if !ok || !v.on || !w.calls(v) {
		return "", galena.Errorf(galena.NotFound, "providers.callback", "no such provider")
	}
	count := func(outcome string) { w.metrics.calledBy.WithLabelValues(v.id, outcome).Inc() }
	asked, _ := v.provider.(Asynchronous)
	ticket, err := asked.Ticket(header, body)
	if err != nil {
		count(string(galena.KindOf(err)))
		return "", err
	}
	c, err := w.deps.Cache.Awaited(ctx, v.id, ticket)
	switch {
	case galena.KindOf(err) == galena.NotFound:
		count("unknown")
		return "", nil
	case err != nil:
		return "", err
	case !c.Open:
		count("repeated")
		return c.Domain, nil
	}
	r, heard := asked.Hear(Query{Domain: c.Domain, Ticket: ticket}, body)
	a, err := w.conclusion(ctx, v, c, r, heard)
	if err != nil {
		return "", err
	}
	outcome := outcomeOf(heard)
	count(outcome)
	w.metrics.cents.WithLabelValues(v.id, outcome).Add(galena.CentsOf(a.CostMicros))
	w.deps.Log.DebugContext(ctx, "provider called back", "provider", v.id, "outcome", outcome)
	return c.Domain, nil
}

// conclusion ends the claim of a call with what the vendor called to say.
func (w *Waterfall) conclusion(ctx context.Context, v *vendor, c galena.CallClaim, r Record, heard error) (galena.Answer, error) {
	now := w.deps.Now()
	last, _, _, err := w.deps.Cache.Answer(ctx, v.id, c.Domain)
	if err != nil {
		return galena.Answer{}, err
	}
	a := w.answer(v, Query{Domain: c.Domain}, r, heard, now)
	w.hold(&a, last, heard)
	w.learn(v, a.CostMicros)
	called := &galena.LedgerEntry{Provider: v.id, Domain: c.Domain, Outcome: outcomeOf(heard), CostMicros: a.CostMicros, At: now}
	if !c.PendingAt.IsZero() {
		called.Took = now.Sub(c.PendingAt)
	}
	err = w.deps.Cache.SettleCall(ctx, galena.Settlement{Claim: endedBy(c, heard), Answer: a, Call: called, Awaited: true})
	w.shelf.drop(topic(v.id, c.Domain))
	w.deps.Herald.Tell(topic(v.id, c.Domain))
	return a, err
}

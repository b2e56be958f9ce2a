package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// maxPace is how long a call waits for its turn before it is put off.
const maxPace = 500 * time.Millisecond

// result is what one flight brings home, for everybody who waits for it.
type result struct {
	answer galena.Answer
	cached bool
	took   time.Duration
}

// Ask asks one vendor about one company. A hit and a miss are answers; the
// error of anything else has a Kind. The call says how the step is printed and
// what it cost: of several who ask the same at the same time one pays, and an
// answer that is held costs nothing. A caller whose context ends stops
// waiting; the call goes on within its time limit, because it will be paid for
// and its answer is kept.
func (w *Waterfall) Ask(ctx context.Context, provider, domain string, known galena.Facts) (galena.Answer, galena.Call, error) {
	return w.ask(ctx, provider, domain, known, false)
}

// AskFresh asks although an answer is held: the answer is replaced by what the
// vendor says now, and stays when the vendor fails.
func (w *Waterfall) AskFresh(ctx context.Context, provider, domain string, known galena.Facts) (galena.Answer, galena.Call, error) {
	return w.ask(ctx, provider, domain, known, true)
}

func (w *Waterfall) ask(ctx context.Context, provider, domain string, known galena.Facts, fresh bool) (galena.Answer, galena.Call, error) {
	call := galena.Call{Provider: provider}
	v, ok := w.byID[provider]
	switch {
	case !ok || !v.on:
		return failed(call, galena.Errorf(galena.Invalid, "providers.ask", "provider %q is not enabled", provider))
	case !askable(domain):
		return failed(call, galena.Errorf(galena.Invalid, "providers.ask", "the domain is not one to ask for"))
	case ctx.Err() != nil:
		return failed(call, gaveUp(ctx, provider))
	}
	q, ok := query(v.spec, domain, known)
	if !ok {
		return failed(call, galena.Errorf(galena.Invalid, "providers.ask", "what %s has to be told is not known", provider))
	}
	if !fresh {
		if a, ok := w.shelved(v, q); ok {
			w.metrics.calls.WithLabelValues(v.id, "cached").Inc()
			return a, step(call, result{answer: a, cached: true}, false), nil
		}
	}
	led := false // this caller's function ran: it pays
	flight := provider + " " + domain + q.beside()
	if fresh {
		flight += " fresh" // a flight that ends with what is held is not the same
	}
	ch := w.flights.DoChan(flight, func() (any, error) {
		led = true
		return w.fly(ctx, v, q, w.budgets(v, known, fresh), fresh)
	})
	select {
	case <-ctx.Done():
		return failed(call, gaveUp(ctx, provider))
	case r := <-ch:
		res, _ := r.Val.(result)
		if r.Err != nil {
			return failed(call, r.Err)
		}
		return res.answer, step(call, res, led), nil
	}
}

// step prints an answer as a step of the waterfall.
func step(call galena.Call, res result, led bool) galena.Call {
	switch {
	case res.cached || !led:
		call.Outcome = "cached"
	case res.answer.Kind == galena.NotFound:
		call.Outcome = "miss"
	default:
		call.Outcome = "hit"
	}
	if call.Outcome != "cached" {
		call.Cents, call.MS = galena.CentsOf(res.answer.CostMicros), res.took.Milliseconds()
	}
	for _, o := range res.answer.Observations {
		call.Added = append(call.Added, o.Field)
	}
	return call
}

// failed is a step that brought nothing.
func failed(call galena.Call, err error) (galena.Answer, galena.Call, error) {
	kind := galena.KindOf(err)
	cause := string(kind)
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Cause != "" {
		cause = e.Cause
	}
	call.Outcome = "error:" + cause
	return galena.Answer{Provider: call.Provider, Kind: kind}, call, err
}

// gaveUp is the error of a caller who stopped waiting.
func gaveUp(ctx context.Context, provider string) error {
	e := &galena.Error{Kind: galena.Unavailable, Op: provider + ".ask", Cause: "cancelled", Err: ctx.Err()}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Cause = "timeout"
	}
	return e
}

// fly is the one flight per vendor and domain. It outlives the caller who
// started it, but not the waterfall.
func (w *Waterfall) fly(caller context.Context, v *vendor, q Query, budgets []galena.Budget, fresh bool) (result, error) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return result{}, galena.Errorf(galena.Unavailable, v.id+".ask", "shutting down")
	}
	w.flying.Add(1)
	w.mu.Unlock()
	defer w.flying.Done()
	ctx, cancel := context.WithCancel(context.WithoutCancel(caller))
	defer cancel()
	defer context.AfterFunc(w.ending, cancel)() //nolint:contextcheck // the waterfall ends a flight, no caller does

	t, res, err := w.take(ctx, v, q, budgets, fresh)
	switch {
	case err != nil:
		return result{}, err
	case res.cached:
		w.metrics.calls.WithLabelValues(v.id, "cached").Inc()
		return res, nil
	default:
		return w.buy(ctx, v, q, t)
	}
}

// buy makes the call that is claimed, and ends the claim.
func (w *Waterfall) buy(ctx context.Context, v *vendor, q Query, t turn) (result, error) {
	start := w.deps.Now()
	if w.calls(v) {
		q.Ticket = t.claim.Token
	}
	record, err := w.call(ctx, v, q)
	now := w.deps.Now()
	if galena.KindOf(err) == galena.BreakerOpen {
		w.metrics.calls.WithLabelValues(v.id, string(galena.BreakerOpen)).Inc()
		w.conclude(ctx, galena.Settlement{Claim: t.claim}, err)
		return result{}, err
	}
	w.settle(v, now, err, t.probe)
	if galena.KindOf(err) == galena.Pending && w.deps.Cache != nil {
		return result{}, w.await(ctx, v, t.claim, err)
	}
	res := result{answer: w.answer(v, q, record, err, now), took: now.Sub(start)}
	w.hold(&res.answer, t.last)
	w.learn(v, res.answer.CostMicros)
	w.book(ctx, q, t.claim, res, err)
	if res.answer.Kind == "" || res.answer.Kind == galena.NotFound {
		return res, nil
	}
	return result{}, err
}

// admit passes the pause and the pace.
func (w *Waterfall) admit(ctx context.Context, v *vendor) (probe bool, err error) {
	if w.deps.Frozen {
		return false, nil
	}
	reason, wait, probe := v.pause.enter(w.deps.Now(), v.timeout)
	if reason != "" {
		return false, &galena.Error{Kind: reason, Op: v.id + ".ask", RetryAfter: wait, Err: errors.New("paused")}
	}
	if v.pace == nil {
		return probe, nil
	}
	for waited := time.Duration(0); ; {
		wait := w.pace(ctx, v)
		if wait <= 0 {
			return probe, nil
		}
		if waited += wait; waited > maxPace {
			return false, &galena.Error{Kind: galena.RateLimited, Op: v.id + ".ask", RetryAfter: wait,
				Err: errors.New("our own pace for this provider is used up")}
		}
		select {
		case <-ctx.Done():
			return false, gaveUp(ctx, v.id)
		case <-time.After(wait):
		}
	}
}

// pace takes a turn and returns 0, or says how long it is until the next. When
// the shared pace cannot be asked this process keeps the pace by itself.
func (w *Waterfall) pace(ctx context.Context, v *vendor) time.Duration {
	if w.deps.Limiter != nil {
		ok, wait, err := w.deps.Limiter.Allow(ctx, "provider:"+v.id, v.rate, v.burst)
		if err == nil && ok {
			return 0
		}
		if err == nil {
			return max(wait, time.Millisecond)
		}
		w.deps.Log.DebugContext(ctx, "shared pace is away", "provider", v.id)
	}
	r := v.pace.Reserve()
	if d := r.Delay(); d > 0 {
		r.Cancel()
		return d
	}
	return 0
}

// call makes the call behind the breaker and within the vendor's time.
func (w *Waterfall) call(ctx context.Context, v *vendor, q Query) (Record, error) {
	enrich := func() (r Record, err error) {
		ctx, cancel := context.WithTimeout(ctx, v.timeout)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				// What was thrown may hold the answer: only where it was thrown is told.
				w.deps.Log.Error("adapter panicked", "provider", v.id, "stack", string(debug.Stack()))
				r, err = Record{}, galena.Errorf(galena.Internal, v.id+".enrich", "the adapter panicked")
			}
		}()
		return v.provider.Enrich(ctx, q)
	}
	if w.deps.Frozen {
		return enrich()
	}
	return v.breaker.do(v.id+".ask", enrich)
}

// settle lets the outcome begin or end a pause, and says so once.
func (w *Waterfall) settle(v *vendor, now time.Time, err error, probe bool) {
	if w.deps.Frozen {
		return
	}
	switch v.pause.settle(now, err, probe) {
	case unchanged:
		return
	case began:
		until, reason, _ := v.pause.state(now)
		log := w.deps.Log.Info
		if reason != galena.RateLimited {
			log = w.deps.Log.Warn
		}
		log("provider paused", "provider", v.id, "reason", string(reason), "until", until)
	case ended:
		w.deps.Log.Info("provider resumed", "provider", v.id)
	}
	w.deps.OnState(v.state(v.id, now, v.breaker.state()))
}

// answer makes a complete answer of what the vendor said.
func (w *Waterfall) answer(v *vendor, q Query, r Record, err error, now time.Time) galena.Answer {
	a := galena.Answer{Provider: v.id, Domain: q.Domain, Kind: galena.KindOf(err), FetchedAt: now}
	switch a.Kind {
	case "":
		a.CostMicros = v.costMicros
	case galena.NotFound:
		if !v.perMatch {
			a.CostMicros = v.costMicros
		}
	default:
		return a // an error costs nothing and is not held
	}
	if r.Credits != nil {
		a.CostMicros = *r.Credits * v.costMicros
	}
	if r.CostMicros != nil {
		a.CostMicros = *r.CostMicros
	}
	if a.Kind != "" {
		return a
	}
	// Ids follow from the call, so that an answer read back is the same answer.
	request := uuid.NewSHA1(uuid.NameSpaceURL, []byte(v.id+" "+q.Domain+" "+now.UTC().Format(time.RFC3339Nano)))
	for _, o := range r.Observations {
		if o.Value.Type == galena.TypeSet {
			o.Value.Closed = v.closed
		}
		if o.Value.Empty() && !o.Absent {
			continue
		}
		o.ID = uuid.NewSHA1(request, []byte(o.Field)).String()
		o.Entity, o.Source, o.Class, o.Method = q.Domain, v.id, v.class, "api"
		o.FetchedAt, o.RequestID = now, request.String()
		if o.Confidence == 0 {
			o.Confidence = 1
		}
		if o.ObservedAt.IsZero() || o.ObservedAt.After(now) {
			o.ObservedAt = now
		}
		a.Observations = append(a.Observations, o)
	}
	if len(a.Observations) > 0 {
		a.Observations[0].CostMicros = a.CostMicros
		a.Observations[0].Ref += w.unmapped(v, r.Unmapped)
	}
	return a
}

// unmapped counts the words that no table knows and keeps them with the answer:
// when the table has grown the answer can be read again without paying.
func (w *Waterfall) unmapped(v *vendor, words map[string]string) string {
	var b strings.Builder
	for _, field := range slices.Sorted(maps.Keys(words)) {
		w.metrics.unmapped.WithLabelValues(v.id, field).Inc()
		fmt.Fprintf(&b, "; unmapped %s=%.80q", field, words[field])
	}
	return b.String()
}

// book counts the call, and saves the answer with its price.
func (w *Waterfall) book(ctx context.Context, q Query, c galena.CallClaim, res result, err error) {
	outcome, a := outcomeOf(err), noted(res.answer, q)
	w.metrics.calls.WithLabelValues(a.Provider, outcome).Inc()
	w.metrics.seconds.WithLabelValues(a.Provider).Observe(res.took.Seconds())
	w.metrics.cents.WithLabelValues(a.Provider, outcome).Add(galena.CentsOf(a.CostMicros))
	if w.conclude(ctx, galena.Settlement{Claim: c, Answer: a, Call: &galena.LedgerEntry{Provider: a.Provider, Domain: a.Domain,
		Outcome: outcome, CostMicros: a.CostMicros, Took: res.took, At: a.FetchedAt}}, err) && answered(a.Kind) {
		w.shelf.put(topic(a.Provider, a.Domain), a, w.deps.Now())
	}
}

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

// maxPace is how long a call waits for its turn at the most; one that would have
// to wait for longer is put off.
const maxPace = 500 * time.Millisecond

// spread is how much further apart calls leave than the vendor's rate would have it:
// they do not arrive as evenly as they leave, and a vendor that counts them second
// by second would find one too many. It makes up for a tenth of a second.
const spread = 1.1

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
	flight := provider + " " + domain + q.beside()
	if fresh {
		flight += " fresh" // a flight that ends with what is held is not the same
	}
	for budgets := w.budgets(v, known, fresh); ; {
		led := false // this caller's function ran: it pays
		ch := w.flights.DoChan(flight, func() (any, error) {
			led = true
			return w.fly(ctx, v, q, budgets, fresh)
		})
		select {
		case <-ctx.Done():
			return failed(call, gaveUp(ctx, provider))
		case r := <-ch:
			res, _ := r.Val.(result)
			switch {
			case r.Err == nil:
				return res.answer, step(call, res, led), nil
			case !led && ofBudget(r.Err) && w.short.refuses(v, budgets, w.deps.Now()) == nil:
				continue // whoever led is of another source, whose budget is none of ours
			default:
				return failed(call, r.Err)
			}
		}
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

// buy makes the call that is claimed, when its turn comes, and ends the claim.
func (w *Waterfall) buy(ctx context.Context, v *vendor, q Query, t turn) (result, error) {
	err := w.queue(ctx, v)
	if err == nil {
		err = w.resting(v, t.probe) // what was heard while the claim and the turn were waited for
	}
	if err == nil && t.claim.Token != "" && t.claim.Until.Before(w.deps.Now().Add(v.timeout)) {
		// Somebody else may have the claim, and its money, before the answer is here.
		err = &galena.Error{Kind: galena.Unavailable, Op: v.id + ".ask", Cause: galena.CauseAbandoned, Err: errors.New("the claim came too late")}
	}
	if err != nil {
		w.forgo(v, t.probe)
		w.conclude(ctx, galena.Settlement{Claim: t.claim}, err)
		return result{}, err
	}
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
	w.hold(&res.answer, t.last, err)
	w.learn(v, res.answer.CostMicros)
	w.book(ctx, q, t.claim, res, err)
	if res.answer.Kind == "" || res.answer.Kind == galena.NotFound {
		return res, nil
	}
	return result{}, err
}

// admit passes the pause, and does not let in whom the pace would only refuse.
func (w *Waterfall) admit(v *vendor) (probe bool, err error) {
	if w.deps.Frozen {
		return false, nil
	}
	now := w.deps.Now()
	reason, wait, probe := v.pause.enter(now, v.allowed())
	if reason != "" {
		return false, paused(v, reason, wait)
	}
	if wait := time.Unix(0, v.full.Load()).Sub(now); v.pace != nil && wait > 0 && wait <= v.fullest() {
		w.forgo(v, probe)
		return false, paceFull(v, wait)
	}
	return probe, nil
}

// resting refuses a call that was let in before a pause began.
func (w *Waterfall) resting(v *vendor, probe bool) error {
	if w.deps.Frozen {
		return nil
	}
	reason, wait := v.pause.bars(w.deps.Now(), probe)
	if reason == "" {
		return nil
	}
	return paused(v, reason, wait)
}

// paused is the error of a call that a pause does not let through.
func paused(v *vendor, reason galena.Kind, wait time.Duration) error {
	return &galena.Error{Kind: reason, Op: v.id + ".ask", RetryAfter: wait, Err: errors.New("paused")}
}

// forgo gives the turn to probe back when no call was made.
func (w *Waterfall) forgo(v *vendor, probe bool) {
	if probe {
		v.pause.forgo(w.deps.Now())
	}
}

// allowed is how long a call may take, the wait for its turn included.
func (v *vendor) allowed() time.Duration {
	if v.pace == nil {
		return v.timeout
	}
	return v.timeout + maxPace
}

// fullest is how long our pace may have no turn at the most: what is farther off was
// noted before the clock was set back.
func (v *vendor) fullest() time.Duration {
	return time.Duration(float64(time.Second)/v.paced) + maxPace
}

// paceFull is the error of a call that our own pace has no turn for soon.
func paceFull(v *vendor, wait time.Duration) error {
	return &galena.Error{Kind: galena.RateLimited, Op: v.id + ".ask", RetryAfter: wait,
		Err: errors.New("our own pace for this provider is used up")}
}

// queue waits for the turn of a call whose claim is granted. The claim comes first
// because claims are granted together: whoever waited before would not leave paced.
// A turn that is too far off is not taken, and until there is one nearer nobody in
// this process claims a call that would have to be put off.
func (w *Waterfall) queue(ctx context.Context, v *vendor) error {
	if v.pace == nil || w.deps.Frozen {
		return nil
	}
	ok, wait := w.turn(ctx, v)
	now := w.deps.Now()
	if !ok {
		v.full.Store(now.Add(wait).UnixNano())
		return paceFull(v, wait)
	}
	if wait <= 0 {
		return nil
	}
	if next := wait + time.Duration(float64(time.Second)/v.paced); next > maxPace { // the turn after this one is too far off
		v.full.Store(now.Add(next - maxPace).UnixNano())
	}
	select {
	case <-ctx.Done():
		return gaveUp(ctx, v.id)
	case <-time.After(wait):
		return nil
	}
}

// turn takes the next turn, which comes after wait, or says how long it is until
// one can be taken. When the shared pace cannot be asked this process keeps the
// pace by itself.
func (w *Waterfall) turn(ctx context.Context, v *vendor) (ok bool, wait time.Duration) {
	if w.deps.Limiter != nil {
		ctx, cancel := context.WithTimeout(ctx, maxPace)
		defer cancel()
		ok, wait, err := w.deps.Limiter.Turn(ctx, "provider:"+v.id, v.paced, v.burst, maxPace)
		if err == nil {
			return ok, wait
		}
		w.deps.Log.DebugContext(ctx, "shared pace is away", "provider", v.id)
	}
	r := v.pace.Reserve()
	if wait = r.Delay(); wait > maxPace {
		r.Cancel()
		return false, wait - maxPace
	}
	return true, wait
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
	ids := newIDs(v.id, q.Domain, now)
	a.Observations = r.Observations[:0] // the record is ours: nobody else has it
	for _, o := range r.Observations {
		if o.Value.Type == galena.TypeSet {
			o.Value.Closed = v.closed
		}
		if o.Value.Empty() && !o.Absent {
			continue
		}
		o.ID = ids.of(o.Field)
		o.Entity, o.Source, o.Class, o.Method = q.Domain, v.id, v.class, "api"
		o.FetchedAt, o.RequestID = now, ids.request
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

// ids are those of the observations of one call: each is the name-based UUID
// (version 5) of its field under that of the call.
type ids struct {
	space   uuid.UUID
	request string
}

func newIDs(provider, domain string, now time.Time) ids {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte(provider+" "+domain+" "+now.UTC().Format(time.RFC3339Nano)))
	return ids{space, space.String()}
}

func (x ids) of(field string) string { return uuid.NewSHA1(x.space, []byte(field)).String() }

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

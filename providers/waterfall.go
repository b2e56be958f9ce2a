package providers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/galenahq/galena"
)

// Cache remembers answers, so that a company is paid for once, and keeps the
// claims and the budgets of all processes.
type Cache interface {
	// Answer returns the last hit or miss, expired or not (false when there is
	// none), and the last claim to ask, open or ended.
	Answer(ctx context.Context, provider, domain string) (galena.Answer, bool, galena.CallClaim, error)
	// ClaimCall grants the claim after the one that was seen and reserves its
	// price in all of its budgets, or does neither. One that was seen open has
	// outlived its time.
	ClaimCall(ctx context.Context, c, seen galena.CallClaim) (galena.Grant, error)
	// SettleCall ends a claim, books its call and holds its answer if it is a hit
	// or a miss, and gives back what the call did not cost.
	SettleCall(ctx context.Context, s galena.Settlement) error
	Waiting
}

// Limiter paces calls across processes. Turn takes the next turn, which comes after
// wait; when that is more than most it takes none, and wait is how long it is until
// one can be taken.
type Limiter interface {
	Turn(ctx context.Context, key string, perSecond float64, burst int, most time.Duration) (ok bool, wait time.Duration, err error)
}

// Herald carries word between processes that a call has ended. A word may be lost.
type Herald interface {
	Tell(topic string)
	Listen(topic string) (heard <-chan struct{}, stop func())
}

// Deps are what a waterfall works with. Cache may be nil (nothing is held, and no
// budget but a lead's is kept), and
// so may Limiter (each process paces itself), Herald (who waits for another
// process looks for himself), Client (the guarded one), TTL (a
// hit is held for 90 days), Chance (no jitter), Registerer, Log, Now and OnState.
type Deps struct {
	Specs      []Spec
	Keys       func(id string) string
	URLs       func(id string) string // an address that replaces the catalogue's
	Contact    string                 // told to vendors who demand it
	Reachable  bool                   // vendors that answer later can call us
	Client     *http.Client
	Cache      Cache
	Limiter    Limiter
	Herald     Herald
	TTL        func(field string) (fresh, held time.Duration) // how long a value counts as fresh, and at all
	Chance     func() float64                                 // 0..1
	Registerer prometheus.Registerer
	Published  bool // the caller shows breakers as all processes published them, not ours
	Log        *slog.Logger
	Now        func() time.Time
	OnState    func(galena.ProviderState) // told of each change of breaker or pause
	Before     *Waterfall                 // of the catalogue that this one replaces: what it knows of a vendor is kept
	Frozen     bool                       // a scenario: no breaker, no limiter, no pause
}

// Waterfall asks the vendors of a catalogue.
type Waterfall struct {
	limits  Limits
	daily   []galena.Budget
	short   shortage
	shelf   shelf
	collect []string
	vendors []*vendor
	byID    map[string]*vendor
	deps    Deps
	metrics *metrics
	flights *singleflight.Group // shared with the catalogue before: one flight per question, whoever asks

	ending context.Context //nolint:containedctx // ended by Close: calls under way are given up
	end    context.CancelFunc
	mu     sync.Mutex
	closed bool
	flying sync.WaitGroup
}

// vendor is one catalogue entry at work.
type vendor struct {
	listing
	*health
	on       bool
	provider Provider      // nil when off
	paced    float64       // calls a second that we make at the most
	pace     *rate.Limiter // this process's own, nil = unlimited
	full     atomic.Int64  // until when our pace has no turn that is near enough, Unix nanoseconds; another catalogue may have another
}

// health is how a vendor fares. It outlives the catalogue: a changed price does
// not make a dead vendor well.
type health struct {
	breaker *breaker
	pause   pause
	dearest atomic.Int64 // micros of the dearest call that its catalogue price did not cover, 0 = none

	mu      sync.Mutex
	changed time.Time // of the breaker
}

// New makes the waterfall of a catalogue. A vendor that is switched on without
// its key or address is an error; one on auto is left out.
func New(c Config, d Deps) (*Waterfall, error) {
	if err := d.complete(); err != nil {
		return nil, err
	}
	m, err := newMetrics(d.Registerer, !d.Published)
	if err != nil {
		return nil, err
	}
	w := &Waterfall{limits: c.Limits, daily: c.Budgets(), deps: d, metrics: m, byID: map[string]*vendor{}, flights: new(singleflight.Group)}
	if d.Before != nil {
		w.flights = d.Before.flights
	}
	w.ending, w.end = context.WithCancel(context.Background())
	var errs []error
	for _, e := range c.Entries(d.Specs) {
		v, err := w.vendor(e)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.vendors, w.byID[e.ID] = append(w.vendors, v), v
	}
	if err := errors.Join(errs...); err != nil {
		w.end()
		return nil, err
	}
	w.collect = slices.Clone(c.AlwaysCollect)
	if slices.Equal(w.collect, []string{all}) {
		w.collect = w.everything()
	}
	w.show()
	w.renew()
	w.deps.Before = nil // or every catalogue there ever was would be kept
	return w, nil
}

// show puts the breakers on the metrics and takes off those of vendors that are
// no longer listed.
func (w *Waterfall) show() {
	for _, v := range w.vendors {
		w.metrics.setBreaker(v.id, v.breaker.state())
	}
	if w.deps.Before == nil {
		return
	}
	for id := range w.deps.Before.byID {
		if w.byID[id] == nil {
			w.metrics.breaker.DeleteLabelValues(id)
		}
	}
}

// renew publishes that nothing is known of a vendor that is another than before: of
// two pauses that are published the longer one stays, and that of the old address
// would come back with the first short one of the new. It is said right behind what we
// know of the old one: another process may have heard of the new one already.
func (w *Waterfall) renew() {
	if w.deps.Before == nil {
		return
	}
	for _, v := range w.vendors {
		old := w.deps.Before.byID[v.id]
		if old == nil || old.health == v.health {
			continue
		}
		s := v.state(v.id, w.deps.Now(), v.breaker.state())
		was := old.state(v.id, w.deps.Now(), old.breaker.state()).ChangedAt
		if read := old.pause.newest(); read.After(was) {
			was = read
		}
		if !was.IsZero() {
			s.ChangedAt = was.Add(time.Microsecond)
			w.deps.OnState(s)
		}
	}
}

// complete fills what a caller left out.
func (d *Deps) complete() (err error) {
	nothing := func(string) string { return "" }
	if d.Keys == nil {
		d.Keys = nothing
	}
	if d.URLs == nil {
		d.URLs = nothing
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Chance == nil {
		d.Chance = func() float64 { return 0.5 }
	}
	if d.TTL == nil {
		d.TTL = func(string) (fresh, held time.Duration) { return holdHit, holdHit }
	}
	if d.Herald == nil {
		d.Herald = silent{}
	}
	if d.OnState == nil {
		d.OnState = func(galena.ProviderState) {}
	}
	if d.Client == nil {
		d.Client, err = NewClient(nil)
	}
	return err
}

// vendor makes one entry ready to be asked.
func (w *Waterfall) vendor(e Entry) (*vendor, error) {
	v := &vendor{listing: fill(e, e.Spec(w.deps.Specs))}
	if v.spec.New == nil {
		return nil, galena.Errorf(galena.Invalid, "providers.new", "provider %s: no adapter is built in for it", e.ID)
	}
	v.url = cmp.Or(settingOf(v.listing, w.deps.URLs), v.url)
	key := settingOf(v.listing, w.deps.Keys)
	if v.rate > 0 {
		v.paced = v.rate / spread
		v.pace = rate.NewLimiter(rate.Limit(v.paced), v.burst)
	}
	w.keep(v)
	missing := v.missing(key, w.deps.Contact)
	switch {
	case v.enabled == "false", v.enabled == "auto" && missing != "":
		return v, nil
	case missing != "":
		return nil, galena.Errorf(galena.Invalid, "providers.new", "provider %s is enabled and has no %s", e.ID, missing)
	case v.url != "" && !usableURL(v.url):
		return nil, galena.Errorf(galena.Invalid, "providers.new", "provider %s: its address is not a usable http(s) URL", e.ID)
	}
	if e.Auth != "" && !slices.Contains(v.spec.Auths, e.Auth) {
		return nil, galena.Errorf(galena.Invalid, "providers.new", "provider %s: its adapter has no choice of auth", e.ID)
	}
	settings := Settings{ID: e.ID, BaseURL: v.url, Key: key, Auth: e.Auth, Client: w.deps.Client, Now: w.deps.Now}
	if v.spec.Contact {
		settings.Contact = w.deps.Contact
	}
	p, err := v.spec.New(settings)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", e.ID, err)
	}
	v.provider, v.on = p, true
	return v, nil
}

// keep takes over how the vendor fared under the catalogue before. At another
// address there is another vendor, of whom nothing is known yet.
func (w *Waterfall) keep(v *vendor) {
	if w.deps.Before != nil {
		if old := w.deps.Before.byID[v.id]; old != nil && old.spec.Name == v.spec.Name && old.url == v.url {
			v.health = old.health
			v.breaker.allow(v.timeout)
			if old.rate == v.rate && old.burst == v.burst {
				v.pace = old.pace
			}
			return
		}
	}
	v.health = &health{}
	id, h, m, d := v.id, v.health, w.metrics, w.deps // not w: the breaker outlives it
	if d.Before != nil {
		h.pause.changed = d.Now() // what others published before is of the old address
	}
	d.Before = nil
	h.breaker = newBreaker(id, v.timeout, func(state string) { h.breakerChanged(id, state, m, d) })
}

// everything is every field that some vendor that is on can supply.
func (w *Waterfall) everything() []string {
	var out []string
	for _, f := range galena.Fields() {
		for _, v := range w.vendors {
			if v.on && v.fields[f.Name] > 0 {
				out = append(out, f.Name)
				break
			}
		}
	}
	return out
}

// Offers lists what can be bought, in catalogue order. What a call may cost is what is
// reserved for it: a lead's limit and the budgets of the day count alike.
func (w *Waterfall) Offers() []galena.Offer {
	now := w.deps.Now()
	out := make([]galena.Offer, 0, len(w.vendors))
	for _, v := range w.vendors {
		o := v.offer(v.on)
		if v.on && !w.deps.Frozen {
			until, reason, _ := v.pause.state(now)
			o.Away = reason != "" || v.breaker.state() == Open
			o.Available, o.BackAt = !o.Away, until
			o.MostMicros = v.reserve()
		}
		out = append(out, o)
	}
	return out
}

// Trust is the weight of each vendor's word.
func (w *Waterfall) Trust() map[string]float64 {
	out := map[string]float64{}
	for _, v := range w.vendors {
		out[v.id] = v.trust
	}
	return out
}

// Limits are the budgets and the deadline of the catalogue.
func (w *Waterfall) Limits() Limits { return w.limits }

// AlwaysCollect names the fields to buy even when nothing hangs on them.
func (w *Waterfall) AlwaysCollect() []string { return slices.Clone(w.collect) }

// States tells how each vendor fares.
func (w *Waterfall) States() []galena.ProviderState {
	out := make([]galena.ProviderState, 0, len(w.vendors))
	for _, v := range w.vendors {
		out = append(out, v.state(v.id, w.deps.Now(), v.breaker.state()))
	}
	return out
}

// Adopt takes over what other processes published, where it is newer: a vendor
// that asked one of them to wait is left alone by all.
func (w *Waterfall) Adopt(states []galena.ProviderState) {
	now := w.deps.Now()
	for _, s := range states {
		v, ok := w.byID[s.Provider]
		if !ok {
			continue
		}
		if s.Breaker == Open && v.breaker.state() != Closed {
			s.Breaker = "" // ours knows by itself, and may be what we read
		}
		v.pause.adopt(s, now)
	}
}

// Retire ends a waterfall that another has replaced: the calls under way are let
// end by themselves, because they are paid for, and are waited for.
func (w *Waterfall) Retire() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.flying.Wait()
	w.end()
}

// Close gives up the calls under way and waits until they have ended.
func (w *Waterfall) Close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.end()
	w.flying.Wait()
}

// state is the vendor as it is published.
func (h *health) state(id string, now time.Time, breaker string) galena.ProviderState {
	until, reason, changed := h.pause.state(now)
	if reason == galena.BreakerOpen { // heard of another's breaker: to tell it again would make it theirs
		until, reason = time.Time{}, ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed.After(changed) {
		changed = h.changed
	}
	return galena.ProviderState{Provider: id, Breaker: breaker, PausedUntil: until, PauseReason: reason, ChangedAt: changed}
}

// breakerChanged tells everybody who watches.
func (h *health) breakerChanged(id, state string, m *metrics, d Deps) {
	now := d.Now()
	h.mu.Lock()
	h.changed = now
	h.mu.Unlock()
	m.setBreaker(id, state)
	if state == Open {
		d.Log.Warn("breaker opened", "provider", id, "for", breakerOpen)
	} else {
		d.Log.Info("breaker changed", "provider", id, "state", state)
	}
	s := h.state(id, now, state)
	s.BreakerOnly = s.PauseReason == "" // another process may have heard of a pause meanwhile
	d.OnState(s)
}

package main

import (
	"context"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/api"
	"github.com/galenahq/galena/redis"
	"github.com/galenahq/galena/web"
	"github.com/galenahq/galena/worker"
)

// wireHTTP binds the listeners: the public one of the web role, and one for
// metrics and profiles where an address is given.
func (a *App) wireHTTP(ctx context.Context) error {
	a.gauges()
	metrics := promhttp.HandlerFor(a.reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	if a.env.MetricsAddr != "" {
		h, err := listen(ctx, a.env.MetricsAddr, api.NewServer(privateMux(metrics), a.log), nil, a.log.With("part", "metrics"))
		if err != nil {
			return err
		}
		a.http = append(a.http, h)
	}
	if !a.roles.web {
		return nil
	}
	draining := new(atomic.Bool)
	handler, err := a.publicMux(metrics, draining)
	if err != nil {
		return err
	}
	h, err := listen(ctx, a.env.Addr, api.NewServer(handler, a.log), draining, a.log.With("part", "web"))
	if err != nil {
		return err
	}
	a.public = h
	a.http = append(a.http, h)
	return nil
}

// publicMux is everything that the outside may reach: machines by token, people
// by login.
func (a *App) publicMux(metrics http.Handler, draining *atomic.Bool) (http.Handler, error) {
	machines, err := api.New(api.Deps{Gate: a.gate, TTL: a.book.ttl, Store: a.store, Hands: a.hands, Enricher: a.lookup(), Callbacks: a, Edits: a, Tokens: a.store, Figures: a.store, Rules: a.book.status, Catalogue: a.catalogue,
		Bootstrap: a.env.BootstrapToken.Reveal(), Wake: a.relay.Nudge, Metrics: metrics, Log: a.log.With("part", "api"), Now: a.now,
		Ready: func(ctx context.Context) error {
			if draining.Load() {
				return galena.Errorf(galena.Unavailable, "ready", "stopping")
			}
			return a.store.Ready(ctx)
		}})
	if err != nil {
		return nil, err
	}
	people, err := web.New(web.Deps{Store: a.store, Log: a.log.With("part", "pages"), Now: a.now,
		PublicURL: a.env.PublicURL, Rules: a.book.status,
		Catalogue: a.catalogue,
		Tiers:     func() []string { return tiers(a.book.current().rules) },
		Targets:   func() []string { return targets(a.book.current().rules) },
		Hands:     a.hands,
		Releaser:  a.gate, LoginToken: a.once, Limiter: redis.NewLimiter(a.redis), Monitor: a.redis.Raw()})
	if err != nil {
		return nil, err
	}
	// No ServeMux: it would answer an unclean path of the API by a redirect, in HTML.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ofMachines(r.URL.Path) {
			machines.ServeHTTP(w, r)
			return
		}
		people.ServeHTTP(w, r)
	}), nil
}

// ofMachines says that a path is the API's.
func ofMachines(path string) bool {
	return slices.ContainsFunc(api.Paths(), func(p string) bool {
		return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)
	})
}

// catalogue is what is configured of providers in the rules in force, with the
// addresses at which this process asks them.
func (a *App) catalogue() galena.Catalogue {
	return a.book.current().rules.Providers.List(a.specs, a.env.ProviderKey, a.urls, a.env.Contact)
}

// privateMux is for a port that only ops can reach.
func privateMux(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// scrapeWait is how long a scrape waits for the store.
const scrapeWait = time.Second

// gauges registers the figures that live in the store and in the process.
func (a *App) gauges() {
	a.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&storeCollector{app: a}, rulesCollector{a.book}, worker.NewQueueMetrics(a.queue))
}

var (
	outboxDesc = prometheus.NewDesc("galena_outbox_depth", "Steps that wait to be put on the queue.", nil, nil)
	oldestDesc = prometheus.NewDesc("galena_undecided_seconds", "Age of the oldest lead in flight, 0 when there is none.", nil, nil)
	auditsDesc = prometheus.NewDesc("galena_audits_total", "Settled decisions that were held against everything the vendors know.", nil, nil)
	regretDesc = prometheus.NewDesc("galena_early_stop_regret", "Share of audited decisions that more data would have changed.", nil, nil)
	lowDesc    = prometheus.NewDesc("galena_early_stop_regret_low", "Lower end of its 95 % interval (Wilson).", nil, nil)
	highDesc   = prometheus.NewDesc("galena_early_stop_regret_high", "Upper end of its 95 % interval (Wilson).", nil, nil)
	budgetDesc = prometheus.NewDesc("galena_budget_remaining_cents", "Left of a budget of today (UTC), reservations taken off: day, provider:ID, source:NAME.", []string{"scope"}, nil)
	failedDesc = prometheus.NewDesc("galena_steps_failed", "Steps that were put aside, by kind and reason: a kind of error, or killed.", []string{"kind", "reason"}, nil)
	waitsDesc  = prometheus.NewDesc("galena_pool_waits_total", "Statements that waited for a connection to the database.", nil, nil)
	waitedDesc = prometheus.NewDesc("galena_pool_wait_seconds_total", "How long they waited, all together.", nil, nil)
	stateDesc  = prometheus.NewDesc("galena_breaker_state", "Breaker by provider, as workers publish it: 0 closed, 1 half open, 2 open.", []string{"provider"}, nil)
)

// storeCollector reads the store when it is scraped. When the store is away
// its figures are missing, which is what an alert should see.
type storeCollector struct{ app *App }

// Describe announces the figures.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- outboxDesc
	ch <- oldestDesc
	for _, d := range []*prometheus.Desc{budgetDesc, failedDesc, waitsDesc, waitedDesc} {
		ch <- d
	}
	for _, d := range []*prometheus.Desc{auditsDesc, regretDesc, lowDesc, highDesc} {
		ch <- d
	}
	if !c.app.roles.worker {
		ch <- stateDesc // a worker shows its own: it is the one who spares them
	}
}

// Collect asks the store.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWait)
	defer cancel()
	if b, err := c.app.store.Backlog(ctx); err == nil {
		age := 0.0
		if !b.OldestUndecided.IsZero() {
			age = max(0, c.app.now().Sub(b.OldestUndecided).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(outboxDesc, prometheus.GaugeValue, float64(b.Outbox))
		ch <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, age)
	}
	waits, waited := c.app.store.PoolWaits()
	ch <- prometheus.MustNewConstMetric(waitsDesc, prometheus.CounterValue, float64(waits))
	ch <- prometheus.MustNewConstMetric(waitedDesc, prometheus.CounterValue, waited.Seconds())
	if counts, err := c.app.store.FailedCounts(ctx); err == nil {
		for _, f := range counts {
			ch <- prometheus.MustNewConstMetric(failedDesc, prometheus.GaugeValue, float64(f.Steps), f.Kind, f.Reason)
		}
	}
	c.regret(ctx, ch)
	c.budgets(ctx, ch)
	if c.app.roles.worker {
		return
	}
	states, err := c.app.store.ProviderStates(ctx)
	if err != nil {
		return
	}
	for _, s := range states {
		ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, breakerFigure(s.Breaker), s.Provider)
	}
}

// regret says how often stopping early was wrong, as far as audits can tell.
func (c *storeCollector) regret(ctx context.Context, ch chan<- prometheus.Metric) {
	r, err := c.app.store.Regret(ctx)
	if err != nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(auditsDesc, prometheus.CounterValue, float64(r.Audits))
	if r.Audits == 0 {
		return // no share of nothing
	}
	low, high := r.Interval()
	ch <- prometheus.MustNewConstMetric(regretDesc, prometheus.GaugeValue, r.Share())
	ch <- prometheus.MustNewConstMetric(lowDesc, prometheus.GaugeValue, low)
	ch <- prometheus.MustNewConstMetric(highDesc, prometheus.GaugeValue, high)
}

// budgets says what is left of today's.
func (c *storeCollector) budgets(ctx context.Context, ch chan<- prometheus.Metric) {
	spent, err := c.app.store.Spent(ctx, galena.DayOf(c.app.now()))
	if err != nil {
		return
	}
	for _, b := range c.app.book.current().rules.Providers.Budgets() {
		ch <- prometheus.MustNewConstMetric(budgetDesc, prometheus.GaugeValue, b.LeftCents(spent), b.Scope)
	}
}

func breakerFigure(state string) float64 {
	switch state {
	case "half_open":
		return 1
	case "open":
		return 2
	default:
		return 0
	}
}

// url is where people find the process.
func (a *App) url() string { return a.public.url() }

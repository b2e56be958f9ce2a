package providers

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

// metrics are the numbers of DESIGN 10. Labels are vendors and Kinds, never a domain.
type metrics struct {
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	cents    *prometheus.CounterVec
	breaker  *prometheus.GaugeVec
	unmapped *prometheus.CounterVec
	calledBy *prometheus.CounterVec
}

// newMetrics makes the metrics and registers them where they are not yet: a
// changed configuration makes a new waterfall beside the old one. Breakers are
// registered unless somebody else shows them.
func newMetrics(r prometheus.Registerer, breakers bool) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "galena_provider_calls_total",
			Help: "Questions to a provider by outcome: hit, cached, or the Kind of the failure (not_found is a miss)."},
			[]string{"provider", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "galena_provider_seconds",
			Help:    "Time a provider took to answer, failures included.",
			Buckets: []float64{.025, .05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5}},
			[]string{"provider"}),
		cents: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "galena_provider_cents_total",
			Help: "Cents spent on a provider by outcome."},
			[]string{"provider", "outcome"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "galena_breaker_state",
			Help: "State of a provider's breaker: 0 closed, 1 half open, 2 open."},
			[]string{"provider"}),
		unmapped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "galena_provider_unmapped_total",
			Help: "Words of a provider that no table of ours knows; the field stayed unknown."},
			[]string{"provider", "field"}),
		calledBy: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "galena_provider_callbacks_total",
			Help: "Calls of providers that answer later: hit, or the Kind of the answer; unauthorized, unknown and repeated ones; timeout for those that never came."},
			[]string{"provider", "outcome"}),
	}
	if r == nil {
		return m, nil
	}
	err := errors.Join(register(r, &m.calls), register(r, &m.seconds), register(r, &m.cents), register(r, &m.unmapped),
		register(r, &m.calledBy))
	if breakers {
		err = errors.Join(err, register(r, &m.breaker))
	}
	return m, err
}

// register keeps the collector that is registered already, if there is one.
func register[C prometheus.Collector](r prometheus.Registerer, c *C) error {
	err := r.Register(*c)
	if old, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := old.ExistingCollector.(C); ok {
			*c = same
			return nil
		}
	}
	return err
}

// outcomeOf is the metric label of a call that was made: hit or the Kind.
func outcomeOf(err error) string {
	if err == nil {
		return "hit"
	}
	return string(galena.KindOf(err))
}

// setBreaker shows a breaker's state as a number.
func (m *metrics) setBreaker(provider, state string) {
	m.breaker.WithLabelValues(provider).Set(map[string]float64{Closed: 0, HalfOpen: 1, Open: 2}[state])
}

package worker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

// Metrics are the pipeline's figures. Labels never hold a domain or a person.
type Metrics struct {
	seconds     *prometheus.HistogramVec
	decisions   *prometheus.CounterVec
	completions *prometheus.CounterVec
	held        prometheus.Counter
	refreshes   *prometheus.CounterVec
}

// NewMetrics registers the figures.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "galena_lead_seconds", Help: "Time of a lead by stage: work = one run of the pipeline, total = from the gate to the decision.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 30, 120},
		}, []string{"stage"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "galena_decisions_total", Help: "Decisions by tier and by why the buying of data ended.",
		}, []string{"tier", "stop"}),
		held: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "galena_leads_held_total", Help: "Leads that the gate had let through and the DNS check held for a person.",
		}),
		refreshes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "galena_refreshes_total", Help: "Companies asked for again: done, nothing (what was held is fresh by now) or parked (a provider could not be asked).",
		}, []string{"outcome"}),
	}
	m.completions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_completions_total", Help: "Second looks at decisions made on too little, by what came of it: waiting, unchanged, rerouted or today (a notice).",
	}, []string{"outcome"})
	reg.MustRegister(m.seconds, m.decisions, m.completions, m.held, m.refreshes)
	return m
}

func (m *Metrics) decided(d galena.Decision, total time.Duration) {
	m.seconds.WithLabelValues("work").Observe(d.Took.Seconds())
	m.seconds.WithLabelValues("total").Observe(max(total, 0).Seconds())
	m.decisions.WithLabelValues(d.Tier, string(d.Stop)).Inc()
}

func (m *Metrics) completed(outcome string) { m.completions.WithLabelValues(outcome).Inc() }

// SLAMetrics count how reps keep their time, and what they give back.
type SLAMetrics struct{ clocks, handBacks *prometheus.CounterVec }

// NewSLAMetrics registers the figures.
func NewSLAMetrics(reg prometheus.Registerer) *SLAMetrics {
	m := &SLAMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_sla_total", Help: "Clocks of reps (accept, touch, wait) by how they went: nudged, met or breached.",
	}, []string{"kind", "result"}), prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_hand_backs_total", Help: "Leads that reps gave back, by reason.",
	}, []string{"reason"})}
	reg.MustRegister(m.clocks, m.handBacks)
	return m
}

func (m *SLAMetrics) count(kind galena.TimerKind, result string) {
	m.clocks.WithLabelValues(string(kind), result).Inc()
}

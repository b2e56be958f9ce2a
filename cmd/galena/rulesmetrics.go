package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	configErrorsDesc = prometheus.NewDesc("galena_config_errors",
		"Errors in the configuration files as they are now; above 0 the rules before stay in force.", nil, nil)
	configInfoDesc = prometheus.NewDesc("galena_config_info",
		"The configuration in force, one series a kind, always 1.", []string{"kind", "name", "version", "hash"}, nil)
	configLoadedDesc = prometheus.NewDesc("galena_config_loaded_timestamp_seconds",
		"When the configuration in force came into force.", nil, nil)
)

// rulesCollector shows which rules a process obeys and whether files wait to be
// mended.
type rulesCollector struct{ book *rulebook }

// Describe announces the figures.
func (c rulesCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- configErrorsDesc
	ch <- configInfoDesc
	ch <- configLoadedDesc
}

// Collect reads the state.
func (c rulesCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.book.status()
	ch <- prometheus.MustNewConstMetric(configErrorsDesc, prometheus.GaugeValue, float64(s.Errors()))
	ch <- prometheus.MustNewConstMetric(configLoadedDesc, prometheus.GaugeValue, float64(s.LoadedAt.UnixMilli())/1e3)
	for _, f := range s.Files {
		ch <- prometheus.MustNewConstMetric(configInfoDesc, prometheus.GaugeValue, 1, f.Kind, f.Name, strconv.Itoa(f.Version), f.Hash)
	}
}

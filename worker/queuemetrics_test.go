package worker

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena/redis"
)

// A Redis that says nothing keeps no scrape: the other figures are told, and that
// those of the queues cannot be read.
func TestASilentRedisKeepsNoScrape(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // nobody accepts: what is sent waits for ever
	conn, err := redis.Open("redis://"+l.Addr().String(), 20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	reg := prometheus.NewRegistry()
	reg.MustRegister(NewQueueMetrics(NewClient(conn.Shared())))
	for range 2 {
		began := time.Now()
		families, err := reg.Gather()
		if took := time.Since(began); err != nil || took > 3*queueWait { // three queues in turn would take fifteen seconds
			t.Errorf("a scrape took %v, %v", took, err)
		}
		if len(families) != 1 || families[0].GetName() != "galena_queue_unreadable" || len(families[0].GetMetric()) != len(Queues()) {
			t.Fatalf("told: %v", families)
		}
		for _, m := range families[0].GetMetric() {
			if m.GetGauge().GetValue() != 1 {
				t.Errorf("%v can be read", m)
			}
		}
	}
}

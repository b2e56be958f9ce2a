package worker

import (
	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
)

// QueueMetrics are asynq's own figures under the names that asynqmon asks a
// Prometheus for. asynq's exporter shows nothing at all when one queue cannot be
// read; here only that queue is missing, and an error is counted.
type QueueMetrics struct{ queue *Client }

// NewQueueMetrics reads the queues whenever it is scraped.
func NewQueueMetrics(c *Client) *QueueMetrics { return &QueueMetrics{c} }

var (
	queueLabel    = []string{"queue"}
	queueSize     = prometheus.NewDesc("asynq_queue_size", "Tasks in a queue.", queueLabel, nil)
	queueLatency  = prometheus.NewDesc("asynq_queue_latency_seconds", "How long the oldest pending task has waited.", queueLabel, nil)
	queueMemory   = prometheus.NewDesc("asynq_queue_memory_usage_approx_bytes", "Memory that a queue takes in Redis, about.", queueLabel, nil)
	queuePaused   = prometheus.NewDesc("asynq_queue_paused_total", "1 while a queue is paused.", queueLabel, nil)
	queueEnqueued = prometheus.NewDesc("asynq_tasks_enqueued_total", "Tasks in a queue by state.", []string{"queue", "state"}, nil)
	queueDone     = prometheus.NewDesc("asynq_tasks_processed_total", "Tasks that were run, failed ones included.", queueLabel, nil)
	queueFailed   = prometheus.NewDesc("asynq_tasks_failed_total", "Runs of tasks that ended in an error.", queueLabel, nil)
	queueBroken   = prometheus.NewDesc("galena_queue_unreadable", "1 while the figures of a queue cannot be read.", queueLabel, nil)
)

// Describe announces the figures.
func (*QueueMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueSize, queueLatency, queueMemory, queuePaused, queueEnqueued, queueDone, queueFailed, queueBroken} {
		ch <- d
	}
}

// Collect asks Redis.
func (m *QueueMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, q := range Queues() {
		info, err := m.queue.inspector.GetQueueInfo(q)
		ch <- prometheus.MustNewConstMetric(queueBroken, prometheus.GaugeValue, figure(err != nil), q)
		if err == nil {
			collect(ch, info)
		}
	}
}

func collect(ch chan<- prometheus.Metric, i *asynq.QueueInfo) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{i.Queue}, labels...)...)
	}
	gauge(queueSize, float64(i.Size))
	gauge(queueLatency, i.Latency.Seconds())
	gauge(queueMemory, float64(i.MemoryUsage))
	gauge(queuePaused, figure(i.Paused))
	for state, n := range map[string]int{"active": i.Active, "pending": i.Pending, "scheduled": i.Scheduled, "retry": i.Retry,
		"archived": i.Archived, "completed": i.Completed, "aggregating": i.Aggregating} {
		gauge(queueEnqueued, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(queueDone, prometheus.CounterValue, float64(i.ProcessedTotal), i.Queue)
	ch <- prometheus.MustNewConstMetric(queueFailed, prometheus.CounterValue, float64(i.FailedTotal), i.Queue)
}

func figure(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

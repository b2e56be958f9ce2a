package worker

import (
	"context"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// QueueMetrics are asynq's own figures under the names that asynqmon asks a
// Prometheus for. asynq's exporter shows nothing at all when one queue cannot be
// read; here only that queue is missing, and an error is counted.
type QueueMetrics struct {
	queue  *Client
	asking singleflight.Group // by queue: a Redis that does not answer is asked once
}

// queueWait is how long a scrape waits for Redis: the figures of the store and of the
// process are wanted most of all when it is away.
const queueWait = time.Second

// NewQueueMetrics reads the queues whenever it is scraped.
func NewQueueMetrics(c *Client) *QueueMetrics { return &QueueMetrics{queue: c} }

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

// Collect asks Redis, of all queues at once.
func (m *QueueMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), queueWait)
	defer cancel()
	var asked []<-chan singleflight.Result
	for _, q := range Queues() {
		asked = append(asked, m.asking.DoChan(q, func() (any, error) { return m.queue.inspector.GetQueueInfo(q) }))
	}
	for i, q := range Queues() {
		var info *asynq.QueueInfo
		select {
		case r := <-asked[i]:
			info, _ = r.Val.(*asynq.QueueInfo)
		case <-ctx.Done():
		}
		ch <- prometheus.MustNewConstMetric(queueBroken, prometheus.GaugeValue, figure(info == nil), q)
		if info != nil {
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

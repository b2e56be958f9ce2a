package worker

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hibiken/asynq"
	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
)

// begun tells of every hand-out that a worker tried to begin, and lets none of
// them go on.
type begun struct {
	Steps
	Leads
	seen chan galena.Step
}

func (b *begun) Begin(_ context.Context, kind, id string, epoch, run int) (bool, error) {
	b.seen <- galena.Step{Kind: kind, ID: id, Epoch: epoch, Run: run}
	return false, nil
}

func (b *begun) Start(ctx context.Context, s galena.Step) (m galena.Memory, tries int, err error) {
	ours, err := b.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if ours {
		tries = 1
	}
	return m, tries, err
}

func (b *begun) Renew(context.Context, []galena.Step) error { return nil }

// startServer runs a server on an embedded Redis and returns what feeds it.
func startServer(tb testing.TB) (*Client, *begun) {
	tb.Helper()
	log := slog.New(slog.DiscardHandler)
	conn, err := redis.Open("", 20, log)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	b := &begun{seen: make(chan galena.Step, 100)}
	s := NewServer(conn.Shared(), ServerConfig{Concurrency: 4}, &Pipeline{Steps: b, Leads: b, Log: log}, &Deliverer{Steps: b, Log: log}, log)
	if err := s.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Stop() })
	return NewClient(conn.Shared()), b
}

func TestEveryKindOfStepReachesItsHandlerOnce(t *testing.T) {
	t.Parallel()
	c, b := startServer(t)
	steps := []galena.Step{
		{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads},
		{Kind: galena.StepDeliver, ID: someLead, Epoch: 1, Run: 1, Queue: queueDeliveries},
	}
	sent, err := c.Enqueue(context.Background(), steps)
	if err != nil || len(sent) != 2 {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	kinds := map[string]int{}
	for range steps {
		select {
		case s := <-b.seen:
			kinds[s.Kind]++
		case <-time.After(5 * time.Second):
			t.Fatalf("only %v began", kinds)
		}
	}
	if kinds[galena.StepLead] != 1 || kinds[galena.StepDeliver] != 1 {
		t.Errorf("began %v, want one of each", kinds)
	}
}

// newQueue is a queue on a Redis of its own, and that Redis.
func newQueue(t *testing.T) (*Client, *redis.Client) {
	t.Helper()
	conn, err := redis.Open("", 20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return NewClient(conn.Shared()), conn
}

func TestTheSameHandOutIsEnqueuedOnceAndALaterOneToo(t *testing.T) {
	t.Parallel()
	c, _ := newQueue(t)
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if c.Alive(s) {
		t.Error("a step that was never enqueued looks alive")
	}
	for range 2 { // the second finds its id taken, which is success
		if sent, err := c.Enqueue(context.Background(), []galena.Step{s}); err != nil || len(sent) != 1 {
			t.Fatalf("sent %v, error %v", sent, err)
		}
	}
	if !c.Alive(s) {
		t.Error("a step on the queue looks lost")
	}
	s.Run = 2
	if c.Alive(s) {
		t.Error("a later run is taken for the one on the queue")
	}
}

func TestATaskThatIsActiveButNeverBeganIsLost(t *testing.T) {
	t.Parallel()
	c, conn := newQueue(t)
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if _, err := c.Enqueue(t.Context(), []galena.Step{s}); err != nil {
		t.Fatal(err)
	}
	rdb, _ := conn.Shared().MakeRedisClient().(goredis.UniversalClient)
	rdb.RPopLPush(t.Context(), "asynq:{leads}:pending", "asynq:{leads}:active") // taken, and the taker died
	if err := rdb.HSet(t.Context(), "asynq:{leads}:t:"+taskID(s), "state", "active").Err(); err != nil {
		t.Fatal(err)
	}
	if c.Alive(s) {
		t.Error("an active task without lease holds its lead for ever")
	}
}

// hung is asynq's server on a Redis that hangs: its loops leave their last calls
// after a dozen seconds, and only then does it wait for its workers.
type hung struct{ takes time.Duration }

func (hung) Start(asynq.Handler) error { return nil }

func (h hung) Shutdown() { time.Sleep(h.takes) }

func TestAStopEndsInTimeAlthoughRedisHangs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ takes, want time.Duration }{
		{5 * time.Second, 5 * time.Second},
		{shutdownWait, shutdownWait},
		{32 * time.Second, 22 * time.Second},
	} {
		t.Run(tt.takes.String(), func(t *testing.T) {
			t.Parallel()
			_, conn := newQueue(t)
			synctest.Test(t, func(t *testing.T) {
				log := slog.New(slog.DiscardHandler)
				b := &begun{}
				s := NewServer(conn.Shared(), ServerConfig{Concurrency: 4}, &Pipeline{Steps: b, Leads: b, Log: log}, &Deliverer{Steps: b, Log: log}, log)
				s.asynq = hung{tt.takes}
				if err := s.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				at := time.Now()
				ended := s.Stop()
				if took := time.Since(at); took != tt.want || ended != (tt.takes == tt.want) {
					t.Errorf("the stop took %v and says %v, want %v", took, ended, tt.want)
				}
				time.Sleep(tt.takes) // until nothing of it is left
			})
		})
	}
}

// BenchmarkIdlePickUp measures how long a task waits for an idle worker.
func BenchmarkIdlePickUp(b *testing.B) {
	c, begun := startServer(b)
	var waits []time.Duration
	run := 0
	for b.Loop() {
		time.Sleep(time.Duration(rand.IntN(80)) * time.Millisecond) // fall anywhere between two looks
		run++
		at := time.Now()
		if _, err := c.Enqueue(context.Background(), []galena.Step{{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: run, Queue: queueLeads}}); err != nil {
			b.Fatal(err)
		}
		<-begun.seen
		waits = append(waits, time.Since(at))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
)

// burst is so many leads that wait at once.
func burst(n int) []galena.Step {
	out := make([]galena.Step, n)
	for i := range out {
		out[i] = galena.Step{Kind: galena.StepLead, ID: fmt.Sprintf("lead-%d", i), Epoch: 1, Run: 1, Queue: queueLeads, Since: time.Now()}
	}
	return out
}

func TestABurstSharesTasksAndALoneLeadDoesNot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ leads, tasks, most int }{{1, 1, 1}, {4, 4, 1}, {8, 4, 2}, {100, 4, 25}, {500, 16, 32}} {
		got, next := parcel(burst(tc.leads)), 0
		for _, task := range got {
			if len(task) > tc.most {
				t.Errorf("%d leads: a task of %d, want %d at most", tc.leads, len(task), tc.most)
			}
			for _, s := range task {
				if want := fmt.Sprintf("lead-%d", next); s.ID != want {
					t.Errorf("%d leads: %s follows, want %s", tc.leads, s.ID, want)
				}
				next++
			}
		}
		if len(got) != tc.tasks || next != tc.leads {
			t.Errorf("%d leads: %d in %d tasks, want %d tasks", tc.leads, next, len(got), tc.tasks)
		}
	}
	mixed := parcel(append(burst(2), galena.Step{Kind: galena.StepSLA, ID: someLead + ":accept", Queue: queueLeads}))
	if len(mixed) != 3 {
		t.Errorf("%d tasks, want each step in one of its own", len(mixed))
	}
}

func TestEveryLeadOfABurstBeginsOnce(t *testing.T) {
	t.Parallel()
	c, b := startServer(t)
	steps := burst(100)
	sent, err := c.Enqueue(t.Context(), steps)
	if err != nil || len(sent) != len(steps) {
		t.Fatalf("sent %d, error %v", len(sent), err)
	}
	seen := map[string]int{}
	for range steps {
		select {
		case s := <-b.seen:
			seen[s.ID]++
		case <-time.After(10 * time.Second):
			t.Fatalf("only %d began", len(seen))
		}
	}
	if len(seen) != len(steps) {
		t.Errorf("%d leads began, want %d", len(seen), len(steps))
	}
}

func TestALeadInASharedTaskIsAliveWhileOlderOnesWait(t *testing.T) {
	t.Parallel()
	c, conn := newQueue(t)
	steps := burst(100)
	if _, err := c.Enqueue(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
	waits, lost := steps[99], steps[99]
	lost.Since = time.Now().Add(-time.Minute)
	if !c.Alive(waits) || c.Alive(lost) {
		t.Errorf("the waiting one is alive: %v, one from before the oldest task: %v; want true and false", c.Alive(waits), c.Alive(lost))
	}
	rdb, _ := conn.Shared().MakeRedisClient().(goredis.UniversalClient)
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	clear(c.heads) // as if the time had passed
	if c.Alive(waits) {
		t.Error("a lead whose task was flushed is taken for alive")
	}
}

// A worker that stops gives back at the head of the queue what it did not finish, and
// asynq does not note since when that waits.
func TestABacklogBehindATaskThatWasGivenBackIsAlive(t *testing.T) {
	t.Parallel()
	_, c, rdb := broken(t)
	steps := burst(100)
	if _, err := c.Enqueue(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
	const k = "asynq:{leads}:"
	id := rdb.RPopLPush(t.Context(), k+"pending", k+"active").Val() // asynq's dequeue
	rdb.HSet(t.Context(), k+"t:"+id, "state", "active")
	rdb.HDel(t.Context(), k+"t:"+id, "pending_since")
	rdb.LRem(t.Context(), k+"active", 0, id) // and its requeue
	rdb.RPush(t.Context(), k+"pending", id)
	rdb.HSet(t.Context(), k+"t:"+id, "state", "pending")
	for _, s := range steps {
		s.Since = s.Since.Add(-time.Minute) // as if they waited that long
		if !c.Alive(s) {
			t.Fatalf("%s is taken for lost", s.ID)
		}
	}
}

// A worker that takes a shared task works on some of its leads, and has not begun
// the others. When it dies those must not look as if they waited in a long queue.
func TestALeadInADeadWorkersTaskIsLostHoweverLongTheQueue(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		name        string
		first, then time.Time // its lease
		passed      time.Duration
		want        bool
	}{
		{"its worker lives", now, now.Add(5 * time.Second), 14 * time.Second, true},
		{"its worker lives, and its clock is an hour late", now.Add(-time.Hour), now.Add(5*time.Second - time.Hour), 14 * time.Second, true},
		{"its worker missed a sign", now, now, 9 * time.Second, true},
		{"its worker is dead", now, now, 14 * time.Second, false},
		{"its worker is dead, and its clock was an hour early", now.Add(time.Hour), now.Add(time.Hour), 14 * time.Second, false},
		{"nobody has it", time.Time{}, time.Time{}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, c, rdb := broken(t)
			steps := burst(100)
			if _, err := c.Enqueue(t.Context(), steps); err != nil {
				t.Fatal(err)
			}
			id := rdb.RPopLPush(t.Context(), "asynq:{leads}:pending", "asynq:{leads}:active").Val()
			rdb.HSet(t.Context(), "asynq:{leads}:t:"+id, "state", "active")
			lease := func(until time.Time) {
				if !until.IsZero() {
					rdb.ZAdd(t.Context(), "asynq:{leads}:lease", goredis.Z{Score: float64(until.Unix()), Member: id})
				}
			}
			lease(tt.first)
			c.Look()
			c.passes(tt.passed)
			lease(tt.then)
			taken := c.stepsOf(queueLeads, id)
			if len(taken) != 25 {
				t.Fatalf("the task holds %d leads, want 25", len(taken))
			}
			for _, s := range steps {
				if want := tt.want || !taken[galena.Step{Kind: s.Kind, ID: s.ID, Epoch: s.Epoch, Run: s.Run}]; c.Alive(s) != want {
					t.Errorf("%s is alive: %t, want %t", s.ID, !want, want)
				}
			}
			for s := range taken {
				s.Run, s.Queue, s.Since = s.Run+1, queueLeads, time.Now()
				if !c.Alive(s) {
					t.Fatalf("a later run of %s is taken for the dead worker's", s.ID)
				}
			}
		})
	}
}

// passes lets what was seen of the queues grow so much older.
func (c *Client) passes(d time.Duration) {
	for queue, o := range c.orphans {
		o.looked = time.Time{}
		for id, t := range o.tasks {
			t.since = t.since.Add(-d)
			o.tasks[id] = t
		}
		c.orphans[queue] = o
	}
}

// slow is a Redis that takes its time, and counts who looks at the queue.
type slow struct {
	heads, active atomic.Int32
}

func (*slow) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (s *slow) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if strings.Contains(cmd.String(), "asynq:{leads}:processed") {
			s.heads.Add(1)
		}
		time.Sleep(lookEvery * 2 / 5)
		return next(ctx, cmd)
	}
}

func (s *slow) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if strings.Contains(fmt.Sprint(cmds), "asynq:{leads}:active") { // others greet a new connection
			s.active.Add(1)
			time.Sleep(lookEvery * 11 / 10)
		}
		return next(ctx, cmds)
	}
}

func TestOneLookAtASlowQueueDoesForAll(t *testing.T) {
	t.Parallel()
	_, c, rdb := broken(t)
	steps := burst(100)
	if _, err := c.Enqueue(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
	if _, err := c.inspector.GetQueueInfo(queueLeads); err != nil { // it sends its scripts once
		t.Fatal(err)
	}
	s := &slow{}
	rdb.AddHook(s)
	var all sync.WaitGroup
	for _, st := range steps[:askers] {
		all.Go(func() {
			if !c.Alive(st) {
				t.Errorf("%s is taken for lost", st.ID)
			}
		})
	}
	all.Wait()
	if s.heads.Load() != 1 || s.active.Load() != 1 {
		t.Errorf("%d looks at the head and %d at what is active, want one each", s.heads.Load(), s.active.Load())
	}
}

// BenchmarkBurst puts 500 leads on the queue, alone and sharing tasks.
func BenchmarkBurst(b *testing.B) {
	for name, send := range map[string]func(*Client, []galena.Step) error{
		"shared": func(c *Client, s []galena.Step) error { _, err := c.Enqueue(b.Context(), s); return err },
		"alone": func(c *Client, s []galena.Step) error {
			for i := range s {
				if _, err := c.Enqueue(b.Context(), s[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			conn, err := redis.Open("", 20, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = conn.Close() })
			c, steps := NewClient(conn.Shared()), burst(500)
			for run := 1; b.Loop(); run++ {
				for i := range steps {
					steps[i].Run = run
				}
				if err := send(c, steps); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Alive says that the step's task is not known to be lost.
func (c *Client) Alive(s galena.Step) bool {
	waits, sure := c.Ask(s)
	return waits || !sure
}

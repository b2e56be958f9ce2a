package worker_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/hibiken/asynq"

	"github.com/galenahq/galena/redis"
)

// rest is what a server waits that found nothing.
const rest = 50 * time.Millisecond

// idle is a server of the queue library on its own Redis, whose looks are counted.
type idle struct {
	herald *redis.Herald
	client *asynq.Client
	took   chan time.Time
	looks  *atomic.Int64
}

var idleQueues = map[string]int{"a": 3, "b": 2, "c": 1}

func newIdle(t *testing.T) idle {
	t.Helper()
	own := miniredis.RunT(t)
	i := idle{took: make(chan time.Time, 100), looks: &atomic.Int64{}}
	own.Server().SetPreHook(func(_ *server.Peer, cmd string, args ...string) bool {
		if cmd == "EVALSHA" && len(args) > 3 && slices.ContainsFunc(args[2:4], func(key string) bool { return strings.HasSuffix(key, ":paused") }) {
			i.looks.Add(1)
		}
		return false
	})
	c, err := redis.Open("redis://"+own.Addr(), 8, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	i.herald, i.client = redis.NewHerald(c), asynq.NewClient(c.Shared())
	s := asynq.NewServer(c.Idle(slices.Collect(maps.Keys(idleQueues)), i.herald), asynq.Config{Concurrency: 4, Queues: idleQueues,
		TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel})
	if err := s.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { i.took <- time.Now(); return nil })); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); _ = c.Close() })
	return i
}

func (i idle) put(t *testing.T, queue string) {
	t.Helper()
	if _, err := i.client.Enqueue(asynq.NewTask("t", nil), asynq.Queue(queue)); err != nil {
		t.Fatal(err)
	}
}

// taken says when the next task was taken.
func (i idle) taken(t *testing.T) (at time.Time) {
	t.Helper()
	select {
	case at = <-i.took:
	case <-time.After(20 * time.Second):
		t.Fatal("a task was not taken")
	}
	return at
}

// A server that waits looks again at the word, and again until a look finds nothing,
// whichever queue it is in; what came without word it finds a little later.
func TestAnIdleServerTakesWorkAtTheWordAndWithoutIt(t *testing.T) {
	t.Parallel()
	i := newIdle(t)
	for _, word := range []bool{true, false} {
		for queue := range idleQueues {
			for range 5 {
				i.put(t, queue)
			}
			if word {
				i.herald.Tell(redis.TopicWork(queue))
			}
			for range 5 {
				i.taken(t)
			}
		}
	}
}

// A task for which there is a word waits for it, and not for half of the rest. The
// two are told apart by their sum over many, on a machine as slow as it likes to be:
// the waits with a word are compared with those without.
func TestAWordSavesTheWait(t *testing.T) {
	t.Parallel()
	i := newIdle(t)
	wait := func(word bool) (all time.Duration) {
		for range 30 {
			time.Sleep(3 * time.Millisecond) // it waits by now
			put := time.Now()
			i.put(t, "a")
			if word {
				i.herald.Tell(redis.TopicWork("a"))
			}
			all += i.taken(t).Sub(put)
		}
		return all
	}
	with, without := wait(true), wait(false)
	if 2*with > without {
		t.Errorf("30 tasks waited %s with a word and %s without", with, without)
	}
}

// An idle server asks for work a few times a second, although it sleeps next to
// nothing between two looks. Were its script no longer known it would be thousands.
func TestAnIdleServerLooksSeldom(t *testing.T) {
	t.Parallel()
	i := newIdle(t)
	began, before := time.Now(), i.looks.Load()
	time.Sleep(time.Second)
	rounds := float64(i.looks.Load()-before) / float64(len(idleQueues))
	if most := float64(time.Since(began)/rest) + 2; rounds > most || rounds == 0 {
		t.Errorf("%.1f rounds in a second, want some, and %.0f at the most", rounds, most)
	}
}

// A word is of one queue: the others are known to be empty and are not asked for
// each task. One look takes it, one finds nothing more.
func TestAWordIsOfOneQueue(t *testing.T) {
	t.Parallel()
	i := newIdle(t)
	const tasks = 50
	began, before := time.Now(), i.looks.Load()
	for range tasks {
		i.put(t, "a")
		i.herald.Tell(redis.TopicWork("a"))
		i.taken(t)
	}
	most := 2*tasks + int64(len(idleQueues))*int64(time.Since(began)/rest+2)
	if looks := i.looks.Load() - before; looks > most {
		t.Errorf("%d looks for %d tasks, want %d at the most", looks, tasks, most)
	}
}

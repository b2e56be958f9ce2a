package redis

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
)

func TestURLsAreReadAndNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, url string
		addrs     int
		wantErr   string
	}{
		{"plain", "redis://:hush@127.0.0.1:6379/2", 1, ""},
		{"tls", "rediss://127.0.0.1:6380", 1, ""},
		{"sentinel", "redis-sentinel://:hush@a:1,b:2,c:3?master=main", 3, ""},
		{"sentinel without a master", "redis-sentinel://:hush@a:1", 0, "needs ?master=NAME"},
		{"cluster", "redis-cluster://ops:hush@a:1,b:2", 2, ""},
		{"no scheme", "hush", 0, "no scheme"},
		{"another scheme", "amqp://hush", 0, `scheme "amqp"`},
		{"broken", "redis://:hush@host:port", 0, "not of the form"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o, err := parse(tc.url)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want %q", err, tc.wantErr)
				}
				if strings.Contains(err.Error(), "hush") {
					t.Fatalf("the error repeats the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Addrs) != tc.addrs {
				t.Errorf("%d addresses, want %d", len(o.Addrs), tc.addrs)
			}
		})
	}
}

func TestAClusterIsLookedAtOften(t *testing.T) {
	t.Parallel()
	c, err := Open("redis-cluster://127.0.0.1:1,127.0.0.1:2", 3, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	of, ok := c.rdb.(*goredis.ClusterClient)
	if !ok {
		t.Fatalf("the client of a cluster is a %T", c.rdb)
	}
	if o := of.Options(); o.ClusterStateReloadInterval > 10*time.Second || o.PoolSize != 3 {
		t.Errorf("looked at every %v with %d connections", o.ClusterStateReloadInterval, o.PoolSize)
	}
}

// inProcess is a client of the embedded Redis.
func inProcess(tb testing.TB, conns int) *Client {
	tb.Helper()
	c, err := Open("", conns, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTheLimiterHoldsItsRateAndNamesTheWait(t *testing.T) {
	t.Parallel()
	c := inProcess(t, 4)
	l := NewLimiter(c)
	allowed := 0
	var wait time.Duration
	for range 10 {
		ok, w, err := l.Allow(context.Background(), "hunter", 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			allowed++
		} else {
			wait = w
		}
	}
	if allowed != 3 || wait <= 0 || wait > time.Second {
		t.Errorf("%d allowed with a wait of %v, want the burst of 3 and a wait of up to a second", allowed, wait)
	}
}

func TestTurnsAreGivenInOrderAsFarAheadAsOneWaits(t *testing.T) {
	t.Parallel()
	c := inProcess(t, 4)
	l := NewLimiter(c)
	began := time.Now()
	for i := range 7 { // a turn in a second, two at once, and five may wait
		ok, wait, err := l.Turn(t.Context(), "hunter", 1, 2, 5500*time.Millisecond)
		late := time.Since(began) // the turns come nearer as time goes by
		if want := time.Duration(max(i-1, 0)) * time.Second; err != nil || !ok || wait > want || wait < max(want-late, 0) {
			t.Fatalf("turn %d: %v in %v, %v; want it in %v", i, ok, wait, err, want)
		}
	}
	if ok, wait, err := l.Turn(t.Context(), "hunter", 1, 2, 5500*time.Millisecond); err != nil || ok || wait <= 0 || wait > time.Second {
		t.Errorf("beyond the line: %v, %v, %v; want a wait of up to a second", ok, wait, err)
	}
	if ok, wait, err := l.Turn(t.Context(), "slow", 0.1, 1, time.Second); err != nil || !ok || wait != 0 {
		t.Errorf("first of a slow one: %v, %v, %v", ok, wait, err)
	}
	if ok, wait, err := l.Turn(t.Context(), "slow", 0.1, 1, time.Second); err != nil || ok || wait < 9*time.Second || wait > 10*time.Second {
		t.Errorf("second of a slow one: %v, %v, %v; want none, and the ten seconds", ok, wait, err)
	}
	c.embedded.server.SetError("OOM")
	if ok, _, err := l.Turn(t.Context(), "hunter", 1, 2, time.Second); ok || galena.KindOf(err) != galena.Unavailable {
		t.Errorf("without Redis: %v, %v; want an error", ok, err)
	}
}

// Turns that are asked for together are as many, and as far apart, as those that are
// asked for one by one; where there are not enough for all, some have one.
func TestTurnsThatAreAskedForTogetherAreTurnsInARow(t *testing.T) {
	t.Parallel()
	c := inProcess(t, 4)
	l := NewLimiter(c)
	const all, most = 40, 30 * time.Second // a turn in a second, one at once: 30 may wait
	var mu sync.Mutex
	var waits []time.Duration
	var refused []time.Duration
	began := time.Now()
	var wg sync.WaitGroup
	for range all {
		wg.Go(func() {
			ok, wait, err := l.Turn(t.Context(), "hunter", 1, 1, most)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case ok:
				waits = append(waits, wait)
			default:
				refused = append(refused, wait)
			}
		})
	}
	wg.Wait()
	late := time.Since(began)
	slices.Sort(waits)
	if len(waits) != 31 {
		t.Fatalf("%d turns of %d, want 31", len(waits), all)
	}
	for i, wait := range waits {
		if want := time.Duration(i) * time.Second; wait > want || wait < want-late {
			t.Errorf("turn %d comes in %v, want %v", i, wait, want)
		}
	}
	for _, wait := range refused {
		if wait <= 0 || wait > time.Second {
			t.Errorf("who has no turn is to ask again in %v, want within a second", wait)
		}
	}
}

// Of those who ask together one may leave; the others have their turns.
func TestWhoLeavesTakesNobodysTurn(t *testing.T) {
	t.Parallel()
	q := newTurns(redis_rate.Limit{Rate: 1, Burst: 10, Period: time.Second})
	asked := make(chan int)
	answer := make(chan error)
	ask := func(_ context.Context, n int) (*redis_rate.Result, error) {
		asked <- n
		return &redis_rate.Result{Allowed: n, ResetAfter: 5 * time.Second}, <-answer
	}
	first, leave := context.WithCancel(t.Context())
	go func() { _, _ = q.take(first, ask) }()
	if n := <-asked; n != 1 {
		t.Fatalf("who is alone asks for %d", n)
	}
	type got struct {
		res *redis_rate.Result
		err error
	}
	out := make(chan got, 3)
	gone, cancel := context.WithCancel(t.Context())
	for _, ctx := range []context.Context{t.Context(), gone, t.Context()} {
		go func() { res, err := q.take(ctx, ask); out <- got{res, err} }()
	}
	for joined := 0; joined < 3; {
		q.mu.Lock()
		joined = q.next.n
		q.mu.Unlock()
	}
	cancel()
	if g := <-out; !errors.Is(g.err, context.Canceled) {
		t.Fatalf("who left was answered %+v", g)
	}
	leave() // the question is everybody's
	answer <- nil
	if n := <-asked; n != 3 {
		t.Fatalf("%d turns were asked for, want three", n)
	}
	answer <- nil
	a, b := <-out, <-out
	if a.err != nil || b.err != nil || a.res.ResetAfter == b.res.ResetAfter {
		t.Errorf("the two who stayed: %+v and %+v, want a turn each", a, b)
	}
}

func BenchmarkTurns(b *testing.B) {
	c := inProcess(b, 16)
	l := NewLimiter(c)
	b.Run("Alone", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = l.Turn(b.Context(), "hunter", 1e6, 1000, time.Second)
		}
	})
	b.Run("AtOnce", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _, _ = l.Turn(b.Context(), "hunter", 1e6, 1000, time.Second)
			}
		})
	})
}

func TestWithoutRedisEachProcessPacesItself(t *testing.T) {
	t.Parallel()
	c, err := Open("redis://127.0.0.1:1", 2, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	l := NewLimiter(c)
	first, _, err := l.Allow(context.Background(), "hunter", 0.1, 1)
	if err != nil || !first {
		t.Fatalf("first call: %v, %v; want it allowed", first, err)
	}
	if second, wait, _ := l.Allow(context.Background(), "hunter", 0.1, 1); second || wait <= 0 {
		t.Errorf("second call allowed=%v wait=%v, want it refused with a wait", second, wait)
	}
	// a file was changed meanwhile
	if third, wait, _ := l.Allow(context.Background(), "hunter", 0.5, 1); third || wait <= 0 || wait > 2*time.Second {
		t.Errorf("third call allowed=%v wait=%v, want it refused for as long as the new pace has it", third, wait)
	}
	if fourth, wait, _ := l.Allow(context.Background(), "hunter", 1e6, 3); !fourth {
		t.Errorf("fourth call refused for %v, want it allowed by the new pace", wait)
	}
}

func TestAScriptThatIsRefusedTakesABreath(t *testing.T) {
	t.Parallel()
	c := inProcess(t, 1)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.embedded.server.SetError("OOM command not allowed when used memory > 'maxmemory'.")
	shared, ok := c.Shared().MakeRedisClient().(goredis.UniversalClient)
	if !ok {
		t.Fatal("the queue is given no client")
	}
	began := time.Now()
	for range 3 {
		if err := shared.EvalSha(t.Context(), "sha", nil).Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM ") {
			t.Fatalf("got %v, want the server's refusal", err)
		}
	}
	if took := time.Since(began); took < 3*breath {
		t.Errorf("asked three times in %v", took)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if began := time.Now(); shared.EvalSha(stopped, "sha", nil).Err() == nil || time.Since(began) > breath {
		t.Errorf("held up for %v by a breath that nobody wants", time.Since(began))
	}
}

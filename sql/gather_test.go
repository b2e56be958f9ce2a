package sql

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a group whose transactions take 5 ms, and what each of them carried. The
// processor is short where to yield it takes 2 ms.
func counted(short bool) (*group[int, int], *[]int) {
	var sizes []int
	g := &group[int, int]{gather: groupWork, run: func(_ context.Context, in []int) ([]outcome[int], error) {
		time.Sleep(5 * time.Millisecond)
		sizes = append(sizes, len(in)) // one lane, so one at a time
		out := make([]outcome[int], len(in))
		for i, n := range in {
			out[i].value = n
		}
		return out, nil
	}}
	g.yield = func() {
		if short {
			time.Sleep(2 * time.Millisecond)
		}
	}
	return g, &sizes
}

// stream sends n callers, one every gap, and says how long the slowest waited.
func stream(t *testing.T, g *group[int, int], n int, gap time.Duration) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	took := make([]time.Duration, n)
	for i := range n {
		all.Go(func() {
			began := time.Now()
			if got, err := g.do(t.Context(), i); got != i || err != nil {
				t.Errorf("caller %d got %d, %v", i, got, err)
			}
			took[i] = time.Since(began)
		})
		time.Sleep(gap)
	}
	all.Wait()
	g.serving.Wait()
	slowest := took[0]
	for _, d := range took {
		slowest = max(slowest, d)
	}
	return slowest
}

// TestGather: whoever shares a transaction on a short processor waits for more; on
// one that has time, alone, or with few, nobody does.
func TestGather(t *testing.T) {
	const callers = 400
	for name, c := range map[string]struct {
		short       bool
		gap         time.Duration
		most, least int           // transactions
		slowest     time.Duration // of all callers
	}{
		"short and busy":    {true, 250 * time.Microsecond, 9, 3, 50 * time.Millisecond},
		"busy, but in time": {false, 250 * time.Microsecond, 25, 15, 11 * time.Millisecond},
		"short, but few":    {true, 2 * time.Millisecond, 150, 90, 16 * time.Millisecond},
		"alone":             {true, 20 * time.Millisecond, callers, callers, 7 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, sizes := counted(c.short)
				slowest := stream(t, g, callers, c.gap)
				if n := len(*sizes); n < c.least || n > c.most {
					t.Errorf("%d transactions for %d callers, want %d to %d: %v", n, callers, c.least, c.most, *sizes)
				}
				if slowest > c.slowest {
					t.Errorf("one waited %s, may wait %s", slowest, c.slowest)
				}
			})
		})
	}
}

// TestGatherFull: who can carry no more does not wait for more.
func TestGatherFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, sizes := counted(true)
		slowest := stream(t, g, 3*groupMost, 0)
		if n := len(*sizes); n != 3 {
			t.Errorf("%d transactions for %d callers who come at once: %v", n, 3*groupMost, *sizes)
		}
		if limit := 3*(5+2)*time.Millisecond + 2*time.Millisecond; slowest > limit {
			t.Errorf("the last waited %s, want %s at most", slowest, limit)
		}
	})
}

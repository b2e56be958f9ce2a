package web

import (
	"slices"
	"sync"
	"time"
)

// limiter allows n tries per key within a sliding window. It belongs to one
// process: two web processes together allow twice as many.
type limiter struct {
	n      int
	window time.Duration

	mu    sync.Mutex
	tries map[string][]time.Time // within the window, oldest first
	swept time.Time
}

func newLimiter(n int, window time.Duration) *limiter {
	return &limiter{n: n, window: window, tries: map[string][]time.Time{}}
}

// allow counts a try, or says how long to wait for the next one.
func (l *limiter) allow(key string, now time.Time) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	recent := l.recent(key, now)
	if len(recent) >= l.n {
		return false, recent[0].Add(l.window).Sub(now)
	}
	l.tries[key] = append(recent, now)
	return true, 0
}

func (l *limiter) recent(key string, now time.Time) []time.Time {
	return slices.DeleteFunc(l.tries[key], func(t time.Time) bool { return now.Sub(t) >= l.window })
}

// sweep forgets keys that went quiet, once a window, so that a walk through
// many addresses cannot fill the memory for longer than that.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < l.window {
		return
	}
	l.swept = now
	for key := range l.tries {
		if recent := l.recent(key, now); len(recent) == 0 {
			delete(l.tries, key)
		} else {
			l.tries[key] = recent
		}
	}
}

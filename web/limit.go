package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

// Limiter counts for all processes together. It answers an error when it cannot.
type Limiter interface {
	AllowShared(ctx context.Context, key string, perSecond float64, burst int) (ok bool, wait time.Duration, err error)
}

// limitWait is how long a login waits for the shared count.
const limitWait = 500 * time.Millisecond

// allow counts a try of an address against all processes, as far as they can be
// asked, and against this one.
func (s *server) allow(ctx context.Context, key string) (ok bool, wait time.Duration) {
	if s.Limiter != nil {
		ctx, cancel := context.WithTimeout(ctx, limitWait)
		defer cancel()
		ok, wait, err := s.Limiter.AllowShared(ctx, "login:"+key, loginTries/time.Minute.Seconds(), loginTries)
		switch {
		case err != nil:
			s.Log.WarnContext(ctx, "logins are limited by this process alone", "kind", galena.KindOf(err), "error", err)
		case !ok:
			return false, wait
		}
	}
	return s.tries.allow(key, s.Now())
}

// limiter allows n tries per key within a sliding window. It belongs to one
// process.
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

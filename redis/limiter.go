package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"golang.org/x/time/rate"

	"github.com/galenahq/galena"
)

// Limiter paces calls for all processes together. When Redis is away each
// process paces itself at the same rate: better a little too fast for a moment
// than no enrichment at all.
type Limiter struct {
	shared *redis_rate.Limiter
	mu     sync.Mutex
	local  map[string]*rate.Limiter
	turns  map[string]*turns
}

// NewLimiter builds the limiter on the process's client.
func NewLimiter(c *Client) *Limiter {
	return &Limiter{shared: redis_rate.NewLimiter(c.rdb), local: map[string]*rate.Limiter{}, turns: map[string]*turns{}}
}

// Allow asks for one call under key at perSecond calls a second with the given
// burst. When refused, wait is how long until the next one. A perSecond of 0
// means no limit.
func (l *Limiter) Allow(ctx context.Context, key string, perSecond float64, burst int) (ok bool, wait time.Duration, err error) {
	if perSecond <= 0 {
		return true, 0, nil
	}
	burst = max(burst, 1)
	ok, wait, err = l.AllowShared(ctx, key, perSecond, burst)
	if err == nil || ctx.Err() != nil {
		return ok, wait, err
	}
	return l.allowLocal(key, perSecond, burst)
}

// AllowShared is Allow for who has a pace of its own when Redis is away: then it
// answers an error. Redis forgets a key that went quiet, so strangers may choose it.
func (l *Limiter) AllowShared(ctx context.Context, key string, perSecond float64, burst int) (ok bool, wait time.Duration, err error) {
	// A rate below one a second has no whole number of calls per second, so the
	// limit is stated as one call per period.
	limit := redis_rate.Limit{Rate: 1, Burst: burst, Period: time.Duration(float64(time.Second) / perSecond)}
	res, err := l.shared.Allow(ctx, "galena:"+key, limit)
	if err != nil {
		if ctx.Err() != nil {
			return false, 0, ctx.Err()
		}
		return false, 0, errAway()
	}
	return res.Allowed > 0, max(res.RetryAfter, 0), nil
}

// Turn takes the next turn of key for who is ready to wait for it: ok, and wait is
// how long it is until then. When that is more than most no turn is taken, and wait
// is how long it is until one can be. One question to Redis serves a call however
// long it waits, and turns come in the order in which they were asked for. When
// Redis is away the answer is an error: whoever asks has a pace of its own.
func (l *Limiter) Turn(ctx context.Context, key string, perSecond float64, burst int, most time.Duration) (ok bool, wait time.Duration, err error) {
	if perSecond <= 0 {
		return true, 0, nil
	}
	period := max(time.Duration(float64(time.Second)/perSecond), 1)
	// A limit that lets in as many more as may wait: who is beyond the burst waits.
	burst = max(burst, 1)
	limit := redis_rate.Limit{Rate: 1, Burst: burst + int(most/period), Period: period}
	res, err := l.turnsOf(key, limit).take(ctx, func(ctx context.Context, n int) (*redis_rate.Result, error) {
		return l.shared.AllowN(ctx, "galena:"+key, limit, n)
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return false, 0, ctx.Err()
	case err != nil:
		return false, 0, errAway()
	case res.Allowed == 0:
		return false, max(res.RetryAfter, time.Millisecond), nil
	default:
		return true, max(res.ResetAfter-time.Duration(burst)*period, 0), nil
	}
}

// turnsOf is where the turns of a key are asked for; another pace is another place.
func (l *Limiter) turnsOf(key string, limit redis_rate.Limit) *turns {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.turns[key]
	if t == nil || t.limit != limit {
		t = newTurns(limit)
		l.turns[key] = t
	}
	return t
}

func errAway() error {
	return &galena.Error{Kind: galena.Unavailable, Op: "redis.limit", Err: errors.New("redis does not answer")}
}

func (l *Limiter) allowLocal(key string, perSecond float64, burst int) (bool, time.Duration, error) {
	l.mu.Lock()
	lim, ok := l.local[key]
	if !ok {
		lim = rate.NewLimiter(rate.Limit(perSecond), burst)
		l.local[key] = lim
	}
	if lim.Limit() != rate.Limit(perSecond) || lim.Burst() != burst { // the files have changed
		lim.SetLimit(rate.Limit(perSecond))
		lim.SetBurst(burst)
	}
	l.mu.Unlock()
	r := lim.Reserve()
	if wait := r.Delay(); wait > 0 {
		r.Cancel()
		return false, wait, nil
	}
	return true, 0, nil
}

package twenty

import (
	"context"
	"sync"
	"time"
)

// What a workspace lets through: a hundred calls at once, and then one per 0.6 s.
// It is told to nobody who asks.
const (
	burst    = 100
	interval = 650 * time.Millisecond // a little more than theirs: a call takes its time to get there
)

// Pace spaces the calls to one workspace. Processes that share a workspace should
// share one.
type Pace interface {
	// Wait returns when the next call may be made.
	Wait(ctx context.Context) error
	// Refused tells that a call came too early all the same: others use the
	// workspace too.
	Refused()
}

// bucket is the server's own book-keeping. It gains one call for each whole
// interval since the last one, and what is left of an interval is lost: whoever
// calls twice a second gains nothing at all.
type bucket struct {
	left int
	last time.Time
}

// take takes one call, or says how long there is none.
func (b *bucket) take(now time.Time) time.Duration {
	gained := max(0, int(min(now.Sub(b.last)/interval, burst)))
	if b.left+gained == 0 {
		return b.last.Add(interval).Sub(now)
	}
	b.left, b.last = min(b.left+gained, burst)-1, now
	return 0
}

// localPace is the pace of one process.
type localPace struct {
	now func() time.Time
	mu  sync.Mutex
	b   bucket
}

// NewPace makes the pace of a process that has the workspace for itself.
func NewPace(now func() time.Time) Pace {
	return &localPace{now: now, b: bucket{left: burst, last: now()}}
}

// Wait implements Pace.
func (p *localPace) Wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		wait := p.b.take(p.now())
		p.mu.Unlock()
		if wait == 0 {
			return ctx.Err()
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Refused implements Pace.
func (p *localPace) Refused() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b = bucket{last: p.now()}
}

// Limiter is a pace that all processes keep together. ok says that the call may be
// made, wait how long it may not.
type Limiter interface {
	Allow(ctx context.Context, key string, perSecond float64, burst int) (ok bool, wait time.Duration, err error)
}

// sharedPace is the pace of all processes that share a limiter: one call in each
// interval and none ahead of its time, for nobody knows how full the workspace's
// bucket was left by the others.
type sharedPace struct {
	limiter Limiter
	key     string
	now     func() time.Time
	turn    chan struct{} // one of this process asks at a time

	mu    sync.Mutex
	until time.Time // a refusal keeps this process away
}

func newSharedPace(l Limiter, key string, now func() time.Time) *sharedPace {
	return &sharedPace{limiter: l, key: key, now: now, turn: make(chan struct{}, 1)}
}

// Wait implements Pace.
func (p *sharedPace) Wait(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	for {
		p.mu.Lock()
		wait := p.until.Sub(p.now())
		p.mu.Unlock()
		if wait <= 0 {
			ok, next, err := p.limiter.Allow(ctx, p.key, float64(time.Second)/float64(interval), 1)
			if err != nil || ok {
				return err
			}
			wait = max(next, time.Millisecond)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// Refused implements Pace.
func (p *sharedPace) Refused() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = p.now().Add(interval)
}

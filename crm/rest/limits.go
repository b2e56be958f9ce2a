package rest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// patience is how long a call waits for its turn; longer waits are the caller's.
const patience = 5 * time.Second

// Limiter paces calls across processes.
type Limiter interface {
	Allow(ctx context.Context, key string, perSecond float64, burst int) (ok bool, wait time.Duration, err error)
}

// pacer keeps to the CRM's limits.
type pacer struct {
	Limits
	key    string
	shared Limiter
	now    func() time.Time
	slots  chan struct{}

	mu    sync.Mutex
	under int         // calls under way
	ended []time.Time // when calls ended, within the period
	day   int64
	spent int
}

// enter waits for a turn; leave gives it back.
func (p *pacer) enter(ctx context.Context, op string, cost int) (leave func(), err error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, crm.ExchangeError(op, ctx.Err())
	}
	if err = p.turn(ctx, op); err != nil {
		<-p.slots
		return nil, err
	}
	leave = func() {
		p.over()
		<-p.slots
	}
	if err = p.spend(op, cost); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// turn waits until the rate lets one more call through.
func (p *pacer) turn(ctx context.Context, op string) error {
	if p.Rate.Calls <= 0 {
		return nil
	}
	for begun := p.now(); ; {
		wait := p.next(ctx)
		if wait == 0 {
			return nil
		}
		if p.now().Add(wait).Sub(begun) > patience {
			return &galena.Error{Kind: galena.RateLimited, Op: op, RetryAfter: wait, Err: errors.New("our own pace"), Cause: galena.CausePace}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return crm.ExchangeError(op, ctx.Err())
		}
	}
}

// next takes a turn, or says how long there is none. What all processes do is
// paced by the shared limiter. What this one does is counted from the answers: a
// call gets to the CRM some time between its start and its answer, so a window
// from the answers holds whatever the CRM's own holds, however slow the way is.
func (p *pacer) next(ctx context.Context) time.Duration {
	if wait := p.take(); wait > 0 {
		return wait
	}
	if p.shared == nil {
		return 0
	}
	// A bucket of a twentieth of the calls: with its refill it stays below the CRM's
	// window, and leaves as much again for calls that take longer to get there than others.
	burst := max(1, p.Rate.Calls/20)
	ok, wait, err := p.shared.Allow(ctx, p.key, float64(max(1, p.Rate.Calls-2*burst))/p.Rate.Per.Seconds(), burst)
	if err != nil || ok {
		return 0 // without it each process has its own window
	}
	p.mu.Lock()
	p.under--
	p.mu.Unlock()
	return max(wait, time.Millisecond)
}

// take counts one more call under way, if the window has room for it.
func (p *pacer) take() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for len(p.ended) > 0 && now.Sub(p.ended[0]) >= p.Rate.Per {
		p.ended = p.ended[1:]
	}
	switch {
	case p.under+len(p.ended) < p.Rate.Calls:
		p.under++
		return 0
	case len(p.ended) > 0:
		return p.ended[0].Add(p.Rate.Per).Sub(now)
	}
	return p.Rate.Per / 10 // all are under way
}

// over counts a call as ended.
func (p *pacer) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Rate.Calls > 0 {
		p.under--
		p.ended = append(p.ended, p.now())
	}
}

// spend takes the cost of a call from the day's budget.
func (p *pacer) spend(op string, cost int) error {
	if p.Daily.Budget <= 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if day := now.Unix() / 86400; day != p.day {
		p.day, p.spent = day, 0
	}
	if p.spent+cost > p.Daily.Budget {
		return &galena.Error{Kind: galena.Exhausted, Op: op, RetryAfter: time.Unix((p.day+1)*86400, 0).Sub(now),
			Err: errors.New("the day's budget of the configuration is spent")}
	}
	p.spent += cost
	return nil
}

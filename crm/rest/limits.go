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
	calls []time.Time
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
	leave = func() { <-p.slots }
	if err = p.turn(ctx, op); err == nil {
		err = p.spend(op, cost)
	}
	if err != nil {
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
		wait, err := p.next(ctx)
		if err != nil || wait == 0 {
			return err
		}
		if p.now().Add(wait).Sub(begun) > patience {
			return &galena.Error{Kind: galena.RateLimited, Op: op, RetryAfter: wait, Err: errors.New("our own pace"), Cause: crm.CausePace}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return crm.ExchangeError(op, ctx.Err())
		}
	}
}

func (p *pacer) next(ctx context.Context) (time.Duration, error) {
	if p.shared != nil {
		// A bucket of a tenth of the calls: with its refill it stays below the CRM's window.
		burst := max(1, p.Rate.Calls/10)
		ok, wait, err := p.shared.Allow(ctx, p.key, float64(max(1, p.Rate.Calls-burst))/p.Rate.Per.Seconds(), burst)
		if err == nil && ok {
			return 0, nil
		}
		if err == nil {
			return max(wait, time.Millisecond), nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for len(p.calls) > 0 && now.Sub(p.calls[0]) >= p.Rate.Per {
		p.calls = p.calls[1:]
	}
	if len(p.calls) >= p.Rate.Calls {
		return p.calls[0].Add(p.Rate.Per).Sub(now), nil
	}
	p.calls = append(p.calls, now)
	return 0, nil
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

package redis

import (
	"context"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
)

// askedWithin is how long one question for turns may take.
const askedWithin = 500 * time.Millisecond

// turns of one key that are wanted at the same time are asked for together. Under
// load a burst of new companies wants dozens, and each by itself cost Redis and
// both ends of the line more than all of them do in one question.
//
//	a ── asks for 1 ─────────────► Redis
//	b, c, d come meanwhile         │
//	b ── asks for 3 ◄──────────────┘
//
// There is no timer: who is alone asks at once.
type turns struct {
	limit  redis_rate.Limit
	asking chan struct{} // room for the one who asks

	mu   sync.Mutex
	next *party // who goes with the next question
}

// party is who goes with one question.
type party struct {
	n     int // how many, while it may be joined
	asked bool
	res   *redis_rate.Result
	err   error
}

func newTurns(limit redis_rate.Limit) *turns {
	return &turns{limit: limit, asking: make(chan struct{}, 1), next: &party{}}
}

// take takes a turn and says when it comes, counted from the moment in which none
// had been taken yet. When there are not enough for all each asks for its own.
func (t *turns) take(ctx context.Context, ask func(ctx context.Context, n int) (*redis_rate.Result, error)) (*redis_rate.Result, error) {
	t.mu.Lock()
	p := t.next
	place := p.n
	p.n++
	t.mu.Unlock()

	select {
	case t.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !p.asked {
		t.mu.Lock()
		t.next = &party{}
		t.mu.Unlock()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), askedWithin)
		p.asked = true
		p.res, p.err = ask(within, p.n)
		cancel()
	}
	<-t.asking
	switch {
	case p.err != nil:
		return nil, p.err
	case p.res.Allowed == 0 && p.n > 1:
		return ask(ctx, 1)
	}
	mine := *p.res
	mine.ResetAfter -= time.Duration(p.n-1-place) * t.limit.Period // those behind me come after
	return &mine, nil
}

package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
)

// The keys below are the queue library's. Its own inspector refuses to touch an
// active task, and cannot see one that it cannot read; these few calls can.

func queueKey(queue, part string) string { return "asynq:{" + queue + "}:" + part }

// Active lists the tasks that some worker took, with the end of each lease, zero
// where there is none.
func (c *Client) Active(ctx context.Context, queue string) (map[string]time.Time, error) {
	ids, err := c.rdb.LRange(ctx, queueKey(queue, "active"), 0, -1).Result()
	if err != nil {
		return nil, away(err)
	}
	out := make(map[string]time.Time, len(ids))
	for _, id := range ids {
		if out[id], err = c.lease(ctx, queue, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Client) lease(ctx context.Context, queue, id string) (time.Time, error) {
	score, err := c.rdb.ZScore(ctx, queueKey(queue, "lease"), id).Result()
	if errors.Is(err, goredis.Nil) {
		return time.Time{}, nil
	}
	return time.Unix(int64(score), 0), away(err)
}

// Archived lists up to limit tasks that the library gave up.
func (c *Client) Archived(ctx context.Context, queue string, limit int) ([]string, error) {
	ids, err := c.rdb.ZRange(ctx, queueKey(queue, "archived"), 0, int64(limit)-1).Result()
	return ids, away(err)
}

// Register writes the names of queues where the library looks for them. It writes
// one itself when it puts the first task into it, and never again.
func (c *Client) Register(ctx context.Context, queues ...string) error {
	names := make([]any, len(queues))
	for i, q := range queues {
		names[i] = q
	}
	return away(c.rdb.SAdd(ctx, "asynq:queues", names...).Err())
}

// DropTask removes a task that is active or archived, whatever state it says to be in.
func (c *Client) DropTask(ctx context.Context, queue, id string) error {
	_, err := c.rdb.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		p.LRem(ctx, queueKey(queue, "active"), 0, id)
		p.ZRem(ctx, queueKey(queue, "lease"), id)
		p.ZRem(ctx, queueKey(queue, "archived"), id)
		p.Del(ctx, queueKey(queue, "t:"+id))
		return nil
	})
	return away(err)
}

func away(err error) error {
	if err == nil {
		return nil
	}
	return galena.Errorf(galena.Unavailable, "redis.queue", "redis does not answer")
}

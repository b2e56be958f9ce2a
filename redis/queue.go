package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/galenahq/galena"
)

// The keys below are the queue library's. Its own inspector refuses to touch an
// active task, and cannot see one that it cannot read; these few calls can.

func queueKey(queue, part string) string { return "asynq:{" + queue + "}:" + part }

// Active lists the tasks that some worker took, with the end of each lease, zero
// where there is none. Both are read at one moment: a task that ends between two
// reads would look like one without a lease.
func (c *Client) Active(ctx context.Context, queue string) (map[string]time.Time, error) {
	var ids *goredis.StringSliceCmd
	var leases *goredis.ZSliceCmd
	_, err := c.rdb.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		ids = p.LRange(ctx, queueKey(queue, "active"), 0, -1)
		leases = p.ZRangeWithScores(ctx, queueKey(queue, "lease"), 0, -1)
		return nil
	})
	if err != nil {
		return nil, away(err)
	}
	out := make(map[string]time.Time, len(ids.Val()))
	for _, id := range ids.Val() {
		out[id] = time.Time{}
	}
	for _, l := range leases.Val() {
		id, _ := l.Member.(string)
		if _, active := out[id]; active {
			out[id] = time.Unix(int64(l.Score), 0)
		}
	}
	return out, nil
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

// dropStray removes a task that is active and has no lease, and nothing else.
//
//	KEYS active list, leases, task    ARGV id    returns 1 = removed
var dropStray = goredis.NewScript(`
if redis.call("ZSCORE", KEYS[2], ARGV[1]) or redis.call("LREM", KEYS[1], 0, ARGV[1]) == 0 then
	return 0
end
redis.call("DEL", KEYS[3])
return 1`)

// DropStray removes a task that is active without a lease. False: it is not, or
// not any more; then it is left alone, for it may wait for its next try.
func (c *Client) DropStray(ctx context.Context, queue, id string) (bool, error) {
	keys := []string{queueKey(queue, "active"), queueKey(queue, "lease"), queueKey(queue, "t:"+id)}
	n, err := dropStray.Run(ctx, c.rdb, keys, id).Int()
	return n == 1, away(err)
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

package worker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
	goredis "github.com/redis/go-redis/v9"
)

// broken is a queue with everything in it that asynq cannot mend by itself.
func broken(t *testing.T) (*Reconciler, *Client, goredis.UniversalClient) {
	t.Helper()
	conn, err := redis.Open("", 20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	raw, ok := conn.Raw().MakeRedisClient().(goredis.UniversalClient)
	if !ok {
		t.Fatal("the shared client is no go-redis client")
	}
	c := NewClient(conn.Shared())
	r := NewReconciler(c, conn, prometheus.NewRegistry(), time.Now, slog.New(slog.DiscardHandler))
	return r, c, raw
}

// repaired reads the counter.
func repaired(t *testing.T, r *Reconciler, what string) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(r.repairs)
	found, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == what {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestAnActiveTaskWithoutALeaseIsRemoved(t *testing.T) {
	t.Parallel()
	r, c, raw := broken(t)
	ctx := context.Background()
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if _, err := c.Enqueue(ctx, []galena.Step{s}); err != nil {
		t.Fatal(err)
	}
	id := taskID(s)
	activate := func(lease time.Time) {
		raw.LRem(ctx, "asynq:{leads}:pending", 0, id)
		raw.LPush(ctx, "asynq:{leads}:active", id)
		raw.HSet(ctx, "asynq:{leads}:t:"+id, "state", "active")
		raw.ZAdd(ctx, "asynq:{leads}:lease", goredis.Z{Score: float64(lease.Unix()), Member: id})
	}
	activate(time.Now().Add(30 * time.Second))
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if info, err := c.inspector.GetTaskInfo(queueLeads, id); err != nil || info.State != asynq.TaskStateActive {
		t.Errorf("a task that a worker holds was touched: %+v, error %v", info, err)
	}
	raw.ZRem(ctx, "asynq:{leads}:lease", id)
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if n := repaired(t, r, "stray"); n != 1 {
		t.Errorf("%v strays removed, want 1", n)
	}
	if n, err := c.Enqueue(ctx, []galena.Step{s}); err != nil || len(n) != 1 {
		t.Fatal("the id of a removed task is not free again", err)
	}
	if info, err := c.inspector.GetTaskInfo(queueLeads, id); err != nil || info.State != asynq.TaskStatePending {
		t.Errorf("task %+v, error %v; want it pending again", info, err)
	}
}

// late is a backstage whose list is old when it is read: every task on it has no
// lease any more.
type late struct{ *redis.Client }

func (l late) Active(ctx context.Context, queue string) (map[string]time.Time, error) {
	active, err := l.Client.Active(ctx, queue)
	for id := range active {
		active[id] = time.Time{}
	}
	return active, err
}

// A task may end, or another worker take it, between the look and the removal.
func TestATaskThatEndedMeanwhileIsNoStray(t *testing.T) {
	t.Parallel()
	r, c, raw := broken(t)
	ctx := t.Context()
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if _, err := c.Enqueue(ctx, []galena.Step{s}); err != nil {
		t.Fatal(err)
	}
	id := taskID(s)
	raw.LRem(ctx, "asynq:{leads}:pending", 0, id)
	raw.LPush(ctx, "asynq:{leads}:active", id)
	raw.HSet(ctx, "asynq:{leads}:t:"+id, "state", "active")
	raw.ZAdd(ctx, "asynq:{leads}:lease", goredis.Z{Score: float64(time.Now().Add(30 * time.Second).Unix()), Member: id})
	stage, ok := r.stage.(*redis.Client)
	if !ok {
		t.Fatal("the stage is no Redis")
	}
	r.stage = late{stage}
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	info, err := c.inspector.GetTaskInfo(queueLeads, id)
	if err != nil || info.State != asynq.TaskStateActive || repaired(t, r, "stray") != 0 {
		t.Errorf("task %+v, error %v, %v strays; want it active and no stray", info, err, repaired(t, r, "stray"))
	}
}

// interrupted is a backstage full of strays, told to stop while it removes the first.
type interrupted struct {
	Backstage

	stop    func()
	dropped int
}

func (*interrupted) Active(context.Context, string) (map[string]time.Time, error) {
	return map[string]time.Time{"a": {}, "b": {}, "c": {}}, nil
}

func (i *interrupted) DropStray(context.Context, string, string) (bool, error) {
	i.dropped++
	i.stop()
	return false, nil
}

func TestAStopEndsTheLookAtStraysAtTheNext(t *testing.T) {
	t.Parallel()
	r, _, _ := broken(t)
	ctx, stop := context.WithCancel(t.Context())
	i := &interrupted{Backstage: r.stage, stop: stop}
	r.stage = i
	if err := r.Reconcile(ctx); !errors.Is(err, context.Canceled) || i.dropped != 1 {
		t.Errorf("%d tasks looked at, error %v; want 1", i.dropped, err)
	}
}

func TestAnUnreadableTaskIsRemoved(t *testing.T) {
	t.Parallel()
	r, c, raw := broken(t)
	ctx := context.Background()
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if _, err := c.Enqueue(ctx, []galena.Step{s}); err != nil {
		t.Fatal(err)
	}
	raw.HSet(ctx, "asynq:{leads}:t:X", "msg", "garbage", "state", "active")
	raw.LPush(ctx, "asynq:{leads}:active", "X")
	raw.ZAdd(ctx, "asynq:{leads}:lease", goredis.Z{Score: float64(time.Now().Add(-time.Minute).Unix()), Member: "X"})
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if n := repaired(t, r, "unreadable"); n != 1 {
		t.Errorf("%v unreadable tasks removed, want 1", n)
	}
	if n := raw.Exists(ctx, "asynq:{leads}:t:X").Val() + raw.LLen(ctx, "asynq:{leads}:active").Val() + raw.ZCard(ctx, "asynq:{leads}:lease").Val(); n != 0 {
		t.Errorf("%d traces of it are left", n)
	}
	if !c.Alive(s) {
		t.Error("its neighbour was removed too")
	}
}

func TestTheArchiveIsEmptiedHoweverOldAndLarge(t *testing.T) {
	t.Parallel()
	r, c, raw := broken(t)
	ctx := context.Background()
	old := float64(time.Now().Add(-91 * 24 * time.Hour).Unix())
	bomb := make([]goredis.Z, 10_000)
	for i := range bomb {
		bomb[i] = goredis.Z{Score: old, Member: "old:" + string(rune('a'+i%26)) + ":" + time.Duration(i).String()}
	}
	raw.ZAdd(ctx, "asynq:{leads}:archived", bomb...)
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}
	if _, err := c.Enqueue(ctx, []galena.Step{s}); err != nil {
		t.Fatal(err)
	}
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if n := raw.ZCard(ctx, "asynq:{leads}:archived").Val(); n != 0 {
		t.Errorf("%d dead tasks are left", n)
	}
	if err := c.inspector.ArchiveTask(queueLeads, taskID(s)); err != nil {
		t.Fatal(err)
	}
}

// A queue that nothing goes over for a while is listed all the same.
func TestTheQueuesOfAnEmptiedRedisAreNamedAgain(t *testing.T) {
	t.Parallel()
	r, c, raw := broken(t)
	ctx := context.Background()
	if _, err := c.Enqueue(ctx, []galena.Step{{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1, Queue: queueLeads}}); err != nil {
		t.Fatal(err)
	}
	if err := raw.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if queues, err := c.inspector.Queues(); err != nil || len(queues) != len(Queues()) {
		t.Errorf("asynq lists %v, %v; want %v", queues, err, Queues())
	}
	names, err := raw.SMembers(ctx, "asynq:queues").Result()
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(Queues())); err != nil || !slices.Equal(names, want) {
		t.Errorf("%v, %v; want %v", names, err, want)
	}
}

package redis

import (
	"log/slog"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// stage is a Redis with one task in the queue "leads".
func stage(t *testing.T, state string, lists ...string) *Client {
	t.Helper()
	c, err := Open("", 5, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	c.rdb.HSet(t.Context(), queueKey("leads", "t:one"), "state", state)
	for _, l := range lists {
		switch l {
		case "active", "pending":
			c.rdb.LPush(t.Context(), queueKey("leads", l), "one")
		default:
			c.rdb.ZAdd(t.Context(), queueKey("leads", l), goredis.Z{Score: 1_800_000_000, Member: "one"})
		}
	}
	return c
}

func TestOnlyAnActiveTaskWithoutALeaseIsAStray(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, state string
		lists       []string
		want        bool
	}{
		{"its worker died", "active", []string{"active"}, true},
		{"a worker holds it", "active", []string{"active", "lease"}, false},
		{"it waits for its next try", "retry", []string{"retry"}, false},
		{"it was put back", "pending", []string{"pending"}, false},
		{"it is another process's, which ended it", "", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := stage(t, tt.state, tt.lists...)
			for _, want := range []bool{tt.want, false} { // what is gone is no stray
				if got, err := c.DropStray(t.Context(), "leads", "one"); err != nil || got != want {
					t.Errorf("removed %t, error %v; want %t", got, err, want)
				}
			}
			left := c.rdb.Exists(t.Context(), queueKey("leads", "t:one")).Val() == 1
			listed := c.rdb.LLen(t.Context(), queueKey("leads", "active")).Val() == 1
			if left == tt.want || listed && tt.want {
				t.Errorf("the task is there: %t, and listed as active: %t", left, listed)
			}
		})
	}
}

func TestWhatIsActiveIsListedWithTheEndOfItsLease(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lists []string
		want  map[string]time.Time
	}{
		"held":           {[]string{"active", "lease"}, map[string]time.Time{"one": time.Unix(1_800_000_000, 0)}},
		"without lease":  {[]string{"active"}, map[string]time.Time{"one": {}}},
		"no more active": {[]string{"lease"}, map[string]time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := stage(t, "active", tt.lists...).Active(t.Context(), "leads")
			if err != nil || len(got) != len(tt.want) {
				t.Fatalf("%v, %v; want %v", got, err, tt.want)
			}
			for id, at := range tt.want {
				if end, ok := got[id]; !ok || !end.Equal(at) {
					t.Errorf("%s until %v (%t), want %v", id, end, ok, at)
				}
			}
		})
	}
}

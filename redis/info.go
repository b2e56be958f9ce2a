package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// About is what an operator must know of a Redis server.
type About struct {
	Version    string
	AppendOnly bool   // tasks survive a restart
	Snapshots  bool   // some of them do
	Eviction   string // must be noeviction: any other drops tasks that wait
	UsedBytes  int64
	MaxBytes   int64 // 0 = no limit
	Role       string
	Cluster    bool
}

// About asks the server. A managed server may hide its CONFIG; then what INFO
// says must do.
func (c *Client) About(ctx context.Context) (About, error) {
	raw, err := c.rdb.Info(ctx).Result()
	if err != nil {
		return About{}, &galena.Error{Kind: galena.Unavailable, Op: "redis.about", Err: errors.New("redis does not answer")}
	}
	info := map[string]string{}
	for line := range strings.SplitSeq(raw, "\n") {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[k] = v
		}
	}
	a := About{Version: info["redis_version"], AppendOnly: info["aof_enabled"] == "1", Eviction: info["maxmemory_policy"],
		Role: info["role"], Cluster: info["cluster_enabled"] == "1"}
	a.UsedBytes, _ = strconv.ParseInt(info["used_memory"], 10, 64) // absent = unknown = 0
	a.MaxBytes, _ = strconv.ParseInt(info["maxmemory"], 10, 64)
	if save, err := c.rdb.ConfigGet(ctx, "save").Result(); err == nil {
		a.Snapshots = save["save"] != ""
	}
	return a, nil
}

// AtLeast compares dotted versions: 7.0.15 is at least 6.2.
func (a About) AtLeast(major, minor int) bool {
	parts := strings.SplitN(a.Version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	x, errX := strconv.Atoi(parts[0])
	y, errY := strconv.Atoi(parts[1])
	return errX == nil && errY == nil && (x > major || x == major && y >= minor)
}

package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/galenahq/galena"
)

// Client is one process's connection pool, and the embedded server when there is one.
type Client struct {
	rdb      goredis.UniversalClient
	embedded *embedded
}

// Open connects to the server of the URL: redis://, rediss://,
// redis-sentinel://[:password@]host:port,host:port?master=NAME or
// redis-cluster://[user:password@]host:port,host:port. An empty URL starts an
// embedded server that lives as long as the client. poolSize bounds the
// connections. The server need not answer yet: what waits for it waits in SQL.
func Open(rawURL string, poolSize int, log *slog.Logger) (*Client, error) {
	goredis.SetLogger(slogAdapter{log})
	if rawURL == "" {
		e, err := startEmbedded()
		if err != nil {
			return nil, err
		}
		rawURL = "redis://" + e.server.Addr()
		c, err := open(rawURL, poolSize)
		if err != nil {
			e.stop()
			return nil, err
		}
		c.embedded = e
		return c, nil
	}
	return open(rawURL, poolSize)
}

func open(rawURL string, poolSize int) (*Client, error) {
	o, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	o.PoolSize = poolSize
	o.ContextTimeoutEnabled = true
	o.DialTimeout = 2 * time.Second
	o.ConnMaxIdleTime = 5 * time.Minute
	o.ReadBufferSize, o.WriteBufferSize = buffer, buffer
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Client{rdb: connect(o)}, nil
}

// single says that all connections lead to the same server.
func (c *Client) single() bool {
	_, ok := c.rdb.(*goredis.Client)
	return ok
}

// buffer is what a connection reads and writes at a time: a task has some hundred
// bytes, a burst's a few thousand. The library's 32 KiB each, for as many connections
// as there are workers, were a tenth of what a busy process held.
const buffer = 4 << 10

// clusterLook is how often a client looks who has which part of a cluster. The
// library's own minute is how long it would call a master that died.
const clusterLook = 5 * time.Second

func connect(o *goredis.UniversalOptions) goredis.UniversalClient {
	if !o.IsClusterMode {
		return goredis.NewUniversalClient(o)
	}
	of := o.Cluster()
	of.ClusterStateReloadInterval = clusterLook
	return goredis.NewClusterClient(of)
}

// parse reads a URL without ever repeating it in an error: it may hold a password.
func parse(rawURL string) (*goredis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, errors.New("redis URL has no scheme, must begin with redis://, rediss://, redis-sentinel:// or redis-cluster://")
	}
	switch scheme {
	case "redis", "rediss":
		o, err := goredis.ParseURL(rawURL)
		if err != nil {
			return nil, errors.New("redis URL is not of the form redis://[user:password@]host:port/db")
		}
		return &goredis.UniversalOptions{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password,
			DB: o.DB, TLSConfig: o.TLSConfig}, nil
	case "redis-sentinel", "redis-cluster":
		return parseMany(scheme, rest)
	default:
		return nil, fmt.Errorf("redis URL has scheme %q, must be redis, rediss, redis-sentinel or redis-cluster", scheme)
	}
}

// parseMany reads the host lists of Sentinel and Cluster, which url.Parse refuses.
func parseMany(scheme, rest string) (*goredis.UniversalOptions, error) {
	rest, query, _ := strings.Cut(rest, "?")
	auth, hosts, has := cutLast(rest, "@")
	if !has {
		auth, hosts = "", rest
	}
	hosts, db, _ := strings.Cut(hosts, "/")
	user, password, _ := strings.Cut(auth, ":")
	o := &goredis.UniversalOptions{Addrs: strings.Split(hosts, ","), Username: user, Password: password}
	if scheme == "redis-cluster" {
		o.IsClusterMode = true
		return o, nil
	}
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("master") == "" {
		return nil, errors.New("redis-sentinel URL needs ?master=NAME")
	}
	o.MasterName, o.SentinelPassword = q.Get("master"), q.Get("sentinel_password")
	if db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil {
			return nil, errors.New("redis-sentinel URL has a database that is not a number")
		}
	}
	return o, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Ping says whether the server answers.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return &galena.Error{Kind: galena.Unavailable, Op: "redis.ping", Err: errors.New("redis does not answer")}
	}
	return nil
}

// Embedded says that the server lives in this process.
func (c *Client) Embedded() bool { return c.embedded != nil }

// Close ends the connections and the embedded server.
func (c *Client) Close() error {
	err := c.rdb.Close()
	if c.embedded != nil {
		c.embedded.stop()
	}
	return err
}

// Conn hands out the shared client in the form the queue library asks for.
type Conn struct{ client any }

// MakeRedisClient returns the client.
func (c Conn) MakeRedisClient() any { return c.client }

// Shared is for users that close what they are given: closing it does nothing.
func (c *Client) Shared() Conn { return Conn{unclosable{c.rdb}} }

// Raw is for users that look at the concrete type and never close it.
func (c *Client) Raw() Conn { return Conn{c.rdb} }

type unclosable struct{ goredis.UniversalClient }

// Close keeps the pool: other parts of the process use it too.
func (unclosable) Close() error { return nil }

// breath is how long a script rests that the server refused.
const breath = 200 * time.Millisecond

// EvalSha runs a script. The queue library asks for work again at once when the
// server refuses its script; one that is full or was demoted would be asked as
// often as every worker can, and has other things to do.
func (u unclosable) EvalSha(ctx context.Context, sha1 string, keys []string, params ...any) *goredis.Cmd {
	cmd := u.UniversalClient.EvalSha(ctx, sha1, keys, params...)
	if unable(cmd.Err()) {
		select {
		case <-ctx.Done():
		case <-time.After(breath):
		}
	}
	return cmd
}

// unable says that the server is there and cannot do what it is asked, for now.
func unable(err error) bool {
	answer, ok := errors.AsType[goredis.Error](err)
	return ok && slices.ContainsFunc([]string{"OOM ", "READONLY ", "MISCONF ", "LOADING ", "MASTERDOWN ", "CLUSTERDOWN ", "NOREPLICAS "},
		func(prefix string) bool { return strings.HasPrefix(answer.Error(), prefix) })
}

// slogAdapter carries go-redis' own lines, which would go to standard error.
type slogAdapter struct{ log *slog.Logger }

// Printf logs at debug: a lost connection shows where it hurts, with a meaning.
func (a slogAdapter) Printf(ctx context.Context, format string, v ...any) {
	a.log.DebugContext(ctx, "redis client", "detail", fmt.Sprintf(format, v...))
}

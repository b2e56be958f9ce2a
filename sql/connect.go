package sql

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/galenahq/galena"
)

// database is one or two pools on one database.
type database struct {
	dialect string
	write   *sqlx.DB
	read    *sqlx.DB // of people's questions; on SQLite of all that only reads; for migrations the same as write
	path    string   // of the SQLite file
}

func (d database) close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// use says what a connection is for: migrations may take long, requests not.
type use bool

const (
	serving   use = false
	migrating use = true
)

// connect never puts the URL into an error, for it may carry a password.
func connect(address string, u use) (database, error) {
	switch scheme, rest, _ := strings.Cut(address, ":"); scheme {
	case "sqlite":
		return connectSQLite(rest)
	case "postgres", "postgresql":
		return connectPostgres(address, u)
	default:
		return database{}, galena.Errorf(galena.Invalid, "sql.open",
			"the database URL must begin with postgres:// or sqlite:")
	}
}

// connectSQLite opens one connection that writes, beginning every transaction
// as a writer so that none fails half-way, and a few that only read. The file
// holds personal data: it is ours alone. synchronous=FULL, for an accepted lead
// must survive a power cut.
func connectSQLite(path string) (database, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return database{}, galena.Errorf(galena.Invalid, "sql.open", "sqlite: needs the path of a file")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return database{}, galena.Errorf(galena.Unavailable, "sql.open", "the folder of the database cannot be made")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return database{}, galena.Errorf(galena.Unavailable, "sql.open", "the database file cannot be opened for writing")
	}
	if err := f.Close(); err != nil {
		return database{}, fault("sql.open", err)
	}
	base := fileName(path) +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	write, err := sqlx.Open(dialectSQLite, base+"&_txlock=immediate")
	if err != nil {
		return database{}, fault("sql.open", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sqlx.Open(dialectSQLite, base+"&_pragma=query_only(1)")
	if err != nil {
		return database{}, errors.Join(fault("sql.open", err), write.Close())
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return database{dialectSQLite, write, read, path}, nil
}

// fileName is a path as SQLite's URI, whatever characters are in it.
func fileName(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// connectPostgres sets the limits that keep a sick server from making us sick;
// a URL that names its own keeps them. A quarter of the connections is for the
// questions of people, so that these never wait for leads, nor leads for them.
func connectPostgres(address string, u use) (database, error) {
	malformed := galena.Errorf(galena.Invalid, "sql.open", "the postgres URL is malformed")
	parsed, err := url.Parse(address)
	if err != nil {
		return database{}, malformed
	}
	query := parsed.Query()
	size := 16
	if text := query.Get("pool_max_conns"); text != "" {
		if size, err = strconv.Atoi(text); err != nil || size < 2 {
			return database{}, galena.Errorf(galena.Invalid, "sql.open", "pool_max_conns must be a number from 2")
		}
		query.Del("pool_max_conns")
		parsed.RawQuery = query.Encode()
	}
	conf, err := pgx.ParseConfig(parsed.String())
	if err != nil {
		return database{}, malformed
	}
	if conf.DefaultQueryExecMode != pgx.QueryExecModeCacheDescribe {
		conf.DescriptionCacheCapacity = 0 // room for 512 on each connection, of a mode that is not used
	}
	if !query.Has("connect_timeout") {
		conf.ConnectTimeout = 3 * time.Second
	}
	// Whoever comes while a group waits for a lock may wait for it twice: the gate
	// must have refused him within 3.5 s.
	limits := map[string]string{"application_name": "galena", "lock_timeout": "1500"}
	if u == serving {
		limits["statement_timeout"] = "3000"
		limits["idle_in_transaction_session_timeout"] = "10000"
		// Statements are planned once and kept. What was planned while a table was
		// empty would read it from end to end for as long as the plan is kept:
		// every statement that a lead needs finds its rows by a key.
		limits["enable_seqscan"], limits["jit"] = "off", "off"
	}
	own := maps.Clone(conf.RuntimeParams)
	maps.Copy(conf.RuntimeParams, limits)
	maps.Copy(conf.RuntimeParams, own)
	if most := serverTime(conf.RuntimeParams["statement_timeout"]); most > 0 {
		conf.DialFunc = listening(conf.DialFunc, most)
	}
	if u == migrating {
		db := pool(conf, size)
		return database{dialectPostgres, db, db, ""}, nil
	}
	questions := max(1, size/4)
	read := pool(conf, questions)
	// What a lead needs is asked for by lists of keys. Left to itself the server
	// plans it anew for every list of one, at a rate at which groups are small, and
	// that took longer than to run it. A question of a person has filters that may
	// be empty, and is planned for those it has.
	if _, ok := own["plan_cache_mode"]; !ok {
		conf.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	}
	return database{dialectPostgres, pool(conf, size-questions), read, ""}, nil
}

// serverTime reads a decimal time as Postgres does: milliseconds, or with one of its
// units, of which two are not Go's, and to the millisecond: what is less than half of
// one is no limit. What it refuses is none.
func serverTime(text string) time.Duration {
	text = strings.ReplaceAll(text, " ", "")
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Duration(ms * float64(time.Millisecond)).Round(time.Millisecond)
	}
	days := strings.HasSuffix(text, "d")
	text = strings.Replace(strings.Replace(text, "min", "m", 1), "d", "h", 1)
	t, _ := time.ParseDuration(text)
	if days {
		t *= 24
	}
	return t.Round(time.Millisecond)
}

// silence is how much longer than its statements may run a server may say nothing.
const silence = 2 * time.Second

// listening gives up a line on which the server says nothing to what it was sent. The
// limits above are the server's to keep: one that froze, or a proxy that lost it,
// keeps none, and whoever waits would wait for ever.
func listening(dial pgconn.DialFunc, statement time.Duration) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &line{Conn: c, statement: statement}, nil
	}
}

// line counts the silence from what was written last.
type line struct {
	net.Conn
	statement time.Duration // how long one may run
	more      atomic.Int64  // statements beside the first that travel with it: the server may answer all at their end
}

// manyAtOnce is for how many statements of a message a server has its time.
const manyAtOnce = 4

func (l *line) Write(b []byte) (int, error) {
	patience := time.Duration(min(1+l.more.Load(), manyAtOnce))*l.statement + silence
	if err := l.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	// A server that reads nothing takes what fits into the buffers, and not the rest. To
	// set this deadline at once would take back that of a caller who has given up.
	stuck := time.AfterFunc(patience, func() { _ = l.SetWriteDeadline(time.Now()) })
	defer stuck.Stop()
	return l.Conn.Write(b)
}

// carrying says how many statements c sends together while do runs.
func carrying(c *pgx.Conn, many int, do func() error) error {
	under := c.PgConn().Conn()
	if secured, ok := under.(*tls.Conn); ok {
		under = secured.NetConn()
	}
	if l, ok := under.(*line); ok {
		l.more.Store(int64(many) - 1)
		defer l.more.Store(0)
	}
	return do()
}

func pool(conf *pgx.ConnConfig, size int) *sqlx.DB {
	var db *sqlx.DB
	// A line that was idle is asked whether it is there. Where nobody answers, those
	// beside it are not asked, too, one after the other.
	silent := func(ctx context.Context, p stdlib.ShouldPingParams) bool {
		if p.IdleDuration <= time.Second {
			return false
		}
		err := p.Conn.PgConn().Ping(ctx)
		if pgconn.Timeout(err) && ctx.Err() == nil {
			dropIdle(db)
		}
		return err != nil // it is closed: to ask once more fails at once
	}
	db = sqlx.NewDb(stdlib.OpenDB(*conf.Copy(), stdlib.OptionAfterConnect(writeArrays), stdlib.OptionShouldPing(silent)), "pgx")
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

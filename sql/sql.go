package sql

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/galenahq/galena"
)

// Store is one database, Postgres or SQLite. Its methods may be called from
// many goroutines. Errors are *galena.Error; Unavailable means that the
// database is away or too slow and the call may be made again.
type Store struct {
	database
	log    *slog.Logger
	clock  clock
	now    func() time.Time           // by the clock
	worker string                     // names this process on the steps that it begins
	writes map[string]*sqlx.NamedStmt // prepared on the pool that may write
	reads  map[string]*sqlx.NamedStmt // the same texts, prepared on the pool that only reads

	groups
	leases   atomic.Int64 // that were given, leaseOfItsOwn
	recent   recent
	sheets   seen
	disputed contested
	bag      bag
	courier  Courier
}

// Courier takes steps to the queue as soon as they are committed, so that the
// outbox need not be written, claimed and emptied for each of them. A process
// that dies with what it took loses nothing: the sweep finds steps that nobody
// began. While the courier is not ready everything goes by the outbox.
//
// A delivery that the courier keeps a place for is begun by the transaction that
// writes it, and taken as such; should it not be committed, the place is dropped.
type Courier interface {
	Ready() bool
	Keep() bool
	Drop(places int)
	Take(committed []galena.Step)
}

// HandTo sets the courier; without one the outbox carries everything. Call it
// before the store is used.
func (s *Store) HandTo(c Courier) { s.courier = c }

// groups are what callers share, in the order in which a lead meets them.
type groups struct {
	tokens    group[string, galena.Token]
	recalls   group[recallQuestion, recalled]
	intakes   group[*galena.Intake, galena.Receipt]
	begins    group[stepKey, bool]
	memories  group[string, galena.Memory]
	starts    group[stepKey, started]
	answers   group[question, reply]
	claimings group[asking, galena.Grant]
	settlings group[settleRow, struct{}]
	rulings   group[*galena.Ruling, galena.Decision]
	mail      group[string, galena.Delivery]
	finishes  group[galena.Step, struct{}]
}

func (g *groups) bind(s *Store) {
	g.recalls.run, g.intakes.run, g.begins.run, g.memories.run, g.starts.run = s.recall, s.accept, s.begin, s.memory, s.start
	g.answers.run, g.claimings.run, g.settlings.run, g.rulings.run = s.answer, s.claims, s.settle, s.rule
	g.mail.run, g.finishes.run, g.tokens.run = s.deliveries, s.finish, s.tokensByHash
	g.intakes.gather = groupPosts
	for _, work := range []*time.Duration{&g.begins.gather, &g.memories.gather, &g.starts.gather, &g.answers.gather, &g.claimings.gather,
		&g.settlings.gather, &g.rulings.gather, &g.mail.gather, &g.finishes.gather} {
		*work = groupWork
	}
}

// wait returns when no group is served any more.
func (g *groups) wait() {
	for _, serving := range []*sync.WaitGroup{&g.recalls.serving, &g.intakes.serving, &g.begins.serving, &g.memories.serving, &g.starts.serving,
		&g.answers.serving, &g.claimings.serving, &g.settlings.serving, &g.rulings.serving, &g.mail.serving, &g.finishes.serving,
		&g.tokens.serving} {
		serving.Wait()
	}
}

// Open opens a database that Migrate has brought up to date and prepares every
// statement. The URL is sqlite:PATH or postgres://…; a Postgres URL may carry
// pool_max_conns. A server that takes no writes and an old schema are refused.
// A newer schema is not: the old program must work while the new one starts.
func Open(ctx context.Context, url string, log *slog.Logger, now func() time.Time) (*Store, error) {
	const op = "sql.open"
	texts, err := load(queries)
	if err != nil {
		return nil, fault(op, err)
	}
	db, err := connect(url, serving)
	if err != nil {
		return nil, err
	}
	s := &Store{database: db, log: orDiscard(log), worker: rand.Text()[:12]}
	s.clock.own, s.now = now, s.clock.now
	s.bind(s)
	if err := s.prepare(ctx, texts[db.dialect]); err != nil {
		return nil, errors.Join(fault(op, err), db.close())
	}
	return s, nil
}

// prepare refuses what cannot serve, then compiles the statements, in an order
// that makes the same fault show first every time.
func (s *Store) prepare(ctx context.Context, texts map[string]string) error {
	unlock, err := lockFile(ctx, s.database)
	if err != nil {
		return err
	}
	defer unlock()
	if err := refuseStandby(ctx, s.database, texts["standby"]); err != nil {
		return err
	}
	if err := refuseOldSchema(ctx, s.database); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(texts))
	if s.writes, err = prepareAll(ctx, s.write, names, texts); err != nil {
		return err
	}
	if s.reads = s.writes; s.read != s.write {
		s.reads, err = prepareAll(ctx, s.read, names, texts)
	}
	return err
}

func prepareAll(ctx context.Context, db *sqlx.DB, names []string, texts map[string]string) (map[string]*sqlx.NamedStmt, error) {
	out := make(map[string]*sqlx.NamedStmt, len(names))
	for _, name := range names {
		stmt, err := db.PrepareNamedContext(ctx, texts[name]) //nolint:sqlclosecheck // it lives as long as the store
		if err != nil {
			return nil, &galena.Error{Kind: kindOf(err), Op: "sql.open: statement " + name, Err: describe(err)}
		}
		out[name] = stmt
	}
	return out, nil
}

func refuseStandby(ctx context.Context, db database, text string) error {
	var standby bool
	if err := db.write.GetContext(ctx, &standby, text); err != nil {
		return fault("sql.open", err)
	}
	if standby {
		return galena.Errorf(galena.Invalid, "sql.open",
			"the database takes no writes (a hot standby or a read-only server): use the address of the primary")
	}
	return nil
}

// Close closes the database after the statements that run.
func (s *Store) Close() error {
	s.wait()
	return s.close()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := one[int](ctx, s.reader(), "ping", args{})
	return fault("sql.ping", err)
}

// Ready says whether the database takes writes: one that was demoted answers, too.
func (s *Store) Ready(ctx context.Context) error {
	standby, err := one[bool](ctx, s.reader(), "standby", args{})
	if err == nil && standby {
		return galena.Errorf(galena.Unavailable, "sql.ready", "the database takes no writes")
	}
	return fault("sql.ready", err)
}

// PoolWaits says how often a statement waited for a connection since the start,
// and how long all of them together.
func (s *Store) PoolWaits() (n int64, waited time.Duration) {
	w := s.write.Stats()
	n, waited = w.WaitCount, w.WaitDuration
	if s.read != s.write {
		r := s.read.Stats()
		n, waited = n+r.WaitCount, waited+r.WaitDuration
	}
	return n, waited
}

// About says what the database is, and what time it is there: zero for a file,
// which has no clock of its own.
func (s *Store) About(ctx context.Context) (engine string, now time.Time, err error) {
	r, err := one[struct {
		Now     int64  `db:"now"`
		Version string `db:"version"`
	}](ctx, s.reader(), "clock", args{})
	return s.dialect + " " + r.Version, at(r.Now), fault("sql.about", err)
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

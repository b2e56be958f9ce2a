package sql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	stdsql "database/sql"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
)

// tries is how often what lost a clash is run.
const tries = 3

// args are a statement's parameters by name.
type args map[string]any

// conn is where statements run: a pool, or one transaction on it.
type conn struct {
	stmts  map[string]*sqlx.NamedStmt
	arrays bool                                           // the database takes arrays as parameters
	tx     *sqlx.Tx                                       // a transaction on SQLite
	pipe   *pipe                                          // a transaction on Postgres
	lend   func(context.Context, func(*pipe) error) error // a connection to Postgres for statements that are no transaction
	again  func(context.Context, error, *tried) bool      // nil in a transaction, which is run again as a whole
	handed *handful                                       // what the courier gets after the commit; nil = all goes by the outbox
	then   *[]func()                                      // what is done after the commit
}

// handful is what a transaction hands out, and in how many places of the courier.
type handful struct {
	runs []stepRow
	kept int
}

// after does something in memory once the transaction is committed.
func (c conn) after(do func()) { *c.then = append(*c.then, do) }

func (s *Store) reader() conn { return conn{stmts: s.reads, arrays: s.arrays(), again: s.again} }

// keyed is where a group reads, which finds its rows by keys.
func (s *Store) keyed() conn {
	if s.dialect == dialectPostgres {
		return s.writer()
	}
	return s.reader()
}

func (s *Store) writer() conn {
	c := conn{stmts: s.writes, arrays: s.arrays(), again: s.again}
	if s.dialect == dialectPostgres {
		c.lend = s.raw
	}
	return c
}

func (s *Store) arrays() bool { return s.dialect == dialectPostgres }

// tried is how often something was run in vain.
type tried struct{ times, silent int }

// again says whether what failed is to be run again, and waits as long as is good. A
// pool may hold as many dead connections as it has: each is met and dropped once, and
// so are those that a change of the schema has left behind. Those beside one on which
// the server has gone silent are dropped at once, for each would be waited for anew;
// one that is silent on a new line, too, may be at work on what it was sent before,
// and is given no more. A server that refuses new ones is away.
func (s *Store) again(ctx context.Context, err error, t *tried) bool {
	t.times++
	switch {
	case refused(err) || clash(err):
		return t.times < tries && pause(ctx, t.times)
	case pgconn.Timeout(err) && ctx.Err() == nil:
		dropIdle(s.write, s.read)
		t.silent++
		return t.silent == 1
	case outgrown(err):
		dropIdle(s.write, s.read)
		fallthrough
	case lost(err):
		return t.times <= s.write.Stats().MaxOpenConnections && ctx.Err() == nil
	default:
		return false
	}
}

// dropIdle closes the connections that nobody uses at the moment. They are out of the
// pool when it returns; that they are closed is not waited for, because one whose
// server is silent first tells it, for seconds, what it does not need any more.
func dropIdle(pools ...*sqlx.DB) {
	for _, db := range pools {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			db.SetMaxIdleConns(0)
			db.SetMaxIdleConns(db.Stats().MaxOpenConnections)
		}()
		for ended := false; !ended && db.Stats().Idle > 0; {
			select {
			case <-closed:
				ended = true
			case <-time.After(time.Millisecond):
			}
		}
		db.SetMaxIdleConns(db.Stats().MaxOpenConnections) // a line that is made now is kept, however long the others take
	}
}

// inTx runs fn in a transaction, again when the database asks for it. fn must
// leave no traces outside the transaction. A commit whose outcome is unknown is
// never repeated here: the caller's key or fence finds out.
func (s *Store) inTx(ctx context.Context, op string, fn func(conn) error) error {
	return s.inTxUntil(ctx, op, false, fn)
}

// inTxUntil is inTx; where fn finds out by itself that it was committed before,
// the outcome of a commit need not be known (harmless).
func (s *Store) inTxUntil(ctx context.Context, op string, harmless bool, fn func(conn) error) error {
	var doubtful []stepRow
	defer func() { s.handDoubtful(doubtful) }() // once it has been run again, for then it is known to have ended
	for t := new(tried); ; {
		committing, err := s.attempt(ctx, fn, &doubtful)
		if err == nil {
			return nil
		}
		if committing && !harmless || !s.again(ctx, err, t) {
			return fault(op, err)
		}
		s.log.DebugContext(ctx, "transaction repeated", "op", op, "try", t.times, "cause", describe(err))
	}
}

// attempt runs fn once. What it hands out if it was committed after all is doubtful.
func (s *Store) attempt(ctx context.Context, fn func(conn) error, doubtful *[]stepRow) (committing bool, err error) {
	c := conn{stmts: s.writes, arrays: s.arrays(), then: &[]func(){}}
	if s.courier != nil && s.courier.Ready() {
		c.handed = &handful{}
	}
	taken := false
	defer func() {
		if !taken && c.handed != nil && c.handed.kept > 0 { // it failed, or fn panicked
			s.courier.Drop(c.handed.kept)
		}
	}()
	if s.dialect == dialectPostgres {
		committing, err = s.piped(ctx, c, fn)
	} else {
		committing, err = s.alone(ctx, c, fn)
	}
	if err != nil {
		if committing && c.handed != nil {
			*doubtful = append(*doubtful, c.handed.runs...)
		}
		return committing, err
	}
	for _, do := range *c.then {
		do()
	}
	if taken = true; c.handed != nil && len(c.handed.runs) > 0 {
		s.courier.Take(steps(c.handed.runs))
	}
	return true, nil
}

// handDoubtful hands out the runs of a transaction that may be committed: a run that
// is not there is passed over, and one that is need not wait until a sweep misses
// it. One that was begun has no place any more, and waits for the end of its lease.
func (s *Store) handDoubtful(runs []stepRow) {
	runs = slices.DeleteFunc(runs, func(r stepRow) bool { return !r.begun.IsZero() })
	if len(runs) > 0 {
		s.courier.Take(steps(runs))
	}
}

// alone runs fn in a transaction on SQLite, which is no trip away.
func (s *Store) alone(ctx context.Context, c conn, fn func(conn) error) (committing bool, err error) {
	tx, err := s.write.BeginTxx(ctx, nil)
	if err != nil {
		return false, err
	}
	ended := false
	defer func() {
		if !ended || err != nil { // not ended: fn panicked
			_ = tx.Rollback() // the first error says more; after a failed commit there is nothing to roll back
		}
	}()
	c.tx = tx
	err = fn(c)
	if ended = true; err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// do runs one writing statement that is a transaction by itself.
func (s *Store) do(ctx context.Context, op, name string, a args) (int64, error) {
	n, err := s.writer().exec(ctx, name, a)
	return n, fault(op, err)
}

// pause waits a little, longer each time and never the same for two that clashed.
func pause(ctx context.Context, try int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(try) * (5*time.Millisecond + rand.N(15*time.Millisecond))): //nolint:gosec // jitter, not a secret
		return true
	}
}

// stmt finds a statement.
func (c conn) stmt(name string) (*sqlx.NamedStmt, error) {
	stmt, ok := c.stmts[name]
	if !ok {
		return nil, fmt.Errorf("no statement %q", name)
	}
	return stmt, nil
}

// run uses a statement, on a pool as often as again says.
func (c conn) run(ctx context.Context, stmt *sqlx.NamedStmt, use func(*sqlx.NamedStmt) error) error {
	if c.tx != nil {
		return use(c.tx.NamedStmtContext(ctx, stmt))
	}
	for t := new(tried); ; {
		if err := use(stmt); err == nil || !c.again(ctx, err, t) {
			return err
		}
	}
}

// exec runs a statement and says how many rows it changed.
func (c conn) exec(ctx context.Context, name string, a args) (n int64, err error) {
	err = c.later(ctx, name, a, func(changed int64) error { n = changed; return nil })
	if err == nil {
		err = c.flush(ctx)
	}
	return n, err
}

// flush runs what waits.
func (c conn) flush(ctx context.Context) error {
	if c.pipe == nil {
		return nil
	}
	return c.pipe.send(ctx)
}

// later runs a statement of which nothing is asked but that it did not fail. In
// a transaction on Postgres it waits for the next one that reads (pipe.go),
// elsewhere it is run at once. What it changed is told to use, which may be nil.
func (c conn) later(ctx context.Context, name string, a args, use func(changed int64) error) error {
	stmt, err := c.stmt(name)
	if err != nil {
		return err
	}
	switch {
	case c.pipe != nil:
		return c.pipe.later(stmt, a, use)
	case c.lend != nil:
		return c.trip(ctx, func(p *pipe) error { return p.later(stmt, a, use) })
	}
	return c.run(ctx, stmt, func(stmt *sqlx.NamedStmt) error {
		res, err := stmt.ExecContext(ctx, a.clean())
		if err != nil || use == nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		return use(n)
	})
}

// one reads a single row; none is sql.ErrNoRows, which fault makes NotFound.
func one[T any](ctx context.Context, c conn, name string, a args) (row T, err error) {
	if c.pipe != nil || c.lend != nil {
		return first(list[T](ctx, c, name, a))
	}
	stmt, err := c.stmt(name)
	if err != nil {
		return row, err
	}
	err = c.run(ctx, stmt, func(stmt *sqlx.NamedStmt) error { return stmt.GetContext(ctx, &row, a.clean()) })
	return row, err
}

// list reads all rows.
func list[T any](ctx context.Context, c conn, name string, a args) (found []T, err error) {
	if err = soon(ctx, c, name, a, &found); err == nil {
		err = c.flush(ctx)
	}
	return found, err
}

// soon is list for a question that waits as what is run later does: its rows are in
// found when the next statement has been read.
func soon[T any](ctx context.Context, c conn, name string, a args, found *[]T) error {
	stmt, err := c.stmt(name)
	if err != nil {
		return err
	}
	switch {
	case c.pipe != nil:
		return behind(c.pipe, stmt, a, found)
	case c.lend != nil:
		return c.trip(ctx, func(p *pipe) error { return behind(p, stmt, a, found) })
	}
	return c.run(ctx, stmt, func(stmt *sqlx.NamedStmt) error {
		*found = nil
		return stmt.SelectContext(ctx, found, a.clean())
	})
}

// whole runs a block that is one statement on Postgres and may be several on
// SQLite: all of it or nothing. The last of them returns the rows.
func whole[T any](ctx context.Context, s *Store, op, name string, a args) (found []T, err error) {
	if _, several := s.writes[nth(name, 2)]; !several {
		found, err = list[T](ctx, s.writer(), name, a)
		return found, fault(op, err)
	}
	err = s.inTx(ctx, op, func(tx conn) error {
		n := 1
		for ; s.writes[nth(name, n+1)] != nil; n++ {
			if _, err := tx.exec(ctx, nth(name, n), a); err != nil {
				return err
			}
		}
		found, err = list[T](ctx, tx, nth(name, n), a)
		return err
	})
	return found, err
}

// clean takes out of texts what Postgres cannot store: NUL and broken UTF-8.
func (a args) clean() map[string]any {
	for name, v := range a {
		if text, ok := v.(string); ok {
			if clean := storable(text); clean != text {
				a[name] = clean
			}
		}
	}
	return a
}

// missing says that a statement found no row.
func missing(err error) bool { return errors.Is(err, stdsql.ErrNoRows) }

package sql

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	stdsql "database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// rollbackWithin is how long a rollback may take before the connection is given up.
const rollbackWithin = 2 * time.Second

// pipe is a transaction on Postgres whose statements travel together.
//
//	later  later  list ─────► one message: begin later later list
//	                   ◄───── what list found
//	later  later  end ──────► one message: later later commit
//
// Most statements of a lead's transactions only write, and nothing is asked of
// them but that they did not fail. Each cost a trip to the server and back, two
// switches between processes for twenty microseconds of work; now they wait
// here until something is read, and go with it, in their order. One that fails
// stops those behind it, the commit too.
type pipe struct {
	conn  *pgx.Conn
	batch *pgx.Batch // what has not been sent
	begun bool       // "begin" is or was in the batch
	asked bool       // somebody in the batch wants to know, and may refuse
	done  int        // statements of the batch whose outcome was read
}

// piped runs fn in a transaction on Postgres. committing says that nobody knows
// what became of the commit.
func (s *Store) piped(ctx context.Context, c conn, fn func(conn) error) (committing bool, err error) {
	err = s.raw(ctx, func(p *pipe) error {
		c.pipe = p
		if err := fn(c); err != nil {
			p.rollback(ctx)
			return err
		}
		var err error
		if committing, err = p.commit(ctx); err != nil {
			p.rollback(ctx)
		}
		return err
	})
	return committing, err
}

// queue puts a statement behind those that wait.
func (p *pipe) queue(text string, params ...any) *pgx.QueuedQuery {
	if !p.begun {
		p.begun = true
		p.batch.Queue("begin").Exec(p.told(nil))
	}
	return p.batch.Queue(text, params...)
}

// told counts a statement that was run, and hands on how many rows it changed.
func (p *pipe) told(use func(int64) error) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		p.done++
		if use == nil {
			return nil
		}
		return use(tag.RowsAffected())
	}
}

// send sends what waits and reads what became of it.
func (p *pipe) send(ctx context.Context) error {
	if p.batch.Len() == 0 {
		return nil
	}
	batch := p.batch
	p.batch, p.done, p.asked = &pgx.Batch{}, 0, false
	return carrying(p.conn, batch.Len(), func() error {
		return sending(p.conn, func() error { return p.conn.SendBatch(ctx, batch).Close() })
	})
}

// commit ends the transaction with what still waits, unless somebody may refuse
// that: then it goes after his word. The outcome is unknown when everything before
// the commit went well and its own word is missing, or when the line broke after
// it was sent.
func (p *pipe) commit(ctx context.Context) (unknown bool, err error) {
	if p.asked {
		if err := p.send(ctx); err != nil {
			return false, err
		}
	}
	if !p.begun {
		return false, nil
	}
	p.batch.Queue("commit")
	before := p.batch.Len() - 1
	if err = p.send(ctx); err == nil {
		return true, nil
	}
	if _, refused := errors.AsType[*pgconn.PgError](err); refused {
		return p.done == before, err
	}
	return !pgconn.SafeToRetry(err), err
}

// rollback leaves the connection as it was found, or closed.
func (p *pipe) rollback(ctx context.Context) {
	if p.conn.IsClosed() || p.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
	defer cancel()
	if _, err := p.conn.Exec(ctx, "rollback"); err != nil {
		_ = p.conn.Close(ctx)
	}
}

// later runs a statement with the next that is read, or with the commit. What
// it changed is told to use then, if anybody wants to know.
func (p *pipe) later(stmt *sqlx.NamedStmt, a args, use func(int64) error) error {
	params, err := positions(stmt, a)
	if err == nil {
		p.asked = p.asked || use != nil
		p.queue(stmt.QueryString, params...).Exec(p.told(use))
	}
	return err
}

// behind puts a question behind those that wait.
func behind[T any](p *pipe, stmt *sqlx.NamedStmt, a args, found *[]T) error {
	params, err := positions(stmt, a)
	if err == nil {
		p.queue(stmt.QueryString, params...).Query(func(rows pgx.Rows) (err error) {
			*found, err = pgx.CollectRows(rows, reading[T]())
			return err
		})
	}
	return err
}

// inquiry is asked of a conn, now or with what else waits there.
type inquiry func(context.Context, conn) error

// together asks several questions, on Postgres in one trip.
func (s *Store) together(ctx context.Context, all ...inquiry) error {
	if s.dialect != dialectPostgres {
		return inTurn(ctx, s.reader(), all)
	}
	return s.writer().trip(ctx, func(p *pipe) error {
		return inTurn(ctx, conn{stmts: s.writes, arrays: true, pipe: p}, all)
	})
}

// trip sends what ask puts into a pipe and reads what became of it: one trip, and
// no transaction around it.
func (c conn) trip(ctx context.Context, ask func(*pipe) error) error {
	for t := new(tried); ; {
		err := c.lend(ctx, func(p *pipe) error {
			p.begun = true
			return errors.Join(ask(p), p.send(ctx))
		})
		if err == nil || !c.again(ctx, err, t) {
			return err
		}
	}
}

func inTurn(ctx context.Context, c conn, all []inquiry) error {
	for _, ask := range all {
		if err := ask(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// raw lends fn a connection.
func (s *Store) raw(ctx context.Context, fn func(*pipe) error) error {
	held, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }() // gives it back to the pool
	return held.Raw(func(driver any) error {
		own, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("pgx has another connection: %T", driver)
		}
		return fn(&pipe{conn: own.Conn(), batch: &pgx.Batch{}})
	})
}

// reading is how a row becomes a T: by its db tags, or as the value it is.
func reading[T any]() pgx.RowToFunc[T] {
	if reflect.TypeFor[T]().Kind() == reflect.Struct {
		return pgx.RowToStructByNameLax[T]
	}
	return pgx.RowTo[T]
}

// positions are the parameters of a statement in their order.
func positions(stmt *sqlx.NamedStmt, a args) ([]any, error) {
	params := make([]any, len(stmt.Params))
	a.clean()
	for i, name := range stmt.Params {
		v, ok := a[name]
		if !ok {
			return nil, fmt.Errorf("could not find name %s in %d parameters", name, len(a))
		}
		params[i] = v
	}
	return params, nil
}

// first is the first row, if there is one.
func first[T any](found []T, err error) (row T, _ error) {
	if err == nil && len(found) == 0 {
		err = stdsql.ErrNoRows
	}
	if err == nil {
		row = found[0]
	}
	return row, err
}

package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	stdsql "database/sql"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/galenahq/galena"
)

// fault gives a database's error its kind and takes away its text, which may
// quote a value (an address) or the URL. Our own errors pass unchanged.
func fault(op string, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*galena.Error](err); ok {
		return own
	}
	return &galena.Error{Kind: kindOf(err), Op: op, Err: describe(err)}
}

// describe is the cause in our own words.
func describe(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case pg.ConstraintName != "":
			return errors.New("sqlstate " + pg.Code + ", constraint " + pg.ConstraintName)
		case pg.Code == "53100":
			return errors.New("sqlstate 53100: the disk is full")
		case strings.HasPrefix(pg.Code, "42"): // a fault of the statement itself quotes no value
			return errors.New("sqlstate " + pg.Code + ": " + pg.Message)
		}
		return errors.New("sqlstate " + pg.Code)
	}
	for _, ours := range []error{context.Canceled, context.DeadlineExceeded, stdsql.ErrNoRows, stdsql.ErrConnDone, stdsql.ErrTxDone} {
		if errors.Is(err, ours) {
			return ours
		}
	}
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		return errors.New("sqlite: " + err.Error()) // names columns and tables, never values
	}
	if lost(err) {
		return errors.New("no connection to the database")
	}
	return err
}

// kindOf sorts a database's error.
func kindOf(err error) galena.Kind {
	if outgrown(err) {
		return galena.Unavailable
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return kindOfState(pg.Code)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return kindOfCode(lite.Code())
	}
	switch {
	case errors.Is(err, stdsql.ErrNoRows):
		return galena.NotFound
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, stdsql.ErrTxDone), lost(err):
		return galena.Unavailable // a transaction is done before its time when its context ends
	default:
		return galena.Internal
	}
}

func kindOfState(state string) galena.Kind {
	switch state {
	case "23505": // unique_violation
		return galena.Conflict
	case "40001", "40P01", "55P03", "57014", "25006": // serialization, deadlock, lock and statement timeout, read-only
		return galena.Unavailable
	}
	switch state[:min(2, len(state))] {
	case "08", "53", "57", "58": // connection, resources (disk full), operator, system
		return galena.Unavailable
	}
	return galena.Internal
}

func kindOfCode(code int) galena.Kind {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return galena.Conflict
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		return galena.Unavailable
	}
	return galena.Internal
}

// lost says that the connection is gone, not that the statement was wrong.
func lost(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "57P01" || pg.Code == "57P02" || strings.HasPrefix(pg.Code, "08")
	}
	if refused(err) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, stdsql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// refused says that no new connection could be made.
func refused(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok
}

// clash says that Postgres ended the transaction in favour of another one.
func clash(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// outgrown says that a connection keeps a statement as it was before the schema
// changed, and that Postgres will not run it any more: it was not run.
func outgrown(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery"
}

package sql

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"
)

const (
	warmed     = 8 // connections: as many as a quiet hour uses at once, with what a process does when it begins
	warmWithin = 3 * time.Second
)

// Warm opens a few connections and runs what a lead needs once on each, on no
// rows. A server's process that has just begun has read no catalogue, parsed no
// statement and planned none, and the first leads on it wait for all of that:
// some thirty milliseconds, a few at each statement. It is a favour: what fails
// here fails nobody.
func (s *Store) Warm(ctx context.Context) {
	if s.dialect != dialectPostgres {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, warmWithin)
	defer cancel()
	var all errgroup.Group
	var held sync.WaitGroup // each has a connection of its own, and keeps it until all have
	n := min(warmed, s.write.Stats().MaxOpenConnections)
	held.Add(n)
	for range n {
		all.Go(func() error {
			done := sync.OnceFunc(held.Done)
			defer done()
			return s.raw(ctx, func(p *pipe) error {
				err := p.rehearse(ctx, s.writes)
				done()
				held.Wait()
				return err
			})
		})
	}
	if err := all.Wait(); err != nil {
		s.log.DebugContext(ctx, "connections not warmed", "cause", describe(err))
	}
}

// rehearse runs the statements that take lists, with empty ones, and takes it back.
// Who holds a lock is not waited for.
func (p *pipe) rehearse(ctx context.Context, stmts map[string]*sqlx.NamedStmt) error {
	p.queue("SET LOCAL lock_timeout = '100ms'")
	for _, stmt := range stmts {
		if !strings.Contains(stmt.QueryString, "[])") {
			continue
		}
		of, err := p.conn.Prepare(ctx, stmt.QueryString, stmt.QueryString)
		if err != nil {
			return err
		}
		p.queue(stmt.QueryString, nothing(of.ParamOIDs)...)
	}
	err := p.send(ctx)
	p.rollback(ctx)
	return err
}

// nothing are parameters that name no row.
func nothing(oids []uint32) []any {
	params := make([]any, len(oids))
	for i, oid := range oids {
		switch oid {
		case pgtype.TextArrayOID, pgtype.Int8ArrayOID, pgtype.Int4ArrayOID, pgtype.BoolArrayOID, pgtype.Float8ArrayOID:
			params[i] = []string{}
		case pgtype.TextOID, pgtype.JSONBOID:
			params[i] = "[]" // where a text is read as JSON it is a list
		case pgtype.BoolOID:
			params[i] = false
		default:
			params[i] = 0
		}
	}
	return params
}

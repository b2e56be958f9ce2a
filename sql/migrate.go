package sql

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"path"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/galenahq/galena"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to date. It is safe when several start at once:
// the others wait for the first, then find nothing to do. Migrations go forward
// only, one transaction each.
func Migrate(ctx context.Context, url string, log *slog.Logger) (err error) {
	const op = "sql.migrate"
	texts, err := load(queries)
	if err != nil {
		return fault(op, err)
	}
	db, err := connect(url, migrating)
	if err != nil {
		return err
	}
	defer func() {
		if closed := db.close(); err == nil {
			err = fault(op, closed)
		}
	}()
	unlock, err := lockFile(ctx, db)
	if err != nil {
		return fault(op, err)
	}
	defer unlock()
	if err := refuseStandby(ctx, db, texts[db.dialect]["standby"]); err != nil {
		return err
	}
	p, err := provider(db, true)
	if err != nil {
		return fault(op, err)
	}
	results, err := p.Up(ctx)
	for _, r := range results {
		orDiscard(log).InfoContext(ctx, "schema migrated", "version", r.Source.Version, "took", r.Duration)
	}
	return fault(op, err)
}

// lockFile lets one process at a time open or migrate a SQLite file: the first
// connection turns on write-ahead logging, which does not wait for others, and
// goose locks nothing itself. A transaction cannot be the lock, for goose begins
// its own; so a second, empty database beside the first is held by a writer. A
// process that dies lets go.
func lockFile(ctx context.Context, db database) (unlock func(), err error) {
	if db.dialect != dialectSQLite {
		return func() {}, nil
	}
	beside, err := sqlx.Open(dialectSQLite, fileName(db.path+".lock")+
		"?_pragma=busy_timeout(60000)&_txlock=exclusive")
	if err != nil {
		return nil, err
	}
	tx, err := beside.BeginTxx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, beside.Close())
	}
	return func() {
		_ = tx.Rollback() // nothing was written; closing lets go in any case
		_ = beside.Close()
	}, nil
}

// provider knows the migrations of the dialect. goose locks nothing by itself:
// on Postgres the session locker does, which needs a second connection.
func provider(db database, locked bool) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, path.Join("migrations", db.dialect))
	if err != nil {
		return nil, err
	}
	opts := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
		goose.WithAllowOutofOrder(true), // migrations that were written side by side
	}
	dialect := goose.DialectSQLite3
	if db.dialect == dialectPostgres {
		dialect = goose.DialectPostgres
		if locked {
			locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
			if err != nil {
				return nil, err
			}
			opts = append(opts, goose.WithSessionLocker(locker))
		}
	}
	return goose.NewProvider(dialect, db.write.DB, files, opts...)
}

func refuseOldSchema(ctx context.Context, db database) error {
	p, err := provider(db, false)
	if err != nil {
		return fault("sql.open", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fault("sql.open", err)
	}
	if current < target {
		return galena.Errorf(galena.Invalid, "sql.open",
			"the schema is version %d and must be %d: run galena migrate", current, target)
	}
	missing, err := p.HasPending(ctx) // one that was written beside a later one does not show in the version
	if err != nil {
		return fault("sql.open", err)
	}
	if missing {
		return galena.Errorf(galena.Invalid, "sql.open", "the schema misses an earlier migration: run galena migrate")
	}
	return nil
}

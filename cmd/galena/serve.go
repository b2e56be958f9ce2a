package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

// dataDir holds the database and the generated key of an installation without
// a DATABASE_URL.
const dataDir = "data"

type serveCmd struct{}

// Help is shown by --help.
func (serveCmd) Help() string {
	return `Example: GALENA_BOOTSTRAP_TOKEN=$(openssl rand -hex 20) galena serve

Without DATABASE_URL the leads are kept in ./data/galena.db, without REDIS_URL
the queue lives in the process. The schema is brought up to date first.`
}

// Run plays every part in one process.
func (serveCmd) Run(ctx context.Context, std streams) error {
	return runRoles(ctx, std, roles{web: true, worker: true, scheduler: true})
}

type webCmd struct{}

// Help is shown by --help.
func (webCmd) Help() string {
	return `Example: DATABASE_URL=postgres://… REDIS_URL=redis://… GALENA_SECRET_KEY=… PORT=8080 galena web`
}

// Run takes leads in and shows pages.
func (webCmd) Run(ctx context.Context, std streams) error {
	return runRoles(ctx, std, roles{web: true})
}

type workerCmd struct{}

// Help is shown by --help.
func (workerCmd) Help() string {
	return `Example: DATABASE_URL=postgres://… REDIS_URL=redis://… GALENA_WORKER_CONCURRENCY=64 galena worker`
}

// Run decides leads and delivers what was decided.
func (workerCmd) Run(ctx context.Context, std streams) error {
	return runRoles(ctx, std, roles{worker: true})
}

type schedulerCmd struct{}

// Help is shown by --help.
func (schedulerCmd) Help() string {
	return `Example: DATABASE_URL=postgres://… REDIS_URL=redis://… galena scheduler`
}

// Run sweeps.
func (schedulerCmd) Run(ctx context.Context, std streams) error {
	return runRoles(ctx, std, roles{scheduler: true})
}

type migrateCmd struct{}

// Help is shown by --help.
func (migrateCmd) Help() string { return `Example: DATABASE_URL=postgres://… galena migrate` }

// Run brings the schema up to date.
func (migrateCmd) Run(ctx context.Context, std streams) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	return migrate(ctx, env, newLog(env, std.Err))
}

func migrate(ctx context.Context, env configs.Env, log *slog.Logger) error {
	if !env.DatabaseURL.Set() {
		if err := os.MkdirAll(dataDir, 0o700); err != nil {
			return err
		}
	}
	return sql.Migrate(ctx, databaseURL(env), log)
}

// databaseURL is the configured one, or the embedded database of this folder.
func databaseURL(env configs.Env) string {
	if env.DatabaseURL.Set() {
		return env.DatabaseURL.Reveal()
	}
	return "sqlite:" + filepath.Join(dataDir, "galena.db")
}

// runRoles reads the settings and plays the parts until the context ends.
func runRoles(ctx context.Context, std streams, r roles) error {
	env, err := configs.ReadEnv(further()...)
	if err != nil {
		return usageError{err}
	}
	log := newLog(env, std.Err)
	s := settings{env: env, watched: env.ConfigDir != "", roles: r, log: log, now: time.Now, follows: true}
	spoil(&s)
	if s.rules, err = loadRules(env, log); err != nil {
		return err
	}
	if r.web {
		if s.key, err = secretKey(env, log); err != nil {
			return usageError{err}
		}
	}
	app, err := patiently(ctx, log, func() (*App, error) {
		if r.web && r.worker {
			if err := migrate(ctx, env, log); err != nil {
				return nil, err
			}
		}
		return newApp(ctx, s)
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop before it had begun: nothing is wrong
		}
		return err
	}
	go keepHeap(ctx)
	return app.live(ctx)
}

const (
	// startWait is how long a database may be away at the start: a platform that
	// starts everything at once need not know an order, and one that starts again
	// at once what ends does not spin.
	startWait  = 6 * time.Second
	startPause = 500 * time.Millisecond
)

// patiently opens an App whose database may not be there yet.
func patiently(ctx context.Context, log *slog.Logger, open func() (*App, error)) (*App, error) {
	for began, waits := time.Now(), false; ; waits = true {
		app, err := open()
		if galena.KindOf(err) != galena.Unavailable || ctx.Err() != nil || time.Since(began) > startWait {
			return app, err
		}
		if !waits {
			log.WarnContext(ctx, "the start waits", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(startPause):
		}
	}
}

// secretKey is the configured key, or one that is generated once.
func secretKey(env configs.Env, log *slog.Logger) ([]byte, error) {
	key, generated, err := env.SecretKey(dataDir)
	if generated {
		log.Warn("a secret key was generated; keep it with the database", "file", filepath.Join(dataDir, "secret.key"))
	}
	return key, err
}

// newLog writes JSON where a machine reads, text where a person does.
func newLog(env configs.Env, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: env.LogLevel}
	format := env.LogFormat
	if format == "" {
		format = "json"
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

package sql_test

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
	"github.com/galenahq/galena/sql/sqltest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	sqltest.Run(t, openSQLite)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	sqltest.Run(t, openPostgres(server))
}

func BenchmarkSQLite(b *testing.B) { sqltest.Benchmarks(b, openSQLite) }

func BenchmarkPostgres(b *testing.B) {
	if server := postgresURL(b); server != "" {
		sqltest.Benchmarks(b, openPostgres(server))
	}
}

// postgresURL is the server to test on. Without one the full run fails: half
// the databases untested is how they come to differ.
func postgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		if os.Getenv("CI") != "" || os.Getenv("TEST_FULL") != "" {
			t.Fatal("TEST_POSTGRES_URL must name a server")
		}
		t.Log("TEST_POSTGRES_URL is empty: SQLite only")
	}
	return server
}

// engines are the databases that there are, each opened anew.
func engines(t testing.TB) map[string]sqltest.Open {
	t.Helper()
	all := map[string]sqltest.Open{"SQLite": openSQLite}
	if server := postgresURL(t); server != "" {
		all["Postgres"] = openPostgres(server)
	}
	return all
}

// addresses are the same, empty, for whoever opens one more than once.
func addresses(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{"SQLite": sqliteURL(t)}
	if server := postgresURL(t); server != "" {
		all["Postgres"] = schema(t, server)
	}
	return all
}

// lead is one that was found good.
func lead(n int) galena.Lead {
	email := fmt.Sprintf("ana%d@acme.test", n)
	return galena.Lead{
		Judgement: galena.Judgement{Verdict: galena.Accept, Email: email, Key: email, Host: "acme.test", Domain: "acme.test", Class: galena.Corporate},
		Status:    galena.StatusAccepted, Form: "demo", Source: "web",
	}
}

// accepted takes a lead in and returns its id.
func accepted(t testing.TB, s *sql.Store, n int) string {
	t.Helper()
	r, err := s.Accept(context.Background(), galena.Intake{Lead: lead(n)})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func sqliteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "a folder?", "galena.db")
}

// openSQLite gives each test a file of its own: a copy of one that was migrated
// once, for twenty migrations take longer than most of what is tested.
func openSQLite(t testing.TB, now func() time.Time) *sql.Store {
	t.Helper()
	migrated, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	address := sqliteURL(t)
	path := strings.TrimPrefix(address, "sqlite:")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, address, now)
}

var migratedFile = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "galena-sql")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "galena.db")
	if err := sql.Migrate(context.Background(), "sqlite:"+path, nil); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func open(t testing.TB, address string, now func() time.Time) *sql.Store {
	t.Helper()
	if err := sql.Migrate(context.Background(), address, nil); err != nil {
		t.Fatal(err)
	}
	s, err := sql.Open(context.Background(), address, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// openPostgres gives each test a schema of its own. Migrations wait for each
// other a second at a time, so the tests queue up for them here.
func openPostgres(server string) sqltest.Open {
	var migrating sync.Mutex
	return func(t testing.TB, now func() time.Time) *sql.Store {
		t.Helper()
		address := schema(t, server)
		migrating.Lock()
		defer migrating.Unlock()
		return open(t, address, now)
	}
}

// schema makes an empty schema, drops it after the test and returns the URL of
// a small pool that lives in it.
func schema(t testing.TB, server string) string {
	t.Helper()
	db, err := stdsql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	q.Set("pool_max_conns", "8")
	u.RawQuery = q.Encode()
	return u.String()
}

// A URL may choose how statements are sent, as a pooler between may demand.
func TestAURLChoosesHowStatementsAreSent(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	for _, mode := range []string{"cache_statement", "cache_describe"} {
		s := open(t, schema(t, server)+"&default_query_exec_mode="+mode, time.Now)
		if _, _, _, err := s.Answer(t.Context(), "alpha", "acme.test"); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// A process runs on while another one migrates: what its connections had planned
// before is planned anew, and nobody is told.
func TestASchemaMayChangeUnderAProcess(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	use := func(when string) {
		var all errgroup.Group
		for i := range 64 {
			all.Go(func() error {
				domain := fmt.Sprintf("c%d.test", i)
				_, _, _, err1 := s.Answer(t.Context(), "alpha", domain)
				_, err2 := s.CompanyMemory(t.Context(), domain)
				_, err3 := s.Spent(t.Context(), "2026-11-23")
				err4 := s.SaveAnswer(t.Context(), galena.Answer{Provider: "alpha", Domain: domain, FetchedAt: time.Now()},
					galena.LedgerEntry{Provider: "alpha", Domain: domain, Outcome: "hit", At: time.Now()})
				return errors.Join(err1, err2, err3, err4)
			})
		}
		if err := all.Wait(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	use("before")
	_, err := beside(t, address).Exec(`DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT attrelid::regclass AS of, attname FROM pg_attribute JOIN pg_class t ON t.oid = attrelid
			WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND atttypid = 'text'::regtype
		LOOP EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE text COLLATE "POSIX"', c.of, c.attname); END LOOP; END $$`)
	if err != nil {
		t.Fatal(err)
	}
	use("after")
	use("later")
}

// Texts that an index orders are compared byte by byte (migration 0037).
func TestKeysAreComparedByteByByte(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	rows, err := beside(t, address).Query(`SELECT DISTINCT c.relname || '.' || a.attname FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (x.indkey) JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = current_schema()::regnamespace AND a.atttypid = 'text'::regtype AND l.collname <> 'C'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is compared by the rules of the database: say COLLATE \"C\"", column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAnOldSchemaIsRefused(t *testing.T) {
	t.Parallel()
	_, err := sql.Open(context.Background(), sqliteURL(t), nil, time.Now)
	if galena.KindOf(err) != galena.Invalid || !strings.Contains(err.Error(), "galena migrate") {
		t.Errorf("error %v, want the hint to migrate", err)
	}
}

func TestABadURLIsRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "mysql://u:hunter2@h/db", "sqlite:", "sqlite::memory:", "postgres://u:hunter2@h:port/db",
		"postgres://u:hunter2@h/db?pool_max_conns=one", "postgres://u:hunter2@127.0.0.1:1/db"} {
		_, err := sql.Open(context.Background(), address, nil, time.Now)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", address, err)
		}
	}
}

func TestAStoreThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := sql.Open(context.Background(), "postgres://u:hunter2@127.0.0.1:1/db", nil, time.Now)
	if galena.KindOf(err) != galena.Unavailable {
		t.Errorf("error %v, want unavailable", err)
	}
}

func TestMigratingAndOpeningAtOnceIsSafe(t *testing.T) {
	t.Parallel()
	for _, address := range addresses(t) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := sql.Migrate(context.Background(), address, nil); err != nil {
					t.Error(err)
					return
				}
				s, err := sql.Open(context.Background(), address, nil, time.Now)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

func TestAReadOnlyServerIsRefused(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	_, err := sql.Open(context.Background(), schema(t, server)+"&default_transaction_read_only=on", nil, time.Now)
	if galena.KindOf(err) != galena.Invalid || !strings.Contains(err.Error(), "primary") {
		t.Errorf("error %v, want the hint to use the primary", err)
	}
}

// Idle connections that the server ended (a restart, a failover, a proxy) are
// met and dropped; nobody is told.
func TestDeadConnectionsAreNotSeen(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	admin, err := stdsql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := uuid.NewString()
	s := open(t, schema(t, server)+"&application_name="+name, time.Now)
	for range 5 {
		var wg sync.WaitGroup
		for range 8 { // fills the pool
			wg.Go(func() {
				if _, err := s.Accept(context.Background(), galena.Intake{}); err != nil {
					t.Error(err)
				}
				if _, err := s.Records(context.Background(), galena.LeadFilter{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err := admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := s.Backlog(context.Background())
	if err != nil || b.Undecided != 40 {
		t.Errorf("%d leads, %v, want 40", b.Undecided, err)
	}
}

// A table that somebody locks must not hang the gate: the caller hears within
// the lock timeout that the store is away, and all is well afterwards.
func TestALockedTableIsUnavailableAndRecovers(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	tx, err := beside(t, address).Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE leads"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = s.Accept(context.Background(), galena.Intake{})
	if took := time.Since(began); galena.KindOf(err) != galena.Unavailable || took > 3*time.Second {
		t.Errorf("after %s: %v, want unavailable within 3s", took, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(context.Background(), galena.Intake{}); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestBothSchemasHaveTheSameColumns(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	lite, pg := sqliteURL(t), schema(t, server)
	open(t, lite, time.Now)
	open(t, pg, time.Now)
	got := columns(t, "sqlite", strings.TrimPrefix(lite, "sqlite:"),
		`SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
		 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`)
	want := columns(t, "pgx", pg,
		`SELECT table_name || '.' || column_name FROM information_schema.columns
		 WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose_%'`)
	if len(got) < 100 || !reflect.DeepEqual(got, want) {
		t.Errorf("SQLite has %v\nPostgres has %v", got, want)
	}
}

func columns(t *testing.T, driver, address, query string) []string {
	t.Helper()
	if driver == "pgx" {
		address = withoutPool(t, address)
	} else {
		address = "file:" + (&url.URL{Path: address}).EscapedPath()
	}
	db, err := stdsql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// onPostgres opens a store in a schema of its own; nil where there is no Postgres.
func onPostgres(t *testing.T) (s *sql.Store, address string) {
	t.Helper()
	server := postgresURL(t)
	if server == "" {
		return nil, ""
	}
	address = schema(t, server)
	return open(t, address, time.Now), address
}

// beside is a pool of one's own on what a store has open.
func beside(t *testing.T, address string) *stdsql.DB {
	t.Helper()
	db, err := stdsql.Open("pgx", withoutPool(t, address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// withoutPool takes off what only the store understands.
func withoutPool(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("pool_max_conns")
	u.RawQuery = q.Encode()
	return u.String()
}

func TestAStoreGoesByTheClockOfItsServer(t *testing.T) {
	t.Parallel()
	wrong := func() time.Time { return time.Now().Add(time.Hour) }
	off := func(s *sql.Store) time.Duration {
		t.Helper()
		if err := s.SetClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		return time.Until(s.Now()).Round(time.Minute)
	}
	if got := off(openSQLite(t, wrong)); got != time.Hour {
		t.Errorf("a file's store is %v off, want its process's hour", got)
	}
	if server := postgresURL(t); server != "" {
		if got := off(openPostgres(server)(t, wrong)); got != 0 {
			t.Errorf("a server's store is %v off, want the server's time", got)
		}
	}
}

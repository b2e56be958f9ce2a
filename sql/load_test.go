package sql

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/galenahq/galena"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	const one = "-- name: a\n-- Contract: with a colon.\nSELECT 1;\n"
	tests := []struct {
		name  string
		files map[string]string
		want  string // in the error; "" = none
	}{
		{"ABlockIsReplacedByName", map[string]string{"queries/x.sql": one, "queries/sqlite/x.sql": "-- name: a\n-- C.\nSELECT 2"}, ""},
		{"ANameStandsOnce", map[string]string{"queries/x.sql": one, "queries/y.sql": one}, `"a" stands twice`},
		{"AReplacementReplacesSomething", map[string]string{"queries/x.sql": one, "queries/sqlite/x.sql": strings.Replace(one, "name: a", "name: b", 1)}, "nowhere else"},
		{"AContractIsNeeded", map[string]string{"queries/x.sql": "-- name: a\nSELECT 1;\n"}, "needs a contract"},
		{"AStatementIsNeeded", map[string]string{"queries/x.sql": "-- name: a\n-- C.\n"}, "needs a contract and a statement"},
		{"NothingStandsBeforeAName", map[string]string{"queries/x.sql": "SELECT 1;\n" + one}, "text before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			for name, text := range tt.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := load(files)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil || got[dialectPostgres]["a"] != "SELECT 1" || got[dialectSQLite]["a"] != "SELECT 2" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// A statement is called by its name, which only this test can check before it
// is called; and a block nobody calls is a block nobody tests.
func TestEveryNameInGoIsAStatementAndEveryStatementIsUsed(t *testing.T) {
	t.Parallel()
	texts, err := load(queries)
	if err != nil {
		t.Fatal(err)
	}
	used := literals(t)
	used["lock-pools"], used["lock-reps"] = true, true // put together in lockRows
	used["insert-pools"], used["insert-reps"] = true, true
	for _, name := range slices.Sorted(maps.Keys(texts[dialectPostgres])) {
		if !used[name] {
			t.Errorf("nobody uses %q", name)
		}
	}
	for name := range used {
		if _, ok := texts[dialectPostgres][name]; !ok && strings.Contains(name, "-") {
			t.Errorf("no statement %q", name)
		}
	}
}

// literals are the string constants of this package that could be names.
func literals(t *testing.T) map[string]bool {
	t.Helper()
	files, err := fs.Glob(sources, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			if err == nil && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == "" && !strings.HasSuffix(s, "-") {
				out[s] = true
			}
			return true
		})
	}
	return out
}

func TestEveryKindSaysWhetherItsWaitCounts(t *testing.T) {
	t.Parallel()
	for _, k := range galena.Kinds() {
		if _, ok := uncounted[k]; !ok {
			t.Errorf("no rule for %s", k)
		}
	}
}

func TestFaultsHaveAKindAndQuoteNoValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		state string
		want  galena.Kind
	}{
		{"23505", galena.Conflict}, {"40001", galena.Unavailable}, {"40P01", galena.Unavailable},
		{"55P03", galena.Unavailable}, {"57014", galena.Unavailable}, {"57P01", galena.Unavailable},
		{"08006", galena.Unavailable}, {"53100", galena.Unavailable}, {"25006", galena.Unavailable},
		{"22P02", galena.Internal}, {"23503", galena.Internal},
	}
	for _, tt := range tests {
		err := fault("sql.x", &pgconn.PgError{Code: tt.state, Message: "bad value ana@acme.test"})
		if galena.KindOf(err) != tt.want || strings.Contains(err.Error(), "ana@") {
			t.Errorf("%s: %v, want %s", tt.state, err, tt.want)
		}
	}
	own := galena.Errorf(galena.Conflict, "fence", "lost")
	if got := fault("sql.x", own); !errors.Is(got, own) {
		t.Errorf("our own error became %v", got)
	}
}

func TestClashesAreRepeatedThreeTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		err   error
		tries int
	}{
		{"Deadlock", &pgconn.PgError{Code: "40P01"}, 3},
		{"Serialization", &pgconn.PgError{Code: "40001"}, 3},
		{"AConnectionOfAPoolOfOne", &pgconn.PgError{Code: "57P01"}, 2},
		{"OurOwnError", galena.Errorf(galena.Conflict, "fence", "lost"), 1},
		{"AnotherFault", &pgconn.PgError{Code: "23505"}, 1},
	}
	s := openFile(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			err := s.inTx(t.Context(), "sql.x", func(conn) error {
				tries++
				return tt.err
			})
			if tries != tt.tries || err == nil {
				t.Errorf("%d tries, want %d; %v", tries, tt.tries, err)
			}
		})
	}
}

func TestTheTrailCannotBeChanged(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	if err := s.Audit(t.Context(), galena.AuditEntry{Actor: "cli", Action: "token.create"}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE audit SET actor = 'x'", "DELETE FROM audit"} {
		if _, err := s.write.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

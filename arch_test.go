package galena_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport says which folders of ours a package may import; "." is the root
// and "*" any folder name. A package that is missing here is not allowed to
// exist: add its line together with the package, and docs/README.md.
var mayImport = map[string][]string{
	".": {},

	// The four decisions: values in, values out.
	"merging":  {"."},
	"planning": {".", "scoring"},
	"routing":  {"."},
	"scoring":  {"."},

	// The adapters: none imports another, they meet in cmd/galena.
	"api":       {".", "intake"},
	"crm":       {"."},
	"intake":    {"."},
	"notify":    {"."},
	"providers": {"."},
	"redis":     {"."},
	"sql":       {"."},
	"web":       {"."},

	"crm/*":                  {".", "crm"},
	"crm/crmtest":            {".", "crm", "crm/crmfake"},
	"providers/*":            {".", "providers"},
	"providers/registry":     {".", "providers", "providers/*"},
	"providers/providertest": {".", "providers"},
	"sql/sqltest":            {".", "sql"},

	"worker":     {".", "merging", "planning", "routing", "scoring"},
	"configs":    {".", "crm", "crm/rest", "intake", "merging", "notify", "providers", "routing", "scoring"},
	"cmd/galena": {".", "*", "*/*"},

	// It knows the program from outside only.
	"drill": {},
}

// door names the folders that may open a library. Each library has one home, so
// each can be replaced by editing one folder. Nobody at all: for tests only.
var door = map[string][]string{
	"database/sql": {"sql"},

	"github.com/alecthomas/kong":           {"cmd/galena"},
	"github.com/alicebob/miniredis/v2":     {"redis"},
	"github.com/danielgtaylor/huma/v2":     {"api"},
	"github.com/go-json-experiment/json":   {"."},
	"github.com/go-redis/redis_rate/v10":   {"redis"},
	"github.com/goccy/go-yaml":             {"configs"},
	"github.com/hibiken/asynq":             {"worker"},
	"github.com/hibiken/asynqmon":          {"web"},
	"github.com/jackc/pgx/v5":              {"sql"},
	"github.com/jmoiron/sqlx":              {"sql"},
	"github.com/kelseyhightower/envconfig": {"configs"},
	"github.com/pressly/goose/v3":          {"sql"},
	"github.com/redis/go-redis/v9":         {"redis"},
	"github.com/schollz/progressbar/v3":    {"cmd/galena"},
	"github.com/sony/gobreaker/v2":         {"providers"},
	"github.com/standard-webhooks":         {"notify"},
	"modernc.org/sqlite":                   {"sql"},

	"github.com/chromedp":             {},
	"github.com/google/go-cmp":        {"providers/providertest", "sql/sqltest"},
	"github.com/rogpeppe/go-internal": {},
	"go.uber.org/goleak":              {},
	"pgregory.net/rapid":              {"sql/sqltest"},
	"testing":                         {"crm/crmtest", "providers/providertest", "sql/sqltest"},
}

// A pure package reaches nothing outside its arguments: no file, no network, no
// log, no chance, no clock.
var (
	pure        = []string{".", "merging", "planning", "routing", "scoring"}
	impure      = []string{"crypto/rand", "database/sql", "embed", "io/fs", "log", "math/rand", "net", "os", "sync", "syscall"}
	harmless    = []string{"net/netip", "net/url"} // values with the name of a network
	impureCalls = []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.NewTimer", "time.NewTicker", "time.Tick"}
)

// Tests may import more than the code they test, within limits: a library of
// another folder shows that the test is about that folder.
var testDoor = map[string][]string{
	"github.com/alecthomas/kong":       {"cmd/galena"},
	"github.com/chromedp":              {"cmd/galena", "web"},
	"github.com/danielgtaylor/huma/v2": {"api"},
	"github.com/hibiken/asynq":         {"worker", "web"},
	"github.com/hibiken/asynqmon":      {"web"},
	"github.com/sony/gobreaker/v2":     {"providers"},
}

// faults judges the files of the whole project. It is a function of what the
// files say, so that a test can plant a fault.
func faults(files []source) []string {
	var out []string
	comments := map[string]int{}
	for _, f := range files {
		dir := f.dir()
		if _, known := rowOf(dir); !known {
			out = append(out, fmt.Sprintf("%s is in %s, which the table of arch_test.go does not know", f.path, dir))
			continue
		}
		for _, imported := range f.imports {
			out = append(out, f.importFaults(dir, imported)...)
		}
		if f.test() {
			continue
		}
		for _, call := range f.calls {
			if call == "panic" {
				out = append(out, f.path+" panics: return an error, it has a kind and a reader")
			}
			if slices.Contains(pure, dir) && slices.Contains(impureCalls, call) {
				out = append(out, fmt.Sprintf("%s calls %s: time is an argument in %s", f.path, call, dir))
			}
		}
		if f.hasInit {
			out = append(out, f.path+" has an init function: say it where it is needed")
		}
		comments[dir] += 0
		if f.hasComment {
			comments[dir]++
		}
	}
	for dir, n := range comments {
		if n != 1 {
			out = append(out, fmt.Sprintf("%s has %d package comments, must have one", dir, n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// importFaults judges one import of one file.
func (f source) importFaults(dir, imported string) []string {
	if ours, ok := cutModule(imported); ok {
		if msg := f.ownFault(dir, ours); msg != "" {
			return []string{msg}
		}
		return nil
	}
	var out []string
	doors := door
	if f.test() {
		doors = testDoor
	}
	for library, homes := range doors {
		if within(imported, library) && !slices.Contains(homes, dir) {
			out = append(out, fmt.Sprintf("%s imports %s, which only %v may", f.path, imported, homes))
		}
	}
	if f.test() || !slices.Contains(pure, dir) || slices.Contains(harmless, imported) {
		return out
	}
	for _, p := range impure {
		if within(imported, p) {
			out = append(out, fmt.Sprintf("%s imports %s: %s decides on values alone", f.path, imported, dir))
		}
	}
	return out
}

// ownFault judges an import of one of our own folders.
func (f source) ownFault(dir, imported string) string {
	row, _ := rowOf(dir)
	if f.test() {
		vendor := strings.HasPrefix(imported, "providers/") && imported != "providers/providertest" && imported != "providers/registry"
		if imported == "cmd/galena" || vendor && imported != dir && dir != "providers/registry" {
			return fmt.Sprintf("%s imports %s, which no test of another folder may", f.path, imported)
		}
		return ""
	}
	if slices.ContainsFunc(row, func(p string) bool { ok, _ := path.Match(p, imported); return ok }) {
		return ""
	}
	return fmt.Sprintf("%s may not import %s (%s)", dir, imported, f.path)
}

// rowOf finds the line of mayImport for a folder, an exact one first.
func rowOf(dir string) ([]string, bool) {
	if row, ok := mayImport[dir]; ok {
		return row, true
	}
	row, ok := mayImport[path.Join(path.Dir(dir), "*")]
	return row, ok
}

// within says whether an import path is the library or lies below it.
func within(imported, library string) bool {
	return imported == library || strings.HasPrefix(imported, library+"/")
}

func TestEveryFileKeepsTheArchitecture(t *testing.T) {
	t.Parallel()
	for _, msg := range faults(readSources(t)) {
		t.Error(msg)
	}
}

func TestAPlantedFaultIsCaught(t *testing.T) {
	t.Parallel()
	good := source{path: "intake/gate.go", imports: []string{module, "net/http"}, hasComment: true}
	for _, tc := range []struct {
		name string
		file source
		want string // "" = no fault
	}{
		{"nothing planted", source{path: "intake/hygiene.go"}, ""},
		{"a stage imports the worker", source{path: "merging/merge.go", imports: []string{module + "/worker"}, hasComment: true},
			"merging may not import worker (merging/merge.go)"},
		{"an adapter imports another", source{path: "intake/form.go", imports: []string{module + "/sql"}},
			"intake may not import sql (intake/form.go)"},
		{"a vendor imports another", source{path: "providers/hunter/hunter.go", imports: []string{module + "/providers/apollo"}, hasComment: true},
			"providers/hunter may not import providers/apollo (providers/hunter/hunter.go)"},
		{"the registry imports vendors", source{path: "providers/registry/registry.go", imports: []string{module + "/providers/apollo"}, hasComment: true}, ""},
		{"a second door", source{path: "intake/form.go", imports: []string{"github.com/hibiken/asynq"}},
			"intake/form.go imports github.com/hibiken/asynq, which only [worker] may"},
		{"a name that begins alike", source{path: "web/monitor.go", imports: []string{"github.com/hibiken/asynqmon"}, hasComment: true}, ""},
		{"a sub-package of a library", source{path: "web/pages.go", imports: []string{"github.com/jackc/pgx/v5/stdlib"}, hasComment: true},
			"web/pages.go imports github.com/jackc/pgx/v5/stdlib, which only [sql] may"},
		{"a test library in the product", source{path: "intake/form.go", imports: []string{"testing"}},
			"intake/form.go imports testing, which only [crm/crmtest providers/providertest sql/sqltest] may"},
		{"a test may use it", source{path: "intake/form_test.go", imports: []string{"testing", module + "/sql"}}, ""},
		{"a test of another folder's library", source{path: "intake/form_test.go", imports: []string{"github.com/hibiken/asynq"}},
			"intake/form_test.go imports github.com/hibiken/asynq, which only [worker web] may"},
		{"a test reaches into a vendor", source{path: "intake/form_test.go", imports: []string{module + "/providers/hunter"}},
			"intake/form_test.go imports providers/hunter, which no test of another folder may"},
		{"a pure package opens files", source{path: "scoring/score.go", imports: []string{"os"}, hasComment: true},
			"scoring/score.go imports os: scoring decides on values alone"},
		{"a pure package reads the clock", source{path: "routing/rules.go", calls: []string{"time.Now"}, hasComment: true},
			"routing/rules.go calls time.Now: time is an argument in routing"},
		{"an adapter reads the clock", source{path: "intake/form.go", calls: []string{"time.Now"}}, ""},
		{"a panic", source{path: "intake/form.go", calls: []string{"panic"}},
			"intake/form.go panics: return an error, it has a kind and a reader"},
		{"an init", source{path: "intake/form.go", hasInit: true},
			"intake/form.go has an init function: say it where it is needed"},
		{"two package comments", source{path: "intake/form.go", hasComment: true},
			"intake has 2 package comments, must have one"},
		{"no package comment", source{path: "web/pages.go"},
			"web has 0 package comments, must have one"},
		{"an unknown folder", source{path: "util/strings.go", hasComment: true},
			"util/strings.go is in util, which the table of arch_test.go does not know"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(faults([]source{good, tc.file}), "\n"); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

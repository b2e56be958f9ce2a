package galena_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/galenahq/galena"

// folders are all that may stand at the top; what git ignores and what begins
// with a dot does not count.
var folders = []string{"api", "cmd", "configs", "crm", "docs", "drill", "intake", "merging", "notify", "planning",
	"providers", "redis", "routing", "scoring", "sql", "web", "worker"}

// ignored are the folders that runs leave behind, as in .gitignore.
var ignored = []string{"bin", "data"}

// source is what a Go file says of itself, as far as the architecture cares.
type source struct {
	path       string // intake/gate.go
	imports    []string
	calls      []string // panic, time.Now
	hasInit    bool
	hasComment bool // on the package clause
}

func (f source) dir() string { return path.Dir(f.path) }

func (f source) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// cutModule turns the import path of one of our folders into the folder.
func cutModule(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// readSources parses every Go file of the project, whatever its build tags.
func readSources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || slices.Contains(ignored, p)):
			return fs.SkipDir
		case d.IsDir() || path.Ext(p) != ".go":
			return nil
		}
		f, err := parse(p, nil)
		out = append(out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parse reads a file, or the text that stands in for it.
func parse(p string, text any) (source, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(p), text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	out := source{path: p, hasComment: file.Doc != nil && file.Doc.Text() != ""}
	for _, i := range file.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return source{}, err
		}
		out.imports = append(out.imports, name)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			out.hasInit = out.hasInit || n.Name.Name == "init" && n.Recv == nil
		case *ast.FuncLit:
			// What recovers may panic again with what is not its own to handle.
			return !slices.Contains(callsIn(n.Body), "recover")
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok {
				out.calls = append(out.calls, id.Name)
			}
		case *ast.SelectorExpr: // also where a clock is handed on as a value
			if id, ok := n.X.(*ast.Ident); ok && id.Name == "time" {
				out.calls = append(out.calls, "time."+n.Sel.Name)
			}
		}
		return true
	})
	return out, nil
}

// callsIn names the plain functions that a body calls itself, not what a
// function inside it does.
func callsIn(body *ast.BlockStmt) []string {
	var out []string
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok {
				out = append(out, id.Name)
			}
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	return out
}

func TestAFileSaysWhatItCalls(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		want       []string
	}{
		{"a panic", `func f() { panic(1) }`, []string{"panic"}},
		{"a clock that is called", `func f() { time.Now() }`, []string{"time.Now"}},
		{"a clock that is handed on", `var clock = time.Now`, []string{"time.Now"}},
		{"a panic that is passed on", `func f() { defer func() { if x := recover(); x != nil { panic(x) } }() }`, nil},
		{"a panic beside one that is passed on", `func f() { func() { defer func() { recover() }(); panic(1) }() }`, []string{"panic"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f, err := parse("x/x.go", "package x\n\nimport \"time\"\n\n"+tc.body)
			if err != nil || !slices.Equal(f.calls, tc.want) {
				t.Errorf("got %v, %v, want %v", f.calls, err, tc.want)
			}
		})
	}
}

func TestTheTopLevelIsTheFigure(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(folders, e.Name()) && !slices.Contains(ignored, e.Name()) {
			t.Errorf("folder %s is not in the figure: a new room needs a reason in docs/decisions", e.Name())
		}
	}
}

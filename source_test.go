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
var folders = []string{"api", "cmd", "configs", "docs", "intake", "merging", "notify", "planning",
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
		f, err := parse(p)
		out = append(out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(p string) (source, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(p), nil, parser.ParseComments|parser.SkipObjectResolution)
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

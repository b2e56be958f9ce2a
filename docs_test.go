package galena_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fence  = regexp.MustCompile("(?ms)^```.*?^```$")
	quoted = regexp.MustCompile("`([^`\n]+)`")
	link   = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	metric = regexp.MustCompile(`\bgalena_[a-z_]+`)
	spoken = regexp.MustCompile("(?:`|\\$\\()galena ([a-z]+)")
	typed  = regexp.MustCompile("(?m)^galena ([a-z]+)")
	member = regexp.MustCompile("(?m)^\t([A-Z][A-Za-z]+) +[a-z][A-Za-z]*Cmd +`cmd:")
)

// pages returns the documents by their path: what an operator reads.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			out[p] = readFile(t, p)
		}
	}
	if len(out) < 8 {
		t.Fatalf("%d documents, want at least the eight we began with", len(out))
	}
	return out
}

func readFile(t *testing.T, p string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(p))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pathsIn lists what a page calls a path of this repository: the targets of its
// links, and what it quotes that begins with a folder of ours or ends like a
// file. NAME stands for any name.
func pathsIn(page, text string) []string {
	var out []string
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], ":") {
			out = append(out, path.Join(path.Dir(page), m[1]))
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		p := strings.ReplaceAll(m[1], "NAME", "*")
		first, _, deep := strings.Cut(p, "/")
		ours := deep && (first == ".ci" || slices.Contains(folders, first))
		file := !deep && !strings.HasPrefix(p, "*") && slices.Contains([]string{".go", ".md", ".yaml", ".sql"}, path.Ext(p))
		if (ours || file) && !strings.ContainsAny(p, " <>") {
			out = append(out, path.Clean(p))
		}
	}
	return out
}

// commands are those of the program, in small letters.
func commands(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range member.FindAllStringSubmatch(readFile(t, "cmd/galena/main.go"), -1) {
		out = append(out, strings.ToLower(m[1]))
	}
	return out
}

func TestDocsNameOnlyPathsThatExist(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for _, p := range pathsIn(page, text) {
			if found, err := filepath.Glob(filepath.FromSlash(p)); err != nil || len(found) == 0 {
				t.Errorf("%s speaks of %s, which does not exist", page, p)
			}
		}
	}
}

func TestPathsAreFoundInQuotesAndLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"a file in a folder", "see `scoring/score.go`.", []string{"scoring/score.go"}},
		{"a folder", "below `sql/queries/`", []string{"sql/queries"}},
		{"a file at the top", "`errors.go`", []string{"errors.go"}},
		{"a placeholder", "`providers/NAME/NAME.go`", []string{"providers/*/*.go"}},
		{"a link from docs", "[why](decisions/001-x.md#top)", []string{"docs/decisions/001-x.md"}},
		{"an address", "[site](https://example.test/a)", nil},
		{"a route, a type, a command", "`/v1/leads` `net/http` `application/json` `galena web` `*.yaml`", nil},
		{"a block of code", "```sh\ncat `docs/none.md`\n```\n", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := pathsIn("docs/page.md", tc.text); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestDocsNameOnlyCommandsThatExist(t *testing.T) {
	t.Parallel()
	known := commands(t)
	for page, text := range pages(t) {
		said := spoken.FindAllStringSubmatch(text, -1)
		for _, block := range fence.FindAllString(text, -1) {
			said = append(said, typed.FindAllStringSubmatch(block, -1)...)
		}
		for _, m := range said {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s speaks of galena %s, which is not among %v", page, m[1], known)
			}
		}
	}
}

func TestDocsNameOnlyMetricsThatExist(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	for _, f := range readSources(t) {
		if !f.test() {
			code.WriteString(readFile(t, f.path))
		}
	}
	for page, text := range pages(t) {
		for _, name := range metric.FindAllString(text, -1) {
			short := strings.TrimPrefix(name, "galena_")
			if !strings.Contains(code.String(), `"`+name+`"`) && !strings.Contains(code.String(), `"`+short+`"`) {
				t.Errorf("%s speaks of the metric %s, which no code registers", page, name)
			}
		}
	}
}

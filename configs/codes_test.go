package configs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// codes are all that the checks of profile and routing may say, one folder each.
func codes() []string {
	var out []string
	for n := 1; n <= 20; n++ {
		if n != 13 { // there is none
			out = append(out, fmt.Sprintf("E%02d", n))
		}
	}
	for n := 1; n <= 12; n++ {
		out = append(out, fmt.Sprintf("W%02d", n))
	}
	return out
}

// TestEachCodeIsToldAloneAndAtItsPlace checks a folder per code whose files are
// right but for one thing.
func TestEachCodeIsToldAloneAndAtItsPlace(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("testdata/codes")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		folders = append(folders, e.Name())
	}
	if want := codes(); !slices.Equal(folders, want) {
		t.Fatalf("folders %v, want %v", folders, want)
	}
	for _, code := range folders {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", "codes", code)
			want, err := os.ReadFile(filepath.Join(dir, "want"))
			if err != nil {
				t.Fatal(err)
			}
			var seen []galena.ConfigRef // W08: the editions of before
			if _, err := os.Stat(filepath.Join(dir, "before")); err == nil {
				before, err := Load(os.DirFS(filepath.Join(dir, "before")), Options{Specs: vendors()})
				if err != nil {
					t.Fatal(err)
				}
				seen = before.Refs
			}
			got := Check(os.DirFS(dir), Options{Specs: vendors(), Previous: seen})
			if len(got) != 1 || !strings.HasPrefix(got[0].String(), strings.TrimSpace(string(want))+" ") || got.Failed() != (code[0] == 'E') {
				t.Errorf("got %v, want only %s", got, want)
			}
		})
	}
}

func TestEachCodeIsListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/codes.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(page)) {
		if code, ok := strings.CutPrefix(line, "| `"); ok {
			listed = append(listed, code[:3])
		}
	}
	if want := codes(); !slices.Equal(listed, want) {
		t.Errorf("docs/codes.md lists %v, want %v", listed, want)
	}
}

func TestANumberThatIsNoWeightIsToldAsOne(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/codes/E09/icp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, weight := range []string{".nan", ".inf", "-.inf", "0", "-3", "2.5", "1e3", "99999999999999999999999"} {
		got := CheckFiles([]Source{{Path: "icp.yaml", Bytes: bytes.ReplaceAll(file, []byte("101"), []byte(weight))}}, Options{})
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), "icp.yaml:16:15: E09 criteria[0].weight must be a whole number from 1 to 100, is ") {
			t.Errorf("%s: got %v, want only E09 at its place", weight, got)
		}
	}
}

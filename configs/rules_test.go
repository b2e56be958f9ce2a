package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/providers"
)

// vendors stand in for those that are built in, which this package must not know.
func vendors() []providers.Spec {
	spec := func(name string, fields map[string]float64) providers.Spec {
		return providers.Spec{Name: name, BaseURL: "https://" + name + ".example", Class: galena.ClassProvider, Timeout: time.Second, Fields: fields}
	}
	firmographics := map[string]float64{"company.employee_count": 0.8, "company.industry": 0.8, "company.hq_country": 0.8}
	return []providers.Spec{spec("cufinder", firmographics), spec("hunter", map[string]float64{"company.technologies": 0.4}),
		spec("clearbit", firmographics), spec("fixture", nil)}
}

// TestFaultyFolders loads every folder of testdata and compares what is told
// with the folder's `want`. UPDATE_GOLDEN=1 rewrites; read the difference.
func TestFaultyFolders(t *testing.T) {
	t.Parallel()
	folders, err := os.ReadDir("testdata/faults")
	if err != nil || len(folders) < 15 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, f := range folders {
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", "faults", f.Name())
			got := Check(os.DirFS(dir), Options{Specs: vendors()}).Error() + "\n"
			want, err := os.ReadFile(filepath.Join(dir, "want"))
			if os.Getenv("UPDATE_GOLDEN") != "" {
				err = os.WriteFile(filepath.Join(dir, "want"), []byte(got), 0o644)
				want = []byte(got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheBuiltInFilesHaveNoFinding(t *testing.T) {
	t.Parallel()
	r, err := Load(nil, Options{Specs: vendors()})
	if err != nil || len(r.Warnings) > 0 {
		t.Fatalf("%v %v", err, r.Warnings)
	}
	var kinds []string
	for _, ref := range r.Refs {
		kinds = append(kinds, ref.Kind)
		if sum := sha256.Sum256(r.Bytes[ref.Kind]); ref.Hash != hex.EncodeToString(sum[:]) || ref.Version != 1 || ref.Name != "default" {
			t.Errorf("edition %+v", ref)
		}
	}
	if d := cmp.Diff(Kinds(), kinds); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(merging.Defaults(), r.Merging); d != "" {
		t.Errorf("merging.yaml and merging.Defaults differ: %s", d)
	}
}

func TestTheDemoFilesHaveNoError(t *testing.T) {
	t.Parallel()
	r, err := Load(Demo(), Options{Specs: vendors()})
	if err != nil || len(r.Warnings) > 0 {
		t.Fatalf("%v %v", err, r.Warnings)
	}
	if len(r.ICP.Criteria) != 7 || len(r.Routing.Reps) != 6 || len(r.Providers.Providers) != 5 || r.Refs[0].Version != 7 {
		t.Errorf("%d criteria, %d reps, %d providers, edition %+v", len(r.ICP.Criteria), len(r.Routing.Reps), len(r.Providers.Providers), r.Refs[0])
	}
}

func TestAnAbsentKindKeepsItsBuiltInFile(t *testing.T) {
	t.Parallel()
	routing, err := fs.ReadFile(Demo(), "routing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Load(fstest.MapFS{"any-name.yaml": {Data: routing}, "notes.txt": {Data: []byte("hi")}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Routing.Reps) != 6 || r.Refs[0].Name != "default" || r.Refs[2].Name != "quarry-inbound" {
		t.Errorf("editions %+v", r.Refs)
	}
}

func TestTheSameVersionWithOtherContentIsToldOnce(t *testing.T) {
	t.Parallel()
	first, err := Load(Demo(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	icp, _ := fs.ReadFile(Demo(), "icp.yaml")
	changed := fstest.MapFS{"icp.yaml": {Data: []byte(strings.Replace(string(icp), "weight: 30", "weight: 31", 1))}}
	second, err := Load(changed, Options{Previous: first.Refs})
	if err != nil {
		t.Fatal(err)
	}
	want := `icp.yaml:7:12: W08 version 7 was used before with other content (raise it)`
	if got := second.Warnings.Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if again, _ := Load(Demo(), Options{Previous: first.Refs}); len(again.Warnings) > 0 {
		t.Errorf("the same content warns: %v", again.Warnings)
	}
}

func TestSingleFilesAreCheckedForThemselves(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{"r.yaml": {Data: []byte("apiVersion: galena/v1\nkind: Routing\nspec:\n  rules:\n    - {id: hot, when: {field: decision.tier, eq: Hot}, to: {queue: q}}\n  fallback: {queue: q}\n")}}
	if got := CheckFiles([]Source{File(dir, "r.yaml", "conf/r.yaml")}, Options{}); len(got) > 0 {
		t.Errorf("a routing file alone is compared with a profile it was not written for: %v", got)
	}
	if r, err := LoadFiles([]Source{File(dir, "r.yaml", "r.yaml")}, Options{}); err != nil || r.Routing.Rules[0].ID != "hot" || len(r.ICP.Criteria) == 0 {
		t.Errorf("loaded alone: %v", err)
	}
	want := `r.yaml:5:50: E11 undefined tier "Hot" used in rule hot (the profile has A, B, C, D)`
	if got := Check(dir, Options{}); got.Error() != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHalfAFileIsNeverHalfRead cuts each demo file at every line: what is left
// is refused, or is a whole file by itself that loads; it never panics, and an
// error always has a place.
func TestHalfAFileIsNeverHalfRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"icp.yaml", "providers.yaml", "routing.yaml"} {
		b, err := fs.ReadFile(Demo(), name)
		if err != nil {
			t.Fatal(err)
		}
		for cut := 0; cut < len(b); cut += 97 {
			rules, err := Load(fstest.MapFS{name: {Data: b[:cut]}}, Options{})
			report, isReport := errors.AsType[Report](err)
			if err != nil && (!isReport || slices.ContainsFunc(report, func(f Finding) bool { return f.Line < 1 || f.Column < 1 })) {
				t.Fatalf("%s cut at %d: %v", name, cut, err)
			}
			if err != nil && rules.Refs != nil {
				t.Fatalf("%s cut at %d gives an error and rules", name, cut)
			}
		}
	}
}

func TestEveryFaultOfEveryFileIsToldInOneRun(t *testing.T) {
	t.Parallel()
	got := Check(os.DirFS(path.Join("testdata", "faults", "several-files")), Options{Specs: vendors()})
	files := map[string]bool{}
	for _, f := range got {
		files[f.Path] = true
	}
	if len(files) < 3 {
		t.Errorf("findings of %d files: %v", len(files), got)
	}
}

func TestAReloadDoesNotLoseAKind(t *testing.T) {
	t.Parallel()
	icp, _ := fs.ReadFile(Demo(), "icp.yaml")
	first, err := LoadSources([]Source{{Path: "conf/icp.yaml", Bytes: icp}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{KindICP: "conf/icp.yaml"}, first.Given()); d != "" {
		t.Fatal(d)
	}
	_, err = LoadSources(nil, Options{Given: first.Given()})
	want := "conf/icp.yaml:1:1: E02 the file is gone, and no other gives kind ICP (put it back; a restart without it takes the built-in one)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := LoadSources([]Source{{Path: "conf/profile.yaml", Bytes: icp}}, Options{Given: first.Given()}); err != nil {
		t.Errorf("another name for the same file: %v", err)
	}
	_, err = LoadSources([]Source{{Path: "conf/icp.yaml", Bytes: []byte("kind: [")}}, Options{Given: first.Given()})
	if report, ok := errors.AsType[Report](err); !ok || len(report) != 1 || strings.Contains(report.Error(), "is gone") {
		t.Errorf("a file that cannot be read is told twice: %v", err)
	}
}

func TestAFaultOfTheProcessIsToldAtItsPlaceInTheFile(t *testing.T) {
	t.Parallel()
	r, err := Load(Demo(), Options{Path: "conf"})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Place(KindProviders, *galena.Faultf("spec.providers[1].id", "E02", "provider x has no key"))
	if got.Path != "conf/providers.yaml" || got.Line < 5 || got.Column < 5 || got.Severity != galena.SeverityError {
		t.Errorf("placed at %v", got)
	}
}

package configs

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

// garden is a spec of our own with every kind of member.
type garden struct {
	Name    string             `yaml:"name"`
	Depth   int                `yaml:"depth"`
	Share   float64            `yaml:"share"`
	Open    bool               `yaml:"open"`
	Every   time.Duration      `yaml:"every"`
	Level   level              `yaml:"level"`
	Which   words              `yaml:"which"`
	Beds    []bed              `yaml:"beds"`
	Fields  map[string]setting `yaml:"fields"`
	Any     any                `yaml:"any"`
	Only    *bed               `yaml:"only"`
	Tags    []string           `yaml:"tags"`
	Pair    []int              `yaml:"pair"`
	private int                //nolint:unused // must not become a key
}

type bed struct {
	sizes  `yaml:"-"` //nolint:unused // must not become a key
	Sizes  `yaml:",inline"`
	ID     string   `yaml:"id"`
	Weight int      `yaml:"weight"`
	Tags   []string `yaml:"tags"`
}

type sizes struct{} //nolint:unused // see bed

// Sizes is inlined.
type Sizes struct {
	Width int   `yaml:"width"`
	Range []any `yaml:"range"`
}

type setting struct {
	Decay  float64 `yaml:"decay"`
	Limits []int   `yaml:"limits"`
}

// level reads itself from text.
type level int

func (l *level) UnmarshalText(b []byte) error {
	if string(b) != "high" {
		return errors.New("must be high")
	}
	*l = 3
	return nil
}

// words is a list or the word all; taking over the reading must not lose strictness.
type words struct {
	All   bool
	Names []setting
}

func (w *words) UnmarshalYAML(decode func(any) error) error {
	var s string
	if decode(&s) == nil && s == "all" {
		w.All = true
		return nil
	}
	return decode(&w.Names)
}

func (g garden) validate() error {
	var errs []error
	if g.Depth > 9 {
		errs = append(errs, galena.Faultf("spec.depth", "E09", "must be from 0 to 9, is %d", g.Depth))
	}
	for i, b := range g.Beds {
		if b.ID == "" {
			errs = append(errs, galena.Faultf(fmt.Sprintf("spec.beds[%d].id", i), "E02", "must not be empty"))
		}
	}
	for name, f := range g.Fields {
		if f.Decay > 1 {
			errs = append(errs, galena.Faultf("spec.fields."+name+".decay", "E08", "must be at most 1"))
		}
		for i, l := range f.Limits {
			if l > 9 {
				errs = append(errs, galena.Faultf(fmt.Sprintf("spec.fields.%s.limits[%d]", name, i), "E09", "must be at most 9"))
			}
		}
	}
	if g.Pair != nil && len(g.Pair) != 2 {
		errs = append(errs, galena.Faultf("spec.pair", "E02", "must be two numbers"))
	}
	return errors.Join(errs...)
}

const head = "apiVersion: galena/v1\nkind: Garden\n"

func readGarden(text string) (garden, Report) {
	d := open(Source{Path: "g.yaml", Bytes: []byte(text)})
	if d.tree.root == nil {
		return garden{}, d.report.sorted()
	}
	g := read(d, garden{Name: "default", Depth: 4, Tags: []string{"a"}}, garden.validate)
	return g, d.report.sorted()
}

func TestASpecIsReadOverItsDefaults(t *testing.T) {
	t.Parallel()
	g, report := readGarden(head + `metadata: {name: x, version: 3}
spec:
  share: 1
  open: true
  every: 90s
  level: high
  which: [{decay: 0.5}]
  beds:
    - &first {id: a, width: 2, range: [1, null]}
    - {<<: *first, id: b}
  fields: {company.name: {decay: 0.1}}
  any: {x: [1, two]}
  only: *first
  tags:
`)
	if len(report) > 0 {
		t.Fatal(report)
	}
	one := bed{ID: "a", Sizes: Sizes{Width: 2, Range: []any{uint64(1), nil}}}
	two := one
	two.ID = "b"
	want := garden{Name: "default", Depth: 4, Share: 1, Open: true, Every: 90 * time.Second, Level: 3,
		Which: words{Names: []setting{{Decay: 0.5}}}, Beds: []bed{one, two}, Fields: map[string]setting{"company.name": {Decay: 0.1}},
		Any: map[string]any{"x": []any{uint64(1), "two"}}, Only: &one, Tags: []string{"a"}}
	if d := cmp.Diff(want, g, cmp.AllowUnexported(garden{}, bed{})); d != "" {
		t.Error(d)
	}
}

func TestFaultsHavePlaceAndCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", head + "spec:\n  nam: x\n", `g.yaml:4:3: E01 unknown key "nam" (did you mean "name"?)`},
		{"unknown key in a list", head + "spec:\n  beds:\n    - id: a\n      wdth: 1\n", `g.yaml:6:7: E01 unknown key "wdth" (did you mean "width"?)`},
		{"unknown key at the top", head + "spek: {}\nspec: {}\n", `g.yaml:3:1: E01 unknown key "spek" (did you mean "spec"?)`},
		{"misspelt key hides what follows from it", head + "spec:\n  beds:\n    - {idd: a}\n", `g.yaml:5:8: E01 unknown key "idd" (did you mean "id"?)`},
		{"text for a number", head + "spec: {depth: deep}\n", `g.yaml:3:15: E02 depth must be a whole number, is text`},
		{"fraction for a whole number", head + "spec: {depth: 1.5}\n", `g.yaml:3:15: E02 depth must be a whole number, is the number 1.5`},
		{"not a whole number", head + "spec: {beds: [{id: a, weight: .nan}]}\n", `g.yaml:3:31: E02 beds[0].weight must be a whole number, is .nan`},
		{"not a number", head + "spec: {share: \"0.5\"}\n", `g.yaml:3:15: E02 share must be a number, is text`},
		{"a word for a switch", head + "spec: {open: yes}\n", `g.yaml:3:14: E02 open must be true or false, is text`},
		{"mapping for text", head + "spec: {name: {a: b}}\n", `g.yaml:3:14: E02 name must be text, is a mapping`},
		{"text for a list", head + "spec: {beds: none}\n", `g.yaml:3:14: E02 beds must be a list, is text`},
		{"list for a mapping", head + "spec: [a]\n", `g.yaml:3:7: E02 spec must be keys with values, is a list`},
		{"duration", head + "spec: {every: 5}\n", `g.yaml:3:15: E02 every must be a duration such as 30s, 15m or 4h, is the number 5`},
		{"own reader", head + "spec: {level: low}\n", `g.yaml:3:15: E02 level must be high`},
		{"own reader stays strict", head + "spec:\n  which:\n    - {decai: 1}\n", `g.yaml:5:8: E01 unknown field "decai"`},
		{"key twice", head + "spec:\n  name: a\n  name: b\n", `g.yaml:5:3: E03 key "name" is given twice, first on line 4`},
		{"key twice where anything goes", head + "spec:\n  any: {a: 1, a: 2}\n", `g.yaml:4:15: E03 key "a" is given twice, first on line 4`},
		{"nothing after a key", head + "spec:\n  depth:\n", `g.yaml:4:3: E02 depth must be a whole number, is empty`},
		{"no spec", head + "spec:\n", `g.yaml:3:1: E02 spec must be keys with values, is empty`},
		{"no spec at all", head, `g.yaml:1:1: E02 spec must not be empty`},
		{"format", "apiVersion: v2\nkind: Garden\nspec: {}\n", `g.yaml:1:13: E02 apiVersion must be galena/v1`},
		{"version", head + "metadata: {version: -1}\nspec: {}\n", `g.yaml:3:21: E02 metadata.version must not be below zero`},
		{"meaning", head + "spec:\n  depth: 12\n", `g.yaml:4:10: E09 depth must be from 0 to 9, is 12`},
		{"meaning of what is missing", head + "spec:\n  beds:\n    - width: 1\n", `g.yaml:5:7: E02 beds[0].id must not be empty`},
		{"key with dots", head + "spec:\n  fields:\n    company.name:\n      decay: 7\n", `g.yaml:6:14: E08 fields.company.name.decay must be at most 1`},
		{"syntax", head + "spec: [a\n", `g.yaml:3:7: E02 is not YAML: sequence end token ']' not found`},
		{"tab", head + "spec:\n\tname: x\n", `g.yaml:4:1: E02 is not YAML: found character '	' that cannot start any token`},
		{"empty", "# nothing\n", `g.yaml:1:1: E02 the file is empty`},
		{"list at the top", "- a\n", `g.yaml:1:1: E02 must be keys with values, is a list`},
		{"two documents", head + "spec: {}\n---\na: b\n", `g.yaml:5:1: E02 one file holds one document, this is a second one`},
		{"tag", head + "spec: {name: !!str 5}\n", `g.yaml:3:14: E02 tags such as !!str are not used here`},
		{"alias to nothing", head + "spec: {name: *x}\n", `g.yaml:3:14: E02 alias *x refers to nothing before it`},
		{"alias to itself", head + "spec: {any: &x [*x]}\n", `g.yaml:3:17: E02 alias *x refers to nothing before it`},
		{"several", head + "spec:\n  depth: deep\n  shar: 1\n  beds:\n    - id: ''\n    - {id: b, weight: x}\n", `g.yaml:4:10: E02 depth must be a whole number, is text
g.yaml:5:3: E01 unknown key "shar" (did you mean "share"?)
g.yaml:7:11: E02 beds[0].id must not be empty
g.yaml:8:23: E02 beds[1].weight must be a whole number, is text`},
		{"an element that is none hides no other's fault", head + "spec:\n  beds:\n    - id: a\n    - 5\n    - {width: x}\n    - \n    - {weight: 1}\n", `g.yaml:6:7: E02 beds[1] must be keys with values, is the number 5
g.yaml:7:7: E02 beds[2].id must not be empty
g.yaml:7:15: E02 beds[2].width must be a whole number, is text
g.yaml:8:6: E02 beds[3] must be an entry, is empty
g.yaml:9:7: E02 beds[4].id must not be empty`},
		{"a list in a list", head + "spec:\n  beds: [5, {id: a, tags: [b, [c], {d: e}]}, {weight: 1}]\n", `g.yaml:4:10: E02 beds[0] must be keys with values, is the number 5
g.yaml:4:31: E02 beds[1].tags[1] must be text, is a list
g.yaml:4:36: E02 beds[1].tags[2] must be text, is a mapping
g.yaml:4:46: E02 beds[2].id must not be empty`},
		{"a list that lost an element, by an alias", head + "spec:\n  fields:\n    a: &x {limits: [1, b, 12]}\n    c: *x\n", `g.yaml:5:24: E02 fields.a.limits[1] must be a whole number, is text
g.yaml:5:27: E09 fields.a.limits[2] must be at most 9
g.yaml:5:27: E09 fields.c.limits[2] must be at most 9`},
		{"a list of which nothing is left", head + "spec: {beds: [5, 6]}\n", `g.yaml:3:15: E02 beds[0] must be keys with values, is the number 5
g.yaml:3:18: E02 beds[1] must be keys with values, is the number 6`},
		{"a list that is too short without what it lost", head + "spec: {pair: [1, x]}\n", `g.yaml:3:18: E02 pair[1] must be a whole number, is text`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, got := readGarden(c.text); got.Error() != c.want {
				t.Errorf("got\n%s\nwant\n%s", got.Error(), c.want)
			}
		})
	}
}

func TestAByteOrderMarkIsNoPartOfTheFile(t *testing.T) {
	t.Parallel()
	const mark = "\ufeff"
	g, report := readGarden(mark + head + "spec:\n  name: x\n")
	if len(report) > 0 || g.Name != "x" {
		t.Errorf("%q, %v", g.Name, report)
	}
	for text, want := range map[string]string{
		"apiVersion: v2\nkind: Garden\nspec: {}\n": `g.yaml:1:13: E02 apiVersion must be galena/v1`, // the column that an editor shows
		"": `g.yaml:1:1: E02 the file is empty`,
	} {
		if _, got := readGarden(mark + text); got.Error() != want {
			t.Errorf("got\n%s\nwant\n%s", got.Error(), want)
		}
	}
}

func TestBombsAreRefusedQuickly(t *testing.T) {
	t.Parallel()
	lol := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		lol += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	for name, text := range map[string]string{
		"aliases": lol,
		"wide":    strings.Repeat("k: v\n", 200_000),
		"deep":    strings.Repeat("[", 900_000),
		"long":    "a: [" + strings.Repeat("1,", 400_000) + "1]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, report := readGarden(text)
			if len(report) != 1 || !strings.Contains(report[0].Message, "more than 10000 nodes") {
				t.Errorf("got %.300s", report.Error())
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestFilesAreReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{
		"a.yaml":        {Data: []byte("a: 1\n")},
		"big.yaml":      {Data: []byte("a: " + strings.Repeat("x", maxBytes))},
		"exact.yaml":    {Data: []byte("a: " + strings.Repeat("x", maxBytes-3))},
		"old.yml":       {Data: []byte("a: 1\n")},
		".hidden.yaml":  {Data: []byte("a: 1\n")},
		"README.md":     {Data: []byte("# hi\n")},
		"sub/deep.yaml": {Data: []byte("a: 1\n")},
	}
	sources, err := Dir(dir, "conf")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range sources {
		got[s.Path] = s.Fault
	}
	want := map[string]string{"conf/a.yaml": "", "conf/exact.yaml": "", "conf/big.yaml": "is larger than 1 MiB",
		"conf/old.yml": "is not read: only *.yaml is (rename it)"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if s := File(dir, "none.yaml", "none.yaml"); !strings.HasPrefix(s.Fault, "cannot be opened") {
		t.Errorf("a missing file gives %q", s.Fault)
	}
}

func FuzzReaderNeverPanics(f *testing.F) {
	for _, seed := range []string{head + "spec: {beds: [{id: a}]}\n", "a: &x [*x]\n", "? [a]\n: b\n", "<<: {a: b}\n", "a: !x {b: c}\n", "{}", "a: |\n  b", "--- \n...\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, report := readGarden(text); len(report) > 0 && report[0].Line < 1 {
			t.Errorf("a finding without a place: %v", report[0])
		}
	})
}

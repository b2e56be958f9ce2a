package providers

import (
	"slices"
	"testing"
)

func TestPathsLeadThroughJSONAndXML(t *testing.T) {
	t.Parallel()
	j, err := ParseObject([]byte(`{"a": {"b": [{"c": 1}, {"c": ["x", null]}, 7], "d.e": "dotted", "f": [], "g": false, "h": null, "i": {"k": "v"}}, "t": true}`))
	if err != nil {
		t.Fatal(err)
	}
	x, err := decodeXML([]byte(`<n:a xmlns:n="urn:x" n:id="7"> say <b>1</b><b k="v">2</b><m:b xmlns:m="urn:y"/><c><d>deep</d></c></n:a>`), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		o      Object
		path   string
		want   []string
		listed bool
		says   bool
	}{
		{j, "a.b.c", []string{"1", "x"}, true, true},
		{j, "a.b[0].c", []string{"1"}, false, true},
		{j, "a.b[1].c[0]", []string{"x"}, false, true},
		{j, "a.b[9].c", nil, false, false},
		{j, `a."d.e"`, []string{"dotted"}, false, true},
		{j, "a.f", nil, true, false},
		{j, "a.f.name", nil, true, false},
		{j, "a.g", []string{"false"}, false, false},
		{j, "a.h", nil, false, false},
		{j, "a.i", nil, false, true},
		{j, "a.i.k.deeper", nil, false, false},
		{j, "t", []string{"true"}, false, true},
		{j, "A.b", nil, false, false},
		{x, "a", []string{"say"}, false, true},
		{x, "a.@id", []string{"7"}, false, true},
		{x, "a.b", []string{"1", "2"}, true, true},
		{x, "a.b.@k", []string{"v"}, false, true},
		{x, "a.b[1]", []string{"2"}, false, true},
		{x, "a.c.d", []string{"deep"}, false, true},
		{x, "a.c[0].d[0]", []string{"deep"}, false, true},
		{nil, "a", nil, false, false},
	} {
		p, err := ParsePath(tc.path)
		if err != nil {
			t.Fatal(err)
		}
		got, listed := tc.o.FindTexts(p)
		if !slices.Equal(got, tc.want) || listed != tc.listed || tc.o.Says(p) != tc.says {
			t.Errorf("%s: got %q, listed %v, says %v, want %q, %v, %v", tc.path, got, listed, tc.o.Says(p), tc.want, tc.listed, tc.says)
		}
	}
}

func TestWhatIsNoPathIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", ".", "a.", ".a", "a..b", "a[", "a[]", "a[-1]", "a[x]", "a[0]b", `"a`, `a"b"`, `""`, " a", "a[99999999999]", "a]"} {
		if p, err := ParsePath(s); err == nil {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

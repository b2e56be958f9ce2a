package galena_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/galenahq/galena"
)

var (
	strict = galena.JSONLimits{Depth: 32, Fields: 100}
	loose  = galena.JSONLimits{Depth: 32, Loose: true}
)

func nested(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

func wide(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"f` + strings.Repeat("x", i) + `":0`)
	}
	return "{" + b.String()[1:] + "}"
}

// bodies are JSON texts that are right, wrong, and nearly either.
var bodies = []string{
	`{}`, ` { } `, `{"email":"ana@acme.example"}`, "\t{\n\"email\" : \"ana@acme.example\" , \"id\":42 }\r\n",
	`{"a":[],"b":[1,-0,2.5,1e9,1E-7,-1.25e+3],"c":{"d":{"e":null}},"f":true,"g":false,"h":[[],{},[{"i":"j"}]]}`,
	`{"ü":"ñandú","\u00fc":"x"}`, `{"a":"q\"uote\n\\"}`, `{"a":"\ufffd"}`, "{\"a\":\"\uFFFD\"}", `{"a":"\ud800"}`, "{\"a\":\"\xff\"}",
	`{"a":1,"a":2}`, `{"b":{"a":1,"a":2}}`, `{"a":1}{}`, `{"a":1} x`, `[]`, `"text"`, `1`, `null`, ``, ` `, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`,
	`{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`,
	`{"a":tru}`, `{"a":truex}`, `{"a":nul}`, `{"a":NaN}`, `{a:1}`, `{'a':1}`, "{\"a\":\"b\nc\"}", "{\"a\":\"\x00\"}", `{"a":"\u0000"}`, `{"":""}`,
	`{"a":` + strings.Repeat(`[`, 31) + strings.Repeat(`]`, 31) + `}`, `{"a":` + strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32) + `}`,
	`{"a":` + strings.Repeat(`{"b":`, 31) + `1` + strings.Repeat(`}`, 32), `{"a":` + strings.Repeat(`{"b":`, 32) + `1` + strings.Repeat(`}`, 33),
	wide(100), wide(101),
}

// agree fails where ReadJSON takes what encoding/json refuses, refuses what that
// takes, or reads something else; strictly it may only take less.
func agree(t *testing.T, b []byte) (taken bool) {
	t.Helper()
	got, names, err := galena.ReadJSON[map[string]any](b, loose)
	want, wrong := tokenwise(b)
	if (err != nil) != (wrong != nil) || !reflect.DeepEqual(got, want) || len(names) != len(got) {
		t.Errorf("%q is read as %v, %v; want %v, %v", b, got, err, want, wrong)
	}
	less, _, err := galena.ReadJSON[map[string]any](b, strict)
	if err == nil && !reflect.DeepEqual(less, want) {
		t.Errorf("%q is strictly read as %v, want %v", b, less, want)
	}
	return err == nil
}

func TestReadJSONReadsWhatTheDecoderReads(t *testing.T) {
	t.Parallel()
	for i, body := range bodies {
		if taken := agree(t, []byte(body)); i < 5 && !taken {
			t.Errorf("%q is not taken", body)
		}
	}
}

// A body of which a few characters were lost, doubled or replaced.
func TestReadJSONTakesNothingThatIsBroken(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	const marks = `{}[]",:\ 0123456789.eE+-truefalsn` + "\n\x00\xff"
	taken := 0
	for range 50_000 {
		b := []byte(bodies[chance.IntN(len(bodies))])
		for range 1 + chance.IntN(3) {
			if len(b) == 0 {
				break
			}
			at := chance.IntN(len(b))
			switch chance.IntN(3) {
			case 0:
				b = append(b[:at], b[at+1:]...)
			case 1:
				b = append(b[:at+1], b[at:]...)
			default:
				b[at] = marks[chance.IntN(len(marks))]
			}
		}
		if agree(t, b) {
			taken++
		}
	}
	if taken < 1000 {
		t.Errorf("only %d bodies were taken", taken)
	}
}

func TestReadJSONSaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 70)
	for body, want := range map[string]string{
		`{"a":1,"a":2}`: "duplicate_key /a", `{"a":1,"\u0061":2}`: "duplicate_key /a", `{"a":{"b~/":1,"b~/":1}}`: "duplicate_key /a/b~0~1",
		`{"a":[0,{"b":1,"b":1}]}`: "duplicate_key /a/1/b", `{"` + long + `":1,"` + long + `":2}`: "duplicate_key /" + long[:64],
		nested(33): "too_deep " + strings.Repeat("/a", 32), `{"a":[0,` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "]}": "too_deep /a/1" + strings.Repeat("/0", 30),
		wide(101): "too_many_fields ", `{"o":` + wide(100) + `}`: "too_many_fields /o",
		"{\"a\":\"\xff\"}": "invalid_utf8 ", `{"a":["\ud800"]}`: "invalid_utf8 /a/0", `{"a":"x\uDFFF\ud83d"}`: "invalid_utf8 /a", `{"\ud83d":1}`: "invalid_utf8 ",
		`{"a":{"b":"x\u0000"}}`: "nul /a/b", `{"a\u0000b":1}`: "nul /ab",
		`{} {}`: "trailing_data ", `{}x`: "trailing_data ", "{}\x00": "trailing_data ",
		`[]`: "not_an_object ", `"a"`: "not_an_object ", `null`: "not_an_object ", `1`: "not_an_object ",
	} {
		o, names, err := galena.ReadJSON[map[string]any]([]byte(body), strict)
		f, ok := errors.AsType[*galena.JSONFault](err)
		if !ok || f.Code+" "+f.Pointer != want || o != nil || names != nil {
			t.Errorf("%.80q is read as %v, %+v; want it refused as %s", body, o, f, want)
		}
	}
	for _, body := range []string{
		``, ` `, "\x00", `{`, `{"a"`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[,1]}`, `{"a":[`,
		`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":-}`, `{"a":+1}`, `{"a":1e}`, `{"a":NaN}`, `{"a":tru}`, `{"a":nulll}`, `{"a":"b}`, `{"a":"\x"}`, `{"a":"\`,
		"{\"a\":\"\n\"}", `{"a":"\u12"}`, `{"a":"\ud7zz"}`, "\ufeff{}", `{"secret":"hunter2",}`,
	} {
		for _, limits := range []galena.JSONLimits{strict, loose} {
			o, _, err := galena.ReadJSON[map[string]any]([]byte(body), limits)
			if f, ok := errors.AsType[*galena.JSONFault](err); !ok || f.Code != "malformed" || f.Pointer != "" || strings.Contains(f.Detail, "hunter2") {
				t.Errorf("%q is read as %v, %v; want it refused as malformed", body, o, err)
			}
		}
	}
}

func TestReadJSONTakesWhatIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	type object map[string]any // as a caller may name it, the inner ones too
	o, names, err := galena.ReadJSON[object]([]byte(` { "b" : { "y" : [ 1.50 , {} ] } , "a" : "\ud83d\ude00 �" , "c" : null , "d" : true } `), strict)
	want := object{"b": object{"y": []any{json.Number("1.50"), object{}}}, "a": "😀 �", "c": nil, "d": true}
	if err != nil || !reflect.DeepEqual(o, want) || !slices.Equal(names, []string{"b", "a", "c", "d"}) {
		t.Errorf("read as %v %v, %v", o, names, err)
	}
	for _, body := range []string{nested(32), wide(100)} {
		if o, _, err := galena.ReadJSON[object]([]byte(body), strict); err != nil || len(o) == 0 {
			t.Errorf("%.40q: %v, %v", body, o, err)
		}
	}
	if o, _, err := galena.ReadJSON[object]([]byte(`{"a":"\ud800\u0000"}`), loose); err != nil || o["a"] != "\ufffd\x00" {
		t.Errorf("loosely read as %q, %v", o, err)
	}
	if o, _, err := galena.ReadJSON[object]([]byte(wide(500)), loose); err != nil || len(o) != 500 {
		t.Errorf("without a limit %d members are read, %v", len(o), err)
	}
}

// FuzzReadJSON: it takes, refuses and reads what encoding/json would, token by token;
// strictly it only takes less.
func FuzzReadJSON(f *testing.F) {
	for _, name := range []string{"clearbit", "hunter", "peopledatalabs", "apollo"} {
		all, _ := filepath.Glob(filepath.Join("providers", name, "testdata", "*.http"))
		if len(all) == 0 {
			f.Fatalf("no answers of %s", name)
		}
		for _, at := range all {
			f.Add(recordedBody(f, at))
		}
	}
	for _, s := range []string{`{"a":[{},[],"",0,-0.5e+10,1E9,true,false,null,"\ud83d\ude00 \ud800 \u0000 \/"]}`, " {\"a\" :\t[ ]\r\n}\n", `{"":{"":{}}}`,
		`{"a":{"a":[1,{"b":"\ud83d\ude00"}]}}`, `{"a":1,"a":1}`, "\xff", `{"a":"\u0000"}`, `[`, "{\"a\":\"\uFFFD\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

// BenchmarkReadJSON reads a recorded answer, and beside it as encoding/json would.
func BenchmarkReadJSON(b *testing.B) {
	body := recordedBody(b, filepath.Join("providers", "clearbit", "testdata", "found.http"))
	b.Run("ReadJSON", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if o, _, err := galena.ReadJSON[map[string]any](body, loose); err != nil || o["domain"] == nil {
				b.Fatal(o, err)
			}
		}
	})
	b.Run("Tokens", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if o, err := tokenwise(body); err != nil || o["domain"] == nil {
				b.Fatal(o, err)
			}
		}
	})
}

// recordedBody is the body of a recorded answer.
func recordedBody(t testing.TB, at string) []byte {
	t.Helper()
	b, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(b, []byte("\n\n"))
	return body
}

var errNotTaken = errors.New("not taken")

// tokenwise is ReadJSON, loosely, by encoding/json, token by token.
func tokenwise(b []byte) (map[string]any, error) {
	if !utf8.Valid(b) {
		return nil, errNotTaken
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := tokenValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if _, err := d.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errNotTaken
	}
	return o, nil
}

func tokenValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, isDelim := t.(json.Delim)
	if !isDelim {
		return t, nil
	}
	if depth >= loose.Depth {
		return nil, errNotTaken
	}
	list, o := []any{}, map[string]any{}
	for d.More() {
		var key any
		if delim == '{' {
			if key, err = d.Token(); err != nil {
				return nil, err
			}
		}
		v, err := tokenValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		if name, ok := key.(string); ok {
			if _, twice := o[name]; twice {
				return nil, errNotTaken
			}
			o[name] = v
			continue
		}
		list = append(list, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if delim == '{' {
		return o, nil
	}
	return list, nil
}

package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for body, want := range map[string]string{
		`{"a":1,"a":2}`: "twice", `{"a":1,"\u0061":2}`: "twice", `{"a":{"b":1,"b":1}}`: "twice",
		nested(33): "nested", `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "}": "nested",
		"{\"a\":\"\xff\"}": "UTF-8", `{} {}`: "goes on", `{}x`: "goes on", "{}\x00": "goes on",
		`[]`: "object", `"a"`: "object", `null`: "object", `1`: "object",
		``: "valid", ` `: "valid", "\x00": "valid", `{`: "valid", `{"a"`: "valid", `{"a":}`: "valid", `{"a":1,}`: "valid", `{,}`: "valid",
		`{"a":1 "b":2}`: "valid", `{a:1}`: "valid", `{"a":[1,]}`: "valid", `{"a":[1 2]}`: "valid", `{"a":[,1]}`: "valid", `{"a":[`: "valid",
		`{"a":01}`: "valid", `{"a":1.}`: "valid", `{"a":.5}`: "valid", `{"a":-}`: "valid", `{"a":+1}`: "valid", `{"a":1e}`: "valid", `{"a":NaN}`: "valid",
		`{"a":tru}`: "valid", `{"a":nulll}`: "valid", `{"a":"b}`: "valid", `{"a":"\x"}`: "valid", `{"a":"\`: "valid", "{\"a\":\"\n\"}": "valid", `{"a":"\u12"}`: "valid",
		"\ufeff{}": "valid",
	} {
		if o, err := decode([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is read as %v, %v; want it refused as %q", body, o, err, want)
		}
	}
	o, err := decode([]byte(nested(32)))
	if err != nil || o.Object("a") == nil {
		t.Errorf("32 deep: %v, %v", o, err)
	}
}

// FuzzDecode: decode takes and refuses what encoding/json would, token by token, and
// reads the same.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"clearbit", "hunter", "peopledatalabs", "apollo"} {
		all, _ := filepath.Glob(filepath.Join(name, "testdata", "*.http"))
		if len(all) == 0 {
			f.Fatalf("no answers of %s", name)
		}
		for _, at := range all {
			b, err := os.ReadFile(at)
			if err != nil {
				f.Fatal(err)
			}
			_, body, _ := bytes.Cut(b, []byte("\n\n"))
			f.Add(body)
		}
	}
	for _, s := range []string{`{"a":[{},[],"",0,-0.5e+10,1E9,true,false,null,"\ud83d\ude00 \ud800 \u0000 \/"]}`, " {\"a\" :\t[ ]\r\n}\n", `{"":{"":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decode(b)
		want, wrong := tokenwise(b)
		if (err != nil) != (wrong != nil) || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %v, %v; want %v, %v", b, got, err, want, wrong)
		}
	})
}

// BenchmarkDecode reads a recorded answer as decode does, and as encoding/json would.
func BenchmarkDecode(b *testing.B) {
	recorded, err := os.ReadFile(filepath.Join("clearbit", "testdata", "found.http"))
	if err != nil {
		b.Fatal(err)
	}
	_, body, _ := bytes.Cut(recorded, []byte("\n\n"))
	for name, read := range map[string]func([]byte) (Object, error){"Ours": decode, "Tokens": tokenwise} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if o, err := read(body); err != nil || o["domain"] == nil {
					b.Fatal(o, err)
				}
			}
		})
	}
}

// tokenwise is decode by encoding/json, token by token.
func tokenwise(b []byte) (Object, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := tokenValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body goes on after the JSON value")
	}
	o, ok := v.(Object)
	if !ok {
		return nil, errors.New("the body is not a JSON object")
	}
	return o, nil
}

func tokenValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		// The decoder's own words quote the body, which may echo the key.
		return nil, errors.New("the body is not valid JSON")
	}
	delim, isDelim := t.(json.Delim)
	if !isDelim {
		return t, nil
	}
	if depth >= maxNesting {
		return nil, fmt.Errorf("the body is nested more than %d deep", maxNesting)
	}
	if delim == '{' {
		return tokenObject(d, depth)
	}
	list := []any{}
	for d.More() {
		v, err := tokenValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the body is not valid JSON")
	}
	return list, nil
}

func tokenObject(d *json.Decoder, depth int) (any, error) {
	o := Object{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errors.New("the body is not valid JSON")
		}
		if _, twice := o[key]; twice {
			return nil, errors.New("the body has a key twice")
		}
		if o[key], err = tokenValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the body is not valid JSON")
	}
	return o, nil
}

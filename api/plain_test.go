package api

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

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
	wideBody(100), wideBody(101),
}

func wideBody(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"f` + strings.Repeat("x", i) + `":0`)
	}
	return b.String() + "}"
}

// agree fails where the plain walk takes what encoding/json refuses or reads
// something else.
func agree(t *testing.T, body string) (plain bool) {
	t.Helper()
	m, keys, ok := plainJSON([]byte(body))
	if !ok {
		return false
	}
	want, wantKeys, err := slowJSON([]byte(body))
	if err != nil {
		t.Errorf("%q was taken; encoding/json says %v", body, err)
	} else if !reflect.DeepEqual(m, want) || !reflect.DeepEqual(keys, wantKeys) {
		t.Errorf("%q was read as %v %q, want %v %q", body, m, keys, want, wantKeys)
	}
	return true
}

func TestThePlainWalkReadsWhatTheDecoderReads(t *testing.T) {
	t.Parallel()
	for _, body := range bodies {
		agree(t, body)
	}
	for i, body := range bodies[:5] {
		if !agree(t, body) {
			t.Errorf("body %d is plain and was left to the decoder", i)
		}
	}
}

// A body of which a few characters were lost, doubled or replaced.
func TestThePlainWalkTakesNothingThatIsBroken(t *testing.T) {
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
		if agree(t, string(b)) {
			taken++
		}
	}
	if taken < 1000 {
		t.Errorf("only %d bodies were plain", taken)
	}
}

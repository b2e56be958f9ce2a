package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The limits of a body.
const (
	maxDepth  = 32
	maxFields = 100
)

// fault is what is wrong with a body, and where. It repeats no value.
type fault struct {
	pointer, code, detail string
}

// Error prints the detail.
func (f *fault) Error() string { return f.detail }

// strictJSON reads one JSON object. It refuses what encoding/json lets pass
// quietly: invalid UTF-8 and lone surrogates (which would make another address
// of an address), the same key twice, and text after the end; and what is too
// deep, too wide or holds U+0000, which no database takes.
func strictJSON(body []byte) (map[string]any, []string, error) {
	if m, keys, ok := plainJSON(body); ok {
		return m, keys, nil
	}
	return slowJSON(body)
}

// slowJSON reads by encoding/json, token by token, and says what is wrong.
func slowJSON(body []byte) (map[string]any, []string, error) {
	if !utf8.Valid(body) {
		return nil, nil, &fault{"", "invalid_utf8", "the body is not valid UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	r := reader{dec: d, replaced: bytes.Contains(body, []byte("\uFFFD")) || bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`))}
	v, keys, err := r.value("", 0)
	if err != nil {
		return nil, nil, wording(err, d.InputOffset())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, &fault{"", "trailing_data", "there is more after the end of the JSON object"}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, nil, &fault{"", "not_an_object", "the body must be a JSON object"}
	}
	return m, keys, nil
}

// wording says where JSON went wrong without repeating it.
func wording(err error, offset int64) error {
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &fault{"", "malformed", "the JSON ends too early"}
	}
	return &fault{"", "malformed", fmt.Sprintf("not valid JSON near byte %d", offset)}
}

type reader struct {
	dec      *json.Decoder
	fields   int
	replaced bool // the body itself holds U+FFFD
}

// value reads one value; keys are those of an object, in their order.
func (r *reader) value(at string, depth int) (v any, keys []string, err error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, nil, &fault{at, "too_deep", fmt.Sprintf("more than %d levels deep", maxDepth)}
		}
		if t == '{' {
			return r.object(at, depth)
		}
		v, err = r.array(at, depth)
		return v, nil, err
	case string:
		return t, nil, r.text(t, at)
	default:
		return t, nil, nil
	}
}

func (r *reader) object(at string, depth int) (any, []string, error) {
	m := map[string]any{}
	var keys []string
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, nil, err
		}
		key, _ := tok.(string) // the decoder takes nothing else here
		here := at + "/" + pointerWord(key)
		if err := r.text(key, here); err != nil {
			return nil, nil, err
		}
		if _, twice := m[key]; twice {
			return nil, nil, &fault{here, "duplicate_key", "the same key is given twice"}
		}
		if r.fields++; r.fields > maxFields {
			return nil, nil, &fault{at, "too_many_fields", fmt.Sprintf("more than %d fields", maxFields)}
		}
		if m[key], _, err = r.value(here, depth+1); err != nil {
			return nil, nil, err
		}
		keys = append(keys, key)
	}
	_, err := r.dec.Token()
	return m, keys, err
}

func (r *reader) array(at string, depth int) (any, error) {
	out := []any{}
	for r.dec.More() {
		v, _, err := r.value(fmt.Sprintf("%s/%d", at, len(out)), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := r.dec.Token()
	return out, err
}

func (r *reader) text(s, at string) error {
	if strings.ContainsRune(s, 0) {
		return &fault{at, "nul", "U+0000 is not allowed"}
	}
	if !r.replaced && strings.ContainsRune(s, utf8.RuneError) {
		return &fault{at, "invalid_utf8", "a surrogate stands alone"}
	}
	return nil
}

// pointerWord escapes a key for a pointer (RFC 6901) and cuts what is absurd.
func pointerWord(key string) string {
	if len(key) > 64 {
		key = strings.ToValidUTF8(key[:64], "")
	}
	if !strings.ContainsAny(key, "~/\x00") {
		return key // a replacer is built anew for each use, and keys are many
	}
	return strings.NewReplacer("~", "~0", "/", "~1", "\x00", "").Replace(key)
}

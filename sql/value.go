package sql

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// micros is how a time is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// at is the time that micros stored.
func at(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// newID is unique and sorts by the time it was made.
func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// orNewID makes an id where there is none.
func orNewID(id string) (string, error) {
	if id != "" {
		return id, nil
	}
	return newID()
}

// text is a value as JSON. The encoder's own buffer is copied once.
func text(v any) (string, error) {
	var b strings.Builder
	err := json.NewEncoder(&b).Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// drafts are buffers in which texts are written before they are as long as they are.
var drafts = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// drafted is the text that write makes.
func drafted(write func(w *galena.JSONWriter)) (string, error) {
	draft, _ := drafts.Get().(*[]byte)
	defer drafts.Put(draft)
	w := galena.JSONWriter{B: (*draft)[:0]}
	write(&w)
	*draft = w.B
	return string(w.B), w.Err
}

// list parameters: rows is a JSON array without \u0000, which Postgres refuses
// to turn into text. An escaped backslash before u0000 is left alone.
func rows(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil || !bytes.Contains(b, []byte(`\u0000`)) {
		return string(b), err
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case bytes.HasPrefix(b[i:], []byte(`\u0000`)):
			i += 5
		default:
			out = append(out, b[i], b[i+1])
			i++
		}
	}
	return string(out), nil
}

// parse reads what text wrote; nothing is the zero value.
func parse[T any](s string) (T, error) {
	var v T
	if s == "" {
		return v, nil
	}
	err := json.Unmarshal([]byte(s), &v)
	return v, err
}

// members reads an object of a stranger's with its numbers as they are written: not
// every one is a float64.
func members(s string) (map[string]any, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nothing was said
	}
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

// key is a hash as it is stored.
func key(hash []byte) string { return hex.EncodeToString(hash) }

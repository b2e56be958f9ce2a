package galena

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// JSONWriter appends JSON without reflection, byte for byte what encoding/json
// writes: what every lead makes is made by it. A name comes with all that is before
// its value, such as `,"tier":`.
type JSONWriter struct {
	B   []byte
	Err error // the first
}

// Raw appends JSON as it is.
func (w *JSONWriter) Raw(s string) { w.B = append(w.B, s...) }

// Text appends a text in quotes.
func (w *JSONWriter) Text(name, s string) { w.B = appendText(append(w.B, name...), s) }

// Filled appends a text unless it is empty.
func (w *JSONWriter) Filled(name, s string) {
	if s != "" {
		w.Text(name, s)
	}
}

// Int appends a whole number.
func (w *JSONWriter) Int(name string, n int64) {
	w.B = strconv.AppendInt(append(w.B, name...), n, 10)
}

// Bool appends true or false.
func (w *JSONWriter) Bool(name string, is bool) {
	w.B = strconv.AppendBool(append(w.B, name...), is)
}

// Tenths appends points.
func (w *JSONWriter) Tenths(name string, t Tenths) { w.B = t.append(append(w.B, name...)) }

// Float appends a number; most are written without what is rare.
func (w *JSONWriter) Float(name string, x float64) {
	if abs := math.Abs(x); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		w.B = strconv.AppendFloat(append(w.B, name...), x, 'f', -1, 64)
		return
	}
	w.Value(name, x)
}

// Time appends a moment.
func (w *JSONWriter) Time(name string, t time.Time) {
	var err error
	w.B, err = t.AppendText(append(append(w.B, name...), '"'))
	w.B = append(w.B, '"')
	w.failed(err)
}

// Texts appends a list of texts; null for nil.
func (w *JSONWriter) Texts(name string, list []string) {
	WriteList(w, name, list, func(s *string, w *JSONWriter) { w.Text("", *s) })
}

// WriteList appends a list, each by item; null for nil.
func WriteList[T any](w *JSONWriter, name string, list []T, item func(*T, *JSONWriter)) {
	w.Raw(name)
	if list == nil {
		w.Raw("null")
		return
	}
	w.Raw("[")
	for i := range list {
		if i > 0 {
			w.Raw(",")
		}
		item(&list[i], w)
	}
	w.Raw("]")
}

// Value appends whatever is rare, by reflection.
func (w *JSONWriter) Value(name string, v any) {
	b, err := json.Marshal(v)
	w.B = append(append(w.B, name...), b...)
	w.failed(err)
}

func (w *JSONWriter) failed(err error) {
	if w.Err == nil {
		w.Err = err
	}
}

// escaped says which bytes encoding/json does not write as they are, or may not: it
// looks at what is not ASCII.
var escaped = func() (is [256]bool) {
	for c := range is {
		is[c] = c < ' ' || c >= utf8.RuneSelf || strings.IndexByte(`"\<>&`, byte(c)) >= 0
	}
	return is
}()

// appendText adds a text in quotes as encoding/json writes it.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if escaped[s[i]] {
			quoted, _ := json.Marshal(s) //nolint:errchkjson // a text cannot fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

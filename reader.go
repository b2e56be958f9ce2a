package galena

import (
	"encoding/json"
	"strconv"
	"strings"
)

// reader reads stored JSON in one walk, without reflection, as long as it is as our
// own appenders write it: members in their order, no space between them. What is
// otherwise is left to encoding/json by whoever reads. The texts that it gives are
// parts of what it reads, which is to be valid UTF-8.
type reader struct{ left string }

// pass goes past s, if that comes next.
func (r *reader) pass(s string) (ok bool) {
	r.left, ok = strings.CutPrefix(r.left, s)
	return ok
}

// another goes past the comma before a further member, or stays at the object's end.
func (r *reader) another() bool {
	if strings.HasPrefix(r.left, `,"`) {
		return r.pass(",")
	}
	return strings.HasPrefix(r.left, "}")
}

// value reads what Value.writeJSON wrote.
func (r *reader) value() (v Value, ok bool) {
	if !r.pass(`{"t":`) {
		return v, false
	}
	t, ok := r.text()
	if v.Type = FieldType(t); ok && r.pass(`,"lo":`) {
		v.Lo, ok = r.number()
		if v.Hi = v.Lo; ok && r.pass(`,"hi":`) {
			v.Hi, ok = r.number()
		}
	}
	if ok && r.pass(`,"s":`) {
		v.Text, ok = r.text()
	}
	if ok && r.pass(`,"set":[`) {
		v.Set, ok = r.texts()
	}
	if ok && r.pass(`,"closed":true`) {
		v.Closed = true
	}
	if ok && r.pass(`,"b":true`) {
		v.Bool = true
	}
	if ok && r.pass(`,"raw":`) {
		v.Raw, ok = r.text()
	}
	return v, ok && r.pass("}")
}

// text reads a text in quotes. One with an escape is read by encoding/json.
func (r *reader) text() (string, bool) {
	if !r.pass(`"`) {
		return "", false
	}
	escaped := false
	for i := 0; i < len(r.left); i++ {
		switch c := r.left[i]; {
		case c == '"':
			s := r.left[:i]
			r.left = r.left[i+1:]
			if escaped {
				return unquote(`"` + s + `"`)
			}
			return s, true
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

func unquote(s string) (text string, ok bool) {
	err := json.Unmarshal([]byte(s), &text)
	return text, err == nil
}

// texts reads a list of them, its beginning passed.
func (r *reader) texts() (all []string, ok bool) {
	for {
		s, ok := r.text()
		if !ok {
			return nil, false
		}
		if all = append(all, s); r.pass("]") {
			return all, true
		}
		if !r.pass(",") {
			return nil, false
		}
	}
}

// number reads an integer.
func (r *reader) number() (int64, bool) {
	s := r.digits("-")
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s // 007 is no JSON
}

// share reads a number as JSONWriter.Float writes those between 0 and 1.
func (r *reader) share() (float64, bool) {
	s := r.digits(".")
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && strconv.FormatFloat(x, 'f', -1, 64) == s
}

// digits goes past digits and the bytes that may be among them.
func (r *reader) digits(and string) string {
	end := 0
	for end < len(r.left) && ('0' <= r.left[end] && r.left[end] <= '9' || strings.IndexByte(and, r.left[end]) >= 0) {
		end++
	}
	s := r.left[:end]
	r.left = r.left[end:]
	return s
}

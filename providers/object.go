package providers

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// Object is a JSON object read strictly but typed loosely: vendors change a
// number to a string over night, and one odd field must not cost the record.
// Keys match exactly. All getters work on a nil Object.
type Object map[string]any

// Object returns a nested object, nil when there is none.
func (o Object) Object(key string) Object {
	m, _ := o[key].(Object)
	return m
}

// Text returns a string, or a number as written, trimmed; "" for anything else.
func (o Object) Text(key string) string { return text(o[key]) }

// First returns the first of several keys that has a text.
func (o Object) First(keys ...string) string {
	for _, k := range keys {
		if s := o.Text(k); s != "" {
			return s
		}
	}
	return ""
}

// Texts returns the strings of a list, nil when the key holds no list.
func (o Object) Texts(key string) []string {
	list, ok := o[key].([]any)
	if !ok {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, it := range list {
		if s := text(it); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Objects returns the objects of a list, nil when the key holds no list.
func (o Object) Objects(key string) []Object {
	list, ok := o[key].([]any)
	if !ok {
		return nil
	}
	out := make([]Object, 0, len(list))
	for _, it := range list {
		if m, ok := it.(Object); ok {
			out = append(out, m)
		}
	}
	return out
}

// Number returns a whole number above zero; vendors write 0 for "we do not know".
func (o Object) Number(key string) (int64, bool) {
	x, err := strconv.ParseFloat(o.Text(key), 64)
	if err != nil || !(x >= 1 && x <= 1e17) { // NaN is neither
		return 0, false
	}
	return int64(x), true
}

// text is a scalar as a vendor meant it.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return strings.TrimSpace(x)
	case json.Number:
		return x.String()
	default:
		return ""
	}
}

// maxNesting bounds the depth of an answer.
const maxNesting = 32

// ParseObject reads a JSON object and nothing else. Half an emoji in one name costs
// no record: it becomes U+FFFD.
func ParseObject(b []byte) (Object, error) {
	o, _, err := galena.ReadJSON[Object](b, galena.JSONLimits{Depth: maxNesting, Loose: true})
	return o, err
}

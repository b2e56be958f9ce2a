package rest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// path leads through JSON: keys with dots between them, `data.items[0].name`; a
// key with dots of its own is quoted, and * is every entry. None is the whole.
type path []hop

type hop struct {
	key   string
	index int // of a list, -1 = it is a key
	all   bool
}

// parsePath reads a path.
func parsePath(s string) (path, error) {
	bad := errors.New("is no path such as data.items[0].name")
	var p path
	for rest := s; rest != ""; {
		var key string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			if key, rest, ok = strings.Cut(quoted, `"`); !ok || key == "" {
				return nil, bad
			}
			p = append(p, hop{key: key, index: -1})
		} else {
			end := strings.IndexAny(rest, `.["]`)
			if end < 0 {
				end = len(rest)
			}
			key, rest = rest[:end], rest[end:]
			if key == "" || strings.TrimSpace(key) != key {
				return nil, bad
			}
			p = append(p, hop{key: key, index: -1, all: key == "*"})
		}
		for strings.HasPrefix(rest, "[") {
			digits, after, closed := strings.Cut(rest[1:], "]")
			n, err := strconv.ParseUint(digits, 10, 8)
			if err != nil || !closed {
				return nil, bad
			}
			p, rest = append(p, hop{index: int(n)}), after
		}
		if rest == "" {
			return p, nil
		}
		var more bool
		if rest, more = strings.CutPrefix(rest, "."); !more || rest == "" {
			return nil, bad
		}
	}
	return p, nil
}

// lead is parsePath of a path that was checked.
func lead(s string) path {
	p, err := parsePath(s)
	if err != nil {
		return path{{key: s, index: -1}}
	}
	return p
}

// all returns what the path leads to, without nulls.
func (p path) all(v any) []any {
	if v == nil {
		return nil
	}
	if len(p) == 0 {
		return []any{v}
	}
	var out []any
	switch x := v.(type) {
	case object:
		if !p[0].all {
			return p[1:].all(x[p[0].key])
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, p[1:].all(x[k])...)
		}
	case []any:
		if !p[0].all && p[0].index >= 0 && p[0].index < len(x) {
			return p[1:].all(x[p[0].index])
		}
		for _, it := range x {
			if p[0].all {
				out = append(out, p[1:].all(it)...)
			}
		}
	}
	return out
}

// get returns the first of them, nil when there is none.
func (p path) get(v any) any {
	if found := p.all(v); len(found) > 0 {
		return found[0]
	}
	return nil
}

// set puts a value into a body, making objects and lists on the way.
func (p path) set(into, v any) any {
	if len(p) == 0 {
		return v
	}
	if i := p[0].index; i >= 0 {
		list, _ := into.([]any)
		for len(list) <= i {
			list = append(list, nil)
		}
		list[i] = p[1:].set(list[i], v)
		return list
	}
	o, ok := into.(object)
	if !ok {
		o = object{}
	}
	o[p[0].key] = p[1:].set(o[p[0].key], v)
	return o
}

// drop takes a key out of an object.
func (p path) drop(from any) {
	if o, ok := p[:len(p)-1].get(from).(object); ok {
		delete(o, p[len(p)-1].key)
	}
}

// name is the key that the path ends with.
func (p path) name() string {
	for _, h := range slices.Backward(p) {
		if h.index < 0 && !h.all {
			return h.key
		}
	}
	return ""
}

// clone copies a JSON value as deep as it goes.
func clone(v any) any {
	switch x := v.(type) {
	case object:
		out := make(object, len(x))
		for k := range x {
			out[k] = clone(x[k])
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = clone(x[i])
		}
		return out
	default:
		return v
	}
}

// word is a scalar as text.
func word(v any) string {
	switch x := v.(type) {
	case nil, object, []any:
		return ""
	case string:
		return strings.TrimSpace(x)
	default:
		return fmt.Sprint(x)
	}
}

// says that a value is there and is not false, zero or empty.
func says(v any) bool {
	switch x := v.(type) {
	case object:
		return len(x) > 0
	case []any:
		return len(x) > 0
	default:
		s := word(x)
		return s != "" && s != "false" && s != "0"
	}
}

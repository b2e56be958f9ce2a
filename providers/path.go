package providers

import (
	"errors"
	"strconv"
	"strings"
)

// Path leads through an answer: keys of objects or local names of elements with
// dots between them, `data.company.name`. Lists are looked through, so that
// `data.tech.name` is the name of every entry; `data.tech[0].name` is that of
// the first. A key with dots of its own is quoted, `facts."company.name"`, and
// an attribute is written `@id`.
type Path []hop

type hop struct {
	key   string
	index int // of a list, -1 = all
}

// ParsePath reads a path.
func ParsePath(s string) (Path, error) {
	bad := errors.New("is no path such as data.company.name")
	var p Path
	for rest := s; ; {
		var key string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			if key, rest, ok = strings.Cut(quoted, `"`); !ok {
				return nil, bad
			}
		} else {
			end := strings.IndexAny(rest, `.["]`)
			if end < 0 {
				end = len(rest)
			}
			key, rest = rest[:end], rest[end:]
		}
		h := hop{key, -1}
		if numbered, ok := strings.CutPrefix(rest, "["); ok {
			digits, after, closed := strings.Cut(numbered, "]")
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || !closed {
				return nil, bad
			}
			h.index, rest = int(n), after
		}
		if strings.TrimSpace(key) != key || key == "" {
			return nil, bad
		}
		p = append(p, h)
		if rest == "" {
			return p, nil
		}
		var more bool
		if rest, more = strings.CutPrefix(rest, "."); !more {
			return nil, bad
		}
	}
}

// Find returns all that a path leads to. Listed says that it ends at a list, or
// on the way at an empty one: to list nothing is to say something.
func (o Object) Find(p Path) (found []any, listed bool) {
	found = []any{o}
	for _, h := range p {
		var next []any
		listed = false
		for _, v := range found {
			if m, ok := v.(Object); ok {
				_, isList := m[h.key].([]any)
				listed = listed || isList
				next = flatten(next, m[h.key])
			}
		}
		if h.index >= 0 {
			next = next[min(h.index, len(next)):min(h.index+1, len(next))]
			listed = false
		}
		if found = next; len(found) == 0 {
			break
		}
	}
	return found, listed
}

// flatten opens lists, and drops what is null.
func flatten(into []any, v any) []any {
	switch x := v.(type) {
	case nil:
		return into
	case []any:
		for _, it := range x {
			into = flatten(into, it)
		}
		return into
	default:
		return append(into, v)
	}
}

// FindTexts returns the texts that a path leads to.
func (o Object) FindTexts(p Path) (texts []string, listed bool) {
	found, listed := o.Find(p)
	for _, v := range found {
		if s := plain(v); s != "" {
			texts = append(texts, s)
		}
	}
	return texts, listed
}

// FindText returns the first of them, "" when there is none.
func (o Object) FindText(p Path) string {
	if len(p) == 0 {
		return ""
	}
	texts, _ := o.FindTexts(p)
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// Says that a path leads to something: null, false, 0 and what is empty are nothing.
func (o Object) Says(p Path) bool {
	found, _ := o.Find(p)
	for _, v := range found {
		if m, ok := v.(Object); ok && len(m) > 0 {
			return true
		}
		if s := plain(v); s != "" && s != "false" && s != "0" {
			return true
		}
	}
	return false
}

// plain is text, and what a switch or an element with attributes says.
func plain(v any) string {
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x)
	case Object:
		return text(x[elementText])
	default:
		return text(v)
	}
}

package api

import (
	"encoding/json"
	"unicode/utf8"
)

// plainJSON reads an object that strictJSON would take, in one walk: encoding/json
// hands out token by token what it has scanned twice, and that was a third of what
// a posted lead cost. Whatever is out of the ordinary, an escape or a fault, is
// left to strictJSON, which knows the words for it: ok is false then.
func plainJSON(body []byte) (m map[string]any, keys []string, ok bool) {
	if !utf8.Valid(body) {
		return nil, nil, false
	}
	p := walk{body: body}
	p.blanks()
	if m, keys, ok = p.object(0); !ok {
		return nil, nil, false
	}
	p.blanks()
	return m, keys, p.at == len(body)
}

type walk struct {
	body   []byte
	at     int
	fields int
}

func (p *walk) blanks() {
	for p.at < len(p.body) && (p.body[p.at] == ' ' || p.body[p.at] == '\n' || p.body[p.at] == '\r' || p.body[p.at] == '\t') {
		p.at++
	}
}

// eat steps over a character, if it is the next.
func (p *walk) eat(c byte) bool {
	if p.at < len(p.body) && p.body[p.at] == c {
		p.at++
		return true
	}
	return false
}

// word steps over one of the three words.
func (p *walk) word(w string) bool {
	if len(p.body)-p.at < len(w) || string(p.body[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	return true
}

// more says whether another element follows, after a comma where it is not the
// first; ok is false where neither a comma nor the end stands.
func (p *walk) more(first bool, end byte) (more, ok bool) {
	p.blanks()
	if p.eat(end) {
		return false, true
	}
	if first {
		return true, true
	}
	ok = p.eat(',')
	p.blanks()
	return ok, ok
}

func (p *walk) object(depth int) (map[string]any, []string, bool) {
	if depth >= maxDepth || !p.eat('{') {
		return nil, nil, false
	}
	m := map[string]any{}
	var keys []string
	for {
		more, ok := p.more(len(keys) == 0, '}')
		if !ok || !more {
			return m, keys, ok
		}
		key, ok := p.text()
		if !ok {
			return nil, nil, false
		}
		if _, twice := m[key]; twice {
			return nil, nil, false
		}
		if p.fields++; p.fields > maxFields {
			return nil, nil, false
		}
		p.blanks()
		if !p.eat(':') {
			return nil, nil, false
		}
		p.blanks()
		if m[key], ok = p.value(depth + 1); !ok {
			return nil, nil, false
		}
		if keys == nil {
			keys = make([]string, 0, 8)
		}
		keys = append(keys, key)
	}
}

func (p *walk) array(depth int) (any, bool) {
	if depth >= maxDepth || !p.eat('[') {
		return nil, false
	}
	out := []any{}
	for {
		more, ok := p.more(len(out) == 0, ']')
		if !ok || !more {
			return out, ok
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
}

func (p *walk) value(depth int) (any, bool) {
	if p.at >= len(p.body) {
		return nil, false
	}
	switch p.body[p.at] {
	case '{':
		m, _, ok := p.object(depth)
		return m, ok
	case '[':
		return p.array(depth)
	case '"':
		s, ok := p.text()
		return s, ok
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

// text reads a string without escapes.
func (p *walk) text() (string, bool) {
	if !p.eat('"') {
		return "", false
	}
	from := p.at
	for ; p.at < len(p.body); p.at++ {
		switch c := p.body[p.at]; {
		case c == '"':
			p.at++
			return string(p.body[from : p.at-1]), true
		case c == '\\' || c < ' ':
			return "", false
		}
	}
	return "", false
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (p *walk) number() (any, bool) {
	from := p.at
	p.eat('-')
	if !p.eat('0') && !p.digits() {
		return nil, false
	}
	if p.eat('.') && !p.digits() {
		return nil, false
	}
	if p.eat('e') || p.eat('E') {
		if !p.eat('+') {
			p.eat('-')
		}
		if !p.digits() {
			return nil, false
		}
	}
	return json.Number(p.body[from:p.at]), true
}

// digits steps over digits and says whether there was one.
func (p *walk) digits() bool {
	from := p.at
	for p.at < len(p.body) && p.body[p.at] >= '0' && p.body[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}

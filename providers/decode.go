package providers

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds the depth of an answer.
const maxNesting = 32

// errNotJSON quotes nothing of the body, which may echo the key.
var errNotJSON = errors.New("the body is not valid JSON")

// decode reads one JSON object and nothing else. It refuses what encoding/json
// lets pass: duplicate keys, invalid UTF-8, bottomless nesting, trailing data.
// Texts are parts of one copy of the body, so that few are allocated: whoever keeps
// one for long clones it, as Record.Add does.
func decode(b []byte) (Object, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("the body is not UTF-8")
	}
	d := decoder{s: string(b)}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if d.peek() != 0 || d.at < len(d.s) {
		return nil, errors.New("the body goes on after the JSON value")
	}
	o, ok := v.(Object)
	if !ok {
		return nil, errors.New("the body is not a JSON object")
	}
	return o, nil
}

// decoder reads JSON as RFC 8259 has it: what encoding/json reads token by token, in
// a ninth of its allocations. It was most of what an answer cost; nothing else sees
// every key before the next one replaces it.
type decoder struct {
	s    string
	at   int
	open []member // of the objects and lists that have not ended: each is made when its size is known
}

type member struct {
	key   string
	value any
}

// peek passes white space and returns the byte behind it, 0 at the end.
func (d *decoder) peek() byte {
	for ; d.at < len(d.s); d.at++ {
		switch c := d.s[d.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) value(depth int) (any, error) {
	c := d.peek()
	switch c {
	case '{', '[':
		if depth >= maxNesting {
			return nil, fmt.Errorf("the body is nested more than %d deep", maxNesting)
		}
		if d.at++; c == '{' {
			return d.object(depth + 1)
		}
		return d.list(depth + 1)
	case '"':
		return d.text()
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	default:
		return d.number()
	}
}

func (d *decoder) object(depth int) (any, error) {
	first := len(d.open)
	for c := d.peek(); c != '}'; {
		if c != '"' {
			return nil, errNotJSON
		}
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		if d.peek() != ':' {
			return nil, errNotJSON
		}
		d.at++
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		d.open = append(d.open, member{key, v})
		if c, err = d.more('}'); err != nil {
			return nil, err
		}
	}
	d.at++
	o := make(Object, len(d.open)-first)
	for i, m := range d.open[first:] {
		if o[m.key] = m.value; len(o) == i {
			return nil, errors.New("the body has a key twice")
		}
	}
	d.open = d.open[:first]
	return o, nil
}

func (d *decoder) list(depth int) (any, error) {
	first := len(d.open)
	for c := d.peek(); c != ']'; {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		d.open = append(d.open, member{value: v})
		if c, err = d.more(']'); err != nil {
			return nil, err
		}
	}
	d.at++
	list := make([]any, len(d.open)-first)
	for i, m := range d.open[first:] {
		list[i] = m.value
	}
	d.open = d.open[:first]
	return list, nil
}

// more passes the comma before a further member; end says that there is none.
func (d *decoder) more(end byte) (byte, error) {
	c := d.peek()
	if c == end {
		return c, nil
	}
	if c != ',' {
		return 0, errNotJSON
	}
	d.at++
	if c = d.peek(); c == end {
		return 0, errNotJSON
	}
	return c, nil
}

func (d *decoder) word(w string) error {
	if !strings.HasPrefix(d.s[d.at:], w) {
		return errNotJSON
	}
	d.at += len(w)
	return nil
}

func (d *decoder) text() (string, error) {
	from, plain := d.at, true
	for d.at++; d.at < len(d.s); d.at++ {
		switch c := d.s[d.at]; {
		case c == '"':
			d.at++
			if plain {
				return d.s[from+1 : d.at-1], nil
			}
			var s string
			if json.Unmarshal([]byte(d.s[from:d.at]), &s) != nil {
				return "", errNotJSON
			}
			return s, nil
		case c == '\\':
			plain = false
			d.at++ // what is escaped ends nothing
		case c < ' ':
			return "", errNotJSON
		}
	}
	return "", errNotJSON
}

// number keeps a number as it is written.
func (d *decoder) number() (any, error) {
	from := d.at
	d.pass("-")
	if !d.pass("0") && !d.digits() {
		return nil, errNotJSON
	}
	if d.pass(".") && !d.digits() {
		return nil, errNotJSON
	}
	if d.pass("eE") {
		d.pass("+-")
		if !d.digits() {
			return nil, errNotJSON
		}
	}
	return json.Number(d.s[from:d.at]), nil
}

// pass passes one of some characters, if one is next.
func (d *decoder) pass(of string) bool {
	if d.at < len(d.s) && strings.IndexByte(of, d.s[d.at]) >= 0 {
		d.at++
		return true
	}
	return false
}

func (d *decoder) digits() bool {
	from := d.at
	for d.at < len(d.s) && d.s[d.at] >= '0' && d.s[d.at] <= '9' {
		d.at++
	}
	return d.at > from
}

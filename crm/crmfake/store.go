package crmfake

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

// column is one value of a record: where it stands and what it may be.
type column struct {
	path   string
	field  crm.Field // what we call it; "" = a person's alone
	form   form
	unique bool
	words  []any // of an enum: what it may be
}

// form is what a value may be.
type form int

// The forms.
const (
	text    form = iota
	host         // text, kept in lower case
	whole        // a number
	digits       // a number written as text
	micros       // a number of millionths
	options      // one of the words
	address      // [{"value": …}]
)

// row is one record.
type row struct {
	id      string
	rec     object
	version int
	deleted bool
}

// table holds the records of one kind.
type table struct {
	columns []column
	rows    map[string]*row
	order   []string
}

// op is what a request wants.
type op int

// The operations.
const (
	search op = iota
	read
	create
	merge
	replace
	batch
)

// call is a request once it was understood.
type call struct {
	op     op
	object crm.Object
	id     string
	where  string   // path of the column that is searched
	values []string // one of these
	like   bool     // or a part of it
	set    object
	many   []call
	match  string   // the version that must stand
	show   []string // the columns that were asked for
}

func (c call) writes() bool { return c.op >= create }

// why a request is refused.
type why int

// The refusals.
const (
	badToken why = iota
	tooFast
	spent
	away
	misunderstood
	unknownField
	badValue
	duplicate
	missing
	stale
)

// refusal is a request that is not carried out.
type refusal struct {
	why  why
	path string // of the field concerned
	id   string
	hint bool
}

// do carries a call out.
func (s *Server) do(c call) ([]*row, *refusal) {
	t := s.tables[c.object]
	switch c.op {
	case search:
		return t.search(c, s.lang.habits().deleted), nil
	case read:
		if w := t.rows[c.id]; w != nil && (!w.deleted || s.lang.habits().deleted) {
			return []*row{w.copy()}, nil
		}
		return nil, &refusal{why: missing, id: c.id}
	case batch:
		var out []*row
		for _, one := range c.many {
			w, no := t.write(one, s.lang.habits().newID)
			if no != nil {
				w = &row{id: one.id, version: -1}
			}
			out = append(out, w.copy())
		}
		return out, nil
	default:
		w, no := t.write(c, s.lang.habits().newID)
		if no != nil {
			return nil, no
		}
		return []*row{w.copy()}, nil
	}
}

func (t *table) search(c call, deleted bool) []*row {
	var out []*row
	for _, id := range t.order {
		w := t.rows[id]
		if w.deleted && !deleted {
			continue
		}
		for _, col := range t.columns {
			held := strings.ToLower(col.form.plain(get(w.rec, col.path)))
			if held == "" || c.where != "" && c.where != col.path {
				continue
			}
			if slices.ContainsFunc(c.values, func(v string) bool {
				v = strings.ToLower(v)
				return held == v || c.like && strings.Contains(held, v)
			}) {
				out = append(out, w.copy())
				break
			}
		}
	}
	return out
}

// write makes or changes a record, whole or not at all.
func (t *table) write(c call, newID func(int) string) (*row, *refusal) {
	next := &row{id: newID(len(t.order)), rec: t.empty()}
	if c.op != create {
		w := t.rows[c.id]
		if w == nil || w.deleted {
			return nil, &refusal{why: missing, id: c.id}
		}
		if c.match != "" && c.match != strconv.Itoa(w.version) {
			return nil, &refusal{why: stale}
		}
		next = w.copy()
		if c.op == replace {
			next.rec = t.empty()
		}
	}
	for _, path := range leaves("", c.set, t.columns) {
		i := slices.IndexFunc(t.columns, func(col column) bool { return col.path == path })
		if i < 0 {
			return nil, &refusal{why: unknownField, path: path}
		}
		col, v := t.columns[i], get(c.set, path)
		if v != nil && v != "" && !col.fits(v) {
			return nil, &refusal{why: badValue, path: path}
		}
		if s, ok := v.(string); ok && col.form == host {
			v = strings.TrimSuffix(strings.ToLower(s), "/")
		}
		put(next.rec, path, v)
	}
	for _, col := range t.columns {
		if col.unique && t.taken(col, next) {
			return nil, &refusal{why: duplicate, path: col.path}
		}
	}
	next.version++
	if c.op == create {
		t.order = append(t.order, next.id)
	}
	t.rows[next.id] = next
	return next, nil
}

// taken says that another record, deleted or not, holds a unique value.
func (t *table) taken(col column, w *row) bool {
	v := col.form.plain(get(w.rec, col.path))
	for id, other := range t.rows {
		if v != "" && id != w.id && strings.EqualFold(v, col.form.plain(get(other.rec, col.path))) {
			return true
		}
	}
	return false
}

// empty is a record in which nothing was said.
func (t *table) empty() object {
	rec := object{}
	for _, col := range t.columns {
		put(rec, col.path, nil)
	}
	return rec
}

func (w *row) copy() *row {
	next := *w
	next.rec = clone(w.rec)
	return &next
}

func clone(o object) object {
	out := maps.Clone(o)
	for k, v := range out {
		if m, ok := v.(object); ok {
			out[k] = clone(m)
		}
	}
	return out
}

// leaves lists the paths of a body; what is a column is not looked into.
func leaves(path string, o object, columns []column) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(o)) {
		at := strings.TrimPrefix(path+"."+k, ".")
		m, nested := o[k].(object)
		if nested && !slices.ContainsFunc(columns, func(c column) bool { return c.path == at }) {
			out = append(out, leaves(at, m, columns)...)
			continue
		}
		out = append(out, at)
	}
	return out
}

func get(o object, path string) any {
	key, rest, more := strings.Cut(path, ".")
	if !more {
		return o[key]
	}
	m, _ := o[key].(object)
	return get(m, rest)
}

func put(o object, path string, v any) {
	key, rest, more := strings.Cut(path, ".")
	if !more {
		o[key] = v
		return
	}
	m, ok := o[key].(object)
	if !ok {
		m = object{}
		o[key] = m
	}
	put(m, rest, v)
}

// fits says that a value may stand in the column.
func (c column) fits(v any) bool {
	switch c.form {
	case whole, micros:
		_, ok := v.(json.Number)
		return ok
	case digits:
		s, ok := v.(string)
		return ok && strings.Trim(s, "0123456789.") == ""
	case options:
		return slices.ContainsFunc(c.words, func(w any) bool { return plain(w) == plain(v) })
	case address:
		return address.plain(v) != ""
	default:
		_, ok := v.(string)
		return ok
	}
}

// plain is a value as people write it.
func (f form) plain(v any) string {
	switch f {
	case micros:
		if n, err := strconv.ParseInt(plain(v), 10, 64); err == nil {
			return strconv.FormatInt(n/1_000_000, 10)
		}
		return ""
	case address:
		list, _ := v.([]any)
		if len(list) == 0 {
			return ""
		}
		first, _ := list[0].(object)
		return plain(first["value"])
	default:
		return plain(v)
	}
}

// wire is what people write as a value.
func (f form) wire(s string) any {
	switch {
	case s == "":
		return nil
	case f == whole:
		return json.Number(s)
	case f == micros:
		return json.Number(s + "000000")
	case f == address:
		return []any{object{"value": s, "primary": true}}
	default:
		return s
	}
}

func plain(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case int:
		return strconv.Itoa(x)
	default:
		return ""
	}
}

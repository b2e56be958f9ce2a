package crmfake

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena/crm"
)

// column is one value of a record: where it stands and what it may be.
type column struct {
	path   string
	field  crm.Field // what we call it; "" = a person's alone
	form   form
	unique bool
	words  []any  // of an enum: what it may be
	kind   string // what Twenty calls the type of the whole field
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

	made, touched, gone time.Time
	makerAPI, lastAPI   bool // made, and touched last, by a program
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
	mergeAll  // every record that a filter matches
	createAll // all of them or none
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
	upsert bool     // a record that has the key already is changed, and brought back

	filter *filter // instead of where and values
	limit  int     // of a page; 0 = all
	after  string  // the id that a page begins behind
	graph  *selection
}

func (c call) writes() bool { return c.op >= create }

// why a request is refused.
type why int

// The refusals.
const (
	badToken why = iota
	noToken
	tooFast
	spent
	away
	misunderstood
	garbled // the body is no JSON
	unknownField
	badValue
	badLink
	duplicate
	missing
	stale
)

// refusal is a request that is not carried out.
type refusal struct {
	why   why
	path  string // of the field concerned
	text  string // in the CRM's own words
	id    string
	hint  bool
	graph bool // it was asked for by GraphQL
}

// do carries a call out.
func (s *Server) do(c call) ([]*row, *refusal) {
	t := s.tables[c.object]
	shown := s.lang.habits().deleted
	switch c.op {
	case search:
		if c.filter == nil {
			return t.search(c, shown), nil
		}
		return t.filtered(c)
	case read:
		if w := t.rows[c.id]; w != nil && (!w.deleted || shown) {
			return []*row{w.copy()}, nil
		}
		return nil, &refusal{why: missing, id: c.id}
	case batch:
		var out []*row
		for _, one := range c.many {
			w, no := s.write(one)
			if no != nil {
				w = &row{id: one.id, version: -1}
			}
			out = append(out, w.copy())
		}
		return out, nil
	case mergeAll:
		return s.mergeAll(t, c)
	case createAll:
		return s.createAll(t, c)
	default:
		w, no := s.write(c)
		if no != nil {
			return nil, no
		}
		return []*row{w.copy()}, nil
	}
}

// mergeAll changes what the filter matches.
func (s *Server) mergeAll(t *table, c call) ([]*row, *refusal) {
	found, no := t.filtered(c)
	for i, w := range found {
		one := c
		one.op, one.id = merge, w.id
		if found[i], no = s.write(one); no != nil {
			return nil, no
		}
		found[i] = found[i].copy()
	}
	return found, no
}

// createAll makes all records or none.
func (s *Server) createAll(t *table, c call) ([]*row, *refusal) {
	rows, order := maps.Clone(t.rows), slices.Clone(t.order)
	var out []*row
	for _, one := range c.many {
		w, no := s.write(one)
		if no != nil {
			t.rows, t.order = rows, order
			return nil, no
		}
		out = append(out, w.copy())
	}
	return out, nil
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
func (s *Server) write(c call) (*row, *refusal) {
	t, h, now := s.tables[c.object], s.lang.habits(), s.tick()
	next := &row{id: h.newID(len(t.order)), rec: t.empty(), made: now, makerAPI: true}
	if c.op != create {
		w := t.rows[c.id]
		if w == nil || w.deleted && !h.writesDeleted {
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
	if no := s.take(t, next.rec, c.set); no != nil {
		return nil, no
	}
	for _, col := range t.columns {
		other := t.taken(col, next)
		if col.unique && other != nil && c.upsert && c.op == create {
			c.op, c.id = merge, other.id
			w, no := s.write(c)
			if no == nil {
				w.deleted = false
			}
			return w, no
		}
		if col.unique && other != nil {
			return nil, &refusal{why: duplicate, path: col.path, id: other.id}
		}
	}
	next.version++
	next.touched, next.lastAPI = now, true
	if c.op == create {
		t.order = append(t.order, next.id)
	}
	t.rows[next.id] = next
	return next, nil
}

// take puts what was sent into a record.
func (s *Server) take(t *table, rec, set object) *refusal {
	if own, ok := s.lang.(taker); ok {
		return own.take(s, t, rec, set)
	}
	for _, path := range leaves("", set, t.columns) {
		i := slices.IndexFunc(t.columns, func(col column) bool { return col.path == path })
		if i < 0 {
			return &refusal{why: unknownField, path: path}
		}
		col, v := t.columns[i], get(set, path)
		if v != nil && v != "" && !col.fits(v) {
			return &refusal{why: badValue, path: path}
		}
		if s, ok := v.(string); ok && col.form == host {
			v = strings.TrimSuffix(strings.ToLower(s), "/")
		}
		put(rec, path, v)
	}
	return nil
}

// tick is the time, which never stands still.
func (s *Server) tick() time.Time {
	s.last = s.last.Add(time.Millisecond)
	if now := s.now().Truncate(time.Millisecond); now.After(s.last) {
		s.last = now
	}
	return s.last
}

// taken finds another record, deleted or not, that holds a unique value.
func (t *table) taken(col column, w *row) *row {
	v := col.form.plain(get(w.rec, col.path))
	for id, other := range t.rows {
		if v != "" && id != w.id && strings.EqualFold(v, col.form.plain(get(other.rec, col.path))) {
			return other
		}
	}
	return nil
}

// empty is a record in which nothing was said.
func (t *table) empty() object {
	rec := object{}
	for _, col := range t.columns {
		put(rec, col.path, col.blank())
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
	case bool:
		return strconv.FormatBool(x)
	default:
		return ""
	}
}

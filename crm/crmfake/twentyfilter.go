package crmfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// filter is a condition on records: and, or and not of others, or one test of one
// value.
type filter struct {
	op     string // "and", "or", "not"; "" = a test
	kids   []*filter
	path   string
	is     string
	values []string
}

var comparators = []string{"eq", "neq", "in", "containsAny", "is", "gt", "gte", "lt", "lte", "startsWith", "endsWith", "like", "ilike"}

// filterReader reads the grammar of a URL: field[comparator]:value, joined by
// commas, and and(), or(), not() around them.
type filterReader struct{ left string }

func parseFilter(text string) (*filter, error) {
	r := &filterReader{left: text}
	f, err := r.list()
	if err == nil && r.left != "" {
		err = fmt.Errorf("'filter' invalid for '%s'. eg: price[gte]:10", r.left)
	}
	return f, err
}

func (r *filterReader) list() (*filter, error) {
	out := &filter{op: "and"}
	for {
		kid, err := r.one()
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, kid)
		if !strings.HasPrefix(r.left, ",") {
			return out, nil
		}
		r.left = r.left[1:]
	}
}

func (r *filterReader) one() (*filter, error) {
	for _, op := range []string{"and", "or", "not"} {
		rest, ok := strings.CutPrefix(r.left, op+"(")
		if !ok {
			continue
		}
		r.left = rest
		f, err := r.list()
		if err != nil {
			return nil, err
		}
		if r.left, ok = strings.CutPrefix(r.left, ")"); !ok {
			return nil, fmt.Errorf("'filter' invalid: %s( is not closed", op)
		}
		f.op = op
		return f, nil
	}
	whole := r.left
	path, rest, ok := strings.Cut(r.left, "[")
	is, rest, ok2 := strings.Cut(rest, "]:")
	if !ok || !ok2 || path == "" || strings.ContainsAny(path, ",()") {
		return nil, fmt.Errorf("'filter' invalid for '%s'. eg: price[gte]:10", strings.Split(whole, ",")[0])
	}
	if !slices.Contains(comparators, is) {
		return nil, fmt.Errorf("'filter' invalid for '%s', comparator %s not in %s", whole, is, strings.Join(comparators, ", "))
	}
	r.left = rest
	f := &filter{path: path, is: is}
	if r.left, ok = strings.CutPrefix(r.left, "["); !ok {
		f.values = []string{r.value(",)")}
		return f, nil
	}
	for {
		f.values = append(f.values, r.value(",]"))
		if rest, ok = strings.CutPrefix(r.left, ","); !ok {
			break
		}
		r.left = rest
	}
	if r.left, ok = strings.CutPrefix(r.left, "]"); !ok {
		return nil, fmt.Errorf("'filter' invalid: the list of %s is not closed", path)
	}
	return f, nil
}

// value reads up to one of the ends; within double quotes nothing ends it.
func (r *filterReader) value(ends string) string {
	if rest, ok := strings.CutPrefix(r.left, `"`); ok {
		if v, after, closed := strings.Cut(rest, `"`); closed {
			r.left = after
			return v
		}
	}
	i := strings.IndexAny(r.left, ends)
	if i < 0 {
		i = len(r.left)
	}
	v := r.left[:i]
	r.left = r.left[i:]
	return v
}

// filterOfGraph reads the same out of GraphQL's form.
func filterOfGraph(path string, v object) (*filter, error) {
	out := &filter{op: "and"}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch name {
		case "and", "or":
			kids := &filter{op: name}
			list, ok := v[name].([]any)
			if !ok {
				return nil, fmt.Errorf("%s takes a list", name)
			}
			for _, it := range list {
				in, _ := it.(object)
				kid, err := filterOfGraph(path, in)
				if err != nil {
					return nil, err
				}
				kids.kids = append(kids.kids, kid)
			}
			out.kids = append(out.kids, kids)
			continue
		}
		if slices.Contains(comparators, name) {
			f := &filter{path: path, is: name}
			list, ok := v[name].([]any)
			if !ok {
				list = []any{v[name]}
			}
			for _, it := range list {
				f.values = append(f.values, plain(it))
			}
			out.kids = append(out.kids, f)
			continue
		}
		in, ok := v[name].(object)
		if !ok {
			return nil, fmt.Errorf("field %q is not defined by type", name)
		}
		kid, err := filterOfGraph(strings.TrimPrefix(path+"."+name, "."), in)
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, kid)
	}
	return out, nil
}

// names says that the filter speaks of a path.
func (f *filter) names(path string) bool {
	return f.path == path || slices.ContainsFunc(f.kids, func(k *filter) bool { return k.names(path) })
}

// unknown finds a path that the table has not got.
func (f *filter) unknown(t *table) *refusal {
	for _, k := range f.kids {
		if no := k.unknown(t); no != nil {
			return no
		}
	}
	if f.op != "" || slices.Contains([]string{"id", "createdAt", "updatedAt", "deletedAt"}, f.path) {
		return nil
	}
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.path == f.path })
	switch {
	case i < 0:
		return &refusal{why: unknownField, path: strings.SplitN(f.path, ".", 2)[0]}
	case t.columns[i].kind == "NUMBER" && f.is != "is" && slices.ContainsFunc(f.values, func(v string) bool { return number(v) == nil }):
		return &refusal{why: badValue, text: fmt.Sprintf("Invalid number value '%s' for field %q", f.values[0], f.path)}
	case f.is == "is" && f.values[0] != "NULL" && f.values[0] != "NOT_NULL":
		return &refusal{why: misunderstood, text: fmt.Sprintf("'filter' invalid for '%s': NULL or NOT_NULL", f.path)}
	}
	return nil
}

// holds says that a record, as it is shown, meets the condition.
func (f *filter) holds(rec object) bool {
	switch f.op {
	case "and":
		return !slices.ContainsFunc(f.kids, func(k *filter) bool { return !k.holds(rec) })
	case "or":
		return slices.ContainsFunc(f.kids, func(k *filter) bool { return k.holds(rec) })
	case "not":
		return slices.ContainsFunc(f.kids, func(k *filter) bool { return !k.holds(rec) })
	}
	held := get(rec, f.path)
	if f.is == "is" {
		return (held == nil) == (f.values[0] == "NULL")
	}
	if held == nil {
		return false // NULL is equal to nothing, and unequal to nothing
	}
	if list, ok := held.([]any); ok {
		return f.is == "containsAny" && slices.ContainsFunc(list, func(v any) bool { return slices.Contains(f.values, plain(v)) })
	}
	return f.compare(plain(held), f.values[0])
}

func (f *filter) compare(held, v string) bool {
	order := strings.Compare(held, v)
	if a, b := number(held), number(v); a != nil && b != nil {
		order = a.Cmp(b)
	}
	switch f.is {
	case "eq":
		return order == 0
	case "neq":
		return order != 0
	case "in":
		return slices.Contains(f.values, held)
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	case "startsWith":
		return strings.HasPrefix(held, v)
	case "endsWith":
		return strings.HasSuffix(held, v)
	case "like":
		return like(held, v)
	case "ilike":
		return like(strings.ToLower(held), strings.ToLower(v))
	}
	return false
}

func number(s string) *big.Rat {
	if json.Valid([]byte(s)) {
		if x, ok := new(big.Rat).SetString(s); ok {
			return x
		}
	}
	return nil
}

// like is SQL's: % stands for any text, _ for any one letter.
func like(s, pattern string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '%':
		for i := range len(s) + 1 {
			if like(s[i:], pattern[1:]) {
				return true
			}
		}
		return false
	case '_':
		return s != "" && like(s[1:], pattern[1:])
	}
	return s != "" && s[0] == pattern[0] && like(s[1:], pattern[1:])
}

// filtered are the records that a filter matches, one more than the page holds
// when there are more. Deleted ones show themselves to who asks for deletedAt.
func (t *table) filtered(c call) ([]*row, *refusal) {
	if no := c.filter.unknown(t); no != nil {
		return nil, no
	}
	order := t.order
	if i := slices.Index(order, c.after); i >= 0 {
		order = order[i+1:]
	}
	var out []*row
	for _, id := range order {
		w := t.rows[id]
		if w.deleted && !c.filter.names("deletedAt") || !c.filter.holds(t.stored(w)) {
			continue
		}
		if out = append(out, w.copy()); c.limit > 0 && len(out) > c.limit {
			break
		}
	}
	return out, nil
}

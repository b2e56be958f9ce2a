package configs

import (
	"encoding"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/galenahq/galena"
)

// shape compares nodes with the Go type that they will be decoded into, and
// collects every unknown key, double key and wrong type; the decoder alone
// would stop at the first. What is wrong is cut out of the tree, so that the
// rest can still be decoded and checked for meaning in the same run.
type shape struct {
	*tree
	cut  []string                      // paths whose value was cut out, or that a misspelt key was meant to give
	near []string                      // paths of mappings and lists that lost an entry so
	gaps map[ast.Node]bool             // what stands in lists where an element was cut out
	lost map[*ast.MappingNode][]string // keys whose entries were cut out of mappings
}

// explains says that a fault is the consequence of one already told: it is where
// something was cut out, or it is of what a list makes in which something was. A
// warning judges what the file does, and one with gaps does something else.
func (s *shape) explains(f galena.Fault) bool {
	if slices.Contains(s.near, f.Path) || len(s.gaps) > 0 && strings.HasPrefix(f.Code, "W") {
		return true
	}
	list := f.Path + "["
	if end := strings.LastIndexByte(f.Path, '['); end >= 0 {
		list = f.Path[:end+1]
	}
	together := slices.Contains(ofLists, f.Code)
	return slices.ContainsFunc(s.cut, func(c string) bool {
		rest, ok := strings.CutPrefix(f.Path, c)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[') || together && strings.HasPrefix(c, list)
	})
}

// ofLists are the codes of faults that a list has as a whole, or an element beside others.
var ofLists = []string{"E07", "E10", "E16"}

var (
	durationType    = reflect.TypeFor[time.Duration]()
	timeType        = reflect.TypeFor[time.Time]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	bytesYAMLType   = reflect.TypeFor[yaml.BytesUnmarshaler]()
	decoderYAMLType = reflect.TypeFor[yaml.InterfaceUnmarshaler]()
)

// reads answers whether the node fits the type; when not, it has told why.
func (s *shape) reads(n ast.Node, t reflect.Type, path string) bool {
	if _, null := n.(*ast.NullNode); null {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			return true // nothing was said
		}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if ok, own := s.ownReader(n, t, path); own {
		return ok
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.readsStruct(n, t, path)
	case reflect.Map:
		return s.readsMap(n, t, path)
	case reflect.Slice:
		return s.readsList(n, t, path)
	case reflect.Interface:
		return s.readsAny(n, path)
	default:
		return s.readsScalar(n, t, path)
	}
}

// ownReader lets types that read themselves do so, strictly. Durations and
// times are the decoder's own.
func (s *shape) ownReader(n ast.Node, t reflect.Type, path string) (ok, own bool) {
	text, isText := plainText(n)
	switch p := reflect.PointerTo(t); {
	case t == durationType:
		d, err := time.ParseDuration(text)
		if !isText || err != nil || d < 0 {
			return s.wrong(n, path, "a duration such as 30s, 15m or 4h"), true
		}
	case t == timeType:
		if _, err := time.Parse(time.RFC3339, text); !isText || err != nil {
			return s.wrong(n, path, "a time such as 2026-11-23T14:30:00Z"), true
		}
	case p.Implements(bytesYAMLType), p.Implements(decoderYAMLType), p.Implements(textType):
		if err := yaml.NodeToValue(n, reflect.New(t).Interface(), yaml.Strict()); err != nil {
			code := "E02"
			if _, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
				code = "E01"
			}
			place, message := explain(err)
			if p.Implements(bytesYAMLType) || place == (position{1, 1}) {
				place = at(n) // a reader of bytes counts from the node, others know no place
			}
			s.fail(place, path, code, "%s", message)
			return false, true
		}
	default:
		return false, false
	}
	return true, true
}

func plainText(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		return x.Value.Value, true
	default:
		return "", false
	}
}

// wrong tells a value of the wrong type.
func (s *shape) wrong(n ast.Node, path, want string) bool {
	s.fail(at(n), path, "E02", "must be %s, is %s", want, describe(n))
	return false
}

// keep walks the entries of a mapping, tells keys given twice, and drops the
// entries that do not fit.
func (s *shape) keep(m *ast.MappingNode, path string, fits func(v *ast.MappingValueNode, key, path string) bool) {
	for _, key := range s.lost[m] { // an alias has brought us here before
		s.cut, s.near = append(s.cut, strings.TrimPrefix(path+"."+key, ".")), append(s.near, path)
	}
	first := map[string]int{}
	var kept []*ast.MappingValueNode
	for _, v := range m.Values {
		key := keyText(v.Key)
		below := key
		if path != "" {
			below = path + "." + key
		}
		if line, twice := first[key]; twice {
			s.fail(at(v), below, "E03", "key %q is given twice, first on line %d", key, line)
			continue
		}
		first[key] = at(v).line
		if fits(v, key, below) {
			kept = append(kept, v)
		} else {
			s.cut, s.near = append(s.cut, below), append(s.near, path)
			s.lost[m] = append(s.lost[m], key)
		}
	}
	m.Values = kept
}

func (s *shape) readsStruct(n ast.Node, t reflect.Type, path string) bool {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return s.wrong(n, path, "keys with values")
	}
	known, names := fieldsOf(t)
	s.keep(m, path, func(v *ast.MappingValueNode, key, below string) bool {
		ft, ok := known[key]
		if !ok {
			fault := galena.Faultf(below, "E01", "unknown key %q", key)
			fault.Hint = galena.Nearest(key, names)
			s.faults = append(s.faults, placed{*fault, at(v)})
			if meant := strings.Split(fault.Hint, `"`); len(meant) > 1 {
				s.cut = append(s.cut, strings.TrimSuffix(below, key)+meant[1])
			}
			return false
		}
		return s.value(v, ft, below)
	})
	return true
}

// value tells an empty value at its key.
func (s *shape) value(v *ast.MappingValueNode, t reflect.Type, path string) bool {
	before := len(s.faults)
	ok := s.reads(v.Value, t, path)
	if !ok && len(s.faults) == before+1 && s.faults[before].at == at(v.Value) {
		s.faults[before].at = valueAt(v)
	}
	return ok
}

func (s *shape) readsMap(n ast.Node, t reflect.Type, path string) bool {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return s.wrong(n, path, "keys with values")
	}
	s.keep(m, path, func(v *ast.MappingValueNode, _, below string) bool {
		return s.value(v, t.Elem(), below)
	})
	return true
}

// readsList leaves a gap where an element does not fit, so that the others are still
// checked and keep their places.
func (s *shape) readsList(n ast.Node, t reflect.Type, path string) bool {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return s.wrong(n, path, "a list")
	}
	for i, v := range list.Values {
		below := path + "[" + strconv.Itoa(i) + "]"
		// An alias may have brought us here before.
		if !s.gaps[v] && s.readsElement(v, t.Elem(), below) {
			continue
		}
		gap := ast.Null(v.GetToken())
		list.Values[i], s.gaps[gap] = gap, true
		s.cut, s.near = append(s.cut, below), append(s.near, path)
	}
	return true
}

func (s *shape) readsElement(n ast.Node, t reflect.Type, path string) bool {
	if _, null := n.(*ast.NullNode); null && t.Kind() != reflect.Interface {
		return s.wrong(n, path, "an entry")
	}
	return s.reads(n, t, path)
}

// readsAny takes everything but keys given twice.
func (s *shape) readsAny(n ast.Node, path string) bool {
	switch x := n.(type) {
	case *ast.MappingNode:
		s.keep(x, path, func(v *ast.MappingValueNode, _, below string) bool { return s.readsAny(v.Value, below) })
	case *ast.SequenceNode:
		for i, v := range x.Values {
			s.readsAny(v, path+"["+strconv.Itoa(i)+"]")
		}
	}
	return true
}

func (s *shape) readsScalar(n ast.Node, t reflect.Type, path string) bool {
	switch t.Kind() {
	case reflect.String:
		if _, ok := plainText(n); !ok && !isNumber(n) {
			return s.wrong(n, path, "text")
		}
	case reflect.Bool:
		if _, ok := n.(*ast.BoolNode); !ok {
			return s.wrong(n, path, "true or false")
		}
	case reflect.Float32, reflect.Float64:
		if _, ok := number(n); !ok {
			return s.wrong(n, path, "a number")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64:
		x, ok := number(n)
		_, whole := n.(*ast.IntegerNode)
		if !ok || !whole || math.Abs(x) > 1<<53 || x < 0 && t.Kind() >= reflect.Uint {
			return s.wrong(n, path, "a whole number")
		}
	}
	return true
}

func isNumber(n ast.Node) bool { return strings.HasPrefix(describe(n), "the number") }

// number reads a number, .inf and .nan among them: which numbers a key takes is
// for its owner to say.
func number(n ast.Node) (float64, bool) {
	switch x := n.(type) {
	case *ast.IntegerNode:
		switch i := x.Value.(type) {
		case int64:
			return float64(i), true
		case uint64:
			return float64(i), true
		}
	case *ast.FloatNode:
		return x.Value, true
	case *ast.InfinityNode:
		return x.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	case *ast.StringNode: // the parser knows no exponent and no integer beyond 64 bits
		f, err := strconv.ParseFloat(x.Value, 64)
		return f, err == nil && x.Token.Type == token.StringType && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// fieldsOf lists the keys of a struct, those of inlined structs among them.
func fieldsOf(t reflect.Type) (map[string]reflect.Type, []string) {
	known, names := map[string]reflect.Type{}, []string(nil)
	for f := range t.Fields() {
		name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if strings.Contains(rest, "inline") {
			inner, more := fieldsOf(f.Type)
			for _, k := range more {
				known[k] = inner[k]
			}
			names = append(names, more...)
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		known[name] = f.Type
		names = append(names, name)
	}
	return known, names
}

package configs

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/galenahq/galena"
)

// position is where something stands, counted from 1.
type position struct{ line, column int }

// tree is a file as nodes: one mapping, with aliases and merge keys replaced by
// what they stand for.
type tree struct {
	root    *ast.MappingNode
	anchors map[string]ast.Node
	open    map[string]bool // anchors being resolved: an alias to one of them is a circle
	faults  []placed
}

// placed is a fault with its place.
type placed struct {
	galena.Fault
	at position
}

func (t *tree) fail(at position, path, code, format string, args ...any) {
	t.faults = append(t.faults, placed{*galena.Faultf(path, code, format, args...), at})
}

// parse reads the nodes of a file. The parser's time grows with the square of a
// mapping's width, so the size is judged on the tokens, before it runs.
func parse(b []byte, limit int) *tree {
	t := &tree{anchors: map[string]ast.Node{}, open: map[string]bool{}}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // editors of Windows begin UTF-8 with it
	tokens := 0
	for _, tk := range lexer.Tokenize(string(b)) {
		if tk.Type != token.CommentType {
			tokens++
		}
	}
	if tokens > 3*limit {
		t.fail(position{1, 1}, "", "E02", "the file has more than %d nodes", limit)
		return t
	}
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := explain(err)
		t.fail(at, "", "E02", "is not YAML: %s", message)
		return t
	}
	if len(file.Docs) > 1 {
		t.fail(at(file.Docs[1].Body), "", "E02", "one file holds one document, this is a second one")
		return t
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		t.fail(position{1, 1}, "", "E02", "the file is empty")
		return t
	}
	body := t.resolve(file.Docs[0].Body)
	root, ok := body.(*ast.MappingNode)
	switch {
	case len(t.faults) > 0:
	case !ok:
		t.fail(at(body), "", "E02", "must be keys with values, is %s", describe(body))
	case count(body, limit) > limit:
		t.fail(at(body), "", "E02", "the file has more than %d nodes once its aliases are replaced", limit)
	default:
		t.root = root
	}
	return t
}

// explain reads place and message of the library's error, without the excerpt.
func explain(err error) (position, string) {
	y, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return position{1, 1}, err.Error()
	}
	tk := y.GetToken()
	if _, ok := errors.AsType[*yaml.TypeError](err); ok { // its message names our types
		return tokenAt(tk), "the value has the wrong type"
	}
	return tokenAt(tk), y.GetMessage()
}

// resolve replaces aliases by their anchors' nodes and folds merge keys in.
func (t *tree) resolve(n ast.Node) ast.Node {
	switch x := n.(type) {
	case *ast.AnchorNode:
		name := x.Name.GetToken().Value
		t.open[name] = true
		value := t.resolve(x.Value)
		delete(t.open, name)
		t.anchors[name] = value
		return value
	case *ast.AliasNode:
		name := x.Value.GetToken().Value
		if value, ok := t.anchors[name]; ok && !t.open[name] {
			return value
		}
		t.fail(at(n), "", "E02", "alias *%s refers to nothing before it", name)
	case *ast.TagNode:
		t.fail(at(n), "", "E02", "tags such as %s are not used here", x.Start.Value)
	case *ast.MappingNode:
		for _, v := range x.Values {
			v.Value = t.resolve(v.Value)
		}
		t.merge(x)
	case *ast.SequenceNode:
		for i, v := range x.Values {
			x.Values[i] = t.resolve(v)
		}
	}
	return n
}

// merge replaces `<<: *x` by those entries of x that the mapping lacks.
func (t *tree) merge(m *ast.MappingNode) {
	var own, merged []*ast.MappingValueNode
	for _, v := range m.Values {
		if _, ok := v.Key.(*ast.MergeKeyNode); !ok {
			own = append(own, v)
			continue
		}
		for _, from := range items(v.Value) {
			if f, ok := from.(*ast.MappingNode); ok {
				merged = append(merged, f.Values...)
			} else {
				t.fail(at(v.Key), "", "E02", "<< must be followed by aliases of mappings")
			}
		}
	}
	has := map[string]bool{}
	for _, v := range own {
		has[keyText(v.Key)] = true
	}
	for _, v := range merged {
		if k := keyText(v.Key); !has[k] {
			has[k] = true
			own = append(own, v)
		}
	}
	m.Values = own
}

func items(n ast.Node) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	return []ast.Node{n}
}

// count counts nodes, and stops once there are more than the limit.
func count(n ast.Node, limit int) int {
	total := 1
	switch x := n.(type) {
	case *ast.MappingNode:
		for _, v := range x.Values {
			if total += 1 + count(v.Value, limit-total); total > limit {
				return total
			}
		}
	case *ast.SequenceNode:
		for _, v := range x.Values {
			if total += count(v, limit-total); total > limit {
				return total
			}
		}
	}
	return total
}

func keyText(k ast.MapKeyNode) string {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value
	}
	return k.GetToken().Value
}

// at is where a node begins: a block mapping at its first key.
func at(n ast.Node) position {
	switch x := n.(type) {
	case nil:
		return position{1, 1}
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return tokenAt(x.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return tokenAt(x.Key.GetToken())
	}
	return tokenAt(n.GetToken())
}

func tokenAt(tk *token.Token) position {
	if tk == nil || tk.Position == nil {
		return position{1, 1}
	}
	return position{tk.Position.Line, tk.Position.Column}
}

// valueAt is where the value of an entry begins, its key where nothing follows.
func valueAt(v *ast.MappingValueNode) position {
	if null, ok := v.Value.(*ast.NullNode); ok && null.Token.Type == token.ImplicitNullType {
		return at(v)
	}
	return at(v.Value)
}

// find is the place of a path such as `spec.criteria[0].weight`, or of the
// deepest part of it that exists. Keys may hold dots themselves
// (`spec.fields.company.name.decay`), so at each mapping the longest key wins.
func (t *tree) find(path string) position {
	if t.root == nil {
		return position{1, 1}
	}
	var n ast.Node = t.root
	place := at(n)
	for rest := path; rest != ""; {
		switch x := n.(type) {
		case *ast.MappingNode:
			entry := longestKey(x, rest)
			if entry == nil {
				return place
			}
			n, place = entry.Value, valueAt(entry)
			rest = strings.TrimPrefix(rest[len(keyText(entry.Key)):], ".")
		case *ast.SequenceNode:
			index, after, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]")
			i, err := strconv.Atoi(index)
			if !ok || err != nil || i < 0 || i >= len(x.Values) {
				return place
			}
			n, rest = x.Values[i], strings.TrimPrefix(after, ".")
			place = at(n)
		default:
			return place
		}
	}
	return place
}

func longestKey(m *ast.MappingNode, path string) *ast.MappingValueNode {
	var best *ast.MappingValueNode
	for _, v := range m.Values {
		k := keyText(v.Key)
		rest, ok := strings.CutPrefix(path, k)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') && (best == nil || len(k) > len(keyText(best.Key))) {
			best = v
		}
	}
	return best
}

// describe names what a node is, for people.
func describe(n ast.Node) string {
	switch x := n.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return fmt.Sprint(x.Value)
	case *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value
	case *ast.IntegerNode, *ast.FloatNode:
		return "the number " + n.GetToken().Value
	default:
		return "text"
	}
}

package galena

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// JSONLimits is how much of a stranger's JSON is taken.
type JSONLimits struct {
	Depth  int  // objects and lists, one within the other
	Fields int  // members of all its objects; 0: any number
	Loose  bool // takes U+0000, and a lone surrogate as U+FFFD
}

// JSONFault is what is wrong with a text of JSON, and where (RFC 6901). It repeats
// no value.
type JSONFault struct {
	Pointer string
	Code    string // malformed, invalid_utf8, duplicate_key, nul, too_deep, too_many_fields, trailing_data or not_an_object
	Detail  string
}

// Error prints the detail.
func (f *JSONFault) Error() string { return f.Detail }

// ReadJSON reads one object (RFC 8259) and the names of its members in their order.
// It refuses what encoding/json lets pass quietly: invalid UTF-8 and lone surrogates
// (which would make another address of an address), the same key twice, and text
// after the end; and what is too deep, too wide or holds U+0000, which no database
// takes. Numbers stay as they are written. The error is a *JSONFault.
func ReadJSON[M ~map[string]any](body []byte, limits JSONLimits) (M, []string, error) {
	if !utf8.Valid(body) {
		return nil, nil, &JSONFault{"", "invalid_utf8", "the body is not valid UTF-8"}
	}
	r := jsonReader[M]{tokens: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(limits.Loose)), limits: limits}
	v, err := r.value(0)
	if err != nil {
		return nil, nil, jsonFault(err, body)
	}
	if _, err := r.tokens.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, nil, &JSONFault{"", "trailing_data", "there is more after the end of the JSON object"}
	}
	o, ok := v.(M)
	if !ok {
		return nil, nil, &JSONFault{"", "not_an_object", "the body must be a JSON object"}
	}
	return o, r.names, nil
}

type jsonReader[M ~map[string]any] struct {
	tokens *jsontext.Decoder
	limits JSONLimits
	fields int
	names  []string // of the outermost object
}

func (r *jsonReader[M]) value(depth int) (any, error) {
	t, err := r.tokens.ReadToken()
	if err != nil {
		return nil, err
	}
	switch kind := t.Kind(); kind {
	case '{', '[':
		if depth >= r.limits.Depth {
			return nil, faultAt(r.tokens.StackPointer(), "too_deep", fmt.Sprintf("more than %d levels deep", r.limits.Depth))
		}
		if kind == '{' {
			return r.object(depth)
		}
		return r.list(depth)
	case '"':
		return r.text(t)
	case '0':
		return json.Number(t.String()), nil
	case 't', 'f':
		return kind == 't', nil
	default:
		var null any
		return null, nil
	}
}

func (r *jsonReader[M]) object(depth int) (any, error) {
	o := M{}
	for r.tokens.PeekKind() != '}' {
		t, err := r.tokens.ReadToken()
		if err != nil {
			return nil, err
		}
		name, err := r.text(t)
		if err != nil {
			return nil, err
		}
		if r.fields++; r.limits.Fields > 0 && r.fields > r.limits.Fields {
			return nil, faultAt(r.tokens.StackPointer().Parent(), "too_many_fields", fmt.Sprintf("more than %d fields", r.limits.Fields))
		}
		if depth == 0 {
			r.names = append(r.names, name)
		}
		if o[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.tokens.ReadToken()
	return o, err
}

func (r *jsonReader[M]) list(depth int) (any, error) {
	all := []any{}
	for r.tokens.PeekKind() != ']' {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, err := r.tokens.ReadToken()
	return all, err
}

func (r *jsonReader[M]) text(t jsontext.Token) (string, error) {
	s := t.String()
	if !r.limits.Loose && strings.IndexByte(s, 0) >= 0 {
		return "", faultAt(r.tokens.StackPointer(), "nul", "U+0000 is not allowed")
	}
	return s, nil
}

// jsonFault says in our words what the decoder found.
func jsonFault(err error, body []byte) error {
	if f, ok := errors.AsType[*JSONFault](err); ok {
		return f
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &JSONFault{"", "malformed", "the JSON ends too early"}
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return &JSONFault{"", "malformed", "not valid JSON"}
	}
	at := syntax.ByteOffset
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return faultAt(syntax.JSONPointer, "duplicate_key", "the same key is given twice")
	case isSurrogate(body[min(at, int64(len(body))):]):
		return faultAt(syntax.JSONPointer, "invalid_utf8", "a surrogate stands alone")
	}
	return &JSONFault{"", "malformed", fmt.Sprintf("not valid JSON near byte %d", at)}
}

func faultAt(p jsontext.Pointer, code, detail string) error {
	return &JSONFault{JSONPointer(slices.Collect(p.Tokens())...), code, detail}
}

// isSurrogate says whether an escape of a surrogate comes next: U+D800 to U+DFFF.
func isSurrogate(b []byte) bool {
	return len(b) >= 6 && b[0] == '\\' && b[1] == 'u' && (b[2] == 'd' || b[2] == 'D') && strings.IndexByte("89abcdefABCDEF", b[3]) >= 0
}

// JSONPointer points at what stands under these names (RFC 6901). It cuts the names
// that are absurd, and leaves U+0000 out.
func JSONPointer(names ...string) string {
	var p jsontext.Pointer
	for _, name := range names {
		if len(name) > 64 {
			name = strings.ToValidUTF8(name[:64], "")
		}
		p = p.AppendToken(strings.ReplaceAll(name, "\x00", ""))
	}
	return string(p)
}

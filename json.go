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
	r := jsonReader[M]{jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(limits.Loose)), limits, 0}
	v, names, err := r.value(0)
	if err == nil {
		if _, err = r.tokens.ReadToken(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = &JSONFault{"", "trailing_data", "there is more after the end of the JSON object"}
		}
	}
	if err != nil {
		return nil, nil, jsonFault(err, body)
	}
	o, ok := v.(M)
	if !ok {
		return nil, nil, &JSONFault{"", "not_an_object", "the body must be a JSON object"}
	}
	return o, names, nil
}

type jsonReader[M ~map[string]any] struct {
	tokens *jsontext.Decoder
	limits JSONLimits
	fields int
}

// value reads one value; names are those of an object.
func (r *jsonReader[M]) value(depth int) (v any, names []string, err error) {
	t, err := r.tokens.ReadToken()
	if err != nil {
		return nil, nil, err
	}
	switch kind := t.Kind(); kind {
	case '{', '[':
		if depth >= r.limits.Depth {
			return nil, nil, r.fault("too_deep", fmt.Sprintf("more than %d levels deep", r.limits.Depth))
		}
		if kind == '{' {
			return r.object(depth)
		}
		v, err = r.list(depth)
		return v, nil, err
	case '"':
		v, err = r.text(t)
		return v, nil, err
	case '0':
		return json.Number(t.String()), nil, nil
	case 'n':
		return nil, nil, nil
	default:
		return kind == 't', nil, nil
	}
}

func (r *jsonReader[M]) object(depth int) (any, []string, error) {
	o := M{}
	var names []string
	for r.tokens.PeekKind() != '}' {
		t, err := r.tokens.ReadToken()
		if err != nil {
			return nil, nil, err
		}
		name, err := r.text(t)
		if err != nil {
			return nil, nil, err
		}
		if r.fields++; r.limits.Fields > 0 && r.fields > r.limits.Fields {
			return nil, nil, &JSONFault{jsonPointer(r.tokens.StackPointer().Parent()), "too_many_fields", fmt.Sprintf("more than %d fields", r.limits.Fields)}
		}
		if o[name], _, err = r.value(depth + 1); err != nil {
			return nil, nil, err
		}
		if depth == 0 {
			names = append(names, name)
		}
	}
	_, err := r.tokens.ReadToken()
	return o, names, err
}

func (r *jsonReader[M]) list(depth int) (any, error) {
	all := []any{}
	for r.tokens.PeekKind() != ']' {
		v, _, err := r.value(depth + 1)
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
		return "", r.fault("nul", "U+0000 is not allowed")
	}
	return s, nil
}

// fault is about what was read last.
func (r *jsonReader[M]) fault(code, detail string) error {
	return &JSONFault{jsonPointer(r.tokens.StackPointer()), code, detail}
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
		return &JSONFault{jsonPointer(syntax.JSONPointer), "duplicate_key", "the same key is given twice"}
	case isSurrogate(body[min(at, int64(len(body))):]):
		return &JSONFault{jsonPointer(syntax.JSONPointer), "invalid_utf8", "a surrogate stands alone"}
	}
	return &JSONFault{"", "malformed", fmt.Sprintf("not valid JSON near byte %d", at)}
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

func jsonPointer(p jsontext.Pointer) string { return JSONPointer(slices.Collect(p.Tokens())...) }

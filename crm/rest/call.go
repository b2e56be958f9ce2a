package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// maxBody is the largest answer that is read.
const maxBody = 1 << 20

// blanks are what the braces of a call's texts stand for.
type blanks map[string]any

var blank = regexp.MustCompile(`\{([a-z]+)\}`)

// text fills a text; values are escaped for where it stands, and a list is
// joined by commas.
func (b blanks) text(s string, escape func(string) string) string {
	return blank.ReplaceAllStringFunc(s, func(in string) string {
		v, ok := b[in[1:len(in)-1]]
		if !ok {
			return in
		}
		if list, ok := v.([]string); ok {
			return escape(strings.Join(list, ","))
		}
		return escape(word(v))
	})
}

// json fills the texts of a body. A text that is one blank becomes the value
// itself, and in a list a list's entries.
func (b blanks) json(v any) any {
	switch x := v.(type) {
	case string:
		if m := blank.FindStringSubmatch(x); m != nil && m[0] == x && b[m[1]] != nil {
			return b[m[1]]
		}
		return b.text(x, plainly)
	case []any:
		out := make([]any, 0, len(x))
		for _, it := range x {
			filled := b.json(it)
			if list, ok := filled.([]string); ok {
				for _, s := range list {
					out = append(out, s)
				}
				continue
			}
			out = append(out, filled)
		}
		return out
	case object:
		out := make(object, len(x))
		for k := range x {
			out[k] = b.json(x[k])
		}
		return out
	default:
		return v
	}
}

func plainly(s string) string { return s }

// request is one call that is ready to go.
type request struct {
	Call
	op      string
	cost    int
	blanks  blanks
	headers map[string]string // of this call alone, with blanks
	body    any               // nil = the call's own, if it has one
}

// refusal is the error of an answer, with what it names.
type refusal struct {
	error
	status  int
	mention string // the text that may name fields, never shown
}

// Unwrap returns the error with its kind.
func (r *refusal) Unwrap() error { return r.error }

// bare leaves behind what the CRM said: it may quote a person.
func bare(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.error
	}
	return err
}

// do sends a request and returns the answer's JSON. A refused token is read
// anew, once.
func (c *Connector) do(ctx context.Context, r request) (any, error) {
	var refused string
	for again := false; ; again = true {
		token, err := c.keys.give(ctx, refused)
		if err != nil {
			return nil, err
		}
		doc, err := c.send(ctx, r, token)
		if again || galena.KindOf(err) != galena.Unauthorized || c.config.Auth.Style == styleNone {
			return doc, err
		}
		refused = token
	}
}

func (c *Connector) send(ctx context.Context, r request, token string) (any, error) {
	leave, err := c.pace.enter(ctx, r.op, r.cost)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.build(ctx, r, token)
	if err != nil {
		return nil, galena.Errorf(galena.Invalid, r.op, "the request cannot be built from the configuration")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, crm.ExchangeError(r.op, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, crm.ExchangeError(r.op, err)
	}
	return c.judge(r, resp, b)
}

// build makes the request: every text is escaped for where it stands.
func (c *Connector) build(ctx context.Context, r request, token string) (*http.Request, error) {
	at := strings.TrimRight(c.config.BaseURL, "/")
	if c.config.Auth.Style == stylePath {
		at += c.config.Auth.Prefix + url.PathEscape(token)
	}
	at += r.blanks.text(r.Path, url.PathEscape)
	if len(r.Query) > 0 {
		q := url.Values{}
		for k, v := range r.Query {
			q.Set(k, r.blanks.text(v, plainly))
		}
		at += "?" + q.Encode()
	}
	var body io.Reader
	sent := r.body
	if sent == nil && r.Body != nil {
		sent = r.blanks.json(r.Body)
	}
	if sent != nil {
		b, err := json.Marshal(sent)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, at, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if sent != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.config.Headers {
		req.Header.Set(k, v)
	}
	for k, v := range r.headers {
		req.Header.Set(k, r.blanks.text(v, plainly))
	}
	c.config.Auth.sign(req, token)
	return req, nil
}

// judge says what an answer means.
func (c *Connector) judge(r request, resp *http.Response, b []byte) (any, error) {
	doc, wrong := parse(b)
	kind := c.meaning(resp.StatusCode, doc, b)
	if kind == "" {
		kind = kindOf(resp.StatusCode)
	}
	if kind == "" && len(r.Statuses) > 0 && !slices.Contains(r.Statuses, resp.StatusCode) {
		kind = galena.Malformed
	}
	if kind == "" && wrong != nil {
		return nil, galena.Errorf(galena.Malformed, r.op, "%w", wrong)
	}
	if kind == "" && r.Success != "" && !says(lead(r.Success).get(doc)) {
		kind = galena.Invalid
	}
	if kind == "" {
		return doc, nil
	}
	e := &galena.Error{Kind: kind, Op: r.op, Err: errors.New("status " + itoa(resp.StatusCode)), Cause: itoa(resp.StatusCode)}
	if kind == galena.RateLimited || kind == galena.Exhausted || kind == galena.Unavailable {
		e.RetryAfter = c.wait(resp, doc)
	}
	return nil, &refusal{error: e, status: resp.StatusCode, mention: c.mention(doc)}
}

// meaning looks through the file's table.
func (c *Connector) meaning(status int, doc any, b []byte) galena.Kind {
	for _, m := range c.config.Errors.Kinds {
		if m.Status != 0 && m.Status != status {
			continue
		}
		said := string(b)
		if m.At != "" {
			if said = word(lead(m.At).get(doc)); said == "" {
				continue
			}
		}
		if strings.Contains(strings.ToLower(said), strings.ToLower(m.Contains)) {
			return galena.Kind(m.Is)
		}
	}
	return ""
}

// mention gathers the texts in which refused fields are named.
func (c *Connector) mention(doc any) string {
	var out []string
	for _, p := range c.config.Errors.Message {
		for _, v := range lead(p).all(doc) {
			out = append(out, texts(v)...)
		}
	}
	return strings.Join(out, "\n")
}

// texts are the words of a value and the keys of its objects.
func texts(v any) []string {
	switch x := v.(type) {
	case object:
		var out []string
		for k, it := range x {
			out = append(append(out, k), texts(it)...)
		}
		return out
	case []any:
		var out []string
		for _, it := range x {
			out = append(out, texts(it)...)
		}
		return out
	default:
		return []string{word(x)}
	}
}

// parse reads an answer; an empty one is nothing.
func parse(b []byte) (any, error) {
	if len(b) > maxBody {
		return nil, errors.New("the answer is too large")
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return object{}, nil
	}
	if !utf8.Valid(b) {
		return nil, errors.New("the answer is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil || d.More() {
		return nil, errors.New("the answer is not JSON")
	}
	return doc, nil
}

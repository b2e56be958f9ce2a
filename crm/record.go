package crm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxRecorded is the largest answer that is written down.
const maxRecorded = 8 << 20

// What stands in a fixture for the company and the person that were looked up.
const (
	recordedDomain = "acme.example"
	recordedEmail  = "ana@acme.example"
)

// Recorder writes down the exchanges that pass through it as a fixture that a test
// can play: without any header that is sent, without secrets, and without what may
// be a person's. Of an answer its shape, ids, dates, numbers and constants stay;
// every other text becomes another one, the same for the same.
type Recorder struct {
	next    http.RoundTripper
	key     Key
	secrets []string
	// Own tells of answers that are about no record, such as which fields there
	// are, and gives what of them is to be kept, as it is; nil = there are none.
	Own func(path string, answer any) (any, bool)

	mu   sync.Mutex
	seen []recorded
}

// recorded is one exchange as it was.
type recorded struct {
	method, path, query, sent string
	form                      bool
	status                    int
	wait                      string // Retry-After
	answer                    []byte
}

// NewRecorder records what is sent by next about one key.
func NewRecorder(next http.RoundTripper, key Key, secrets ...string) *Recorder {
	return &Recorder{next: next, key: key, secrets: slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })}
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	e := recorded{method: req.Method, path: req.URL.Path, query: req.URL.RawQuery,
		form: strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded")}
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		e.sent = string(b)
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(b))
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxRecorded))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	e.status, e.wait, e.answer = resp.StatusCode, resp.Header.Get("Retry-After"), b
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, e)
	return resp, nil
}

// Fixture is what was recorded so far.
func (r *Recorder) Fixture(title string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &scrubber{key: r.key, secrets: r.secrets, words: map[string]string{}}
	answers := make([]string, len(r.seen))
	for i, e := range r.seen {
		answers[i] = r.answer(s, e)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n", title)
	for i, e := range r.seen {
		query, err := url.QueryUnescape(e.query)
		if err != nil {
			query = e.query
		}
		fmt.Fprintf(&out, "\n### %d\n> %s %s\n", i+1, e.method, s.sent(strings.TrimSuffix(e.path+"?"+query, "?")))
		switch {
		case e.form:
			out.WriteString("> (a form)\n")
		case e.sent != "":
			fmt.Fprintf(&out, "> %s\n", s.sent(compact(e.sent)))
		}
		fmt.Fprintf(&out, "< %d\n", e.status)
		if e.wait != "" {
			fmt.Fprintf(&out, "< Retry-After: %s\n", e.wait)
		}
		if answers[i] != "" {
			out.WriteString(answers[i] + "\n")
		}
	}
	return []byte(out.String())
}

// answer is what is kept of one.
func (r *Recorder) answer(s *scrubber, e recorded) string {
	d := json.NewDecoder(bytes.NewReader(e.answer))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if len(bytes.TrimSpace(e.answer)) == 0 {
			return ""
		}
		return "(not JSON)"
	}
	refused := e.status >= http.StatusBadRequest
	if m, ok := v.(map[string]any); ok {
		refused = refused || m["errors"] != nil
	}
	about := false
	if r.Own != nil && !refused {
		v, about = r.Own(e.path, v)
	}
	switch {
	case refused, about:
		v = s.walk("", v, func(_, text string) string { return s.sent(text) })
	default:
		v = s.walk("", v, s.text)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "(not JSON)"
	}
	return string(b)
}

// compact is a body on one line.
func compact(s string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return strings.Join(strings.Fields(s), " ")
	}
	return b.String()
}

// scrubber makes texts unreadable, the same ones alike.
type scrubber struct {
	key     Key
	secrets []string
	words   map[string]string
}

var (
	anAddress  = regexp.MustCompile(`[\pL\pN._%+'-]+@[\pL\pN.-]+\.[\pL]{2,}`)
	anID       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$|^[0-9]{1,9}(\.[0-9]{1,6})?$`)
	aDate      = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}([T ][0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?$`)
	ofAnID     = regexp.MustCompile(`(?i)^(id|type|kind)$|_id$|_type$`)
	aToken     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	aConstant  = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`)
	ofAPerson  = regexp.MustCompile(`(?i)name|title|street|address|city|note|phone|mobile|mail|birth`)
	aBareOrURL = regexp.MustCompile(`(?i)^(https?://)?(www\.)?([^/:]+)(:\d+)?(/.*)?$`)
)

// walk rebuilds a value with its texts changed; it is told under which key each stands.
func (s *scrubber) walk(name string, v any, change func(name, text string) string) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, it := range x {
			out[k] = s.walk(k, it, change)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, it := range x {
			out[i] = s.walk(name, it, change)
		}
		return out
	case string:
		return change(name, x)
	case json.Number:
		if ofAPerson.MatchString(name) {
			return json.Number("1")
		}
	}
	return v
}

// text is what stands for a text of a record.
func (s *scrubber) text(name, text string) string {
	personal := ofAPerson.MatchString(name)
	switch m := aBareOrURL.FindStringSubmatch(text); {
	case text == "":
		return ""
	case s.key.Email != "" && strings.EqualFold(text, s.key.Email):
		return recordedEmail
	case m != nil && s.key.Domain != "" && strings.EqualFold(m[3], s.key.Domain):
		return strings.ToLower(m[1]+m[2]) + recordedDomain
	case ofAnID.MatchString(name) && aToken.MatchString(text):
		return text
	case aDate.MatchString(text), anID.MatchString(text) && !personal, aConstant.MatchString(text) && !personal:
		return text
	}
	known, ok := s.words[text]
	if !ok {
		known = "text " + strconv.Itoa(len(s.words)+1)
		if anAddress.MatchString(text) {
			known = "person-" + strconv.Itoa(len(s.words)+1) + "@example.com"
		}
		s.words[text] = known
	}
	return known
}

// sent is a text that we sent, or that tells why not: what of it was met in an
// answer, what it was about, addresses and secrets are exchanged.
func (s *scrubber) sent(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "SECRET")
	}
	text = insensitive(text, s.key.Email, recordedEmail)
	text = anAddress.ReplaceAllStringFunc(text, func(at string) string {
		if at == recordedEmail {
			return at
		}
		return s.text("email", at)
	})
	text = insensitive(text, s.key.Domain, recordedDomain)
	met := slices.SortedFunc(maps.Keys(s.words), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, word := range met {
		if len(word) >= 16 || strings.ContainsAny(word, " \t") { // a cursor, or prose; a short word may be ours
			text = strings.ReplaceAll(text, word, s.words[word])
		}
	}
	return text
}

// insensitive replaces a word in any case of its letters.
func insensitive(text, word, by string) string {
	if word == "" {
		return text
	}
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(word)).ReplaceAllLiteralString(text, by)
}

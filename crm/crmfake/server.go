package crmfake

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena/crm"
)

// maxBody is the largest request that is read, and forever how long one hangs whose
// sender never goes.
const (
	maxBody = 1 << 20
	forever = time.Minute
)

// Request is one line of the ledger.
type Request struct {
	Method, Path, Query, Body string
	Header                    http.Header
	Status                    int  // 0 = the connection was dropped
	Write                     bool // it was meant to change a record
}

// Server is one fake CRM.
type Server struct {
	mu     sync.Mutex
	lang   language
	tables map[crm.Object]*table
	now    func() time.Time
	last   time.Time // what was told as the time last
	ledger []Request
	faults faults

	token  string // accepted for good
	access string // accepted until it expires
	minted int
}

// faults is what goes wrong next.
type faults struct {
	throttled int // so many requests are too fast
	hint      bool
	spent     bool // the day's quota is gone
	down      bool
	dropped   int // so many writes are done and not answered
	hanging   int // so many requests are done once their sender has gone
	latency   time.Duration
	onWrite   func()
	onRead    func()

	calls int // allowed in each window
	per   time.Duration
	times []time.Time
	leaky bool
	left  int       // of a bucket
	took  time.Time // the last call that it let through
}

// New makes an empty CRM. Token is what it accepts; the client of its token
// endpoint, POST /oauth/token, is "client" with the secret "secret" and the
// refresh token "refresh".
func New(d Dialect, token string, now func() time.Time) *Server {
	s := &Server{lang: languages[d], token: token, now: now, tables: map[crm.Object]*table{}}
	for o, columns := range s.lang.columns() {
		s.tables[o] = &table{columns: columns, rows: map[string]*row{}}
	}
	return s
}

// Ledger returns every request so far.
func (s *Server) Ledger() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ledger)
}

// Minted is how many access tokens were handed out.
func (s *Server) Minted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.minted
}

// Throttle refuses the next n requests as too fast; hint says when to come back.
func (s *Server) Throttle(n int, hint bool) {
	s.set(func(f *faults) { f.throttled, f.hint = n, hint })
}

// Limit allows so many calls in each period.
func (s *Server) Limit(calls int, per time.Duration) {
	s.set(func(f *faults) { f.calls, f.per, f.leaky, f.times = calls, per, false, nil })
}

// Bucket allows so many calls at once, and then one for each whole interval, a
// period through calls, since the one before: Twenty's way. What is left of an
// interval is lost, so it is no limit for a shorter minute than a busy machine
// keeps time in.
func (s *Server) Bucket(calls int, per time.Duration) {
	s.set(func(f *faults) { f.calls, f.per, f.leaky, f.left, f.took = calls, per, true, calls, s.now() })
}

// Spend uses up the day's quota, or gives it back.
func (s *Server) Spend(gone bool) { s.set(func(f *faults) { f.spent = gone }) }

// Down takes the CRM away, or brings it back.
func (s *Server) Down(down bool) { s.set(func(f *faults) { f.down = down }) }

// Drop does the next n writes and drops the connection instead of an answer.
func (s *Server) Drop(n int) { s.set(func(f *faults) { f.dropped = n }) }

// Hang keeps the next n requests without an answer, and does what they ask for
// once their sender has gone.
func (s *Server) Hang(n int) { s.set(func(f *faults) { f.hanging = n }) }

// Latency is waited before each answer.
func (s *Server) Latency(d time.Duration) { s.set(func(f *faults) { f.latency = d }) }

// OnWrite is called right before each write is done: a person is faster.
func (s *Server) OnWrite(f func()) { s.set(func(all *faults) { all.onWrite = f }) }

// OnRead is called right after each record was read.
func (s *Server) OnRead(f func()) { s.set(func(all *faults) { all.onRead = f }) }

// Regenerate replaces the token; the old one stops at once.
func (s *Server) Regenerate(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.access = token, ""
}

// Expire ends the access token that the token endpoint gave.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = ""
}

func (s *Server) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	latency, hang := s.faults.latency, s.faults.hanging > 0
	if hang {
		s.faults.hanging--
	}
	s.ledger = append(s.ledger, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: string(b), Header: r.Header.Clone()})
	line := len(s.ledger) - 1
	s.mu.Unlock()
	if hang {
		latency = forever
	}
	select {
	case <-time.After(latency):
	case <-r.Context().Done():
	}
	c, a, drop := s.answer(r, b)
	if drop {
		a.status = 0
	}
	s.mu.Lock()
	s.ledger[line].Status, s.ledger[line].Write = a.status, c.writes()
	s.mu.Unlock()
	if drop {
		cut(w)
		return
	}
	a.send(w)
}

// answer is the whole of a talk but for its wire.
func (s *Server) answer(r *http.Request, b []byte) (c call, a answer, drop bool) {
	if r.Method == http.MethodPost && r.URL.Path == "/oauth/token" {
		return call{}, s.mint(r, b), false
	}
	refused := func(no *refusal) answer {
		no.graph = r.URL.Path == graphPath
		return s.lang.refuse(*no)
	}
	if no := s.admit(r); no != nil {
		return call{}, refused(no), false
	}
	body, ok := decode(b)
	if !ok {
		return call{}, refused(&refusal{why: garbled}), false
	}
	if d, ok := s.lang.(describer); ok {
		if a, told := d.describe(s, r, body); told {
			return call{}, a, false
		}
	}
	c, no := s.lang.parse(r, body)
	if no != nil {
		return c, refused(no), false
	}
	s.hook(c.writes())
	s.mu.Lock()
	rows, no := s.do(c)
	drop = no == nil && c.writes() && s.faults.dropped > 0
	if drop {
		s.faults.dropped--
	}
	s.mu.Unlock()
	if no != nil {
		return c, refused(no), false
	}
	a = s.lang.reply(c, rows)
	if c.op == read {
		s.after()
	}
	return c, a, drop
}

// hook lets a person act before a write.
func (s *Server) hook(write bool) {
	s.mu.Lock()
	f := s.faults.onWrite
	s.mu.Unlock()
	if write && f != nil {
		f()
	}
}

// after lets a person act after a read.
func (s *Server) after() {
	s.mu.Lock()
	f := s.faults.onRead
	s.mu.Unlock()
	if f != nil {
		f()
	}
}

// admit is what comes before the request is looked at.
func (s *Server) admit(r *http.Request) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	h := s.lang.habits()
	given, ok := strings.CutPrefix(r.Header.Get(h.header), h.prefix)
	switch now := s.now(); {
	case f.down:
		return &refusal{why: away}
	case !ok || given == "":
		return &refusal{why: noToken}
	case given != s.token && given != s.access:
		return &refusal{why: badToken}
	case h.free != "" && strings.HasPrefix(r.URL.Path, h.free):
		return nil
	case f.spent:
		return &refusal{why: spent}
	case f.throttled > 0:
		f.throttled--
		return &refusal{why: tooFast, hint: f.hint}
	case f.calls > 0 && f.leaky:
		gained := min(int(now.Sub(f.took)/(f.per/time.Duration(f.calls))), f.calls)
		if f.left+gained == 0 {
			return &refusal{why: tooFast, hint: f.hint}
		}
		f.left, f.took = min(f.left+gained, f.calls)-1, now
	case f.calls > 0:
		for len(f.times) > 0 && now.Sub(f.times[0]) >= f.per {
			f.times = f.times[1:]
		}
		if len(f.times) >= f.calls {
			return &refusal{why: tooFast, hint: f.hint}
		}
		f.times = append(f.times, now)
	}
	return nil
}

// mint is the token endpoint.
func (s *Server) mint(r *http.Request, b []byte) answer {
	r.Body = io.NopCloser(bytes.NewReader(b))
	if err := r.ParseForm(); err != nil {
		return answer{status: http.StatusBadRequest, body: object{"error": "invalid_request"}}
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	grant := r.PostFormValue("grant_type")
	known := grant == "client_credentials" || grant == "refresh_token" && r.PostFormValue("refresh_token") == "refresh"
	if id != "client" || secret != "secret" || !known {
		return answer{status: http.StatusBadRequest, body: object{"error": "invalid_grant"}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minted++
	s.access = "access-" + strconv.Itoa(s.minted)
	return answer{status: http.StatusOK, body: object{"access_token": s.access, "token_type": "Bearer", "expires_in": 1800}}
}

// object is a JSON object.
type object = map[string]any

// answer is a response.
type answer struct {
	status int
	body   any // nil = none
	header map[string]string
	kind   string // the content type; default JSON
}

func (a answer) send(w http.ResponseWriter) {
	if a.kind == "" {
		a.kind = "application/json"
	}
	w.Header().Set("Content-Type", a.kind)
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	if a.body != nil {
		_ = json.NewEncoder(w).Encode(a.body) //nolint:errchkjson // what a test wrote into the store is JSON
	}
}

// cut ends a connection without an answer.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// decode reads a body; none at all is an empty one. A list stands under "".
func decode(b []byte) (object, bool) {
	if len(bytes.TrimSpace(b)) == 0 {
		return object{}, true
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	switch x := v.(type) {
	case object:
		return x, true
	case []any:
		return object{"": x}, true
	default:
		return nil, false
	}
}

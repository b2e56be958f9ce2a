package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

const bootstrap = "a bootstrap token of some length!"

// shelf is a small store: it accepts, replays and remembers.
type shelf struct {
	called  []string // by providers
	callErr error
	mu      sync.Mutex
	leads   []galena.Record
	tokens  []galena.Token
	replays map[string]galena.Receipt
	hashes  map[string][]byte
	asked   int // look-ups of tokens
	touched int
	trail   []galena.AuditEntry
	open    []galena.Dispute
	word    galena.Resolution // the last one
	err     error
	frozen  bool          // says nothing any more
	stalled bool          // reads, and writes nothing any more: its disk hangs
	slow    time.Duration // of whoever looks a token up
	acts    []galena.Act
	links   []galena.DomainLink
	orders  []galena.EnrichOrder
	back    string // the last filter's
	failed  []galena.FailedStep
	again   []galena.FailedStep
	ledger  ledger
}

func (s *shelf) FailedSteps(_ context.Context, f galena.FailedFilter) ([]galena.FailedStep, error) {
	var out []galena.FailedStep
	for _, st := range s.failed {
		if (f.Kind == "" || f.Kind == st.Kind) && (f.Reason == "" || f.Reason == st.Reason) && st.Cursor > f.After && len(out) < f.Limit {
			out = append(out, st)
		}
	}
	return out, s.err
}

func (s *shelf) Replay(_ context.Context, again []galena.FailedStep, trail galena.AuditEntry) (int, error) {
	s.again, s.trail = append(s.again, again...), append(s.trail, trail)
	return len(again), s.err
}

func (s *shelf) Conflicts(_ context.Context, f galena.ConflictFilter) ([]galena.Dispute, error) {
	var out []galena.Dispute
	for _, d := range s.open {
		if d.Entity == f.Entity && d.Status == f.Status {
			out = append(out, d)
		}
	}
	return out, s.err
}

func (s *shelf) Conflict(_ context.Context, id string) (galena.Dispute, error) {
	for _, d := range s.open {
		if d.ID == id {
			return d, s.err
		}
	}
	return galena.Dispute{}, galena.Errorf(galena.NotFound, "sql.conflict", "none")
}

func (s *shelf) ResolveConflict(ctx context.Context, r galena.Resolution) (galena.Dispute, error) {
	d, err := s.Conflict(ctx, r.ID)
	if err == nil && d.Status != galena.ConflictOpen {
		return d, galena.Errorf(galena.Conflict, "resolved", "over")
	}
	s.word = r
	d.Status, d.ResolvedBy = galena.ConflictResolved, r.By
	return d, err
}

func (s *shelf) Release(_ context.Context, r galena.Release) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.leads {
		if s.leads[i].Lead.ID == r.Lead.ID {
			s.leads[i].Lead = r.Lead
		}
	}
	s.trail = append(s.trail, r.Audit)
	return s.err
}

// silence keeps a caller until he gives up.
func (s *shelf) silence(ctx context.Context) error {
	<-ctx.Done()
	return galena.Errorf(galena.Unavailable, "sql", "no answer")
}

func (s *shelf) Accept(ctx context.Context, in galena.Intake) (galena.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen || s.stalled {
		return galena.Receipt{}, s.silence(ctx)
	}
	if s.err != nil {
		return galena.Receipt{}, s.err
	}
	r := galena.Receipt{ID: in.Lead.ID, ExternalID: in.Lead.ExternalID, Status: in.Lead.Status, Warnings: in.Warnings}
	if k := in.Idempotency; k != nil {
		id := k.Token + "\n" + k.Key
		if old, ok := s.replays[id]; ok {
			if !bytes.Equal(s.hashes[id], k.BodyHash) {
				return galena.Receipt{}, galena.Errorf(galena.Invalid, "idempotency", "another body")
			}
			return old, nil
		}
		s.replays[id], s.hashes[id] = r, k.BodyHash
	}
	if !in.Forget {
		s.leads = append(s.leads, galena.Record{Lead: in.Lead, Company: galena.Company{Domain: in.Lead.Domain}})
	}
	return r, nil
}

func (s *shelf) Recall(context.Context, [][]byte, string) (bool, bool, error) {
	return false, false, s.err
}
func (s *shelf) KnownDomains(context.Context) ([]string, error) { return nil, s.err }
func (s *shelf) Nudge()                                         {}

func (s *shelf) Record(_ context.Context, id string) (galena.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.leads {
		if r.Lead.ID == id {
			return r, s.err
		}
	}
	return galena.Record{}, galena.Errorf(galena.NotFound, "sql.record", "no such lead")
}

func (s *shelf) Records(_ context.Context, f galena.LeadFilter) ([]galena.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.back = f.Back
	var out []galena.Record
	for _, r := range slices.Backward(s.leads) {
		if (f.Status == "" || f.Status == r.Lead.Status) && (f.Before == "" || r.Lead.ID < f.Before) && len(out) < f.Limit {
			out = append(out, r)
		}
	}
	return out, s.err
}

func (s *shelf) Company(_ context.Context, domain string) (galena.Company, error) {
	for _, r := range s.leads {
		if r.Company.Domain == domain {
			return r.Company, s.err
		}
	}
	return galena.Company{}, galena.Errorf(galena.NotFound, "sql.company", "no such company")
}

func (s *shelf) TokenByHash(ctx context.Context, hash []byte) (galena.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen {
		return galena.Token{}, s.silence(ctx)
	}
	time.Sleep(s.slow)
	s.asked++
	for _, t := range s.tokens {
		if bytes.Equal(t.Hash, hash) {
			return t, s.err
		}
	}
	return galena.Token{}, galena.Errorf(galena.NotFound, "sql.token", "no such token")
}

func (s *shelf) TouchToken(ctx context.Context, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stalled {
		return s.silence(ctx)
	}
	s.touched++
	return nil
}

type desk struct {
	http.Handler
	shelf *shelf
	log   *bytes.Buffer
	mu    sync.Mutex
	time  time.Time
	ready error
	rules galena.ConfigState
	shop  galena.Catalogue
}

func (d *desk) now() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.time }

func (d *desk) pass(by time.Duration) { d.mu.Lock(); defer d.mu.Unlock(); d.time = d.time.Add(by) }

// Write lets the log be written from several goroutines.
func (d *desk) Write(b []byte) (int, error) { d.mu.Lock(); defer d.mu.Unlock(); return d.log.Write(b) }

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{shelf: &shelf{replays: map[string]galena.Receipt{}, hashes: map[string][]byte{}}, log: &bytes.Buffer{},
		time: time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)}
	j, err := intake.NewJudge(intake.Config{}, intake.Options{AllowReserved: true})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := intake.NewGate(intake.Deps{Judge: j, Store: d.shelf, Queue: d.shelf, Registerer: prometheus.NewRegistry(), Now: d.now})
	if err != nil {
		t.Fatal(err)
	}
	d.Handler, err = New(Deps{Gate: gate, Store: d.shelf, Hands: d.shelf, Enricher: d.shelf, Callbacks: d.shelf, Edits: d.shelf, Tokens: d.shelf, Figures: d.shelf, Bootstrap: bootstrap,
		Rules: func() galena.ConfigState { return d.rules }, Catalogue: func() galena.Catalogue { return d.shop },
		Ready:   func(context.Context) error { return d.ready },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "galena_leads_total 1\n") }),
		Log:     slog.New(slog.NewJSONHandler(d, nil)), Now: d.now,
		TTL: func(field string) (fresh, held time.Duration) {
			const day = 24 * time.Hour
			return map[string]time.Duration{"company.employee_count": 89 * day}[field],
				map[string]time.Duration{"company.employee_count": 178 * day, "company.name": 5 * day}[field]
		}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// token puts a token with these scopes on the shelf.
func (d *desk) token(scopes ...string) string {
	value, t := NewToken(PrefixLive, d.now(), time.Time{})
	t.Scopes = scopes
	d.shelf.tokens = append(d.shelf.tokens, t)
	return value
}

// call sends one request from afar; headers are "Name: value".
func (d *desk) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	r.RemoteAddr = "203.0.113.7:4242"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "From-Address" {
			r.RemoteAddr = value
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

const jsonType = "Content-Type: application/json"

func auth(token string) string { return "Authorization: Bearer " + token }

func (d *desk) post(body string, headers ...string) *httptest.ResponseRecorder {
	return d.call(http.MethodPost, "/v1/leads", body, append([]string{auth(bootstrap), jsonType}, headers...)...)
}

// problemIn reads a problem and checks what every problem must have.
func problemIn(t *testing.T, w *httptest.ResponseRecorder) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %s", ct)
	}
	if p.Status != w.Code || p.Code == "" || p.Type != "urn:galena:problem:"+p.Code || p.Title == "" ||
		p.RequestID == "" || p.RequestID != w.Header().Get("X-Request-Id") {
		t.Errorf("problem %+v for %d", p, w.Code)
	}
	if p.Status == 429 || p.Status == 503 {
		if w.Header().Get("Retry-After") == "" {
			t.Errorf("%d without Retry-After", p.Status)
		}
	}
	return p
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

func TestOpenAPIIsCommitted(t *testing.T) {
	t.Parallel()
	got, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile("openapi.yaml", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("openapi.yaml differs from the routes; run go generate ./api\n%s", diff)
	}
}

func TestTheContractIsServedAndNamesEveryRoute(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.call(http.MethodGet, "/openapi.json", "")
	var spec struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &spec); err != nil || spec.OpenAPI != "3.1.0" {
		t.Fatalf("%v %q", err, spec.OpenAPI)
	}
	if strings.Contains(w.Body.String(), "$schema") {
		t.Error("the contract speaks of $schema")
	}
	var got []string
	for path, methods := range spec.Paths {
		for m := range methods {
			got = append(got, strings.ToUpper(m)+" "+path)
		}
	}
	slices.Sort(got)
	want := []string{"DELETE /v1/companies/{domain}/aliases/{alias}", "GET /healthz", "GET /metrics", "GET /openapi.json", "GET /readyz", "GET /v1/companies/{domain}",
		"GET /v1/configs", "GET /v1/leads", "GET /v1/leads/{id}", "GET /v1/leads/{id}/why", "GET /v1/leads/{id}/why-not", "GET /v1/stats", "GET /v1/steps",
		"POST /v1/companies:enrich", "POST /v1/conflicts/{id}/resolve", "POST /v1/email:check", "POST /v1/hooks/providers/{provider}", "POST /v1/hooks/{crm}", "POST /v1/leads", "POST /v1/leads/{id}/accept", "POST /v1/leads/{id}/hand-back",
		"POST /v1/leads/{id}/reassign", "POST /v1/leads/{id}/release", "POST /v1/leads/{id}/touch", "POST /v1/steps:replay", "PUT /v1/companies/{domain}/aliases/{alias}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotInTheContractIsNotThere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for route, want := range map[string]int{"GET /docs": 404, "GET /schemas/Lead.json": 404, "GET /openapi.yaml": 404,
		"GET /debug/pprof/": 404, "GET /v1": 404, "GET /v1/nothing": 404, "GET /": 404, "GET /v1//leads": 404, "GET /v1/leads/../leads": 404,
		"DELETE /v1/leads": 405, "TRACE /v1/leads": 405, "POST /healthz": 405} {
		method, path, _ := strings.Cut(route, " ")
		w := d.call(method, path, "")
		if w.Code != want {
			t.Errorf("%s: %d, want %d", route, w.Code, want)
		}
		problemIn(t, w)
		if want == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", route)
		}
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	for _, k := range galena.Kinds() {
		status, ok := statuses[k]
		if !ok {
			t.Errorf("no status for %s", k)
			continue
		}
		p := problemOf(t.Context(), &galena.Error{Kind: k, Op: "sql.secret", Err: errors.New("cause with a secret"), RetryAfter: 1500 * time.Millisecond})
		if p.Status != status || p.Code != string(k) || p.Detail == "" || strings.Contains(p.Detail, "secret") {
			t.Errorf("%s: %+v", k, p)
		}
		wait := p.header.Get("Retry-After")
		if (status == 429 || status == 503) && wait != "2" {
			t.Errorf("%s: Retry-After %q", k, wait)
		}
	}
	if p := problemOf(t.Context(), errors.New("who knows")); p.Status != 500 || p.Code != "internal" {
		t.Errorf("%+v", p)
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := d.call(http.MethodGet, path, ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok"}` {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	d.ready = errors.New("dial tcp 10.0.0.7")
	w := d.call(http.MethodGet, "/readyz", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	problemIn(t, w)
}

func TestTheLogNamesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if w := d.post(`{"email":"ana.prado@acme.example"}`); w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d.call(http.MethodGet, "/v1/leads?owner=ana.prado&cursor=zzz", "", auth(bootstrap))
	d.call(http.MethodGet, "/v1/ana.prado@acme.example", "")
	log := d.log.String()
	if strings.Contains(log, "ana") || strings.Contains(log, "zzz") || strings.Contains(log, bootstrap) {
		t.Error(log)
	}
	for _, want := range []string{`"route":"POST /v1/leads"`, `"lead":"` + d.shelf.leads[0].Lead.ID, `"token":"bootstrap"`, `"request_id":"`, `"status":202`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in the log: %s", want, log)
		}
	}
}

func TestARequestIDIsKeptOrMade(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for sent, kept := range map[string]bool{"trace-12345678": true, "": false, "ana@acme.example": false, strings.Repeat("x", 65): false, "a b c d e f": false} {
		got := d.call(http.MethodGet, "/healthz", "", "X-Request-Id: "+sent).Header().Get("X-Request-Id")
		if (got == sent) != kept || got == "" {
			t.Errorf("%q became %q", sent, got)
		}
	}
}

func TestAPanicIsAnAnswerWithoutAStack(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := observe(slog.New(slog.NewTextHandler(&log, nil)), time.Now, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("ana@acme.example")
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if p := problemIn(t, w); w.Code != 500 || p.Code != "internal" || strings.Contains(w.Body.String(), ".go") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if s := log.String(); strings.Contains(s, "ana@") || !strings.Contains(s, "api_test.go") {
		t.Errorf("log %s", s)
	}
}

func TestNewRefusesWhatIsMissingOrWeak(t *testing.T) {
	t.Parallel()
	if _, err := New(Deps{}); err == nil {
		t.Error("built from nothing")
	}
	s := &shelf{}
	_, err := New(Deps{Gate: nil, Store: s, Tokens: s})
	if err == nil {
		t.Error("built without a gate")
	}
	_, err = New(Deps{Gate: noGate{}, Store: s, Tokens: s, Bootstrap: "short-secret", Ready: func(context.Context) error { return nil },
		Metrics: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err == nil || strings.Contains(err.Error(), "short-secret") {
		t.Errorf("a short bootstrap token: %v", err)
	}
}

type noGate struct{ Gate }

func TestTheServerHasLimits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := NewServer(d, slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 15*time.Second || s.WriteTimeout != 20*time.Second ||
		s.IdleTimeout != time.Minute || s.MaxHeaderBytes != 16<<10 {
		t.Errorf("%+v", s)
	}
	// T9: a body that is announced too large is refused at once, while the client still holds it back.
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = s
	srv.Start()
	defer srv.Close()
	for _, length := range []int64{maxLead + 1, 10 << 20} {
		hold, release := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1/leads", hold)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		req.Header.Set("Authorization", "Bearer "+bootstrap)
		req.Header.Set("Content-Type", "application/json")
		start := time.Now()
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = release.Close()
		if took := time.Since(start); resp.StatusCode != http.StatusRequestEntityTooLarge || took > 2*time.Second {
			t.Errorf("%d after %v", resp.StatusCode, took)
		}
	}
	// Without an announced length the limit is found while reading.
	resp, err := srv.Client().Do(bigChunked(t, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: %d", resp.StatusCode)
	}
}

func bigChunked(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/leads", io.MultiReader(strings.NewReader(strings.Repeat("x", maxLead+1))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bootstrap)
	req.Header.Set("Content-Type", "application/json")
	return req
}

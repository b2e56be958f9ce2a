package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestMain makes the test binary be the program as well: every test of this
// package runs `galena` from outside, as a shell or a platform would.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"galena": main})
}

// TestScripts are the commands as a person uses them.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			// The program refuses names it does not know, and make test sets some.
			e.Vars = foreign(e.Vars)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"code": exitCodeIs, "vendors": playVendors},
	})
}

// playVendors serves the answers of a scenario file over HTTP until the script
// ends, and tells galena where: `vendors scenario.yaml alpha beta`.
func playVendors(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: vendors FILE ID…")
	}
	scenario, err := configs.LoadScenario(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	urls, err := vendors{answers: scenario.Answers}.serve(ctx, args[1:])
	ts.Check(err)
	ts.Setenv("GALENA_ALLOW_PRIVATE_TARGETS", "loopback")
	for id, url := range urls {
		ts.Setenv("GALENA_PROVIDER_"+strings.ToUpper(id)+"_URL", url)
	}
}

// exitCodeIs runs a command and demands its exit code: `code 3 galena check bad.yaml`.
func exitCodeIs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s ended with %d, want %d", args[1], got, want)
	}
}

const (
	testToken  = "bootstrap-token-of-the-tests-0123456789"
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// stores are the real parts that `make test` starts; without them the tests
// that need them fail under make test and in CI, and say so elsewhere.
func stores(t *testing.T) (postgres, redis string) {
	t.Helper()
	postgres, redis = os.Getenv("TEST_POSTGRES_URL"), os.Getenv("TEST_REDIS_URL")
	if postgres != "" && redis != "" {
		return postgres, redis
	}
	if os.Getenv("CI") != "" || os.Getenv("TEST_FULL") != "" {
		t.Fatal("TEST_POSTGRES_URL and TEST_REDIS_URL must name real servers: run make test")
	}
	return "", ""
}

// system is one installation under test: its own database, Redis database,
// vendor and sink, and any number of galena processes.
type system struct {
	t      *testing.T
	env    []string
	base   string
	sink   *sink
	vendor *vendor
}

// newSystem prepares an installation on real stores, or on embedded ones.
func newSystem(t *testing.T, realStores bool) *system {
	t.Helper()
	s := &system{t: t, sink: newSink(t), vendor: newVendor(t)}
	addr := freeAddr(t)
	s.base = "http://" + addr
	s.env = append(foreign(os.Environ()),
		"GALENA_ADDR="+addr, "GALENA_SECRET_KEY=a-secret-of-the-tests",
		"GALENA_BOOTSTRAP_TOKEN="+testToken, "GALENA_ALLOW_RESERVED_DOMAINS=true",
		"GALENA_ALLOW_PRIVATE_TARGETS=loopback", "GALENA_DNS=off",
		"GALENA_WEBHOOK_URL="+s.sink.url, "GALENA_WEBHOOK_SECRET="+testSecret,
		"GALENA_CONFIG_DIR="+s.configs(), "GALENA_PROVIDER_TESTVENDOR_URL="+s.vendor.url)
	if realStores {
		pg, rd := stores(t)
		s.env = append(s.env, "GALENA_DATABASE_URL="+createDatabase(t, pg), "GALENA_REDIS_URL="+claimRedis(t, rd))
	} else {
		s.env = append(s.env, "GALENA_DATABASE_URL=sqlite:"+filepath.Join(t.TempDir(), "galena.db"))
	}
	s.must("migrate")
	return s
}

// foreign leaves out what is set for galena or its tests: an installation under
// test has its own settings, and the program refuses names it does not know.
func foreign(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool { return strings.HasPrefix(kv, "GALENA_") })
}

// configs writes the files of the installation: one vendor, everything else built in.
func (s *system) configs() string {
	dir := s.t.TempDir()
	body := `apiVersion: galena/v1
kind: Providers
spec:
  providers:
    - {id: testvendor, adapter: fixture, cost_cents: 1, billing: per_call, p95_ms: 50, trust: 0.8,
       fields: {company.employee_count: 0.9, company.industry: 0.9, company.hq_country: 0.9}}
  limits: {per_lead_cents: 15, per_day_cents: 500000, interactive_deadline_ms: 2200}
`
	if err := os.WriteFile(filepath.Join(dir, "providers.yaml"), []byte(body), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// variable is what the processes of the system are given.
func (s *system) variable(name string) string {
	s.t.Helper()
	for _, kv := range s.env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	s.t.Fatalf("the system has no %s", name)
	return ""
}

// write replaces a file as an editor does.
func (s *system) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.variable("GALENA_CONFIG_DIR"), name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// must runs a command to its end and returns what it printed.
func (s *system) must(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "galena", args...)
	cmd.Env = s.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("galena %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// process is one running galena.
type process struct {
	cmd *exec.Cmd
	log *lockedBuffer
	end chan error
}

// start runs a long-lived command until the test ends or stop is called.
func (s *system) start(args ...string) *process {
	s.t.Helper()
	p := &process{cmd: exec.Command("galena", args...), log: &lockedBuffer{}, end: make(chan error, 1)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = s.env, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { p.end <- p.cmd.Wait() }()
	s.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if s.t.Failed() {
			s.t.Logf("galena %s printed:\n%s", strings.Join(args, " "), p.log.String())
		}
	})
	return p
}

// stop ends a process as a platform does and waits for it.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.end:
		if err != nil {
			t.Fatalf("the process ended with %v:\n%s", err, p.log.String())
		}
	case <-time.After(25 * time.Second):
		t.Fatalf("the process did not end within 25 s of SIGTERM:\n%s", p.log.String())
	}
}

func (s *system) ready() {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "readyz says 200", func() bool {
		res, err := http.Get(s.base + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// post sends a lead and returns the status and the decoded body.
func (s *system) post(token, body string) (int, map[string]any, http.Header) {
	s.t.Helper()
	return s.do(http.MethodPost, "/v1/leads", token, body)
}

func (s *system) do(method, path, token, body string) (int, map[string]any, http.Header) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]any{}
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Fatalf("%s %s answered %d with a body that is not JSON: %s", method, path, res.StatusCode, raw)
		}
	}
	return res.StatusCode, out, res.Header
}

// metrics are the figures of the process that serves the gate.
func (s *system) metrics() string {
	s.t.Helper()
	res, err := http.Get(s.base + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// sink receives webhooks and checks each with the independent library.
type sink struct {
	url string
	mu  sync.Mutex
	got []event
}

type event struct {
	id   string
	at   time.Time
	body map[string]any
}

func newSink(t *testing.T) *sink {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(raw, r.Header); err != nil {
			t.Errorf("webhook with a bad signature: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e := event{id: r.Header.Get("webhook-id"), at: time.Now()}
		if err := json.Unmarshal(raw, &e.body); err != nil {
			t.Errorf("webhook body: %v", err)
		}
		s.mu.Lock()
		s.got = append(s.got, e)
		s.mu.Unlock()
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *sink) events() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]event(nil), s.got...)
}

// vendor is a simulated provider whose behaviour a test sets.
type vendor struct {
	url    string
	mu     sync.Mutex
	calls  int
	status int // 0 = answer by domain
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		v.mu.Lock()
		v.calls++
		status := v.status
		v.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if status != 0 {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":"simulated"}`)
			return
		}
		fmt.Fprint(w, `{"company.employee_count": 420, "company.industry": "software", "company.hq_country": "US"}`)
	}))
	t.Cleanup(srv.Close)
	v.url = srv.URL
	return v
}

func (v *vendor) answer(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status = status
}

func (v *vendor) asked() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls
}

// freeAddr finds an address that nobody listens on, below the ports that outgoing
// connections take: one of those could be there first.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within %v: %s", within, what)
}

// lockedBuffer collects what a process prints while the test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

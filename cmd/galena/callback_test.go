package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/sql"
)

const (
	lateKey = "sk_key-of-the-late-vendor"
	// lateVendors is a catalogue of one that answers later, and one to go on with.
	lateVendors = `apiVersion: galena/v1
kind: Providers
metadata: {name: late, version: 1}
spec:
  providers:
    - {id: clearbit, cost_cents: 2, callback_wait: %s}
    - {id: testvendor, adapter: fixture, cost_cents: 3, billing: per_match, p95_ms: 50, trust: 0.8,
       fields: {company.employee_count: 0.9, company.industry: 0.9, company.hq_country: 0.9}}
  limits: {per_lead_cents: 15, per_day_cents: 5000, interactive_deadline_ms: 2200}
`
	lateCompany = `{"domain":"northwind.example","name":"Northwind","category":{"industry":"Software"},"metrics":{"employees":420},"geo":{"countryCode":"US"}}`
)

// late is an installation whose first vendor queues every question.
type late struct {
	t   *testing.T
	env configs.Env
	dir string
	log *lockedBuffer
	s   *system
	app *App
	end func()

	mu      sync.Mutex
	tickets []string
	then    func(ticket string) // what the vendor does 300 ms later, nil = nothing
	found   bool                // it has the answer by now
}

func newLate(t *testing.T, wait string, then func(*late, string)) *late {
	t.Helper()
	l := &late{t: t, log: &lockedBuffer{}, s: &system{t: t, sink: newSink(t), vendor: newVendor(t)}}
	addr := freeAddr(t)
	l.s.base, l.dir = "http://"+addr, l.s.configs()
	if then != nil {
		l.then = func(ticket string) { then(l, ticket) }
	}
	if err := os.WriteFile(filepath.Join(l.dir, "providers.yaml"), fmt.Appendf(nil, lateVendors, wait), 0o600); err != nil {
		t.Fatal(err)
	}
	l.env = configs.Env{Addr: addr, PublicURL: l.s.base, AllowReservedDomains: true, AllowPrivateTargets: []string{"loopback"},
		DatabaseURL: configs.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "galena.db")),
		WebhookURL:  configs.NewSecret(l.s.sink.url), WebhookSecret: configs.NewSecret(testSecret)}
	if err := sql.Migrate(t.Context(), databaseURL(l.env), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	l.start()
	t.Cleanup(func() { l.end() })
	return l
}

// start runs the installation until end is called.
func (l *late) start() {
	l.t.Helper()
	rules, err := configs.Load(os.DirFS(l.dir), configs.Options{Path: l.dir, Specs: registry.All()})
	if err != nil {
		l.t.Fatal(err)
	}
	vendor := httptest.NewServer(http.HandlerFunc(l.queue))
	ctx, cancel := context.WithCancel(context.Background())
	l.app, err = newApp(ctx, settings{env: l.env, rules: rules, roles: roles{web: true, worker: true, scheduler: true},
		log: slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		key: []byte("a-secret-of-the-tests"), specs: withKey(), now: time.Now, firstLook: time.Second,
		urls: func(id string) string {
			return map[string]string{"clearbit": vendor.URL, "testvendor": l.s.vendor.url}[id]
		}})
	if err != nil {
		l.t.Fatal(err)
	}
	app, ended := l.app, make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	l.end = func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Error(err)
		}
		app.close()
		vendor.Close()
	}
	l.s.ready()
}

// withKey is the registry, with the vendor's key in it.
func withKey() []providers.Spec {
	specs := registry.All()
	for i := range specs {
		if made := specs[i].New; specs[i].Name == "clearbit" {
			specs[i].Keyless = true
			specs[i].New = func(s providers.Settings) (providers.Provider, error) { s.Key = lateKey; return made(s) }
		}
	}
	return specs
}

// queue is the vendor: the answer comes later, or never.
func (l *late) queue(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("webhook_id")
	l.mu.Lock()
	l.tickets = append(l.tickets, ticket)
	found := l.found
	l.mu.Unlock()
	if l.then != nil {
		time.AfterFunc(300*time.Millisecond, func() { l.then(ticket) })
	}
	w.Header().Set("Content-Type", "application/json")
	if found {
		_, _ = io.WriteString(w, lateCompany)
		return
	}
	w.Header().Set("Retry-After", "2")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"error":{"type":"queued"}}`)
}

func (l *late) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.tickets...)
}

// call is the vendor's own, signed with the key.
func (l *late) call(key, ticket string, want int) {
	l.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"type":"company","status":200,"body":%s}`, ticket, lateCompany)
	mac := hmac.New(sha1.New, []byte(strings.TrimPrefix(key, "sk_")))
	_, _ = io.WriteString(mac, body)
	req, err := http.NewRequest(http.MethodPost, l.s.base+"/v1/hooks/providers/clearbit", strings.NewReader(body))
	if err != nil {
		l.t.Error(err)
		return
	}
	req.Header.Set("X-Request-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Error(err)
		return
	}
	res.Body.Close()
	if res.StatusCode != want {
		l.t.Errorf("the call was answered %d, want %d", res.StatusCode, want)
	}
}

// lead posts one and waits until it is decided on what is known at once.
func (l *late) lead() string {
	l.t.Helper()
	receipt, _, err := l.app.gate.Submit(l.t.Context(), galena.Submission{Email: "ana@northwind.example", JobTitle: "CEO"}, nil, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	eventually(l.t, 10*time.Second, "the lead is decided on what is known", func() bool { return len(l.s.sink.events()) == 1 })
	if d := l.record(receipt.ID).Decision; d.Epoch != 1 || d.Stop != galena.StopDegraded || !d.Provisional || d.Took > 2*time.Second {
		l.t.Fatalf("stop %s, provisional %v after %v; want a degraded decision at once", d.Stop, d.Provisional, d.Took)
	}
	return receipt.ID
}

func (l *late) record(id string) galena.Record {
	l.t.Helper()
	r, err := l.app.store.Record(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// completed waits for the one rerouting, and for nothing after it.
func (l *late) completed(id string, within time.Duration) galena.Decision {
	l.t.Helper()
	eventually(l.t, within, "lead.rerouted reaches the sink", func() bool { return len(l.s.sink.events()) == 2 })
	d := *l.record(id).Decision
	if d.Epoch != 2 || d.Tier != "A" {
		l.t.Errorf("epoch %d, tier %s; want tier A", d.Epoch, d.Tier)
	}
	return d
}

// figures checks what the metrics say, and that nothing tells the key.
func (l *late) figures(want map[string]string) {
	l.t.Helper()
	got := l.s.metrics()
	for series, value := range want {
		if !strings.Contains(got, series+" "+value+"\n") {
			l.t.Errorf("%s is not %s", series, value)
		}
	}
	if strings.Contains(l.log.String()+got, strings.TrimPrefix(lateKey, "sk_")) {
		l.t.Error("the log or the metrics tell the key")
	}
	if l.t.Failed() {
		for line := range strings.Lines(got) {
			if strings.Contains(line, "callbacks_total{") || strings.Contains(line, "budget_remaining") {
				l.t.Log(line)
			}
		}
	}
}

const dayLeft = `galena_budget_remaining_cents{scope="day"}`

func callbacks(outcome string) string {
	return `galena_provider_callbacks_total{outcome="` + outcome + `",provider="clearbit"}`
}

func TestALateAnswerCompletesTheLeadAtOnceAndIsPaidOnce(t *testing.T) {
	t.Parallel()
	l := newLate(t, "5m", func(l *late, ticket string) {
		l.call("sk_forged", ticket, http.StatusUnauthorized)
		l.call(lateKey, "no-call-of-ours", http.StatusNoContent)
		l.call(lateKey, ticket, http.StatusNoContent)
		l.call(lateKey, ticket, http.StatusNoContent)
	})
	l.s.vendor.answer(http.StatusNotFound)
	began := time.Now()
	d := l.completed(l.lead(), 4*time.Second) // sooner than the sweep comes by
	if took := time.Since(began); len(d.Steps) == 0 || d.Steps[0].Outcome != "cached" || len(l.asked()) != 1 {
		t.Errorf("steps %+v after %v, asked %v", d.Steps, took, l.asked())
	}
	l.figures(map[string]string{dayLeft: "4998", callbacks("hit"): "1", callbacks("repeated"): "1", callbacks("unknown"): "1",
		callbacks("unauthorized"): "1", `galena_provider_cents_total{outcome="hit",provider="clearbit"}`: "2"})
}

func TestALateAnswerFindsItsLeadAfterARestart(t *testing.T) {
	t.Parallel()
	l := newLate(t, "5m", nil)
	l.s.vendor.answer(http.StatusNotFound)
	id := l.lead()
	l.figures(map[string]string{dayLeft: "4998"})
	l.end()
	l.start()
	l.call(lateKey, l.asked()[0], http.StatusNoContent)
	l.completed(id, 4*time.Second)
	l.figures(map[string]string{dayLeft: "4998", callbacks("hit"): "1"})
	if n := len(l.asked()); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnAnswerThatNeverComesCostsNothingAndTheNextVendorIsAsked(t *testing.T) {
	t.Parallel()
	l := newLate(t, "3s", nil)
	l.s.vendor.answer(http.StatusInternalServerError)
	id := l.lead()
	l.figures(map[string]string{dayLeft: "4998"})
	eventually(t, 15*time.Second, "the claim is over", func() bool { return strings.Contains(l.s.metrics(), callbacks("timeout")+" 1") })
	l.s.vendor.answer(0)
	if d := l.completed(id, 30*time.Second); d.Cents != 3 {
		t.Errorf("%v cents, want those of the next vendor: %+v", d.Cents, d.Steps)
	}
	l.call(lateKey, l.asked()[0], http.StatusNoContent) // too late
	l.figures(map[string]string{dayLeft: "4997", callbacks("repeated"): "1"})
	if n := len(l.asked()); n != 1 {
		t.Errorf("asked %d times, want it left alone for a while", n)
	}
}

func TestAVendorThatCannotCallIsAskedAgainWhenItSaidAndPaidOnce(t *testing.T) {
	t.Parallel()
	l := newLate(t, "0s", nil)
	l.s.vendor.answer(http.StatusNotFound)
	began := time.Now()
	id := l.lead()
	l.mu.Lock()
	l.found = true
	l.mu.Unlock()
	d := l.completed(id, 30*time.Second)
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("asked again after %v, and was told 2 s", took)
	}
	if asked := l.asked(); len(asked) != 2 || asked[0]+asked[1] != "" || d.Cents != 2 {
		t.Errorf("asked with %q for %v cents, want twice, nobody told whom to call, and two cents", asked, d.Cents)
	}
	l.figures(map[string]string{dayLeft: "4998", `galena_provider_calls_total{outcome="hit",provider="clearbit"}`: "1",
		`galena_provider_cents_total{outcome="hit",provider="clearbit"}`: "2"})
}

func TestThePageShowsTheVendorsThatAreReallyAsked(t *testing.T) {
	t.Parallel()
	l := newLate(t, "5m", nil)
	c := l.app.catalogue()
	if len(c.Providers) != 2 {
		t.Fatalf("%+v", c.Providers)
	}
	for _, p := range c.Providers {
		if !p.On || !strings.HasPrefix(p.BaseURL, "http://127.0.0.1:") {
			t.Errorf("%+v is asked, at an address of the test's", p)
		}
	}
}

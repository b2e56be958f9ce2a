package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))

// sink answers as told and keeps what it got.
type sink struct {
	*httptest.Server
	mu      sync.Mutex
	headers []http.Header
	bodies  [][]byte
}

func newSink(t *testing.T, answer http.HandlerFunc) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.headers, s.bodies = append(s.headers, r.Header.Clone()), append(s.bodies, b)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func hooks(t *testing.T, url string) (*Webhooks, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	w, err := New([]Endpoint{{ID: Default, URL: url + "/in?key=s3cr3t", Secret: secret}}, Deps{Client: &http.Client{},
		AllowPlain: []string{"loopback"}, Registerer: reg, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return w, reg
}

func delivery() galena.Delivery {
	return galena.Delivery{Target: Default, Event: galena.EventRouted, Key: "lead.routed:l1:1", Body: []byte(`{"type":"lead.routed"}`)}
}

func TestAnIndependentVerifierAcceptsEveryTry(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, bytes.NewReader(make([]byte, 1<<20))) })
	w, _ := hooks(t, s.URL)
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Send(t.Context(), delivery()); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range s.headers {
		if err := verifier.Verify(s.bodies[i], h); err != nil {
			t.Errorf("try %d: %v", i, err)
		}
		if verifier.Verify(append([]byte(" "), s.bodies[i]...), h) == nil {
			t.Error("a changed body was accepted")
		}
		h = h.Clone()
		h.Set("webhook-id", "other")
		if verifier.Verify(s.bodies[i], h) == nil {
			t.Error("another id was accepted")
		}
	}
	if a, b := s.headers[0].Get("webhook-id"), s.headers[1].Get("webhook-id"); a != "lead.routed:l1:1" || a != b {
		t.Errorf("ids %q and %q", a, b)
	}
}

func TestWhileASecretIsReplacedEitherVerifies(t *testing.T) {
	t.Parallel()
	fresh := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("n"), 64))
	s := newSink(t, func(http.ResponseWriter, *http.Request) {})
	w, err := New([]Endpoint{{ID: Default, URL: s.URL, Secret: fresh + " " + secret}}, Deps{Client: &http.Client{},
		AllowPlain: []string{"loopback"}, Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), delivery()); err != nil {
		t.Fatal(err)
	}
	h := s.headers[0]
	signatures := strings.Split(h.Get("webhook-signature"), " ")
	if len(signatures) != 2 {
		t.Fatalf("%d signatures, want 2", len(signatures))
	}
	for i, one := range []string{fresh, secret} {
		verifier, err := standardwebhooks.NewWebhook(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(s.bodies[0], h); err != nil {
			t.Errorf("secret %d: %v", i, err)
		}
		alone := h.Clone()
		alone.Set("webhook-signature", signatures[i])
		if err := verifier.Verify(s.bodies[0], alone); err != nil {
			t.Errorf("signature %d is not secret %d's: %v", i, i, err)
		}
		if verifier.Verify(append([]byte(" "), s.bodies[0]...), h) == nil {
			t.Errorf("secret %d: a changed body was accepted", i)
		}
	}
}

func TestEveryAnswerHasItsKind(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]galena.Kind{
		200: "", 202: "", 204: "", 301: galena.Unavailable, 302: galena.Unavailable, 304: galena.Unavailable,
		400: galena.Invalid, 401: galena.Unauthorized, 403: galena.Unauthorized, 404: galena.Unavailable,
		408: galena.Unavailable, 410: galena.Invalid, 413: galena.Invalid, 422: galena.Invalid,
		423: galena.Unavailable, 425: galena.Unavailable, 429: galena.RateLimited,
		500: galena.Unavailable, 502: galena.Unavailable, 503: galena.Unavailable, 504: galena.Unavailable,
	} {
		s := newSink(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
		})
		w, reg := hooks(t, s.URL)
		err := w.Send(t.Context(), delivery())
		if got := galena.KindOf(err); got != want {
			t.Errorf("%d is %q, want %q", status, got, want)
		}
		if len(s.headers) != 1 {
			t.Errorf("%d: called %d times", status, len(s.headers))
		}
		patient := want == galena.RateLimited || want == galena.Unavailable
		if got := galena.RetryAfterOf(err); (got == 7*time.Second) != patient {
			t.Errorf("%d: wait %v", status, got)
		}
		outcome := "ok"
		if want != "" {
			outcome = string(want)
			noSecret(t, err)
		}
		families, _ := reg.Gather()
		if m := families[0].GetMetric()[0]; m.GetLabel()[0].GetValue() != outcome || m.GetCounter().GetValue() != 1 {
			t.Errorf("%d: metric %v", status, m)
		}
	}
}

func noSecret(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{"http", "s3cr3t", "127.0.0.1", "whsec"} {
		if strings.Contains(err.Error(), s) {
			t.Errorf("%q leaks %q", err, s)
		}
	}
}

func TestAnEndpointThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newSink(t, func(http.ResponseWriter, *http.Request) {})
	w, _ := hooks(t, s.URL)
	s.Close()
	err := w.Send(t.Context(), delivery())
	if galena.KindOf(err) != galena.Unavailable {
		t.Error(err)
	}
	noSecret(t, err)

	slow := newSink(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w, _ = hooks(t, slow.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = w.Send(ctx, delivery())
	if e, ok := errors.AsType[*galena.Error](err); !ok || e.Cause != "timeout" || e.Kind != galena.Unavailable {
		t.Error(err)
	}
}

func TestAnEndpointThatIsGoneFromTheFileStops(t *testing.T) {
	t.Parallel()
	w, _ := hooks(t, "http://127.0.0.1:1")
	d := delivery()
	d.Target = "old"
	if err := w.Send(t.Context(), d); galena.KindOf(err) != galena.Invalid {
		t.Error(err)
	}
}

func TestTargetsWantTheirEvents(t *testing.T) {
	t.Parallel()
	w, err := New([]Endpoint{
		{ID: Default, URL: "https://a.example", Secret: secret, Personal: true},
		{ID: "ops", URL: "https://b.example", Secret: secret, Events: []string{galena.EventQuarantined}},
	}, Deps{Client: &http.Client{}, Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.Targets(galena.EventRouted), ","); got != "default" {
		t.Error(got)
	}
	if got := strings.Join(w.Targets(galena.EventQuarantined), ","); got != "default,ops" {
		t.Error(got)
	}
	if !w.Personal(Default) || w.Personal("ops") || w.Personal("nobody") {
		t.Error("personal is not as configured")
	}
}

func TestWeakSecretsAndPlainTargetsAreRefused(t *testing.T) {
	t.Parallel()
	raw := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, c := range []struct {
		name, url, secret string
		allow             []string
		ok                bool
	}{
		{"good", "https://sink.example", raw(24), nil, true},
		{"64 bytes", "https://sink.example", raw(64), nil, true},
		{"65 bytes", "https://sink.example", raw(65), nil, false},
		{"23 bytes", "https://sink.example", raw(23), nil, false},
		{"empty key", "https://sink.example", "whsec_", nil, false},
		{"empty", "https://sink.example", "", nil, false},
		{"no prefix", "https://sink.example", raw(24)[6:], nil, false},
		{"two", "https://sink.example", raw(24) + " " + raw(64), nil, true},
		{"two, the new one short", "https://sink.example", raw(23) + " " + raw(24), nil, false},
		{"two, the old one short", "https://sink.example", raw(24) + " " + raw(23), nil, false},
		{"two, the old one without prefix", "https://sink.example", raw(24) + " " + raw(24)[6:], nil, false},
		{"two, a comma between", "https://sink.example", raw(24) + "," + raw(24), nil, false},
		{"one and a blank", "https://sink.example", raw(24) + " ", nil, false},
		{"three", "https://sink.example", raw(24) + " " + raw(24) + " " + raw(24), nil, false},
		{"plain", "http://sink.example", raw(24), nil, false},
		{"plain, allowed host", "http://sink.example:81", raw(24), []string{"sink.example"}, true},
		{"plain, allowed port", "http://sink.example:81", raw(24), []string{"sink.example:81"}, true},
		{"plain, other port", "http://sink.example:82", raw(24), []string{"sink.example:81"}, false},
		{"plain, allowed range", "http://10.1.2.3/x", raw(24), []string{"10.0.0.0/8"}, true},
		{"plain, loopback", "http://localhost:9", raw(24), []string{"loopback"}, true},
		{"file", "file:///etc/passwd", raw(24), nil, false},
		{"password in it", "https://u:p@sink.example", raw(24), nil, false},
	} {
		_, err := New([]Endpoint{{ID: "x", URL: c.url, Secret: c.secret}}, Deps{Client: &http.Client{},
			AllowPlain: c.allow, Registerer: prometheus.NewRegistry(), Now: time.Now})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "sink") || strings.Contains(err.Error(), raw(24)[8:20])) {
			t.Errorf("%s leaks: %v", c.name, err)
		}
	}
}

func TestBackoffIsSpreadAndEndsWithinAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	if Backoff(0, 1) != 0 {
		t.Error("the first try waits")
	}
	for tries := 1; tries < MaxTries; tries++ {
		lo, mid, hi := Backoff(tries, 0), Backoff(tries, 0.5), Backoff(tries, 1)
		if float64(lo) > 0.8*float64(mid) || float64(hi) < 1.2*float64(mid) || hi > 15*time.Minute || mid == 0 {
			t.Errorf("try %d: %v %v %v", tries, lo, mid, hi)
		}
	}
	shortest := time.Duration(0)
	for tries := range MaxTries {
		shortest += Backoff(tries, 0)
	}
	if shortest < time.Hour {
		t.Errorf("a receiver that is down for an hour is given up after %v", shortest)
	}
	rapid.Check(t, func(t *rapid.T) {
		if w := Backoff(rapid.Int().Draw(t, "tries"), rapid.Float64().Draw(t, "chance")); w < 0 || w > 15*time.Minute {
			t.Errorf("%v", w)
		}
	})
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	for h, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "999999999": maxWait,
		"86399": maxWait - time.Second, "2147483648": maxWait, "9223372036854775807": maxWait, "99999999999999999999": maxWait,
		"-2147483649": 0, "-99999999999999999999": 0, "1e9": 0,
		"Mon, 23 Nov 2026 14:31:00 GMT": time.Minute, "Mon, 23 Nov 2026 14:29:00 GMT": 0, "Thu, 31 Dec 2026 23:59:60 GMT": 0} {
		if got := retryAfter(h, now); got != want {
			t.Errorf("%q: %v, want %v", h, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, h := range []string{"7", "2147483648", "9223372036854775807", "-99999999999999999999"} {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, h string) {
		if w := retryAfter(h, time.Now()); w < 0 || w > maxWait {
			t.Error(w)
		}
	})
}

func TestChangedEndpointsKeepTheCounter(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	d := Deps{Client: http.DefaultClient, Registerer: reg, Now: time.Now}
	first, err := New(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	second, err := New([]Endpoint{{ID: "crm", URL: "https://crm.example", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}, d)
	if err != nil {
		t.Fatal(err)
	}
	if first.sent != second.sent || len(second.Targets(galena.EventRouted)) != 1 {
		t.Error("the second set counts elsewhere, or has no endpoint")
	}
}

// listener answers at once and reads what it gets.
type listener struct{}

func (listener) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, err
}

// What a try costs beside the connection.
func BenchmarkSend(b *testing.B) {
	w, err := New([]Endpoint{{ID: Default, URL: "https://sink.example/in", Secret: secret}}, Deps{Client: &http.Client{Transport: listener{}},
		Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	d := delivery()
	d.Body = bytes.Repeat([]byte("x"), 700)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Send(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}

// What the body of lead.routed costs.
func BenchmarkRouted(b *testing.B) {
	l, c, d := routedExample()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Routed(l, c, d, true); err != nil {
			b.Fatal(err)
		}
	}
}

package providers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestStatusBecomesKind(t *testing.T) {
	t.Parallel()
	want := map[int]galena.Kind{
		200: "", 201: galena.Malformed, 202: galena.Pending, 204: galena.NotFound, 206: galena.Malformed,
		301: galena.Malformed, 302: galena.Malformed, 304: galena.Malformed, 101: galena.Malformed,
		400: galena.Invalid, 401: galena.Unauthorized, 402: galena.Exhausted, 403: galena.Unauthorized,
		404: galena.NotFound, 405: galena.Invalid, 408: galena.Unavailable, 409: galena.Invalid, 410: galena.NotFound,
		422: galena.Invalid, 425: galena.Unavailable, 429: galena.RateLimited, 451: galena.NotFound,
		500: galena.Unavailable, 502: galena.Unavailable, 503: galena.Unavailable, 504: galena.Unavailable, 599: galena.Unavailable,
	}
	for status, kind := range want {
		if got := kindOf(status, nil); got != kind {
			t.Errorf("%d is %q, want %q", status, got, kind)
		}
	}
	if got := kindOf(429, map[int]galena.Kind{429: galena.Exhausted}); got != galena.Exhausted {
		t.Errorf("a vendor's own meaning is lost: %q", got)
	}
}

func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":                               0,
		"30":                             30 * time.Second,
		" 7 ":                            7 * time.Second,
		"0":                              0,
		"-1":                             0,
		"1.5":                            0,
		"soon":                           0,
		"86400":                          24 * time.Hour,
		"604800":                         24 * time.Hour,
		"9223372036854775807":            24 * time.Hour,
		"99999999999999999999":           24 * time.Hour,
		"Mon, 23 Nov 2026 14:31:30 GMT":  90 * time.Second,
		"Monday, 23-Nov-26 14:31:30 GMT": 90 * time.Second,
		"Mon Nov 23 14:31:30 2026":       90 * time.Second,
		"Mon, 23 Nov 2026 14:29:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  24 * time.Hour,
		"Mon, 31 Feb 2026 14:31:30 GMT":  0,
		"Thu, 31 Dec 2026 23:59:60 GMT":  0, // a leap second
		"2026-11-23T14:31:30Z":           90 * time.Second,
		"2022-02-23T20:19:55Z":           0,
	} {
		if got := RetryAfter(header, clock()); got != want {
			t.Errorf("%q is %v, want %v", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"30", "-1", "Mon, 23 Nov 2026 14:31:30 GMT", "soon", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := RetryAfter(s, clock()); d < 0 || d > 24*time.Hour {
			t.Errorf("%q is %v", s, d)
		}
	})
}

func TestKeysMatchExactlyAndOnce(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(`{"Domain":"evil.example","domain":"acme.example","n":"7","zero":0,"none":"NaN"}`))
	if err != nil || o.Text("domain") != "acme.example" {
		t.Errorf("got %q, %v", o.Text("domain"), err)
	}
	if n, ok := o.Number("n"); !ok || n != 7 {
		t.Errorf("a number in quotes is %d, %v", n, ok)
	}
	if _, ok := o.Number("zero"); ok {
		t.Error("zero is a number; vendors mean unknown by it")
	}
	if n, ok := o.Number("none"); ok {
		t.Errorf("NaN is %d", n)
	}
	for _, bad := range []string{`{"a":{"b":1,"b":2}}`, "{\"a\":\"\xff\"}", `{"a":1}{}`, `{"a":1`, `7`, ``, `{"a":1}]`} {
		if _, err := ParseObject([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestCausesAreShortWords(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 429, 401} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		err := askLocal(t, server.URL)
		server.Close()
		if e, _ := errors.AsType[*galena.Error](err); e == nil || e.Cause != strconv.Itoa(status) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if e, _ := errors.AsType[*galena.Error](askLocal(t, gone.URL)); e == nil || e.Kind != galena.Unavailable || e.Cause != "refused" {
		t.Errorf("refused connection: %#v", e)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]bool{
		"": true, "application/json": true, "application/json; charset=UTF-8": true, "application/vnd.api+json": true,
		"text/json": true, "text/html": false, "text/plain": false, "application/json; charset=utf-16": false, ";;": false,
	} {
		if got := isJSON(typ); got != want {
			t.Errorf("%q: %v", typ, got)
		}
	}
}

// askLocal makes one call to a test server.
func askLocal(t *testing.T, at string) error {
	t.Helper()
	client, err := NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	_, err = GetJSON(t.Context(), Settings{BaseURL: at, Client: client, Now: clock}, Request{Op: "x.enrich", Path: "/v1"})
	return err
}

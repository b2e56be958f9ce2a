package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestEveryBadTokenGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	expired, revoked := d.token(galena.ScopeLeadsRead), d.token(galena.ScopeLeadsRead)
	d.shelf.tokens[0].ExpiresAt = d.time
	d.shelf.tokens[1].RevokedAt = d.time
	unknown, _ := NewToken(PrefixLive, d.time, time.Time{})
	bodies := map[string]bool{}
	try := func(name string, headers ...string) {
		w := d.call(http.MethodGet, "/v1/leads", "", append(headers, "X-Request-Id: the-same-id")...)
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %d", name, w.Code)
		}
		problemIn(t, w)
		bodies[w.Body.String()] = true
	}
	try("missing")
	try("malformed", auth("gl_live_short"))
	try("basic", "Authorization: Basic eDp5")
	try("wrong checksum", auth(unknown[:len(unknown)-1]+"!"))
	if d.shelf.asked != 0 {
		t.Errorf("the store was asked %d times about tokens that cannot be", d.shelf.asked)
	}
	try("unknown", auth(unknown))
	try("expired", auth(expired))
	try("revoked", auth(revoked))
	if len(bodies) != 1 || d.shelf.asked != 3 {
		t.Errorf("%d different answers, %d look-ups", len(bodies), d.shelf.asked)
	}
}

func TestScopesAreExact(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	routes := map[string]string{
		"POST /v1/leads": galena.ScopeLeadsWrite, "GET /v1/leads": galena.ScopeLeadsRead,
		"GET /v1/leads/x": galena.ScopeLeadsRead, "GET /v1/leads/x/why": galena.ScopeLeadsRead,
		"GET /v1/companies/x": galena.ScopeLeadsRead, "GET /metrics": galena.ScopeOpsRead, "GET /v1/configs": galena.ScopeOpsRead, "GET /v1/steps": galena.ScopeOpsRead,
		"POST /v1/conflicts/x/resolve": galena.ScopeConfigWrite,
	}
	for _, scope := range galena.Scopes() {
		token := d.token(scope)
		for route, needed := range routes {
			method, path, _ := strings.Cut(route, " ")
			w := d.call(method, path, "", auth(token))
			if (w.Code == 403) != (scope != needed) {
				t.Errorf("%s with %s: %d", route, scope, w.Code)
			}
			if w.Code == 403 && !strings.Contains(problemIn(t, w).Detail, needed) {
				t.Errorf("%s: the scope is not named: %s", route, w.Body)
			}
		}
	}
	if w := d.call(http.MethodGet, "/v1/leads", "", auth(bootstrap)); w.Code != 200 {
		t.Errorf("the bootstrap token may not read: %d", w.Code)
	}
	if w := d.call(http.MethodGet, "/metrics", "", auth(bootstrap)); w.Code != 403 {
		t.Errorf("the bootstrap token is more than an integration: %d", w.Code)
	}
}

func TestMetricsAreOpenOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for from, want := range map[string]int{"127.0.0.1:9": 200, "[::1]:9": 200, "10.0.0.1:9": 401, "203.0.113.9:1": 401} {
		if w := d.call(http.MethodGet, "/metrics", "", "From-Address: "+from); w.Code != want {
			t.Errorf("%s: %d", from, w.Code)
		}
	}
	if w := d.call(http.MethodGet, "/metrics", "", "From-Address: 127.0.0.1:9", "X-Forwarded-For: 203.0.113.9"); w.Code != 401 {
		t.Errorf("through a proxy: %d", w.Code)
	}
}

func TestATokenInTheURLIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, q := range []string{"api_key", "access_token", "token", "API_KEY", "limit=1&token", "limit=1;api_key", ";apikey",
		"api%5Fkey", "limit=%zz&token"} {
		w := d.call(http.MethodGet, "/v1/leads?"+q+"=sesame-value", "", auth(bootstrap))
		if p := problemIn(t, w); w.Code != 401 || p.Code != "token_in_url" || !strings.Contains(p.Detail, "Authorization") {
			t.Errorf("%s: %d %s", q, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String()+d.log.String(), "sesame") {
			t.Errorf("%s: the value was repeated", q)
		}
	}
	if w := d.call(http.MethodGet, "/v1/leads?api_key=sesame%zz", "", auth(bootstrap)); w.Code != 401 || problemIn(t, w).Code != "token_in_url" {
		t.Errorf("a value with a broken escape: %d", w.Code)
	}
	for _, q := range []string{"limit=1", "limit=1&after=token", "&", ";"} {
		if w := d.call(http.MethodGet, "/v1/leads?"+q, "", auth(bootstrap)); w.Code == 401 {
			t.Errorf("%s holds no token: %s", q, w.Body)
		}
	}
}

func TestTheEleventhBadTokenOfAMinuteWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bad := func(from, spoof string) *httptest.ResponseRecorder {
		return d.call(http.MethodGet, "/v1/leads", "", auth("nonsense"), "From-Address: "+from, "X-Forwarded-For: "+spoof)
	}
	for i := range failuresAllowed {
		if w := bad("198.51.100.1:1", fmt.Sprint(i)); w.Code != 401 {
			t.Fatalf("try %d: %d", i, w.Code)
		}
	}
	w := bad("198.51.100.1:2", "10.9.8.7")
	if w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("try 11: %d, wait %s", w.Code, w.Header().Get("Retry-After"))
	}
	problemIn(t, w)
	if w := d.call(http.MethodGet, "/v1/leads", "", auth(bootstrap), "From-Address: 198.51.100.1:3"); w.Code != 200 {
		t.Errorf("a good token is held up: %d", w.Code)
	}
	if w := bad("198.51.100.2:1", ""); w.Code != 401 {
		t.Errorf("another address is held up: %d", w.Code)
	}
	d.pass(time.Minute)
	if w := bad("198.51.100.1:4", ""); w.Code != 401 {
		t.Errorf("after the wait: %d", w.Code)
	}
}

func TestAFloodOfAddressesFillsNoMemory(t *testing.T) {
	t.Parallel()
	f := newFailures(time.Now)
	for i := range 3 * addressesKept {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		f.add(peer(r))
	}
	if len(f.seen) > addressesKept {
		t.Errorf("%d addresses are kept", len(f.seen))
	}
}

func TestUseIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := d.token(galena.ScopeLeadsRead)
	for _, step := range []time.Duration{0, time.Second, time.Minute} {
		d.pass(step)
		d.call(http.MethodGet, "/v1/leads", "", auth(token))
	}
	if d.shelf.touched != 2 {
		t.Errorf("written %d times", d.shelf.touched)
	}
}

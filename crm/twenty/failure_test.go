package twenty

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestEveryRecordedRefusalHasItsMeaning(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"01/1": "unauthorized: no key reached", "01/2": "unauthorized: the key is damaged", "01/8": "unauthorized: the key is damaged",
		"01/10": "unauthorized: the key is refused", "01/12": "invalid", "03/10": "invalid: the server does not take what is meant for colour",
		"03/12": "invalid", "03/18": "not_found", "03/19": "invalid", "03/26": "invalid: the server does not take what is meant for annualRevenue.amountMicros",
		"03/30": "invalid", "03/31": "invalid", "04/1": "conflict", "07/9": "invalid", "07/11": "invalid",
		"07/15": "invalid: the server does not take what is meant for icpTier", "07/30": "invalid",
		"07/31": "invalid: the server does not take what is meant for emails.primaryEmail", "08/3": "invalid",
		"10/4": "conflict", "10/5": "not_found", "10/7": "invalid", "10/8": "invalid", "10/13": "not_found", "11/16": "invalid",
		"12/1": "rate_limited", "12/3": "rate_limited", "13/6": "unauthorized: the key's role", "13/7": "unauthorized: the key's role",
		"13/8": "unauthorized: the key's role", "13/11": "unauthorized: the key was revoked", "13/12": "unauthorized: the key was revoked",
		"13/16": "unauthorized: the key has expired", "13/17": "unauthorized: the key has expired", "15/2": "unavailable", "15/5": "unavailable",
	}
	for line := range strings.Lines(slurp(t, "refusals.txt")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, body, _ := strings.Cut(rest, " ")
		status, err := strconv.Atoi(code)
		if err != nil {
			t.Fatal(err)
		}
		_, err = read("op", &http.Response{StatusCode: status, Header: http.Header{}}, []byte(body), now)
		if w := want[name]; w == "" || err == nil || !strings.HasPrefix(err.Error(), "op: "+w) {
			t.Errorf("%s is %v, want %s", name, err, w)
		}
		delete(want, name)
		if err != nil && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "not an email")) {
			t.Errorf("%s repeats what the server said: %v", name, err)
		}
	}
	for name := range want {
		t.Errorf("%s is not recorded", name)
	}
}

func TestOtherRefusalsHaveTheirMeaning(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status  int
		headers map[string]string
		body    string
		want    galena.Kind
		wait    time.Duration
	}{
		{429, nil, `{"statusCode":429,"error":"HttpException","messages":["Limit reached (100 tokens per 60000 ms)"]}`, galena.RateLimited, interval},
		{429, map[string]string{"Retry-After": "30"}, ``, galena.RateLimited, 30 * time.Second},
		{429, map[string]string{"Retry-After": "Sat, 21 Nov 2026 17:01:00 GMT"}, `x`, galena.RateLimited, time.Minute},
		{429, nil, `{"error":"RATE_LIMITED","limitKind":"speed","exhaustedKind":"limit","retryAfterSeconds":12}`, galena.RateLimited, 12 * time.Second},
		{429, nil, `{"error":"RATE_LIMITED","limitKind":"quota"}`, galena.Exhausted, 0},
		{400, nil, `{"statusCode":400,"error":"Error","messages":["Limit reached (100 tokens per 60000 ms)"]}`, galena.RateLimited, interval},
		{402, nil, `{"error":"BILLING","messages":["no"]}`, galena.Exhausted, 0},
		{400, nil, `{"error":"Error","messages":["something new"]}`, galena.Unavailable, 0},
		{400, nil, `{"error":"Error","messages":["something new"],"code":"NEW_RULE"}`, galena.Invalid, 0},
		{500, nil, `<html>`, galena.Unavailable, 0},
		{503, nil, ``, galena.Unavailable, 0},
		{408, nil, ``, galena.Unavailable, 0},
		{409, nil, `{"messages":["conflict"]}`, galena.Conflict, 0},
		{400, nil, `<html>`, galena.Malformed, 0},
		{302, nil, ``, galena.Malformed, 0},
		{200, nil, `<html>`, galena.Malformed, 0},
		{200, nil, `{"data":1}{}`, galena.Malformed, 0},
	} {
		h := http.Header{}
		for k, v := range tc.headers {
			h.Set(k, v)
		}
		_, err := read("op", &http.Response{StatusCode: tc.status, Header: h}, []byte(tc.body), now)
		if galena.KindOf(err) != tc.want || galena.RetryAfterOf(err) != tc.wait {
			t.Errorf("%d %s is %v after %v, want %s after %v", tc.status, tc.body, err, galena.RetryAfterOf(err), tc.want, tc.wait)
		}
	}
}

// theirs is what the server does, as far as 130 calls at each of three paces told.
type theirs struct {
	left int
	last time.Time
}

func (b *theirs) allows(at time.Time) bool {
	gained := int(at.Sub(b.last) / (600 * time.Millisecond))
	if b.left = min(b.left+gained, 100); b.left == 0 {
		return false
	}
	b.left--
	b.last = at
	return true
}

func TestThePaceIsTheirs(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{0, 100 * time.Millisecond, 500 * time.Millisecond, 620 * time.Millisecond, 700 * time.Millisecond} {
		ours, server := bucket{left: burst, last: now}, theirs{100, now}
		at, began := now, now
		for i := range 500 {
			for wait := ours.take(at); wait > 0; wait = ours.take(at) {
				at = at.Add(wait)
			}
			if !server.allows(at.Add(time.Duration(i%2) * 40 * time.Millisecond)) { // some calls take longer to get there
				t.Errorf("a call each %v: number %d is refused", every, i)
				break
			}
			at = at.Add(every)
		}
		if per := at.Sub(began) / 400; per > 1500*time.Millisecond {
			t.Errorf("a call each %v: 500 calls take %v", every, at.Sub(began))
		}
	}
}

func TestARefusalEmptiesTheBucket(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	c, err := New(Config{URL: server.URL, Key: "k"}, Deps{Client: server.Client(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.call(t.Context(), "op", http.MethodGet, "/rest/companies", nil, nil); galena.KindOf(err) != galena.RateLimited {
		t.Fatal(err)
	}
	p, _ := c.deps.Pace.(*localPace)
	if wait := p.b.take(now); wait != interval {
		t.Errorf("the next call may come after %v, want %v", wait, interval)
	}
}

package crmtest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// exchange is one that was recorded.
type exchange struct {
	request, sent string
	status        int
	header        http.Header
	answer        string
}

// Play answers as `galena crm record` wrote it down, in the recorded order, and
// takes nothing else. A request that differs, and one that is not made, fail the test.
func Play(t *testing.T, file string) http.Handler {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, left: exchanges(t, string(b))}
	if len(p.left) == 0 {
		t.Fatalf("%s holds no exchange", file)
	}
	t.Cleanup(func() {
		if n := len(p.left); n > 0 {
			t.Errorf("%s was not asked for, nor %d more", p.left[0].request, n-1)
		}
	})
	return p
}

type player struct {
	t    *testing.T
	mu   sync.Mutex
	left []exchange
}

// ServeHTTP implements http.Handler.
func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := io.ReadAll(r.Body)
	query, bad := url.QueryUnescape(r.URL.RawQuery)
	if err != nil || bad != nil {
		p.t.Error(err, bad)
	}
	got := strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+query, "?")
	if len(p.left) == 0 {
		p.t.Errorf("nothing is recorded for %s", got)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := p.left[0]
	p.left = p.left[1:]
	if form := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"); got != next.request || !form && !alike(string(b), next.sent) {
		p.t.Errorf("asked\n %s\n %s\nwhere this is recorded\n %s\n %s", got, b, next.request, next.sent)
	}
	maps.Copy(w.Header(), next.header)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.answer)
}

// alike compares two bodies as JSON.
func alike(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// exchanges reads a fixture.
func exchanges(t *testing.T, text string) (out []exchange) {
	t.Helper()
	_, text, _ = strings.Cut(text, "### ")
	for part := range strings.SplitSeq(text, "\n### ") {
		e := exchange{header: http.Header{}}
		for _, line := range strings.Split(strings.TrimSpace(part), "\n")[1:] {
			said, sends := strings.CutPrefix(line, "> ")
			told, answers := strings.CutPrefix(line, "< ")
			name, v, isHeader := strings.Cut(told, ": ")
			switch {
			case sends && e.request == "":
				e.request = said
			case sends:
				e.sent = said
			case answers && isHeader:
				e.header.Set(name, v)
			case answers:
				var err error
				if e.status, err = strconv.Atoi(told); err != nil {
					t.Fatalf("%q is no status", told)
				}
			default:
				e.answer += line
			}
		}
		out = append(out, e)
	}
	return out
}

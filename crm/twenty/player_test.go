package twenty

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// exchange is one recorded answer of a 2.21.0 server, to the request that we make
// for it.
type exchange struct {
	title, request, body string
	status               int
	answer               string
}

// player answers as recorded, in the recorded order, and takes nothing else. The
// metadata are not part of a recording.
type player struct {
	t       *testing.T
	mu      sync.Mutex
	left    []exchange
	objects string
}

func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Header.Get("Authorization") != "Bearer marker-key" {
		p.t.Errorf("the key came as %q", r.Header.Get("Authorization"))
	}
	if r.URL.Path == "/rest/metadata/objects" {
		_, _ = io.WriteString(w, p.objects)
		return
	}
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil {
		p.t.Error(err)
	}
	got := strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+query, "?")
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	if len(p.left) == 0 {
		p.t.Errorf("nothing is recorded for %s", got)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := p.left[0]
	p.left = p.left[1:]
	if got != next.request || !sameJSON(string(b), next.body) {
		p.t.Errorf("%s:\n got %s\n     %s\nwant %s\n     %s", next.title, got, b, next.request, next.body)
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.answer)
}

func sameJSON(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// recording reads a file of exchanges.
func recording(t *testing.T, name string) (out []exchange) {
	t.Helper()
	for part := range strings.SplitSeq(slurp(t, name+".http"), "### ") {
		lines := strings.Split(strings.TrimSpace(part), "\n")
		if len(lines) < 2 {
			continue
		}
		e := exchange{title: lines[0]}
		for _, line := range lines[1:] {
			switch text := line[min(2, len(line)):]; {
			case strings.HasPrefix(line, "> ") && e.request == "":
				e.request = text
			case strings.HasPrefix(line, "> "):
				e.body = text
			case strings.HasPrefix(line, "< "):
				var err error
				if e.status, err = strconv.Atoi(text); err != nil {
					t.Fatal(err)
				}
			default:
				e.answer = line
			}
		}
		out = append(out, e)
	}
	return out
}

func slurp(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// play makes a connector that meets the recordings one after another; all of them
// must have been asked for in the end.
func play(t *testing.T, names ...string) *CRM {
	t.Helper()
	p := &player{t: t, objects: slurp(t, "objects.json")}
	for _, name := range names {
		p.left = append(p.left, recording(t, name)...)
	}
	t.Cleanup(func() {
		if len(p.left) > 0 {
			t.Errorf("%q was not asked for", p.left[0].title)
		}
	})
	return against(t, p)
}

// against makes a connector to a handler.
func against(t *testing.T, h http.Handler) *CRM {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Config{URL: server.URL, App: "https://crm.example", Key: "marker-key", KeyName: "enrichment connector"},
		Deps{Client: server.Client(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

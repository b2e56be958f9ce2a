package providertest

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/galenahq/galena/providers"
)

// baseMark stands in a recorded body for the address of the server that plays it.
const baseMark = "{{base}}"

// recording is a whole recorded answer. One with an X-Asked header answers only
// calls whose path and query contain what it says: a step of a vendor that
// takes several calls, or the case in which such a step goes wrong.
type recording struct {
	status int
	header http.Header
	body   []byte
}

// read loads a recording.
func read(t *testing.T, file string) recording {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		t.Fatalf("%s is not an HTTP answer: %v", file, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return recording{resp.StatusCode, resp.Header, body}
}

// stepsOf loads the answers to the calls that lead to the one that counts.
func stepsOf(t *testing.T, spec providers.Spec) []recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata(spec), "steps", "*.http"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]recording, len(files))
	for i, f := range files {
		if out[i] = read(t, f); out[i].header.Get("X-Asked") == "" {
			t.Fatalf("%s has no X-Asked header", f)
		}
	}
	return out
}

// question is what was asked for when the answer was recorded.
func (rec recording) question(spec providers.Spec) providers.Query {
	q := question(spec)
	if domain := rec.header.Get("X-Asked-Domain"); domain != "" {
		q.Domain = domain
	}
	for _, line := range rec.header.Values("X-Asked-Known") {
		field, value, _ := strings.Cut(line, "=")
		q.Known[field] = value
	}
	return q
}

// answers says that a recording is made for this very call.
func (rec recording) answers(r *http.Request) bool {
	asked := rec.header.Get("X-Asked")
	uri, err := url.QueryUnescape(r.URL.RequestURI())
	return asked != "" && err == nil && strings.Contains(uri, asked)
}

// ServeHTTP plays the recording.
func (rec recording) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), rec.header)
	w.WriteHeader(rec.status)
	_, _ = w.Write(bytes.ReplaceAll(rec.body, []byte(baseMark), []byte("http://"+r.Host+"/base")))
}

// withSteps plays a case: its own call, the steps before and after it, and the
// case for every call that no step answers.
func (rec recording) withSteps(t *testing.T, spec providers.Spec) http.Handler {
	t.Helper()
	steps := stepsOf(t, spec)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/base/") {
			t.Errorf("asked %s: the base URL's own path is lost", r.URL.Path)
		}
		switch {
		case rec.answers(r):
			rec.ServeHTTP(w, r)
		case rec.header.Get("X-Asked") == "":
			after(steps, rec.ServeHTTP)(w, r)
		default:
			after(steps, func(w http.ResponseWriter, r *http.Request) {
				t.Errorf("asked %s, which nothing was recorded for", r.URL.Path)
				w.WriteHeader(http.StatusTeapot)
			})(w, r)
		}
	})
}

// after answers the steps as recorded and every other call with last.
func after(steps []recording, last http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, s := range steps {
			if s.answers(r) {
				s.ServeHTTP(w, r)
				return
			}
		}
		last(w, r)
	}
}

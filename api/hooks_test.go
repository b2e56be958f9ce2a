package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func (s *shelf) Callback(_ context.Context, provider string, header http.Header, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called = append(s.called, provider+" "+header.Get("X-Request-Signature")+" "+string(body))
	return s.callErr
}

func (s *shelf) Edited(_ context.Context, crm string, header http.Header, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called = append(s.called, crm+" "+header.Get("X-Request-Signature")+" "+string(body))
	return s.callErr
}

func TestAProvidersCallIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	takenAsItIs(t, "/v1/hooks/providers/clearbit", "clearbit", maxCallback)
}

func TestACRMsEditIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	takenAsItIs(t, "/v1/hooks/twenty", "twenty", maxEdit)
}

func takenAsItIs(t *testing.T, path, name string, most int) {
	t.Helper()
	long := strings.Repeat("x", most)
	for how, tc := range map[string]struct {
		body    string
		headers []string
		err     error
		want    int
		code    string
	}{
		"taken":                  {"{ \"a\":1 }", []string{jsonType}, nil, 204, ""},
		"of another type":        {"a=1", []string{"Content-Type: text/plain"}, nil, 204, ""},
		"of the largest size":    {long, nil, nil, 204, ""},
		"too large":              {long + "x", nil, nil, 413, "too_large"},
		"compressed":             {"x", []string{"Content-Encoding: gzip"}, nil, 415, "unsupported_encoding"},
		"of somebody else":       {"x", nil, galena.Errorf(galena.Unauthorized, "one", "secret"), 401, "unauthorized"},
		"of nobody we know":      {"x", nil, galena.Errorf(galena.NotFound, "one", "secret"), 404, "not_found"},
		"that cannot be read":    {"x", nil, galena.Errorf(galena.Invalid, "one", "secret"), 422, "invalid"},
		"while the store is off": {"x", nil, galena.Errorf(galena.Unavailable, "sql", "secret"), 503, "unavailable"},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.shelf.callErr = tc.err
			w := d.call(http.MethodPost, path, tc.body, append(tc.headers, "X-Request-Signature: sha1=abc")...)
			if w.Code != tc.want || strings.Contains(w.Body.String(), "secret") {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, tc.want)
			}
			if tc.want != http.StatusNoContent {
				if p := problemIn(t, w); p.Code != tc.code || strings.Contains(p.Detail, "bearer") {
					t.Errorf("problem %+v, want %s", p, tc.code)
				}
			}
			reached := tc.want != 413 && tc.want != 415
			if want := name + " sha1=abc " + tc.body; reached && (len(d.shelf.called) != 1 || d.shelf.called[0] != want) || !reached && len(d.shelf.called) > 0 {
				t.Errorf("%d calls reached whom they are for, want its raw body", len(d.shelf.called))
			}
		})
	}
}

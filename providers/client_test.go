package providers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A call ends within the last resort, before its answer or in the middle of it, if
// its caller set no bound or a longer one; a shorter bound holds.
func TestNoCallTakesForEver(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}))
	defer s.Close()
	client, err := NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	own, ok := client.Transport.(links)
	if !ok || own.longest != lastResort || client.Timeout != 0 {
		t.Fatalf("the client is %T, bounded by %v and %v", client.Transport, own.longest, client.Timeout)
	}
	own.longest = 50 * time.Millisecond
	client.Transport = own
	defer client.CloseIdleConnections()
	for _, bound := range []time.Duration{0, time.Hour, 20 * time.Millisecond} {
		for _, path := range []string{"/none", "/half"} {
			ctx, cancel := context.WithCancel(t.Context())
			if bound > 0 {
				ctx, cancel = context.WithTimeout(t.Context(), bound)
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if err == nil || t.Context().Err() != nil {
				t.Errorf("%s with a bound of %v ended with %v", path, bound, err)
			}
			cancel()
		}
	}
}

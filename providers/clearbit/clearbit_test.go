package clearbit

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }

func TestLookAlikesDifferInPathAndKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ under, auth, path, header string }{
		{"", "", "/v2/companies/find", "Bearer k"},
		{"", "bearer", "/v2/companies/find", "Bearer k"},
		{"", "basic", "/v2/companies/find", "Basic azo="}, // "k:"
		{"/v1", "raw", "/v1/companies/find", "k"},
		{"/enrich/v3/", "raw", "/enrich/v3/companies/find", "k"},
		{"/enrich", "", "/enrich/v2/companies/find", "Bearer k"},
	} {
		var path, header string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, header = r.URL.Path, r.Header.Get("Authorization")
			w.WriteHeader(http.StatusAccepted)
		}))
		defer server.Close()
		limit := 30 * time.Second // of a host that keeps the line open
		w, err := providers.New(
			providers.Config{Providers: []providers.Entry{{ID: "ours", Adapter: "clearbit", URL: server.URL + c.under, Auth: c.auth, Timeout: &limit}}},
			providers.Deps{Specs: []providers.Spec{Spec}, Client: server.Client(), Keys: func(string) string { return "k" }})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		_, call, err := w.Ask(t.Context(), "ours", "acme.example", nil)
		if path != c.path || header != c.header {
			t.Errorf("%q with auth %q: asked %s as %q, want %s as %q", c.under, c.auth, path, header, c.path, c.header)
		}
		if galena.KindOf(err) != galena.Pending || galena.RetryAfterOf(err) != 5*time.Minute || call.Cents != 0 {
			t.Errorf("a queued answer is %v after %v for %v cents, want pending", err, galena.RetryAfterOf(err), call.Cents)
		}
	}
}

func TestAuthIsRefusedWhereTheAdapterKnowsBetter(t *testing.T) {
	t.Parallel()
	spec := Spec
	spec.Auths = nil
	c := providers.Config{Providers: []providers.Entry{{ID: "clearbit", Auth: "raw"}}}
	if _, err := providers.New(c, providers.Deps{Specs: []providers.Spec{spec}, Keys: func(string) string { return "k" }}); galena.KindOf(err) != galena.Invalid {
		t.Errorf("got %v, want it refused", err)
	}
	c.Providers[0].Auth = "digest"
	if err := c.Validate(); err == nil {
		t.Error("a way that nobody has is accepted")
	}
}

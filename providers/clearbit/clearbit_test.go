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

func TestTheTicketIsGivenInTheVendorsWords(t *testing.T) {
	t.Parallel()
	for auth, want := range map[string]string{"": "domain=acme.example&webhook_id=t1", "basic": "domain=acme.example&webhook_id=t1", "raw": "domain=acme.example&webhookId=t1"} {
		var asked string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.RawQuery
			w.WriteHeader(http.StatusAccepted)
		}))
		a := adapter{providers.Settings{BaseURL: server.URL, Key: "k", Auth: auth, Client: server.Client(), Now: time.Now}}
		if _, err := a.Enrich(t.Context(), providers.Query{Domain: "acme.example", Ticket: "t1"}); galena.KindOf(err) != galena.Pending || asked != want {
			t.Errorf("%q: asked %s, %v; want %s", auth, asked, err, want)
		}
		server.Close()
	}
}

func TestALineThatIsKeptOpenIsCutAtItsTimeLimit(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer server.Close()
	limit := 150 * time.Millisecond
	entry := providers.Entry{ID: "stream", Adapter: "clearbit", URL: server.URL, Timeout: &limit}
	w, err := providers.New(providers.Config{Providers: []providers.Entry{entry}},
		providers.Deps{Specs: []providers.Spec{Spec}, Client: server.Client(), Keys: func(string) string { return "k" }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	began := time.Now()
	_, call, err := w.Ask(t.Context(), "stream", "acme.example", nil)
	if took := time.Since(began); galena.KindOf(err) != galena.Unavailable || call.Outcome != "error:timeout" || took > 5*time.Second {
		t.Errorf("%s, %v after %v, want a timeout", call.Outcome, err, took)
	}
	for limit, fine := range map[time.Duration]bool{30 * time.Second: true, 30*time.Second + 1: false, time.Minute: false} {
		entry.Timeout = &limit
		if err := (providers.Config{Providers: []providers.Entry{entry}}).Validate(); (err == nil) != fine {
			t.Errorf("a line open for %v: %v", limit, err)
		}
	}
}

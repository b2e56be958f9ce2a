package custom

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/providers"
)

// block is the first example of a kind in the page for operators.
func block(t *testing.T, kind string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```"+kind+"\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("docs/providers.md has no %s", kind)
	}
	return text
}

func TestTheExampleOfTheDocsDoesWhatTheySay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "providers.yaml")
	if err := os.WriteFile(file, []byte(block(t, "yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/v1/companies/acme.example?lang=en" || r.Header.Get("X-Api-Key") != "k" {
			t.Errorf("asked %s with the key %q", r.URL, r.Header.Get("X-Api-Key"))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, block(t, "json"))
	}))
	defer server.Close()
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	p, err := described(t, file, "firmendaten").New(providers.Settings{ID: "firmendaten", BaseURL: server.URL, Key: "k", Client: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	record, err := p.Enrich(t.Context(), providers.Query{Domain: "acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range record.Observations {
		got[o.Field] = o.Value.String()
		if o.Confidence != 0.87 || o.ObservedAt.Format(time.DateOnly) != "2026-10-01" {
			t.Errorf("%s is %v sure, of %v", o.Field, o.Confidence, o.ObservedAt)
		}
	}
	want := map[string]string{"company.name": "Acme GmbH", "company.employee_count": "231", "company.industry": "software", "company.hq_country": "DE"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	soap := described(t, file, "register")
	if fields := slices.Sorted(maps.Keys(soap.Fields)); soap.Keyless || !slices.Equal(fields, []string{"company.legal_name", "company.technologies"}) {
		t.Errorf("the second example supplies %v, keyless %v", fields, soap.Keyless)
	}
}

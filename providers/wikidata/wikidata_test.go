package wikidata

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestTheServiceIsToldWhomToTurnTo(t *testing.T) {
	t.Parallel()
	var agent string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agent = r.UserAgent() }))
	defer server.Close()
	c := providers.Config{Providers: []providers.Entry{{ID: "wikidata", URL: server.URL}}}
	for contact, on := range map[string]bool{"": false, "ops@leads.example": true} {
		w, err := providers.New(c, providers.Deps{Specs: []providers.Spec{Spec}, Client: server.Client(), Contact: contact})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if listed := c.List([]providers.Spec{Spec}, nothing, nothing, contact).Providers[0].On; w.Offers()[0].Available != on || listed != on {
			t.Errorf("with the contact %q: offered %t, listed %t, want %t", contact, w.Offers()[0].Available, listed, on)
		}
		_, _, _ = w.Ask(t.Context(), "wikidata", "acme.example", nil)
	}
	if want := "galena (+https://github.com/galenahq/galena; ops@leads.example)"; agent != want {
		t.Errorf("the service was asked by %q, want %q", agent, want)
	}
}

func nothing(string) string { return "" }

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }

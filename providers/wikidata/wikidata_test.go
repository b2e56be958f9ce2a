package wikidata

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/galenahq/galena"
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

// TestARecordIsWhole: it is held for months, and what an item refers to says its
// industry and its country.
func TestARecordIsWhole(t *testing.T) {
	t.Parallel()
	statement := func(property, value string) string {
		return fmt.Sprintf(`%q: [{"rank": "normal", "mainsnak": {"snaktype": "value", "datavalue": {"value": %s}}}]`, property, value)
	}
	item := `{"entities": {"Q1": {"labels": {"en": {"value": "Acme"}}, "claims": {` +
		statement(pWebsite, `"https://acme.example/"`) + "," + statement(pIndustry, `{"id": "Q2"}`) + `}}}}`
	for status, want := range map[int]galena.Kind{
		http.StatusTooManyRequests: galena.RateLimited, http.StatusServiceUnavailable: galena.Unavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch q := r.URL.Query(); {
			case q.Get("list") == "search":
				_, _ = io.WriteString(w, `{"query": {"search": [{"title": "Q1"}]}}`)
			case q.Get("ids") == "Q1":
				_, _ = io.WriteString(w, item)
			default:
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(status)
			}
		}))
		defer server.Close()
		a := adapter{providers.Settings{BaseURL: server.URL, Client: server.Client(), Now: time.Now}}
		r, err := a.Enrich(t.Context(), providers.Query{Domain: "acme.example"})
		if galena.KindOf(err) != want || galena.RetryAfterOf(err) != 30*time.Second {
			t.Errorf("%d: %v and %d values, want %s and a wait of 30 s", status, err, len(r.Observations), want)
		}
	}
}

// TestWhatHasEndedHoldsNoMore: a seat that was left, and a domain that was given up, which
// may be somebody else's today. The end of a figure's year is none.
func TestWhatHasEndedHoldsNoMore(t *testing.T) {
	t.Parallel()
	const ended = `, "qualifiers": {"P582": [{"snaktype": "value", "datavalue": {"value": {"time": "+2019-01-01T00:00:00Z"}}}]}`
	of := func(value, qualifiers string) string {
		return `{"rank": "normal", "mainsnak": {"snaktype": "value", "datavalue": {"value": ` + value + `}}` + qualifiers + `}`
	}
	o, err := providers.ParseObject([]byte(`{"claims": {
		"P856": [` + of(`"https://old.example/"`, ended) + `, ` + of(`"https://new.example/"`, "") + `],
		"P159": [` + of(`{"id": "Q1"}`, ended) + `, ` + of(`{"id": "Q2"}`, "") + `],
		"P17": [` + of(`{"id": "Q3"}`, ended) + `],
		"P1128": [` + of(`{"amount": "+7"}`, ended) + `]}}`))
	if err != nil {
		t.Fatal(err)
	}
	it := item{o}
	if it.owns("old.example") || !it.owns("new.example") {
		t.Error("the site of before is taken for the company's own, or its own is not")
	}
	if seat, country := it.ref(pSeat), it.ref(pCountry); seat != "Q2" || country != "" {
		t.Errorf("seat %q, country %q: want the seat that holds, and no country", seat, country)
	}
	if s, _, ok := it.newest(pEmployees); !ok || amount(s) != "7" {
		t.Error("a figure whose year is over is lost")
	}
}

func nothing(string) string { return "" }

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }

package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// TestAnOwnerWhoIsNotTakenUndoesNothing has the owner set by a call of its own, which
// fails after the record was written.
func TestAnOwnerWhoIsNotTakenUndoesNothing(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct{ refused, lost bool }{
		http.StatusUnprocessableEntity: {refused: true},
		http.StatusNotFound:            {lost: true},
		http.StatusTooManyRequests:     {lost: true},
		http.StatusBadGateway:          {lost: true},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("/accounts", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]string{"id": "7"})
		})
		mux.HandleFunc("/accounts/7", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"id":"7"}`)) })
		mux.HandleFunc("/accounts/7/owner", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		srv := httptest.NewServer(mux)
		defer srv.Close()
		c, err := New("x", Config{BaseURL: srv.URL, Auth: Auth{Style: styleNone}, Objects: map[string]Object{"company": {
			Lookup: Lookup{Call: Call{Path: "/search/{key}"}, List: "hits"}, Read: Call{Path: "/accounts/{id}"}, Create: Write{Call: Call{Path: "/accounts", Method: http.MethodPost}},
			Update: Update{Write: Write{Call: Call{Path: "/accounts/{id}", Method: http.MethodPatch}}},
			Assign: &Call{Path: "/accounts/{id}/owner", Method: http.MethodPut, Body: object{"user": "{owner}"}},
			Fields: map[string]Field{"company.domain": {Path: "domain", Type: typeDomain}, "owner": {Path: "owner"}},
		}}}, Deps{Client: srv.Client(), Secret: settings, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		set := map[crm.Field]crm.Encoded{crm.Domain: {Raw: "acme.example", Norm: "acme.example"}, crm.Owner: {Raw: "3", Norm: "3"}}
		for _, id := range []string{"", "7"} {
			out, err := c.Apply(t.Context(), []crm.Change{{Object: crm.Company, ID: id, Set: set}})
			if err != nil || out[0].Err != nil || out[0].ID != "7" || slices.Contains(out[0].Refused, crm.Owner) != want.refused || slices.Contains(out[0].Lost, crm.Owner) != want.lost {
				t.Errorf("%d, record %q: %+v, %v", status, id, out[0], err)
			}
		}
		alone := map[crm.Field]crm.Encoded{crm.Owner: set[crm.Owner]}
		out, err := c.Apply(t.Context(), []crm.Change{{Object: crm.Company, ID: "7", Set: alone}})
		if err != nil || galena.KindOf(out[0].Err) != kindOf(status) {
			t.Errorf("%d, nothing but the owner: %+v, %v", status, out[0], err)
		}
	}
}

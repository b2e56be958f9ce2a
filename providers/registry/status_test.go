package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// meanings are what the vendors with a key mean by a status that says nothing
// in its body. What stands under "" is what all others mean by it.
var meanings = map[int]map[string]galena.Kind{
	202: {"": galena.Pending},
	400: {"": galena.Invalid, "cufinder": galena.Exhausted, "cufinder-revenue": galena.Exhausted, "cufinder-tech": galena.Exhausted},
	401: {"": galena.Unauthorized},
	402: {"": galena.Exhausted},
	403: {"": galena.Unauthorized, "hunter": galena.RateLimited, "thecompaniesapi": galena.Exhausted},
	404: {"": galena.NotFound},
	422: {"": galena.Invalid, "abstract": galena.Exhausted},
	429: {"": galena.RateLimited, "hunter": galena.Exhausted},
	451: {"": galena.NotFound},
	500: {"": galena.Unavailable},
	503: {"": galena.Unavailable},
}

func TestOneStatusMeansWhatItsVendorMeans(t *testing.T) {
	t.Parallel()
	for _, spec := range All() {
		if spec.Keyless || spec.BaseURL == "" { // what a status of theirs means is for the catalogue to say
			continue
		}
		for status, by := range meanings {
			t.Run(fmt.Sprint(spec.Name, "/", status), func(t *testing.T) {
				t.Parallel()
				want, own := by[spec.Name]
				if !own {
					want = by[""]
				}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					_, _ = io.WriteString(w, "{}")
				}))
				defer server.Close()
				e := providers.Entry{ID: spec.Name, URL: server.URL}
				w, err := providers.New(providers.Config{Providers: []providers.Entry{e}},
					providers.Deps{Specs: All(), Client: server.Client(), Keys: func(string) string { return "k" }})
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				a, call, err := w.Ask(t.Context(), spec.Name, "acme.example", nil)
				if want == galena.NotFound {
					if a.Kind != want || call.Outcome != "miss" || (a.CostMicros == 0) != spec.PerMatch {
						t.Errorf("%+v, %v: want a miss, free %t", a, err, spec.PerMatch)
					}
					return
				}
				if galena.KindOf(err) != want || call.Cents != 0 {
					t.Errorf("%v for %v cents, want %s for none", err, call.Cents, want)
				}
			})
		}
	}
	for status, by := range meanings {
		for name := range by {
			if name != "" && !slices.ContainsFunc(All(), func(s providers.Spec) bool { return s.Name == name }) {
				t.Errorf("%d: no vendor is called %q", status, name)
			}
		}
	}
}

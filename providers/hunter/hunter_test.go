package hunter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.Run(t, Spec) }

func TestTheAccountTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	const unknown = -1
	for name, c := range map[string]struct {
		status int
		body   string
		left   int64
		day    string
		kind   galena.Kind
	}{
		"one kind of credits":        {200, `{"data":{"reset_date":"2026-12-01","requests":{"credits":{"used":320,"available":500,"remaining":180.5}}}}`, 180, "2026-12-01", ""},
		"searches of their own":      {200, `{"data":{"reset_date":"2026-12-01","requests":{"searches":{"used":1,"available":2,"remaining":"12"},"verifications":{"remaining":7}}}}`, 12, "2026-12-01", ""},
		"none left":                  {200, `{"data":{"requests":{"credits":{"remaining":0}}}}`, 0, "0001-01-01", ""},
		"an allowance is no balance": {200, `{"data":{"requests":{"credits":{"used":1,"available":50}}}}`, unknown, "0001-01-01", ""},
		"nonsense is not told":       {200, `{"data":{"reset_date":7,"requests":{"credits":{"remaining":"many"}}}}`, unknown, "0001-01-01", ""},
		"a bad key":                  {401, `{"errors":[{"id":"authentication_failed","code":401,"details":"sk_secret"}]}`, unknown, "0001-01-01", galena.Unauthorized},
		"too fast":                   {403, `{}`, unknown, "0001-01-01", galena.RateLimited},
		"used up":                    {429, `{}`, unknown, "0001-01-01", galena.Exhausted},
		"no data":                    {200, `{}`, unknown, "0001-01-01", galena.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/v2/account" || r.URL.RawQuery != "" || r.Header.Get("X-Api-Key") != "sk_secret" {
					t.Errorf("asked %s with the key %q", r.URL, r.Header.Get("X-Api-Key"))
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			w, err := providers.New(providers.Config{Providers: []providers.Entry{{ID: "hunter", URL: server.URL}}},
				providers.Deps{Specs: []providers.Spec{Spec}, Client: server.Client(), Keys: func(string) string { return "sk_secret" }})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			got := w.Accounts(t.Context())
			if len(got) != 1 || galena.KindOf(got[0].Err) != c.kind {
				t.Fatalf("got %+v, want one word of kind %q", got, c.kind)
			}
			left := int64(unknown)
			if n := got[0].Account.CreditsLeft; n != nil {
				left = *n
			}
			if day := got[0].Account.RenewsAt.Format("2006-01-02"); left != c.left || day != c.day {
				t.Errorf("%d left until %s, want %d until %s", left, day, c.left, c.day)
			}
			if c.kind != "" && strings.Contains(got[0].Err.Error(), "sk_secret") {
				t.Errorf("the error tells the key: %v", got[0].Err)
			}
		})
	}
}

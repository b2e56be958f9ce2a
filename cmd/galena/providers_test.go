package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
)

func TestCreditsAreToldOfThoseWhoTell(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		asJSON string
		column string
	}{
		{"left", 200, `{"data":{"reset_date":"2026-12-01","requests":{"credits":{"remaining":180}}}}`,
			`"credits_left":180,"credits_renew_on":"2026-12-01","credits_error":null}`, "180, new ones on 2026-12-01"},
		{"silent", 200, `{"data":{}}`, `"credits_left":null,"credits_renew_on":null,"credits_error":null}`, "-"},
		{"refused", 401, `{}`, `"credits_left":null,"credits_renew_on":null,"credits_error":"unauthorized"}`, "? (unauthorized)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := hunterSays(t, tc.status, tc.body)
			c := providersCmd{Credits: true}
			config := providers.Config{Providers: []providers.Entry{{ID: "hunter"}, {ID: "abstract"}}}
			lines := c.lines(catalogueOf(configs.Rules{Providers: config}, env), nil, nil, nil)
			if err := addCredits(t.Context(), lines, env, config); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(lines)
			if err != nil || !strings.Contains(string(text), tc.asJSON+`,{"id":"abstract"`) || !strings.HasSuffix(string(text), `"credits_error":null}]`) {
				t.Errorf("%s, %v", text, err)
			}
			var out bytes.Buffer
			if err := c.print(&out, lines); err != nil {
				t.Fatal(err)
			}
			rows := strings.Split(out.String(), "\n")
			if !strings.HasSuffix(rows[0], "  CREDITS LEFT") || !strings.HasSuffix(rows[1], "  "+tc.column) || !strings.HasSuffix(rows[2], "  -") {
				t.Errorf("the table is\n%s", out.String())
			}
		})
	}
}

func TestWithoutTheWordNobodyIsAskedForCredits(t *testing.T) {
	t.Parallel()
	lines := []providerLine{{ID: "hunter", Breaker: "unknown"}}
	text, err := json.Marshal(lines)
	if err != nil || strings.Contains(string(text), "credits") {
		t.Errorf("%s, %v", text, err)
	}
	var out bytes.Buffer
	if err := (providersCmd{}).print(&out, lines); err != nil || strings.Contains(out.String(), "CREDITS") {
		t.Errorf("%s, %v", out.String(), err)
	}
}

// hunterSays is an environment whose Hunter answers so when asked for the account;
// the other vendor in it can tell nothing of one.
func hunterSays(t *testing.T, status int, body string) configs.Env {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/account" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	env, err := configs.ParseEnv([]string{"GALENA_PROVIDER_HUNTER_KEY=k", "GALENA_PROVIDER_HUNTER_URL=" + server.URL,
		"GALENA_PROVIDER_ABSTRACT_KEY=k", "GALENA_ALLOW_PRIVATE_TARGETS=loopback"})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

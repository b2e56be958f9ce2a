package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// workspace is as much of a Twenty server as the commands look at.
func workspace(t *testing.T, made *[]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer marker-key":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"statusCode":401,"messages":["Token has expired."],"error":"UNAUTHENTICATED"}`))
		case r.URL.Path == "/rest/metadata/objects":
			_, _ = w.Write([]byte(`{"data":{"objects":[{"id":"c","nameSingular":"company","fields":[{"name":"domainName","type":"LINKS"},{"name":"employees","type":"NUMBER"}]},` +
				`{"id":"p","nameSingular":"person","fields":[{"name":"emails","type":"EMAILS"}]}]}}`))
		case r.URL.Path == "/rest/metadata/fields":
			var body struct{ Name, Type string }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			*made = append(*made, body.Name+" "+body.Type)
			_, _ = w.Write([]byte(`{"data":{"createOneField":{"id":"f"}}}`))
		case r.Method == http.MethodPatch:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"statusCode":404,"error":"NotFoundException","messages":["Record not found"]}`))
		default:
			_, _ = w.Write([]byte(`{"data":{}}`))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTheCRMIsLookedAtFromTheCommandLine(t *testing.T) {
	var made []string
	server := workspace(t, &made)
	for _, tc := range []struct {
		args       string
		key, allow string
		exit       int
		want       string // in what is printed
	}{
		{"crm check twenty", "marker-key", "loopback", exitOK, "ok     crm       twenty lets the key read and write companies and people"},
		{"crm check --json twenty", "marker-key", "loopback", exitOK, `"verdict":"ok"`},
		{"crm check twenty", "old-key", "loopback", exitNo, "the key has expired: make a new one"},
		{"crm check twenty", "marker-key", "", exitNo, "name it in GALENA_ALLOW_PRIVATE_TARGETS"},
		{"crm check twenty", "", "loopback", exitUsage, "set GALENA_CRM_TWENTY_URL and GALENA_CRM_TWENTY_KEY"},
		{"crm check pipedream", "marker-key", "loopback", exitUsage, "twenty"},
		{"crm discover twenty", "marker-key", "loopback", exitOK, "company  company.employee_count      employees               NUMBER     there"},
		{"crm discover --json twenty", "marker-key", "loopback", exitOK, `"place":"employees","type":"NUMBER","state":"there"`},
		{"crm ensure-fields --dry-run --apply twenty", "marker-key", "loopback", exitUsage, ""},
		{"crm ensure-fields twenty", "marker-key", "loopback", exitNo, "icpTier       SELECT     missing"},
		{"crm ensure-fields --apply twenty", "marker-key", "loopback", exitOK, "icpTier       SELECT     created"},
	} {
		t.Run(tc.args+" "+tc.key, func(t *testing.T) {
			made = nil
			t.Setenv("GALENA_CRM_TWENTY_URL", server.URL)
			t.Setenv("GALENA_CRM_TWENTY_KEY", tc.key)
			t.Setenv("GALENA_ALLOW_PRIVATE_TARGETS", tc.allow)
			var out bytes.Buffer
			if exit := run(strings.Fields(tc.args), streams{nil, &out, &out}); exit != tc.exit || !strings.Contains(out.String(), tc.want) {
				t.Errorf("exit %d, want %d\n%s\nwant %s", exit, tc.exit, out.String(), tc.want)
			}
			if strings.Contains(out.String(), "marker-key") || strings.Contains(out.String(), "old-key") {
				t.Error("the key is printed")
			}
			if want := map[bool]int{true: 6}[strings.HasPrefix(tc.args, "crm ensure-fields --apply")]; len(made) != want {
				t.Errorf("made %v", made)
			}
		})
	}
}

package crmfake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
)

// workspace is a fake Twenty with a clock that is moved.
type workspace struct {
	*crmfake.Server
	t  *testing.T
	at time.Time
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	w := &workspace{t: t, at: time.Date(2026, 11, 21, 16, 37, 0, 0, time.UTC)}
	w.Server = crmfake.New(crmfake.Twenty, "key", func() time.Time { return w.at })
	return w
}

// ask sends one request; a path may hold a filter that is not escaped.
func (w *workspace) ask(method, path, body string, header ...string) (int, string) {
	w.t.Helper()
	at, query, _ := strings.Cut(path, "?")
	if query != "" {
		name, v, _ := strings.Cut(query, "=")
		at += "?" + name + "=" + url.QueryEscape(v)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, at, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return rec.Code, string(b)
}

// TestTwentyAnswersAsARunningServerDid holds the fake to what a 2.21.0 server was
// seen to answer.
func TestTwentyAnswersAsARunningServerDid(t *testing.T) {
	t.Parallel()
	const id = "20202020-0000-4000-8000-000000000001"
	at := "/rest/companies/" + id
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"a duplicate", "POST", "/rest/companies", `{"domainName":{"primaryLinkUrl":"HTTPS://Acme.example/"}}`, 400, "A duplicate entry was detected"},
		{"a bare host is another value", "POST", "/rest/companies", `{"domainName":{"primaryLinkUrl":"acme.example"}}`, 201, `"primaryLinkUrl":"acme.example"`},
		{"an upsert", "POST", "/rest/companies?upsert=true", `{"name":"Over","domainName":{"primaryLinkUrl":"https://acme.example"}}`, 201, `"name":"Over"`},
		{"a list for one", "POST", "/rest/companies", `[{"name":"A"}]`, 400, `doesn't have any \"0\" field`},
		{"two at once", "POST", "/rest/batch/companies", `[{"name":"B1"},{"name":"B2"}]`, 201, `"createCompanies":[`},
		{"all or nothing", "POST", "/rest/batch/companies", `[{"name":"B3","domainName":{"primaryLinkUrl":"https://b3.example"}},{"domainName":{"primaryLinkUrl":"https://acme.example"}}]`, 400, "A duplicate entry"},
		{"by eq", "GET", "/rest/companies?filter=domainName.primaryLinkUrl[eq]:https://acme.example", "", 200, `"Acme"`},
		{"not by the bare host", "GET", "/rest/companies?filter=domainName.primaryLinkUrl[eq]:acme.example", "", 200, `"companies":[]`},
		{"by ilike", "GET", "/rest/companies?filter=domainName.primaryLinkUrl[ilike]:%ACME.example%", "", 200, `"Acme"`},
		{"by in", "GET", "/rest/companies?filter=domainName.primaryLinkUrl[in]:[acme.example,https://acme.example]", "", 200, `"Acme"`},
		{"by and", "GET", `/rest/companies?filter=and(name[eq]:"Acme",employees[gte]:100)`, "", 200, `"Acme"`},
		{"a comma in quotes", "GET", `/rest/companies?filter=name[eq]:"Acme, Inc"`, "", 200, `"companies":[]`},
		{"a comma without", "GET", "/rest/companies?filter=and(name[eq]:Acme, Inc,name[neq]:zz)", "", 400, "'filter' invalid for ' Inc'"},
		{"an unknown field", "GET", "/rest/companies?filter=colour[eq]:red", "", 400, `doesn't have any \"colour\" field`},
		{"an unknown comparator", "GET", "/rest/companies?filter=name[same]:x", "", 400, "comparator same not in eq, neq"},
		{"no filter", "GET", "/rest/companies?filter=name", "", 400, "'filter' invalid for 'name'"},
		{"depth 2", "GET", "/rest/companies?depth=2", "", 400, "'depth=2' parameter invalid"},
		{"no such record", "GET", "/rest/companies/00000000-0000-4000-8000-000000000000", "", 404, "Record not found"},
		{"no uuid", "GET", "/rest/companies/not-a-uuid", "", 400, "is not a valid UUID"},
		{"no such object", "GET", "/rest/unicorns", "", 400, "object 'unicorns' not found"},
		{"a part of a composite", "PATCH", at, `{"address":{"addressCity":"Paris"}}`, 200, `"addressCountry":"France"`},
		{"null for a composite", "PATCH", at, `{"annualRevenue":null}`, 200, `"amountMicros":12500000000000`},
		{"nulls in a composite", "PATCH", at, `{"annualRevenue":{"amountMicros":null,"currencyCode":null}}`, 200, `"amountMicros":null`},
		{"null for a number", "PATCH", at, `{"employees":null}`, 200, `"employees":null`},
		{"null for a text", "PATCH", at, `{"icpReasons":null}`, 200, `"icpReasons":""`},
		{"a number for a text", "PATCH", at, `{"name":42}`, 400, `Invalid string value 42 for text field \"name\"`},
		{"a text for a number", "PATCH", at, `{"employees":"250"}`, 400, `Invalid number value '250' for field \"employees\"`},
		{"a text of digits for an amount", "PATCH", at, `{"annualRevenue":{"amountMicros":"7000000"}}`, 200, `"amountMicros":7000000`},
		{"words for an amount", "PATCH", at, `{"annualRevenue":{"amountMicros":"lots"}}`, 400, `Invalid number value NaN for field \"annualRevenue.amountMicros\"`},
		{"no option", "PATCH", at, `{"icpTier":"A"}`, 400, `Invalid value \"A\" for field \"icpTier\". Valid values are: TIER_A, TIER_B`},
		{"no date", "PATCH", at, `{"enrichedAt":"yesterday"}`, 400, "Expected format: 'YYYY-MM-DDTHH:mm:ssZ'"},
		{"no link", "PATCH", at, `{"domainName":{"primaryLinkUrl":"not a url"}}`, 400, `"code":"INVALID_URL"`},
		{"an international name", "PATCH", at, `{"domainName":{"primaryLinkUrl":"https://bücher.example"}}`, 200, "https://xn--bcher-kva.example"},
		{"an unknown field to write", "PATCH", at, `{"colour":"red"}`, 400, `doesn't have any \"colour\" field`},
		{"half a body", "PATCH", at, `{"name":`, 400, `"message":"Unexpected end of JSON input"`},
		{"no body", "PATCH", at, "", 400, "TypeError"},
		{"an address in capitals", "POST", "/rest/people", `{"emails":{"primaryEmail":"ADA@acme.example"}}`, 400, "A duplicate entry was detected"},
		{"no address", "POST", "/rest/people", `{"emails":{"primaryEmail":"not an email"}}`, 400, "for email field"},
		{"an employer that is nowhere", "POST", "/rest/people", `{"companyId":"00000000-0000-4000-8000-000000000000"}`, 400, "foreign key"},
		{"a condition that holds", "PATCH", `/rest/companies?filter=and(id[eq]:"` + id + `",employees[eq]:250)`, `{"employees":260}`, 200, `"employees":260`},
		{"a condition that does not", "PATCH", `/rest/companies?filter=and(id[eq]:"` + id + `",employees[is]:NULL)`, `{"employees":260}`, 200, `"updateCompanies":[]`},
		{"GraphQL, unknown field", "POST", "/graphql", `{"query":"{ companies(first:1){ edges{ node{ colour } } } }"}`, 200, `"colour":null`},
		{"GraphQL, syntax", "POST", "/graphql", `{"query":"{ companies("}`, 200, `"errors":[`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			if status, body := w.ask("POST", "/rest/companies", `{"name":"Acme","domainName":{"primaryLinkUrl":"https://acme.example"},"employees":250,`+
				`"annualRevenue":{"amountMicros":12500000000000,"currencyCode":"USD"},"address":{"addressCity":"Lyon","addressCountry":"France"}}`); status != 201 {
				t.Fatal(body)
			}
			if status, body := w.ask("POST", "/rest/people", `{"emails":{"primaryEmail":"ada@acme.example"},"companyId":"`+id+`"}`); status != 201 {
				t.Fatal(body)
			}
			if status, body := w.ask(tc.method, tc.path, tc.body); status != tc.status || !strings.Contains(body, tc.says) {
				t.Errorf("%d %s; want %d with %s", status, body, tc.status, tc.says)
			}
			if n := len(w.IDs(crm.Company)); tc.name == "all or nothing" && n != 1 {
				t.Errorf("%d companies, want the one of before", n)
			}
		})
	}
}

func TestTwentyHidesWhatAPersonDeleted(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	id := w.Add(crm.Company, map[crm.Field]string{crm.Domain: "https://acme.example"})
	w.Delete(crm.Company, id)
	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
		deleted            bool
	}{
		{"GET", "/rest/companies/" + id, "", 404, "Record not found", true},
		{"GET", "/rest/companies?filter=domainName.primaryLinkUrl[eq]:https://acme.example", "", 200, `"companies":[]`, true},
		{"GET", "/rest/companies?filter=and(domainName.primaryLinkUrl[eq]:https://acme.example,deletedAt[is]:NOT_NULL)", "", 200, id, true},
		{"PATCH", `/rest/companies?filter=and(id[eq]:"` + id + `",deletedAt[is]:NULL)`, `{"name":"x"}`, 200, `"updateCompanies":[]`, true},
		{"POST", "/rest/companies", `{"domainName":{"primaryLinkUrl":"https://acme.example"}}`, 400, "A duplicate entry", true},
		{"PATCH", "/rest/companies/" + id, `{"name":"zombie"}`, 200, `"name":"zombie"`, true},
		{"POST", "/rest/companies?upsert=true", `{"domainName":{"primaryLinkUrl":"https://acme.example"}}`, 201, id, false},
	} {
		status, body := w.ask(tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.says) || w.Deleted(crm.Company, id) != tc.deleted {
			t.Errorf("%s %s: %d %s, deleted %t; want %d with %s", tc.method, tc.path, status, body, w.Deleted(crm.Company, id), tc.status, tc.says)
		}
	}
}

func TestTwentyLetsThroughAHundredCallsAndThenOneInEveryWholeInterval(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		every           time.Duration
		calls, accepted int
	}{{650 * time.Millisecond, 130, 130}, {500 * time.Millisecond, 140, 120}, {0, 105, 100}} {
		w := newWorkspace(t)
		w.Bucket(100, time.Minute)
		accepted := 0
		for range tc.calls {
			w.at = w.at.Add(tc.every)
			status, body := w.ask("GET", "/rest/companies", "")
			if status == http.StatusOK {
				accepted++
			} else if status != 429 || !strings.Contains(body, "Limit reached (100 tokens per 60000 ms)") {
				t.Fatalf("%d %s", status, body)
			}
		}
		if accepted != tc.accepted {
			t.Errorf("every %s: %d of %d calls, want %d", tc.every, accepted, tc.calls, tc.accepted)
		}
		if status, _ := w.ask("GET", "/rest/metadata/objects", ""); status != http.StatusOK {
			t.Errorf("the metadata are counted: %d", status)
		}
	}
}

func TestTwentySaysWhatIsWrongWithAKeyAndWithItself(t *testing.T) {
	t.Parallel()
	const query = `{"query":"{ companies(first:1){ edges{ node{ id } } } }"}`
	for _, tc := range []struct {
		name          string
		do            func(*workspace)
		header        string
		status        int
		says, graphed string
	}{
		{"no key", func(*workspace) {}, "", 403, "Missing authentication token", `Cannot query field`},
		{"another key", func(*workspace) {}, "Bearer other", 401, "Token invalid.", `"code":"UNAUTHENTICATED"`},
		{"too fast", func(w *workspace) { w.Throttle(2, false) }, "Bearer key", 429, "Limit reached", `"subCode":"LIMIT_REACHED"`},
		{"its database is away", func(w *workspace) { w.Down(true) }, "Bearer key", 400, "ECONNREFUSED", `"code":"INTERNAL_SERVER_ERROR"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t)
			tc.do(w)
			if status, body := w.ask("GET", "/rest/companies", "", "Authorization", tc.header); status != tc.status || !strings.Contains(body, tc.says) {
				t.Errorf("%d %s", status, body)
			}
			if status, body := w.ask("POST", "/graphql", query, "Authorization", tc.header); status != 200 || !strings.Contains(body, tc.graphed) {
				t.Errorf("GraphQL: %d %s", status, body)
			}
		})
	}
}

func TestTwentyIsGivenAField(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	const company = "50e3785c-dde3-4cdb-8145-ecb7ec714e0e"
	id := w.Add(crm.Company, map[crm.Field]string{"company.name": "Acme"})
	for _, tc := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"objectMetadataId":"` + company + `","type":"NUMBER","name":"fitScore","label":"Fit"}`, 201, `"createOneField":{`},
		{`{"objectMetadataId":"` + company + `","type":"NUMBER","name":"fitScore","label":"Fit"}`, 400, `"code":"NOT_AVAILABLE"`},
		{`{"objectMetadataId":"` + company + `","type":"TEXT","name":"Bad Name","label":"Bad"}`, 400, "must start with lowercase letter"},
		{`{"objectMetadataId":"00000000-0000-4000-8000-000000000000","type":"TEXT","name":"lost"}`, 400, "OBJECT_METADATA_NOT_FOUND"},
	} {
		if status, body := w.ask("POST", "/rest/metadata/fields", tc.body); status != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%s: %d %s", tc.body, status, body)
		}
	}
	if status, body := w.ask("PATCH", "/rest/companies/"+id, `{"fitScore":87}`); status != 200 || !strings.Contains(body, `"fitScore":87`) {
		t.Errorf("it is not usable: %d %s", status, body)
	}
	var told struct {
		Data struct {
			Objects []struct {
				NameSingular string
				Fields       []struct{ Name, Type string }
			}
		}
	}
	_, body := w.ask("GET", "/rest/metadata/objects", "")
	if err := json.Unmarshal([]byte(body), &told); err != nil || !strings.Contains(body, `"fitScore"`) || len(told.Data.Objects) != 3 {
		t.Errorf("%v %s", err, body)
	}
}

func TestTwentyShowsAPageAndWhereTheNextBegins(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	for range 5 {
		w.Add(crm.Company, nil)
	}
	seen, cursor := 0, ""
	for range 3 {
		var got struct {
			Data     struct{ Companies []struct{ ID string } }
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest/companies?limit=2&starting_after="+url.QueryEscape(cursor), nil)
		r.Header.Set("Authorization", "Bearer key")
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if err := json.NewDecoder(rec.Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		seen += len(got.Data.Companies)
		if cursor = got.PageInfo.EndCursor; got.PageInfo.HasNextPage != (seen < 5) {
			t.Errorf("after %d there are more: %t", seen, got.PageInfo.HasNextPage)
		}
	}
	if seen != 5 {
		t.Errorf("%d records on three pages", seen)
	}
}

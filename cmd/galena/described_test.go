package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// describedVendors is a catalogue in which no vendor has an adapter.
const describedVendors = `apiVersion: galena/v1
kind: Providers
metadata: {name: described, version: 1}
spec:
  providers:
    - {id: testvendor, enabled: false}
    - id: firm-form
      kind: http
      cost_cents: 2
      fields: {company.employee_count: 0.9, company.hq_country: 0.9}
      http:
        path: /lookup.php
        form: {apikey: "{key}", q: "{domain}"}
        outcomes:
          - {status: 400, is: exhausted}
          - {at: status, equals: 404, is: not_found}
        subject: {at: query}
        values:
          company.employee_count: {at: firm.headcount}
          company.hq_country:     {at: firm.country}
    - id: firm-soap
      kind: http
      cost_cents: 3
      fields: {company.industry: 0.9}
      http:
        path: /Firms.asmx
        headers: {SOAPAction: '"urn:firms/Find"'}
        xml: |
          <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:f="urn:firms">
            <s:Header><f:Licence>{key}</f:Licence></s:Header>
            <s:Body><f:Find><f:Web>{domain}</f:Web></f:Find></s:Body>
          </s:Envelope>
        subject: {at: Envelope.Body.FindResponse.Firm.Web}
        values:
          company.industry: {at: Envelope.Body.FindResponse.Firm.Branch, words: {Softwarehaus: software}}
  limits: {per_lead_cents: 15, per_day_cents: 5000, interactive_deadline_ms: 2200}
`

// firms answers as the two vendors of the catalogue would.
func firms(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == "/lookup.php" && string(body) == "apikey=key-of-the-form&q=northwind.example":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status": 1, "query": "northwind.example", "firm": {"headcount": "201-500", "country": "United States"}}`)
	case r.URL.Path == "/lookup.php":
		w.WriteHeader(http.StatusBadRequest)
	case r.Header.Get("SOAPAction") == `"urn:firms/Find"` && strings.Contains(string(body), "<f:Licence>key&amp;licence</f:Licence>") &&
		strings.Contains(string(body), "<f:Web>northwind.example</f:Web>"):
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = io.WriteString(w, `<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><r:FindResponse xmlns:r="urn:firms">`+
			`<r:Firm><r:Web>www.northwind.example</r:Web><r:Branch>Softwarehaus</r:Branch></r:Firm></r:FindResponse></E:Body></E:Envelope>`)
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

func TestALeadIsDecidedByVendorsThatOnlyTheCatalogueKnows(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	vendors := httptest.NewServer(http.HandlerFunc(firms))
	t.Cleanup(vendors.Close)
	s.write("providers.yaml", describedVendors)
	s.env = append(s.env, "GALENA_PROVIDER_FIRM_FORM_URL="+vendors.URL, "GALENA_PROVIDER_FIRM_FORM_KEY=key-of-the-form",
		"GALENA_PROVIDER_FIRM_SOAP_URL="+vendors.URL, "GALENA_PROVIDER_FIRM_SOAP_KEY=key&licence")
	p := s.start("serve")
	s.ready()
	_, receipt, _ := s.post(testToken, `{"email":"grace@northwind.example","job_title":"VP Revenue Operations"}`)
	why := s.why(receipt["id"])
	sources := map[string]string{"company.employee_count": "201-500 by firm-form", "company.hq_country": "US by firm-form", "company.industry": "software by firm-soap"}
	rows, _ := why["rows"].([]any)
	for _, r := range rows {
		row, _ := r.(map[string]any)
		field, _ := row["field"].(string)
		if want, asked := sources[field]; asked && fmt.Sprintf("%v by %v", row["value"], row["source"]) != want {
			t.Errorf("%s is %v by %v, want %s", field, row["value"], row["source"], want)
		}
		delete(sources, field)
	}
	decision, _ := why["decision"].(map[string]any)
	if len(sources) > 0 || decision["tier"] != "A" || decision["cents"] != 5.0 || decision["calls"] != 2.0 {
		t.Errorf("no row on %v, decision %v; want tier A for 5 cents in 2 calls", sources, decision)
	}
	if out := s.must("explain", fmt.Sprint(receipt["id"])); !strings.Contains(out, "firm-soap, today") {
		t.Errorf("galena explain does not name the vendor:\n%s", out)
	}
	for _, key := range []string{"key-of-the-form", "key&licence"} {
		if strings.Contains(p.log.String(), key) {
			t.Errorf("the log tells %q", key)
		}
	}
}

package main

import (
	"net/http"
	"testing"
)

// On real stores the web process asks by itself: the answer does not wait for a
// worker.
func TestACompanyIsEnrichedByTheProcessThatIsAsked(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	if onReal(t) {
		s.start("web")
	} else {
		s.start("serve")
	}
	s.ready()
	const order = `{"domain":"northwind.example"}`
	status, first, _ := s.do(http.MethodPost, "/v1/companies:enrich", testToken, order)
	fields, _ := first["fields"].(map[string]any)
	size, _ := fields["employee_count"].(map[string]any)
	if status != http.StatusOK || first["cents"] != 1.0 || size["value"] != 420.0 || size["source"] != "testvendor" {
		t.Fatalf("%d %v, want what the vendor said for one cent", status, first)
	}
	if status, again, _ := s.do(http.MethodPost, "/v1/companies:enrich", testToken, order); status != http.StatusOK || again["cents"] != 0.0 || s.vendor.asked() != 1 {
		t.Errorf("%d %v after %d calls, want the answer that is held", status, again, s.vendor.asked())
	}
	if status, record, _ := s.do(http.MethodGet, "/v1/companies/northwind.example", testToken, ""); status != http.StatusOK || record["fields"] == nil {
		t.Errorf("the record: %d %v", status, record)
	}
	if status, body, _ := s.do(http.MethodPost, "/v1/companies:enrich", testToken, `{"domain":"gmail.com"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("free mail: %d %v", status, body)
	}
}

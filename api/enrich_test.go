package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func (s *shelf) Enrich(_ context.Context, o galena.EnrichOrder) (galena.Enrichment, error) {
	s.orders = append(s.orders, o)
	at := time.Date(2026, 8, 15, 14, 30, 0, 0, time.UTC)
	return galena.Enrichment{Stop: galena.StopDegraded, Cents: 2, LimitCents: 15, Away: []string{"beta"},
		Steps: []galena.Call{{Provider: "alpha", Outcome: "hit", Cents: 2, MS: 12, Why: "points", Added: []string{"company.employee_count"}}},
		Company: galena.Company{Domain: o.Domain, Facts: galena.Facts{"company.employee_count": {State: galena.Known,
			Value: galena.Number(420), Source: "alpha", Confidence: 0.874, ObservedAt: at}}}}, s.err
}

const enrichPath = "/v1/companies:enrich"

func TestACompanyIsEnrichedOverHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.call(http.MethodPost, enrichPath, `{"domain":"ACME.example."}`, auth(bootstrap), jsonType)
	want := `{"domain":"acme.example","owner":null,"fields":{"employee_count":{"state":"known","value":420,"source":"alpha","confidence":0.87,` +
		`"observed_at":"2026-08-15T14:30:00Z","age_days":100,"freshness":"stale"}},` +
		`"steps":[{"provider":"alpha","outcome":"hit","cents":2,"ms":12,"why":"points","added":["company.employee_count"]}],` +
		`"stop":"degraded","open":[],"away":["beta"],"cents":2,"limit_cents":15}`
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s\nwant %s", w.Code, w.Body, want)
	}
	if o := d.shelf.orders[0]; o.Domain != "acme.example" || o.UseCache != galena.CacheIfPresent || o.MaxAge != 0 || o.NoFallback || o.LimitMicros >= 0 || o.Patient {
		t.Errorf("ordered %+v, want what a lead may have", o)
	}
	d.call(http.MethodPost, enrichPath, `{"domain":"acme.example","use_cache":"if_fresh","max_age":"30d","fallback":"never"}`, auth(bootstrap), jsonType)
	if o := d.shelf.orders[1]; o.UseCache != galena.CacheIfFresh || o.MaxAge != 30*24*time.Hour || !o.NoFallback {
		t.Errorf("ordered %+v", o)
	}
}

func TestAnOrderThatCannotBeCarriedOutAsksNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for body, pointer := range map[string]string{
		`{}`: "/domain", `{"domain":"gmail.com"}`: "/domain", `{"domain":"co.uk"}`: "/domain", `{"domain":7}`: "/domain",
		`{"domain":"acme.example","use_cache":"always"}`: "/use_cache", `{"domain":"acme.example","max_age":"soon"}`: "/max_age",
		`{"domain":"acme.example","fallback":"maybe"}`: "/fallback", `{"domain":"acme.example","maxage":"1d"}`: "/maxage",
	} {
		w := d.call(http.MethodPost, enrichPath, body, auth(bootstrap), jsonType)
		if p := problemIn(t, w); w.Code != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %d %+v, want 422 at %s", body, w.Code, p.Errors, pointer)
		}
	}
	for _, scopes := range [][]string{{galena.ScopeLeadsRead}, {galena.ScopeLeadsWrite}, {galena.ScopeOpsRead, galena.ScopeConfigWrite}} {
		if w := d.call(http.MethodPost, enrichPath, `{"domain":"acme.example"}`, auth(d.token(scopes...)), jsonType); w.Code != http.StatusForbidden {
			t.Errorf("scopes %q: %d, want 403", scopes, w.Code)
		}
	}
	if len(d.shelf.orders) != 0 {
		t.Errorf("ordered %+v", d.shelf.orders)
	}
	d.shelf.err = galena.Errorf(galena.Invalid, "suppressed", "is suppressed")
	w := d.call(http.MethodPost, enrichPath, `{"domain":"acme.example"}`, auth(bootstrap), jsonType)
	if p := problemIn(t, w); w.Code != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Pointer != "/domain" || p.Errors[0].Detail != "is suppressed" {
		t.Errorf("suppressed: %d %+v, want 422 at the domain", w.Code, p.Errors)
	}
	d.shelf.err = galena.Errorf(galena.Unavailable, "worker.enrich", "this process asks no provider")
	if w := d.call(http.MethodPost, enrichPath, `{"domain":"acme.example"}`, auth(bootstrap), jsonType); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "process") {
		t.Errorf("%d %s, want 503 without what only ops need", w.Code, w.Body)
	}
}

package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// contested puts an open conflict of acme.example on the shelf.
func (d *desk) contested(status galena.ConflictStatus) galena.Dispute {
	claim := func(source string, n int64, tier string) galena.Claim {
		return galena.Claim{Value: galena.Number(n), Source: source, Confidence: 0.974, ObservedAt: d.now(), Tier: tier}
	}
	c := galena.Dispute{ID: newID(), Entity: "acme.example", Field: "company.employee_count", Margin: 0.17,
		Severity: galena.SeverityDecision, Status: status, LeadID: "l1", OpenedAt: d.now(), UpdatedAt: d.now(),
		Candidates: []galena.Claim{claim("beta-prime", 460, "B"), claim("alpha-firmo", 45, "C")}}
	c.Chosen = c.Candidates[0]
	d.shelf.open = append(d.shelf.open, c)
	return c
}

func TestACompanyListsItsOpenConflicts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.decided()
	c := d.contested(galena.ConflictOpen)
	d.contested(galena.ConflictResolved)
	w := d.call(http.MethodGet, "/v1/companies/acme.example", "", auth(bootstrap))
	body := w.Body.String()
	if w.Code != 200 || strings.Count(body, `"severity":"decision"`) != 1 || !strings.Contains(body, `"id":"`+c.ID+`"`) ||
		!strings.Contains(body, `{"value":45,"source":"alpha-firmo","confidence":0.97,`) || !strings.Contains(body, `"tier":"C"`) {
		t.Errorf("%d %s", w.Code, body)
	}
}

func TestAPersonResolvesAConflict(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		status     galena.ConflictStatus
		code       int
		value      string // what was written, "-" = that there is none
	}{
		{name: "with a number", body: `{"value":45,"by":"ana.souza"}`, code: 200, value: "45"},
		{name: "with an interval", body: `{"value":"51-200","by":"ana.souza"}`, code: 200, value: "51-200"},
		{name: "with nothing", body: `{"value":null,"by":"ana.souza"}`, code: 200, value: "-"},
		{name: "without a value", body: `{"by":"ana.souza"}`, code: 422},
		{name: "with an empty one", body: `{"value":"","by":"ana.souza"}`, code: 422},
		{name: "with what is no number", body: `{"value":"many","by":"ana.souza"}`, code: 422},
		{name: "by nobody", body: `{"value":45}`, code: 422},
		{name: "by an address", body: `{"value":45,"by":"ana@acme.example"}`, code: 422},
		{name: "with broken JSON", body: `{"value":45`, code: 400},
		{name: "too late", body: `{"value":45,"by":"ana.souza"}`, status: galena.ConflictResolved, code: 409},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			status := galena.ConflictOpen
			if tc.status != "" {
				status = tc.status
			}
			c := d.contested(status)
			w := d.call(http.MethodPost, "/v1/conflicts/"+c.ID+"/resolve", tc.body, auth(d.token(galena.ScopeConfigWrite)), jsonType)
			if w.Code != tc.code {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, tc.code)
			}
			if tc.code != 200 {
				if d.shelf.word.ID != "" {
					t.Errorf("written nevertheless: %+v", d.shelf.word)
				}
				return
			}
			got := d.shelf.word.Value.String()
			if d.shelf.word.Absent {
				got = "-"
			}
			if got != tc.value || d.shelf.word.By != "ana.souza" || !strings.Contains(w.Body.String(), `"status":"resolved","resolved_by":"ana.souza"`) {
				t.Errorf("wrote %q by %s, answered %s", got, d.shelf.word.By, w.Body)
			}
		})
	}
	d := newDesk(t)
	for _, id := range []string{newID(), "x"} {
		if w := d.call(http.MethodPost, "/v1/conflicts/"+id+"/resolve", `{"value":45,"by":"ana"}`, auth(d.token(galena.ScopeConfigWrite)), jsonType); w.Code != 404 {
			t.Errorf("conflict %s: %d", id, w.Code)
		}
	}
}

package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// failing puts failed steps on the shelf: leads that killed, deliveries that were refused.
func (d *desk) failing(n int) {
	for i := range n {
		st := galena.FailedStep{Kind: galena.StepLead, ID: fmt.Sprintf("step-%02d", i), Epoch: 1, Reason: galena.ReasonKilled, Kills: 3,
			Note: "3 workers died while they ran it", At: d.now(), Cursor: fmt.Sprintf("%02d", i)}
		if i%2 == 1 {
			st.Kind, st.Reason, st.Kills = galena.StepDeliver, string(galena.Invalid), 0
		}
		d.shelf.failed = append(d.shelf.failed, st)
	}
}

func TestFailedStepsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.failing(5)
	ops := auth(d.token(galena.ScopeOpsRead))
	w := d.call(http.MethodGet, "/v1/steps?limit=4", "", ops)
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, `"kind"`) != 4 || !strings.Contains(body, `"next_cursor":"03"`) ||
		!strings.Contains(body, `"reason":"killed","note":"3 workers died while they ran it","attempts":0,"kills":3,`) {
		t.Errorf("%d %s", w.Code, body)
	}
	w = d.call(http.MethodGet, "/v1/steps?limit=4&cursor=03", "", ops)
	if body := w.Body.String(); w.Code != 200 || strings.Count(body, `"kind"`) != 1 || !strings.Contains(body, `"next_cursor":null`) {
		t.Errorf("%d %s", w.Code, body)
	}
}

func TestFailedStepsAreReplayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.failing(5)
	if w := d.call(http.MethodPost, "/v1/steps:replay", "", auth(d.token(galena.ScopeOpsRead))); w.Code != http.StatusForbidden {
		t.Errorf("who may only look replays: %d", w.Code)
	}
	token := auth(d.token(galena.ScopeOpsRead, galena.ScopeLeadsWrite))
	for _, tc := range []struct{ query, want string }{
		{"?reason=killed&limit=2", `{"replayed":2,"more":true}`},
		{"?kind=lead:deliver", `{"replayed":2,"more":false}`},
		{"?reason=nothing", `{"replayed":0,"more":false}`},
	} {
		if w := d.call(http.MethodPost, "/v1/steps:replay"+tc.query, "", token); w.Code != 200 || strings.TrimSpace(w.Body.String()) != tc.want {
			t.Errorf("%s: %d %s, want %s", tc.query, w.Code, w.Body, tc.want)
		}
	}
	if len(d.shelf.again) != 4 || d.shelf.trail[0].Action != "steps.replay" {
		t.Errorf("%d replayed, trail %+v", len(d.shelf.again), d.shelf.trail)
	}
}

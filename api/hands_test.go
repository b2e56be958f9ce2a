package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

const heldLead = "0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f"

// at is when the lead of the shelf was last given to somebody.
func at() time.Time { return time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC) }

func (s *shelf) held(act galena.Act) (galena.Standing, error) {
	if act.LeadID != heldLead {
		return galena.Standing{}, galena.Errorf(galena.NotFound, "sql.record", "no such lead")
	}
	if act.Rep != "" && act.Rep != "ana" {
		return galena.Standing{}, galena.Errorf(galena.Conflict, "moved", "moved to ana at 14:05:00 UTC")
	}
	s.acts = append(s.acts, act)
	return galena.Standing{LeadID: act.LeadID, Epoch: 2,
		Holds: []galena.Hold{{Epoch: 1, Rep: "ben", To: "ben", Reason: "sla", AssignedAt: at().Add(-time.Hour), ClosedAt: at()},
			{Epoch: 2, Rep: "ana", To: "ana", AssignedAt: at(), AcceptedAt: at()}},
		Timers: []galena.Timer{{Epoch: 1, Kind: galena.ClockAccept, State: galena.TimerBreached},
			{Epoch: 2, Kind: galena.ClockTouch, State: galena.TimerOpen, DueAt: at().Add(time.Hour)}}}, s.err
}

func (s *shelf) Take(_ context.Context, act galena.Act) (galena.Standing, error) { return s.held(act) }

func (s *shelf) HandBack(_ context.Context, act galena.Act) (galena.Standing, error) {
	if act.Reason != galena.HandBackSpam {
		return galena.Standing{}, galena.Errorf(galena.Invalid, "worker.hand_back", "no such reason")
	}
	return s.held(act)
}

func (s *shelf) Reassign(_ context.Context, act galena.Act) (galena.Standing, error) {
	switch act.To {
	case "cho":
		return s.held(act)
	case "full":
		return galena.Standing{}, galena.Errorf(galena.Conflict, "routing.give", "full cannot take the lead: 5 of 5 open leads")
	default:
		return galena.Standing{}, galena.Errorf(galena.Invalid, "routing.give", "there is no rep or pool of that name")
	}
}

func (s *shelf) WhyNot(_ context.Context, leadID, rep string) (galena.WhyNot, error) {
	if rep == "nobody" {
		return galena.WhyNot{}, galena.Errorf(galena.NotFound, "worker.why_not", "no such rep")
	}
	return galena.WhyNot{LeadID: leadID, Rep: rep, Why: "time off"}, nil
}

func TestRepsActOnTheLeadsTheyHave(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin, reader, form := d.token(galena.Scopes()...), d.token(galena.ScopeLeadsRead), d.token(galena.ScopeLeadsWrite)
	for _, tc := range []struct {
		name, act, token, body string
		status                 int
		says                   string
	}{
		{"accept without a body", "accept", bootstrap, "", 200, `"owner":"ana"`},
		{"accept as the holder", "accept", bootstrap, `{"rep":"ana","epoch":2}`, 200, `"accepted_at":"2026-11-23T14:05:00Z"`},
		{"accept too late", "accept", bootstrap, `{"rep":"ben","epoch":1}`, 409, "moved to ana at 14:05:00"},
		{"touch", "touch", bootstrap, `{}`, 200, `"state":"open"`},
		{"a body that is none", "touch", bootstrap, `[]`, 400, "malformed"},
		{"an epoch that is none", "touch", bootstrap, `{"epoch":"two"}`, 422, "/epoch"},
		{"hand back", "hand-back", bootstrap, `{"reason":"spam","note":"a robot"}`, 200, `"epoch":2`},
		{"hand back for no reason", "hand-back", bootstrap, `{}`, 422, "/reason"},
		{"a property of another act", "hand-back", bootstrap, `{"reason":"spam","to":"cho"}`, 422, "/to"},
		{"a note of a thousand letters", "hand-back", bootstrap, `{"reason":"spam","note":"` + strings.Repeat("ã", 1000) + `"}`, 200, `"epoch":2`},
		{"a longer note", "hand-back", bootstrap, `{"reason":"spam","note":"` + strings.Repeat("a", 1001) + `"}`, 422, "/note"},
		{"a form accepts", "accept", form, "", 403, "leads:read"},
		{"a reader accepts", "accept", reader, `{}`, 403, "leads:write"},
		{"an integration reassigns", "reassign", bootstrap, `{"to":"cho"}`, 403, "config:write"},
		{"an admin reassigns", "reassign", admin, `{"to":"cho","reason":"on holiday"}`, 200, `"lead_id"`},
		{"without saying why", "reassign", admin, `{"to":"cho"}`, 422, "/reason"},
		{"a misspelt rep", "accept", bootstrap, `{"Rep":"ben"}`, 422, "/Rep"},
		{"to nobody", "reassign", admin, `{"to":"zoe","reason":"x"}`, 422, "/to"},
		{"to somebody who is full", "reassign", admin, `{"to":"full","reason":"x"}`, 409, "5 of 5 open leads"},
	} {
		headers := []string{auth(tc.token)}
		if tc.body != "" {
			headers = append(headers, jsonType)
		}
		w := d.call(http.MethodPost, "/v1/leads/"+heldLead+"/"+tc.act, tc.body, headers...)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.says) {
			t.Errorf("%s: %d %s, want %d with %s", tc.name, w.Code, w.Body, tc.status, tc.says)
		}
		if tc.status >= 400 {
			problemIn(t, w)
		}
	}
	if last := d.shelf.acts[len(d.shelf.acts)-1]; last.Note != "on holiday" || last.To != "cho" || last.Actor == "" {
		t.Errorf("reassigned by %+v", last)
	}
	for _, id := range []string{"none", "0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e20"} {
		if w := d.call(http.MethodPost, "/v1/leads/"+id+"/accept", "", auth(bootstrap)); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", id, w.Code)
		}
	}
}

func TestWhyNotAnswersForOneRep(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for query, status := range map[string]int{"?rep=ben": 200, "?rep=nobody": 404, "": 422} {
		w := d.call(http.MethodGet, "/v1/leads/"+heldLead+"/why-not"+query, "", auth(bootstrap))
		if w.Code != status {
			t.Errorf("%q: %d %s, want %d", query, w.Code, w.Body, status)
		}
	}
}

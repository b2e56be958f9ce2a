package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// grip is one lead in the hands of ana.souza, whom another rep had before her.
type grip struct {
	acts []galena.Act
	err  error
}

func (g *grip) Standing(_ context.Context, id string) (galena.Standing, error) {
	return galena.Standing{LeadID: id, Epoch: 2,
		Holds: []galena.Hold{{Epoch: 1, Rep: "ben", To: "ben", Reason: galena.MoveHandBack(galena.HandBackTerritory), AssignedAt: noon.Add(-time.Hour), ClosedAt: noon},
			{Epoch: 2, Rep: "ana.souza", To: "ana.souza", AssignedAt: noon}},
		Timers: []galena.Timer{{Epoch: 2, Kind: galena.ClockAccept, State: galena.TimerNudged, DueAt: noon.Add(5 * time.Minute)}}}, nil
}

func (g *grip) Take(_ context.Context, act galena.Act) (galena.Standing, error) {
	g.acts = append(g.acts, act)
	return galena.Standing{}, g.err
}

func (g *grip) HandBack(ctx context.Context, act galena.Act) (galena.Standing, error) {
	return g.Take(ctx, act)
}

func TestALeadIsAcceptedTouchedAndHandedBackFromItsPage(t *testing.T) {
	t.Parallel()
	lead := sampleID(1)
	for _, user := range []string{"ana.souza", "ops", "root"} {
		g := &grip{}
		s := newSite(t, func(d *Deps) { d.Hands = g })
		s.login(user)
		page := s.get("/leads/" + lead).Body.String()
		for _, want := range []string{"/accept\"", "/touch\"", "/hand-back\"", "half of the time is over", "handed back: wrong territory", "not accepted yet"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", user, want)
			}
		}
		for _, act := range []string{"accept", "touch", "hand-back"} {
			w := s.do(http.MethodPost, "/leads/"+lead+"/"+act, url.Values{"epoch": {"2"}, "reason": {"spam"}, "note": {"a robot"}})
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/leads/"+lead {
				t.Errorf("%s %s: %d", user, act, w.Code)
			}
		}
		rep := ""
		if user == "ana.souza" {
			rep = user
		}
		if len(g.acts) != 3 || g.acts[0] != (galena.Act{LeadID: lead, Epoch: 2, Rep: rep, Actor: user, Reason: "spam", Note: "a robot"}) ||
			!g.acts[1].Touch || g.acts[2].Touch {
			t.Errorf("%s: %+v", user, g.acts)
		}
		if w := s.do(http.MethodPost, "/leads/"+lead+"/accept", url.Values{}, "Origin", "https://evil.example"); w.Code != http.StatusForbidden {
			t.Errorf("from another site: %d", w.Code)
		}
	}
}

func TestWhoComesTooLateIsShownWhoHasTheLead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{galena.Errorf(galena.Conflict, "moved", "moved to ben at 14:05:00 UTC"), http.StatusConflict, "moved to ben at 14:05:00"},
		{galena.Errorf(galena.Invalid, "worker.hand_back", "no such reason"), http.StatusUnprocessableEntity, "reason"},
		{galena.Errorf(galena.Unavailable, "sql", "away"), http.StatusServiceUnavailable, "database"},
	} {
		s := newSite(t, func(d *Deps) { d.Hands = &grip{err: c.err} })
		s.login("ana.souza")
		w := s.do(http.MethodPost, "/leads/"+sampleID(1)+"/accept", url.Values{"epoch": {"1"}})
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%v: %d", c.err, w.Code)
		}
	}
}

func TestWithoutHandsNothingIsOffered(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("root")
	if strings.Contains(s.get("/leads/"+sampleID(1)).Body.String(), "/hand-back") {
		t.Error("offered")
	}
	if w := s.do(http.MethodPost, "/leads/"+sampleID(1)+"/accept", url.Values{}); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

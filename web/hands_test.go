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
	note string // what the other rep said
	acts []galena.Act
	err  error
}

func (g *grip) Standing(_ context.Context, id string) (galena.Standing, error) {
	return galena.Standing{LeadID: id, Epoch: 2,
		Holds: []galena.Hold{{Epoch: 1, Rep: "ben", To: "ben", Reason: galena.MoveHandBack(galena.HandBackTerritory), Note: g.note, AssignedAt: noon.Add(-time.Hour), ClosedAt: noon},
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

func (g *grip) Reassign(ctx context.Context, act galena.Act) (galena.Standing, error) {
	return g.Take(ctx, act)
}

// whom is whom leads are given to in these tests.
func whom() []string { return []string{"ana.souza", "ben", "pool:latam-senior"} }

func TestALeadIsAcceptedTouchedAndHandedBackFromItsPage(t *testing.T) {
	t.Parallel()
	lead := sampleID(1)
	for _, user := range []string{"ana.souza", "ops", "root"} {
		g := &grip{note: "they are in Chile"}
		s := newSite(t, func(d *Deps) { d.Hands = g })
		s.login(user)
		page := s.get("/leads/" + lead).Body.String()
		for _, want := range []string{"/accept\"", "/touch\"", "/hand-back\"", "half of the time is over", "handed back: wrong territory", "they are in Chile", "not accepted yet"} {
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
		{galena.Errorf(galena.Conflict, "moved", "the lead is not decided yet"), http.StatusConflict, "<p>The lead is not decided yet.</p>"},
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

func TestALeadIsReassignedByWhoMayOverruleTheFiles(t *testing.T) {
	t.Parallel()
	lead := sampleID(1)
	for user, offered := range map[string]bool{"ana.souza": false, "ops": false, "root": true} {
		g := &grip{}
		s := newSite(t, func(d *Deps) { d.Hands, d.Targets = g, whom })
		s.login(user)
		page := s.get("/leads/" + lead).Body.String()
		if strings.Contains(page, "/reassign") != offered {
			t.Errorf("%s: offered %t, want %t", user, !offered, offered)
		}
		if offered && (!strings.Contains(page, "<option>ben</option>") || !strings.Contains(page, `<option value="pool:latam-senior">`) || strings.Contains(page, "<option>ana.souza</option>")) {
			t.Error("the form does not name everybody but who has the lead")
		}
		form := url.Values{"epoch": {"2"}, "to": {"pool:latam-senior"}, "note": {"Ana is ill"}}
		w := s.do(http.MethodPost, "/leads/"+lead+"/reassign", form)
		if !offered {
			if w.Code != http.StatusForbidden || len(g.acts) != 0 {
				t.Errorf("%s: %d, %+v", user, w.Code, g.acts)
			}
			continue
		}
		if want := (galena.Act{LeadID: lead, Epoch: 2, Actor: user, To: "pool:latam-senior", Note: "Ana is ill"}); w.Code != http.StatusSeeOther || len(g.acts) != 1 || g.acts[0] != want {
			t.Errorf("%d, %+v, want %+v", w.Code, g.acts, want)
		}
		if w := s.do(http.MethodPost, "/leads/"+lead+"/reassign", form, "Origin", "https://evil.example"); w.Code != http.StatusForbidden || len(g.acts) != 1 {
			t.Errorf("from another site: %d", w.Code)
		}
	}
}

func TestAReassignmentThatCannotBeIsSaidInASentence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		form   url.Values
		err    error
		status int
		says   string
	}{
		{"too late", nil, galena.Errorf(galena.Conflict, "moved", "moved to ben at 14:05:00 UTC"), http.StatusConflict, "The lead was moved to ben at 14:05:00 UTC."},
		{"a full rep", nil, galena.Errorf(galena.Conflict, "routing.give", "ben cannot take the lead: at the cap"), http.StatusConflict, "The rules say: ben cannot take the lead: at the cap."},
		{"nobody's name", nil, galena.Errorf(galena.Invalid, "routing.give", "there is no rep or pool of that name"), http.StatusUnprocessableEntity, "there is no rep or pool of that name"},
		{"no reason", url.Values{"epoch": {"2"}, "to": {"ben"}, "note": {"  "}}, nil, http.StatusUnprocessableEntity, "A reason is needed"},
		{"no epoch", url.Values{"to": {"ben"}, "note": {"ill"}}, nil, http.StatusBadRequest, "could not be read"},
		{"any epoch", url.Values{"epoch": {"0"}, "to": {"ben"}, "note": {"ill"}}, nil, http.StatusBadRequest, "could not be read"},
	} {
		g := &grip{err: c.err}
		s := newSite(t, func(d *Deps) { d.Hands, d.Targets = g, whom })
		s.login("root")
		if c.form == nil {
			c.form = url.Values{"epoch": {"1"}, "to": {"ben"}, "note": {"ill"}}
		}
		w := s.do(http.MethodPost, "/leads/"+sampleID(1)+"/reassign", c.form)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || c.err == nil && len(g.acts) != 0 {
			t.Errorf("%s: %d, done %v\n%s", c.name, w.Code, g.acts, flat(w.Body.String()))
		}
	}
}

func TestWithoutTargetsNothingIsOffered(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) { d.Hands, d.Targets = &grip{}, func() []string { return []string{"ana.souza"} } })
	s.login("root")
	if strings.Contains(s.get("/leads/"+sampleID(1)).Body.String(), "/reassign") {
		t.Error("offered, though there is nobody but who has the lead")
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

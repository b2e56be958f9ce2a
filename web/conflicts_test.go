package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// sampleDisputes are the conflict of sample lead 22, which decides its tier, and
// one that changes nothing.
func sampleDisputes() []galena.Dispute {
	claim := func(source string, v galena.Value, tier string) galena.Claim {
		return galena.Claim{Value: v, Source: source, Class: galena.ClassProvider, Confidence: 0.97, ObservedAt: noon.AddDate(0, 0, -20), Tier: tier}
	}
	dispute := func(id, field string, severity galena.Severity, claims ...galena.Claim) galena.Dispute {
		return galena.Dispute{ID: id, Entity: "nordlys-energy.example", Field: field, Candidates: claims, Chosen: claims[0], Margin: 0.17,
			Severity: severity, Status: galena.ConflictOpen, LeadID: sampleID(22), Epoch: 1, OpenedAt: noon.Add(-90 * time.Second), UpdatedAt: noon}
	}
	return []galena.Dispute{
		dispute("c1", "company.employee_count", galena.SeverityDecision, claim("beta-prime", galena.Number(460), "B"), claim("alpha-firmo", galena.Number(45), "C")),
		dispute("c2", "company.parent_domain", galena.SeverityInfo, claim("beta-prime", galena.TextValue("nordlys.example"), "B"),
			galena.Claim{Absent: true, Source: "alpha-firmo", Confidence: 1, Tier: "B"}),
	}
}

func TestTheReviewListShowsWhatADecisionHangsOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.store.disputes = sampleDisputes()
	s.login("ops")
	body := s.get("/conflicts").Body.String()
	for _, want := range []string{"nordlys-energy.example", "Employees", "460", "45", "beta-prime", "20 days", "97 %", "would be tier C", "1 that a decision hangs on"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	if strings.Contains(body, "Parent domain") {
		t.Error("the list shows what changes nothing without being asked")
	}
	if all := s.get("/conflicts?all=1").Body.String(); !strings.Contains(all, "Parent domain") || !strings.Contains(all, "none") {
		t.Error("all of them do not show the one that changes nothing")
	}
}

func TestKeepingAValueIsAPersonsWord(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, id, keep, back string
		code                 int
		to                   string
		value                string
	}{
		{name: "from the list", id: "c1", keep: "=45", back: "/conflicts", code: http.StatusSeeOther, to: "/conflicts", value: "45"},
		{name: "from the lead", id: "c1", keep: "=460", back: "/leads/x", code: http.StatusSeeOther, to: "/leads/x", value: "460"},
		{name: "that there is none", id: "c2", keep: "absent", code: http.StatusSeeOther, to: "/conflicts", value: "-"},
		{name: "and never to another site", id: "c1", keep: "=45", back: "//evil.example", code: http.StatusSeeOther, to: "/conflicts", value: "45"},
		{name: "not a value of the page before last", id: "c1", keep: "=46", code: http.StatusConflict},
		{name: "not of a conflict that is none", id: "c9", keep: "=45", code: http.StatusNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			s.store.disputes = sampleDisputes()
			s.login("root")
			w := s.do("POST", "/conflicts/"+tc.id+"/resolve", url.Values{"keep": {tc.keep}, "back": {tc.back}}, "Origin", "http://example.com")
			if w.Code != tc.code || w.Header().Get("Location") != tc.to {
				t.Fatalf("%d to %q, want %d to %q", w.Code, w.Header().Get("Location"), tc.code, tc.to)
			}
			if tc.value == "" {
				if len(s.store.words) != 0 {
					t.Errorf("said %+v", s.store.words)
				}
				return
			}
			got := s.store.words[0].Value.String()
			if s.store.words[0].Absent {
				got = "-"
			}
			if got != tc.value || s.store.words[0].By != "root" {
				t.Errorf("said %q by %s", got, s.store.words[0].By)
			}
			if again := s.do("POST", "/conflicts/"+tc.id+"/resolve", url.Values{"keep": {tc.keep}}, "Origin", "http://example.com"); again.Code != http.StatusConflict {
				t.Errorf("a second time: %d", again.Code)
			}
		})
	}
}

func TestOnlyAnAdminIsOfferedTheChoice(t *testing.T) {
	t.Parallel()
	for user, offered := range map[string]bool{"ana.souza": false, "ops": false, "root": true} {
		s := newSite(t, nil)
		s.store.disputes = sampleDisputes()
		s.login(user)
		for _, path := range []string{"/conflicts", "/leads/" + sampleID(22)} {
			body := s.get(path).Body.String()
			if !strings.Contains(body, "would be tier C") || strings.Contains(body, "/resolve") != offered || strings.Contains(body, "Keep this value") != offered {
				t.Errorf("%s on %s: offered %t, want %t", user, path, !offered, offered)
			}
		}
		if w := s.do("POST", "/conflicts/c1/resolve", url.Values{"keep": {"=45"}}); (w.Code == http.StatusSeeOther) != offered || (len(s.store.words) == 1) != offered {
			t.Errorf("%s: %d, said %+v", user, w.Code, s.store.words)
		}
	}
}

func TestAStrangerSettlesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.store.disputes = sampleDisputes()
	if w := s.do("POST", "/conflicts/c1/resolve", url.Values{"keep": {"=45"}}); w.Code == http.StatusSeeOther || len(s.store.words) != 0 {
		t.Errorf("%d, said %+v", w.Code, s.store.words)
	}
}

func TestProvidersAreCountedByWhatContradictsThem(t *testing.T) {
	t.Parallel()
	pairs := []galena.Disagreement{{A: "alpha", B: "beta", Info: 2, Decision: 1}, {A: "beta", B: "crawl", Info: 1}}
	got := ""
	for _, id := range []string{"alpha", "beta", "gamma"} {
		r := scoreRowOf(galena.Scores{Provider: id}, pairs)
		got += r.ID + " " + r.Contradicted + " (" + r.With + "); "
	}
	if want := "alpha 3 (beta: 3); beta 4 (alpha: 3, crawl: 1); gamma 0 (); "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

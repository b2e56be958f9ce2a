package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// clerk releases leads, or says why not.
type clerk struct {
	got []string
	err error
}

func (c *clerk) Release(_ context.Context, id, actor, note string) (galena.Lead, error) {
	c.got = append(c.got, actor+" "+id+" "+note)
	return galena.Lead{}, c.err
}

func TestAHeldLeadIsReleasedFromItsPage(t *testing.T) {
	t.Parallel()
	held := sampleID(12)
	for _, c := range []struct {
		user    string
		err     error
		offered bool
		status  int
	}{
		{"ops", nil, true, http.StatusSeeOther},
		{"root", nil, true, http.StatusSeeOther},
		{"ops", galena.Errorf(galena.Conflict, "held", "not held"), true, http.StatusSeeOther},
		{"ops", galena.Errorf(galena.Unavailable, "sql", "away"), true, http.StatusServiceUnavailable},
		{"ana.souza", nil, false, http.StatusForbidden},
	} {
		k := &clerk{err: c.err}
		s := newSite(t, func(d *Deps) { d.Releaser = k })
		s.login(c.user)
		page := s.get("/leads/" + held).Body.String()
		if got := strings.Contains(page, `action="/leads/`+held+`/release"`); got != c.offered {
			t.Errorf("%s: offered %t", c.user, got)
		}
		w := s.do(http.MethodPost, "/leads/"+held+"/release", url.Values{"note": {"called back"}})
		if w.Code != c.status || w.Code == http.StatusSeeOther && w.Header().Get("Location") != "/leads/"+held {
			t.Errorf("%s %v: %d to %s", c.user, c.err, w.Code, w.Header().Get("Location"))
		}
		if want := c.user + " " + held + " called back"; c.offered && (len(k.got) != 1 || k.got[0] != want) || !c.offered && len(k.got) != 0 {
			t.Errorf("%s: released %v", c.user, k.got)
		}
		if page := s.get("/leads/" + sampleID(40)).Body.String(); strings.Contains(page, "/release") {
			t.Errorf("%s: a lead in flight is offered for release", c.user)
		}
		if w := s.do(http.MethodPost, "/leads/"+held+"/release", url.Values{}, "Origin", "https://evil.example"); w.Code != http.StatusForbidden {
			t.Errorf("from another site: %d", w.Code)
		}
	}
}

func TestWithoutAReleaserNothingIsOffered(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("root")
	if strings.Contains(s.get("/leads/"+sampleID(12)).Body.String(), "/release") {
		t.Error("offered")
	}
	if w := s.do(http.MethodPost, "/leads/"+sampleID(12)+"/release", url.Values{}); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

func TestTheHeldListSaysWhyInWords(t *testing.T) {
	t.Parallel()
	for want, codes := range map[string][]string{
		"The address is a throw-away mailbox.":                                        {"disposable", "plus_tag"},
		"The domain is one slip away from gmail.com; probably a typing error.":        {"subdomain_of:gmial.com", "did_you_mean:gmail.com"},
		"The domain says that it takes no mail.":                                      {"null_mx", "role_address", "released"},
		"The address is a throw-away mailbox. The domain says that it takes no mail.": {"disposable", "null_mx"},
		"something new": {"something_new"},
	} {
		if got := heldWords(codes); got != want {
			t.Errorf("%v: %q, want %q", codes, got, want)
		}
	}
	s := newSite(t, nil)
	s.login("ops")
	if page := s.get("/?status=quarantined").Body.String(); !strings.Contains(page, "probably a typing error") {
		t.Error("the list does not say why")
	}
}

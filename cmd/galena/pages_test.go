package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/routing"
)

// twoReps routes every lead to whoever's turn it is; a third rep has left.
const twoReps = `apiVersion: galena/v1
kind: Routing
metadata: {name: two, version: 1}
spec:
  reps: [{id: ana}, {id: ben}, {id: cho, active: false}]
  pools: [{id: all, members: {ana: 1, ben: 1}}]
  rules: [{id: everyone, to: {pool: all}}]
  fallback: {queue: unrouted, alert: true}
`

func TestLeadsCanBeGivenToRepsWhoAreStillThereAndToPools(t *testing.T) {
	t.Parallel()
	left := false
	r := configs.Rules{Routing: routing.Config{Reps: []routing.Rep{{ID: "ana"}, {ID: "cho", Active: &left}, {ID: "ben", Paused: true}}, Pools: []routing.Pool{{ID: "all"}}}}
	if got, want := targets(r), []string{"ana", "ben", "pool:all"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnAdminReassignsALeadOnItsPageAndTheLateOneIsToldWhoHasIt(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.write("routing.yaml", twoReps)
	s.start("serve")
	s.ready()
	status, receipt, _ := s.post(testToken, `{"email":"grace@northwind.example","form":"demo"}`)
	if status != http.StatusAccepted {
		t.Fatalf("POST answered %d %v", status, receipt)
	}
	id, _ := receipt["id"].(string)
	eventually(t, 20*time.Second, "lead.routed reaches the sink", func() bool { return len(s.sink.events()) > 0 })
	first, _ := s.sink.events()[0].body["owner"].(string)
	other := map[string]string{"ana": "ben", "ben": "ana"}[first]
	boss, rep := s.person("boss", "admin"), s.person("ben", "rep")
	give := func(p *http.Client, to string) (int, string) {
		return s.page(p, http.MethodPost, "/leads/"+id+"/reassign", url.Values{"epoch": {"1"}, "to": {to}, "note": {"is ill"}})
	}
	if _, page := s.page(boss, http.MethodGet, "/leads/"+id, nil); !strings.Contains(page, "<option>"+other+"</option>") || strings.Contains(page, ">cho<") {
		t.Errorf("the form does not offer %s alone", other)
	}
	if code, _ := give(rep, other); code != http.StatusForbidden {
		t.Errorf("a rep was answered %d", code)
	}
	if code, page := give(boss, "nobody"); code != http.StatusUnprocessableEntity || !strings.Contains(page, "no rep or pool of that name") {
		t.Errorf("nobody's name was answered %d", code)
	}
	if code, page := give(boss, other); code != http.StatusOK || !strings.Contains(page, "reassigned") || !strings.Contains(page, "is ill") {
		t.Errorf("the admin was answered %d and sees\n%s", code, page)
	}
	if code, page := give(boss, "pool:all"); code != http.StatusConflict || !strings.Contains(page, "The lead was moved to "+other+" at ") {
		t.Errorf("who saw the decision before was answered %d\n%s", code, page)
	}
}

// person makes a user and a browser that they have logged in with.
func (s *system) person(name, role string) *http.Client {
	s.t.Helper()
	password := strings.TrimSpace(s.must("users", "add", name, "--role", role))
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &http.Client{Jar: jar}
	if code, _ := s.page(p, http.MethodPost, "/login", url.Values{"name": {name}, "password": {password}}); code != http.StatusOK {
		s.t.Fatalf("login of %s: %d", name, code)
	}
	return p
}

// page asks for a page, goes where it leads, and returns what is seen there.
func (s *system) page(p *http.Client, method, path string, form url.Values) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

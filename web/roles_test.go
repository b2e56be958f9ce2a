package web

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func TestEveryPageHasARuleForWhoMayAsk(t *testing.T) {
	t.Parallel()
	all, err := (&server{Deps: Deps{Monitor: embeddedRedis(t)}}).handlers()
	if err != nil {
		t.Fatal(err)
	}
	got, want := slices.Sorted(maps.Keys(access)), slices.Sorted(maps.Keys(all))
	if !slices.Equal(got, want) {
		t.Errorf("there are rules for\n%q, want them for\n%q", got, want)
	}
	for page, admitted := range access {
		if len(admitted) == 0 || slices.ContainsFunc(admitted, func(role string) bool { return !slices.Contains(everybody, role) }) {
			t.Errorf("%s is for %q", page, admitted)
		}
	}
}

func TestWhoeverMayNotAskIsToldWhoMay(t *testing.T) {
	t.Parallel()
	for user, role := range map[string]string{"ana.souza": roleRep, "ops": roleOps, "root": roleAdmin, "guest": "guest"} {
		s := newSite(t, func(d *Deps) { d.Hands, d.Releaser, d.Monitor = &grip{}, &clerk{}, embeddedRedis(t) })
		s.store.users["guest"] = galena.User{Name: "guest", Role: "guest", PasswordHash: s.store.users["ops"].PasswordHash}
		s.login(user)
		for page, admitted := range access {
			method, path, found := strings.Cut(page, " ")
			if !found {
				method, path = http.MethodPut, page+"nowhere"
			}
			path = strings.NewReplacer("{$}", "", "{id}", sampleID(1)).Replace(path)
			w := s.do(method, path, url.Values{"epoch": {"2"}})
			if refused := w.Code == http.StatusForbidden; refused == slices.Contains(admitted, role) {
				t.Errorf("%s is answered %d to %s", page, w.Code, role)
			}
			if want := "This takes the role " + strings.Join(admitted, " or "); w.Code == http.StatusForbidden && !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s does not say %q to %s", page, want, role)
			}
			if page == "POST /logout" && w.Code == http.StatusSeeOther {
				s.login(user)
			}
		}
	}
}

// An act on the pages is not for those whose tokens the API would refuse.
func TestNoPageIsOpenWiderThanTheAPI(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	same, overruling := 0, 0
	for page, admitted := range access {
		path, posted := strings.CutPrefix(page, "POST ")
		_, rest, found := strings.Cut(string(raw), "\n  /v1"+path+":\n")
		if !posted || !found {
			continue
		}
		same++
		rest, _, _ = strings.Cut(rest, "\n  /")
		if !strings.Contains(rest, "- "+galena.ScopeConfigWrite+"\n") {
			continue
		}
		overruling++
		for _, role := range admitted {
			if !slices.Contains(galena.GroupScopes()[role], galena.ScopeConfigWrite) {
				t.Errorf("%s is open to %s, whose tokens lack %s", page, role, galena.ScopeConfigWrite)
			}
		}
	}
	if same < 5 || overruling < 1 {
		t.Errorf("the contract has %d of our acts, %d of which overrule the files", same, overruling)
	}
}

package web

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/galenahq/galena/redis"
)

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for public, name := range map[string]string{"": "galena_session", "http://galena.example": "galena_session", "https://galena.example": "__Host-galena"} {
		s := newSite(t, func(d *Deps) { d.PublicURL = public })
		s.login("ops")
		c := s.cookie
		if c.Name != name || c.Secure != strings.HasPrefix(public, "https") {
			t.Errorf("%q: cookie %s secure %v", public, c.Name, c.Secure)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 8*3600 {
			t.Errorf("%q: cookie is %+v", public, c)
		}
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`).MatchString(c.Value) {
			t.Errorf("the value is not 128 bits in base64: %d characters", len(c.Value))
		}
		sum := sha256.Sum256([]byte(c.Value))
		if _, ok := s.store.sessions[string(sum[:])]; !ok || len(s.store.sessions) != 1 {
			t.Error("the store does not hold the hash alone")
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	t.Run("AfterEightHours", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, nil)
		s.login("ops")
		s.now = s.now.Add(8*time.Hour - time.Second)
		if w := s.get("/"); w.Code != http.StatusOK {
			t.Errorf("a second before the end: %d", w.Code)
		}
		s.now = s.now.Add(time.Second)
		if w := s.get("/"); w.Code != http.StatusFound {
			t.Errorf("at the end: %d, want 302", w.Code)
		}
	})
	t.Run("WithLogout", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t) })
		s.login("ops")
		w := s.do(http.MethodPost, "/logout", url.Values{})
		if w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
			t.Fatalf("logout answered %d", w.Code)
		}
		if w := s.get("/"); w.Code != http.StatusFound {
			t.Errorf("the old cookie still opens the list: %d", w.Code)
		}
		if w := s.get("/monitor/api/queues"); w.Code != http.StatusUnauthorized {
			t.Errorf("the old cookie still opens the monitor: %d", w.Code)
		}
		if got, want := s.store.actions(), []string{"ops login.ok", "ops logout"}; !slices.Equal(got, want) {
			t.Errorf("audit trail %v, want %v", got, want)
		}
	})
	t.Run("WithANewLogin", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, nil)
		s.login("ops")
		s.login("root")
		if n := len(s.store.sessions); n != 1 {
			t.Errorf("%d sessions live, want 1", n)
		}
	})
}

func TestWrongPasswordIsRefusedAndTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var bodies []string
	for _, c := range [][2]string{{"ops", "wrong"}, {"nobody", password}, {"ops", ""}, {"", ""}, {"ops", strings.Repeat("x", 100)}} {
		w := s.do(http.MethodPost, "/login", url.Values{"name": {c[0]}, "password": {c[1]}})
		if w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) != 0 {
			t.Errorf("%q answered %d", c[0], w.Code)
		}
		bodies = append(bodies, strings.ReplaceAll(w.Body.String(), `value="`+c[0]+`"`, `value=""`))
	}
	if bodies[0] != bodies[1] {
		t.Error("the page tells a wrong password from a name that does not exist")
	}
	want := []string{"ops login.failed", "unknown login.failed", "ops login.failed", "unknown login.failed", "ops login.failed"}
	if got := s.store.actions(); !slices.Equal(got, want) {
		t.Errorf("audit trail %v, want %v", got, want)
	}
}

func TestLoginsAreLimited(t *testing.T) {
	t.Parallel()
	ip := "192.0.2.1"
	s := newSite(t, func(d *Deps) { d.ClientIP = func(*http.Request) string { return ip } })
	try := func(pass string) int {
		return s.do(http.MethodPost, "/login", url.Values{"name": {"ops"}, "password": {pass}}, "X-Forwarded-For", "198.51.100.9").Code
	}
	for n := range 10 {
		if got := try("wrong"); got != http.StatusUnauthorized {
			t.Errorf("try %d answered %d", n+1, got)
		}
	}
	w := s.do(http.MethodPost, "/login", url.Values{"name": {"ops"}, "password": {password}})
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" {
		t.Errorf("try 11 answered %d, retry after %q", w.Code, w.Header().Get("Retry-After"))
	}
	if n := len(s.store.actions()); n != 10 {
		t.Errorf("%d audit rows, want 10: a flood must not fill the table", n)
	}
	if got := s.get("/login?once=guess").Code; got != http.StatusTooManyRequests {
		t.Errorf("the link is not limited: %d", got)
	}
	ip = "192.0.2.2"
	if got := try(password); got != http.StatusSeeOther {
		t.Errorf("another address is held back as well: %d", got)
	}
	ip = "192.0.2.1"
	s.now = s.now.Add(time.Minute)
	if got := try(password); got != http.StatusSeeOther {
		t.Errorf("a minute later: %d", got)
	}
}

func TestTwoProcessesTogetherAllowAsManyLoginsAsOne(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.SetTime(noon)
	process := func() *site {
		return newSite(t, func(d *Deps) {
			client, err := redis.Open("redis://"+server.Addr(), 2, d.Log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			d.Limiter = redis.NewLimiter(client)
		})
	}
	both := []*site{process(), process()}
	try := func(s *site) (int, string) {
		w := s.do(http.MethodPost, "/login", url.Values{"name": {"ops"}, "password": {"wrong"}})
		return w.Code, w.Header().Get("Retry-After")
	}
	for n := range loginTries {
		if got, _ := try(both[n%2]); got != http.StatusUnauthorized {
			t.Fatalf("try %d answered %d", n+1, got)
		}
	}
	for n, s := range both {
		if got, wait := try(s); got != http.StatusTooManyRequests || wait != "6" {
			t.Errorf("process %d answered %d to one try more, retry after %q", n, got, wait)
		}
	}
	server.Close()
	for n, s := range both {
		for range loginTries / 2 { // the other half was counted above
			if got, _ := try(s); got != http.StatusUnauthorized {
				t.Errorf("process %d without Redis answered %d", n, got)
			}
		}
		if got, _ := try(s); got != http.StatusTooManyRequests {
			t.Errorf("process %d without Redis has no limit of its own: %d", n, got)
		}
		if !strings.Contains(s.log.String(), "logins are limited by this process alone") {
			t.Errorf("process %d did not say that it counts alone", n)
		}
	}
}

func TestOneHostOfIPv6IsOneAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"2001:db8:1:2::3": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::9": "2001:db8:1:2::/64",
		"::ffff:192.0.2.7": "192.0.2.7", "192.0.2.7": "192.0.2.7", "fe80::1%eth0": "fe80::/64", "pipe": "pipe"} {
		if got := limitKey(in); got != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}

func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, time.Minute)
	for n := range 1000 {
		l.allow(strings.Repeat("k", n), noon)
	}
	l.allow("late", noon.Add(2*time.Minute))
	if len(l.tries) != 1 {
		t.Errorf("%d keys are kept, want 1", len(l.tries))
	}
}

func TestDemoLinkWorksOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) { d.LoginToken = "k3y-of-the-demo" })
	for _, wrong := range []string{"/login?once=guess", "/login?once=K3y-of-the-demo"} {
		if w := s.get(wrong); w.Code != http.StatusUnauthorized {
			t.Errorf("%s answered %d", wrong, w.Code)
		}
	}
	w := s.get("/login?once=k3y-of-the-demo")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("the link answered %d", w.Code)
	}
	if again := s.get("/login?once=k3y-of-the-demo"); again.Code != http.StatusUnauthorized || len(again.Result().Cookies()) != 0 {
		t.Errorf("the second use answered %d", again.Code)
	}
	s.cookie = w.Result().Cookies()[0]
	if body := s.get("/").Body.String(); !strings.Contains(body, "<span>demo</span>") {
		t.Error("the user is not demo")
	}
	off := newSite(t, nil)
	if w := off.get("/login?once="); w.Code != http.StatusOK || len(w.Result().Cookies()) != 0 {
		t.Errorf("an empty link with the feature off answered %d", w.Code)
	}
}

func TestLoginLeadsBackInside(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if got := s.get("/leads/" + sampleID(24)).Header().Get("Location"); got != "/login?next=%2Fleads%2F"+sampleID(24) {
		t.Errorf("the login does not remember the page: %s", got)
	}
	for next, want := range map[string]string{"/leads/x": "/leads/x", "//evil.example": "/", "https://evil.example/": "/", "/\\evil.example": "/", "": "/", "javascript:alert(1)": "/", "/\t/evil.example": "/"} {
		s.now = s.now.Add(time.Minute)
		w := s.do(http.MethodPost, "/login", url.Values{"name": {"ops"}, "password": {password}, "next": {next}})
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}

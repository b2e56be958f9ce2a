package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// site is the pages over a fake store, with a browser's manners: it keeps
// cookies and follows nothing by itself.
type site struct {
	t       *testing.T
	store   *fakeStore
	handler http.Handler
	cookie  *http.Cookie
	log     *bytes.Buffer
	now     time.Time
}

func newSite(t *testing.T, change func(*Deps)) *site {
	t.Helper()
	s := &site{t: t, store: newFake(t), log: &bytes.Buffer{}, now: noon}
	s.store.records = samples(t)
	d := Deps{Store: s.store, Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	if change != nil {
		change(&d)
	}
	h, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = h
	return s
}

func (s *site) do(method, target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) get(target string, header ...string) *httptest.ResponseRecorder {
	return s.do(http.MethodGet, target, nil, header...)
}

func (s *site) login(user string) {
	s.t.Helper()
	w := s.do(http.MethodPost, "/login", url.Values{"name": {user}, "password": {password}})
	if w.Code != http.StatusSeeOther {
		s.t.Fatalf("login answered %d", w.Code)
	}
	s.cookie = w.Result().Cookies()[0]
}

func TestNothingIsShownWithoutLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t) })
	for _, path := range []string{"/", "/?tier=A", "/leads/" + sampleID(24), "/leads/none", "/providers", "/nowhere", "/monitor", "/monitor/", "/monitor/static/js/main.5adda2da.chunk.js", "/monitor/queues/leads", "/.git/config"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
			w := s.do(method, path, nil)
			if w.Code != http.StatusFound || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
				t.Errorf("%s %s answered %d to %q, want 302 to /login", method, path, w.Code, w.Header().Get("Location"))
			}
		}
		if w := s.get(path, "HX-Request", "true"); w.Code != http.StatusUnauthorized || w.Header().Get("HX-Redirect") != "/login" {
			t.Errorf("%s asked by htmx answered %d, want 401 and a way to the login", path, w.Code)
		}
	}
	for _, path := range []string{"/monitor/api/queues", "/monitor/api/servers", "/monitor/api/redis_info"} {
		if w := s.get(path); w.Code != http.StatusUnauthorized {
			t.Errorf("%s answered %d, want 401", path, w.Code)
		}
	}
	if w := s.do(http.MethodPost, "/logout", nil); w.Code != http.StatusFound {
		t.Errorf("logout without login answered %d", w.Code)
	}
	s.cookie = &http.Cookie{Name: "galena_session", Value: "AAAAAAAAAAAAAAAAAAAAAA"}
	if w := s.get("/"); w.Code != http.StatusFound {
		t.Errorf("an invented cookie got %d", w.Code)
	}
}

func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	check := func(path string) {
		h := s.get(path).Header()
		want := map[string]string{"Content-Security-Policy": pagePolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}
		for k, v := range want {
			if got := h.Get(k); got != v {
				t.Errorf("%s: %s is %q, want %q", path, k, got, v)
			}
		}
		if got := h.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s lets other origins read: %q", path, got)
		}
	}
	check("/login")
	check("/")
	check("/static/app.css")
	s.login("ops")
	for _, path := range []string{"/", "/leads/" + sampleID(24), "/leads/none", "/providers", "/nowhere"} {
		check(path)
		if got := s.get(path).Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s may be kept: %q", path, got)
		}
	}
}

func TestForeignOriginChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t); d.MonitorWrite = true; d.PublicURL = "http://example.com" })
	s.login("root")
	for _, foreign := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, c := range [][2]string{{"POST", "/login"}, {"POST", "/logout"}, {"POST", "/monitor/api/queues/leads:pause"}, {"DELETE", "/monitor/api/queues/leads"}, {"PUT", "/"}} {
			if w := s.do(c[0], c[1], url.Values{}, foreign...); w.Code != http.StatusForbidden {
				t.Errorf("%s %s with %v answered %d, want 403", c[0], c[1], foreign, w.Code)
			}
		}
	}
	if w := s.get("/"); w.Code != http.StatusOK {
		t.Errorf("the session did not survive: %d", w.Code)
	}
	if w := s.do("POST", "/logout", url.Values{}, "Origin", "http://example.com"); w.Code != http.StatusSeeOther {
		t.Errorf("our own form was refused with %d", w.Code)
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ana.souza")
	for query, want := range map[string][2]string{
		"tier=A":             {"andes-pay.example", "acme-robotics.example"},
		"tier=X":             {"persepolis-data.example", "andes-pay.example"},
		"status=quarantined": {"prize-draw.example", "andes-pay.example"},
		"status=accepted":    {"porto-logistica.example", "andes-pay.example"},
		"owner=ana.souza":    {"andes-pay.example", "kestrel-pay.example"},
	} {
		body := s.get("/?" + query).Body.String()
		if !strings.Contains(body, want[0]) || strings.Contains(body, want[1]) {
			t.Errorf("%s should show %s and not %s", query, want[0], want[1])
		}
	}
	if body := s.get("/?tier=Q").Body.String(); !strings.Contains(body, "No lead matches") {
		t.Error("a filter that matches nothing does not say so")
	}
}

func TestListPagesByCursor(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.store.records = nil
	for n := 120; n > 0; n-- {
		s.store.records = append(s.store.records, galena.Record{Lead: galena.Lead{ID: sampleID(n), Status: galena.StatusAccepted, CreatedAt: noon}})
	}
	s.login("ops")
	seen, target := 0, "/?status=accepted"
	for target != "" {
		body := s.get(target).Body.String()
		seen += strings.Count(body, `id="lead-`)
		if strings.Contains(target, "before=") == strings.Contains(body, `hx-trigger="every 5s"`) {
			t.Errorf("%s: only the newest page refreshes itself", target)
		}
		_, rest, found := strings.Cut(body, `<a href="/?before=`)
		target = ""
		if found {
			next, _, _ := strings.Cut(rest, `"`)
			target = "/?before=" + strings.ReplaceAll(next, "&amp;", "&")
		}
	}
	if seen != 120 {
		t.Errorf("the pages show %d leads, want 120", seen)
	}
}

func TestEmptyListTellsHowToBegin(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"", "http://example.com"}, {"https://leads.quarry.example/", "https://leads.quarry.example"}} {
		s := newSite(t, func(d *Deps) { d.PublicURL = c[0] })
		s.store.records = nil
		s.login("ops")
		if body := s.get("/").Body.String(); !strings.Contains(body, "curl "+c[1]+"/v1/leads ") {
			t.Errorf("with public URL %q no curl line to %s", c[0], c[1])
		}
	}
}

func TestLeadShowsItsReasons(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ana.souza")
	body := flat(s.get("/leads/" + sampleID(24)).Body.String())
	for _, want := range []string{
		"Tier A · 85.0 (between 81.4 and 95.9) · 89 % certain", "unknown: 0 to 9.1", "partial: 21.8 to 27.3", "core vertical",
		"Rule tier-a sent it to ana.souza, by rotation in latam-senior", "within 5 min, by 23 Nov 2026", "decision.tier = A",
		"bruno.lima latam-senior no outside working hours", "+0.60", "−0.40", "alpha-firmo answered 2 ¢", "Added country, employees, industry.",
		"Stopped buying data: no answer can change tier A any more. Spent 5 cents.", "b2b-saas version 7", "bigquery, hubspot",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

func TestLeadShowsWhatCameAfterItsDecision(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ana.souza")
	s.store.notice(sampleID(24), galena.Notice{Kind: galena.NoticeToday, At: noon, Text: "today this lead would be tier B / emea"})
	body := flat(s.get("/leads/" + sampleID(24)).Body.String())
	if want := "Today this lead would be tier B / emea. 23 Nov 2026"; !strings.Contains(body, want) {
		t.Errorf("the page does not say %q: %s", want, body)
	}
}

func TestHeldLeadSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ops")
	for n, wants := range map[int][]string{
		12: {"probably a typing error", "one slip away from freemail.example"},
		31: {"Held back", "mixes alphabets"},
		39: {"A robot seems to have filled in the form"},
		29: {"One of our own"},
		40: {"Being decided", `hx-get="/leads/`},
	} {
		w := s.get("/leads/" + sampleID(n))
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("lead %d does not say %q", n, want)
			}
		}
	}
}

// sampleCatalogue has a provider of every kind: without a key, with one, out of
// money, paused, and one that is off for want of a key.
func sampleCatalogue() galena.Catalogue {
	return galena.Catalogue{Providers: []galena.Listed{{ID: "own-crawl", Adapter: "homepage", Keyless: true, On: true},
		{ID: "alpha-firmo", Adapter: "clearbit", KeyPresent: true, On: true}, {ID: "beta-prime", Adapter: "fixture", KeyPresent: true, On: true},
		{ID: "gamma-tech", Adapter: "fixture", KeyPresent: true, On: true}, {ID: "registry-br", Adapter: "fixture"}},
		Budgets: []galena.Budget{{Scope: "day", LimitMicros: 50_000_000}, {Scope: "provider:beta-prime", LimitMicros: 3_000_000},
			{Scope: "source:refresh", LimitMicros: 2_000_000}, {Scope: "source:webinar", LimitMicros: 50_000}}}
}

func TestAProviderThatIsNotInTheFileTroublesNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.store.states = sampleStates()
	s.login("ops")
	if body := flat(s.get("/providers").Body.String()); !strings.Contains(body, "gamma-tech Not in the file Closed") || !strings.Contains(body, "All can be asked") {
		t.Errorf("%s", body)
	}
}

func TestProvidersPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(d *Deps) {
		d.Catalogue = sampleCatalogue
	})
	s.store.states, s.store.spent = sampleStates(), map[string]int64{"day": 49_000_000, "provider:beta-prime": 3_000_000, "source:webinar": 12_500}
	s.login("ops")
	body := flat(s.get("/providers").Body.String())
	for _, want := range []string{"own-crawl homepage On needs no key Unknown no worker has called it yet none 100 ¢", "alpha-firmo clearbit On key present Closed asked as usual none 100 ¢",
		"beta-prime fixture On key present Open not asked: it failed too often none 0 ¢", "registry-br fixture Off no key",
		"gamma-tech fixture On key present Closed asked as usual Paused its credits are used up until 24 Nov 2026, 00:00 UTC", "2 not asked as usual",
		"All together 100 ¢ of 5000 ¢ left", "Provider beta-prime 0 ¢ of 300 ¢ left", "Leads from webinar 3.75 ¢ of 5 ¢ left", "Refreshing stale data 200 ¢ of 200 ¢ left"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q\n%s", want, body)
		}
	}
}

// sampleScores are a vendor that earns its money, one that does not and one that fails.
func sampleScores() []galena.Scores {
	return []galena.Scores{
		{Provider: "alpha-firmo", Calls: 1240, Hits: 930, Misses: 310, P95: 1430 * time.Millisecond, CostMicros: 37_200_000, MissMicros: 9_300_000,
			UnusedMicros: 2_100_000, Useful: 1860, Fields: []galena.FieldCount{{Field: "company.employee_count", Answers: 900}, {Field: "company.industry", Answers: 620}}},
		{Provider: "beta-prime", Calls: 12, Hits: 2, Misses: 6, P95: 300 * time.Millisecond, CostMicros: 1_600_000, MissMicros: 1_200_000, UnusedMicros: 400_000,
			Fields: []galena.FieldCount{{Field: "company.annual_revenue_usd", Answers: 2}}},
		{Provider: "gamma-tech", Calls: 3, P95: 2 * time.Second},
	}
}

func TestProvidersPageHasAScorecard(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.store.pairs = []galena.Disagreement{{A: "alpha-firmo", B: "beta-prime", Decision: 1, Info: 2}}
	s.login("ops")
	if body := flat(s.get("/providers?over=30d").Body.String()); !strings.Contains(body, "No provider was asked in the last 30 days.") {
		t.Errorf("nothing is said of no calls\n%s", body)
	}
	s.store.scores = sampleScores()
	body := flat(s.get("/providers").Body.String())
	for _, want := range []string{"alpha-firmo 2 fields Employees 73 % Industry 50 % 1,240 75 % 1,430 ms 3720 ¢ 2 ¢ 930 ¢ 210 ¢ 3",
		"beta-prime 1 field Annual revenue 25 % 12 25 % 300 ms 160 ¢ – 120 ¢ 40 ¢ 3", "gamma-tech 3 – 2,000 ms 0 ¢ – 0 ¢ 0 ¢ 0"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q\n%s", want, body)
		}
	}
	if ages := s.store.scored; len(ages) != 2 || noon.Sub(ages[0]) != 30*24*time.Hour || noon.Sub(ages[1]) != 24*time.Hour {
		t.Errorf("asked since %v", ages)
	}
	s.get("/providers", "Hx-Request", "true")
	if len(s.store.scored) != 2 {
		t.Error("the scorecard is counted anew every five seconds")
	}
}

func TestProvidersPageSaysHowOftenStoppingEarlyWasWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ops")
	for _, c := range []struct {
		regret galena.Regret
		says   []string
	}{
		{galena.Regret{}, []string{"Providers refreshes every 5 s No providers", "Not known yet: no decision was audited. Buying ends once"}},
		{galena.Regret{Audits: 1, CostMicros: 110_000}, []string{"More data would have changed nothing in one settled decision.", "in 0.0 to 79.3 % of all cases", "Spent on audits 11 ¢"}},
		{galena.Regret{Audits: 1200, Changed: 18, CostMicros: 57_125_000}, []string{"More data would have changed 18 of 1,200 settled decisions.",
			"wrong in 1.0 to 2.4 % of all cases, with a certainty of 95 %", "Audited 1,200 Would have changed 18 Regret 1.5 % 95 % interval (Wilson) 1.0 to 2.4 % Spent on audits 5712.5 ¢"}},
	} {
		s.store.regret = c.regret
		body := flat(s.get("/providers").Body.String())
		for _, want := range c.says {
			if !strings.Contains(body, want) {
				t.Errorf("%+v: the page does not say %q\n%s", c.regret, want, body)
			}
		}
	}
}

// waiting is a state in which a file waits to be mended.
func waiting() galena.ConfigState {
	ref := galena.ConfigRef{Kind: "ICP", Name: "quarry", Version: 7, Hash: strings.Repeat("a1b2", 16)}
	return galena.ConfigState{LoadedAt: noon, Files: []galena.ConfigFile{{ConfigRef: ref, Path: "conf/icp.yaml", Since: noon}},
		Findings: []galena.Finding{
			{Path: "conf/icp.yaml", Line: 31, Column: 15, Code: "E09", Severity: galena.SeverityError, Message: "criteria[0].weight must be a whole number from 1 to 100, is 101"},
			{Path: "conf/icp.yaml", Line: 40, Column: 7, Code: "W01", Severity: galena.SeverityWarning, Message: "no band covers 51 to 99", Hint: "close it"},
		}}
}

func TestAFileThatWaitsToBeMendedIsSaidOnEveryPage(t *testing.T) {
	t.Parallel()
	state := waiting()
	s := newSite(t, func(d *Deps) { d.Rules = func() galena.ConfigState { return state } })
	const banner = "A configuration file cannot be used: 1 error. The rules before stay in force."
	if strings.Contains(flat(s.get("/login").Body.String()), banner) {
		t.Error("strangers are told of our files")
	}
	s.login("ops")
	for _, path := range []string{"/", "/providers", "/rules", "/nowhere"} {
		if !strings.Contains(flat(s.get(path).Body.String()), banner) {
			t.Errorf("%s does not say that a file waits", path)
		}
	}
	body := flat(s.get("/rules").Body.String())
	for _, want := range []string{"conf/icp.yaml:31:15 E09 criteria[0].weight must be", "conf/icp.yaml:40:7 W01 no band covers 51 to 99 (close it)",
		"ICP quarry 7 conf/icp.yaml a1b2a1b2a1b2 23 Nov 2026"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q\n%s", want, body)
		}
	}
	state.Findings = state.Findings[1:]
	if body := flat(s.get("/rules").Body.String()); strings.Contains(body, banner) || !strings.Contains(body, "In force, with warnings") {
		t.Errorf("a warning keeps nothing out of force: %s", body)
	}
}

func sampleStates() []galena.ProviderState {
	return []galena.ProviderState{
		{Provider: "alpha-firmo", Breaker: "closed", ChangedAt: noon.Add(-26 * time.Minute)},
		{Provider: "beta-prime", Breaker: "open", ChangedAt: noon.Add(-8 * time.Second)},
		{Provider: "gamma-tech", Breaker: "closed", PausedUntil: noon.Add(9*time.Hour + 14*time.Minute), PauseReason: galena.Exhausted, ChangedAt: noon.Add(-2 * time.Hour)},
	}
}

func TestStoreAwayIsSaidPlainly(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.login("ops")
	s.store.fail(galena.Errorf(galena.Unavailable, "sql.records", "dial tcp 10.0.0.5:5432: refused"))
	w := s.get("/")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d, want 503 with Retry-After", w.Code)
	}
	if strings.Contains(w.Body.String(), "10.0.0.5") || !strings.Contains(s.log.String(), "unavailable") {
		t.Error("the cause belongs into the log, not on the page")
	}
	if w := s.get("/leads/none"); w.Code == http.StatusOK {
		t.Error("a lead was shown by a store that is away")
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	for _, k := range galena.Kinds() {
		if statuses[k] == 0 {
			t.Errorf("no status for %s", k)
		}
	}
}

// flat is the text of a page: no tags, single blanks.
func flat(html string) string {
	var b strings.Builder
	in := false
	for _, r := range html {
		switch {
		case r == '<':
			in = true
			b.WriteByte(' ')
		case r == '>':
			in = false
		case !in:
			b.WriteRune(r)
		}
	}
	s := strings.Join(strings.Fields(b.String()), " ")
	return strings.NewReplacer(" .", ".", " ,", ",", "&#43;", "+").Replace(s)
}

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/galenahq/galena"
)

// chromium finds the browser. Where everything must be tested its absence is a
// failure; on a laptop it is only said.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" || os.Getenv("TEST_FULL") != "" {
		t.Fatal("chromium is needed for this test: apt-get install chromium, or set CHROMIUM")
	}
	t.Log("no chromium here: the pages were not opened in a browser")
	return ""
}

// tab is a browser that writes down everything a page should not do.
type tab struct {
	ctx    context.Context
	mu     sync.Mutex
	faults []string
}

func (b *tab) fault(format string, args ...any) {
	b.mu.Lock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
	b.mu.Unlock()
}

// openTab starts a browser of its own that may talk to origin only.
func openTab(t *testing.T, path, origin string) *tab {
	t.Helper()
	opts := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.WindowSize(1360, 900)}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	browser, _ := chromedp.NewContext(alloc)
	ctx, cancel := context.WithTimeout(browser, 4*time.Minute)
	t.Cleanup(func() { // the profile can be removed only when the browser is gone
		_ = chromedp.Cancel(browser)
		cancel()
		stop()
		chromedp.FromContext(browser).Allocator.Wait()
	})
	b := &tab{ctx: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			if !strings.HasSuffix(e.Entry.URL, "/nowhere") { // that page is not found on purpose
				b.fault("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
			}
		case *runtime.EventConsoleAPICalled:
			b.fault("console.%s with %d values", e.Type, len(e.Args))
		case *runtime.EventExceptionThrown:
			b.fault("exception: %s", e.ExceptionDetails.Error())
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
				b.fault("asked a stranger: %s", e.Request.URL)
			}
		case *cdp.EventJavascriptDialogOpening:
			b.fault("dialog: %s", e.Message)
			go func() { _ = chromedp.Run(ctx, cdp.HandleJavaScriptDialog(false)) }() // a listener must not wait
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable(), runtime.Enable(), cdp.Enable()); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return b
}

func (b *tab) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatalf("in the browser: %v (%v)", err, b.faults)
	}
}

// quiet fails when the browser complained about anything.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		t.Error(f)
	}
}

// shot saves what is seen, in the folder that SCREENSHOTS names.
func (b *tab) shot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.run(t, chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// look makes the window one of a desk or a phone, by day or by night.
func look(width, height int64, scheme string) chromedp.Action {
	return chromedp.Tasks{
		emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	}
}

func logIn(origin, user string) chromedp.Action {
	return chromedp.Tasks{chromedp.Navigate(origin + "/"), chromedp.WaitVisible("#password"), chromedp.SendKeys("#name", user),
		chromedp.SendKeys("#password", password), chromedp.Submit("#password"), chromedp.WaitVisible(".list")}
}

func serve(t *testing.T, s *site) string {
	t.Helper()
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	if path == "" {
		return
	}
	s := newSite(t, func(d *Deps) {
		d.Monitor = embeddedRedis(t)
		d.Rules, d.Hands, d.Targets, d.Releaser = waiting, &grip{note: "they are in Chile"}, whom, &clerk{}
		d.Catalogue = sampleCatalogue
	})
	s.store.states = sampleStates()
	s.store.spent = map[string]int64{"day": 41_237_500, "provider:beta-prime": 3_000_000, "source:webinar": 12_500}
	s.store.regret = galena.Regret{Audits: 1200, Changed: 18, CostMicros: 57_125_000}
	s.store.disputes, s.store.pairs = sampleDisputes(), []galena.Disagreement{{A: "alpha-firmo", B: "beta-prime", Decision: 1, Info: 1}}
	s.store.scores = sampleScores()
	s.store.backlog.Undecided, s.store.backlog.OldestUndecided = 1, noon.Add(-7*time.Second)
	origin := serve(t, s)
	b := openTab(t, path, origin)
	b.run(t, look(1360, 900, "light"), chromedp.Navigate(origin+"/"), chromedp.WaitVisible("#password"))
	b.shot(t, "login")
	b.run(t, logIn(origin, "root"))

	var rows int
	var title, verdict, criteria, why string
	b.run(t, chromedp.Evaluate(`document.querySelectorAll(".list tbody tr").length`, &rows))
	if want := len(s.store.records); rows != want {
		t.Errorf("the list shows %d leads, want %d", rows, want)
	}
	b.shot(t, "leads")
	s.store.mu.Lock()
	s.store.records = s.store.records[1:]
	s.store.mu.Unlock()
	b.run(t, chromedp.Poll(fmt.Sprintf(`document.querySelectorAll(".list tbody tr").length === %d`, rows-1), nil, chromedp.WithPollingTimeout(10*time.Second)))

	b.run(t, chromedp.Click("#lead-"+sampleID(24)), chromedp.WaitVisible("#score"), chromedp.Title(&title), chromedp.Text("#verdict", &verdict),
		chromedp.Text(".criteria", &criteria), chromedp.Text("section[aria-labelledby=why]", &why))
	if title != "Maria Lopez · galena" || flat(verdict) != "Tier A · 85.0 (between 81.4 and 95.9) · 89 % certain" {
		t.Errorf("the lead is headed %q, %q", title, verdict)
	}
	if !strings.Contains(criteria, "unknown: 0 to 9.1") || !strings.Contains(why, "tier-a") || !strings.Contains(why, "bruno.lima") {
		t.Errorf("the reasons are not seen:\n%s\n%s", criteria, why)
	}
	b.shot(t, "lead")
	b.tour(t, origin)
	s.store.mu.Lock()
	s.store.records = nil
	s.store.mu.Unlock()
	b.run(t, look(1360, 900, "light"), chromedp.Navigate(origin+"/"), chromedp.WaitVisible(".empty pre"))
	b.shot(t, "empty")
	b.run(t, chromedp.Navigate(origin+"/"), chromedp.Submit(".who button"), chromedp.WaitVisible("#password"))
	b.quiet(t)

	s.store.mu.Lock()
	s.store.records = samples(t)
	s.store.mu.Unlock()
	b.run(t, logIn(origin, "ana.souza"))
	s.store.mu.Lock()
	clear(s.store.sessions)
	s.store.mu.Unlock()
	b.run(t, chromedp.WaitVisible("#password")) // a list whose session ended leads to the login by itself
}

// tour opens every page in every dress; none may scroll sideways.
func (b *tab) tour(t *testing.T, origin string) {
	t.Helper()
	views := map[string]string{"leads": "/", "lead": "/leads/" + sampleID(24), "lead-held": "/leads/" + sampleID(12), "lead-x": "/leads/" + sampleID(15),
		"lead-degraded": "/leads/" + sampleID(27), "providers": "/providers", "rules": "/rules", "conflicts": "/conflicts?all=1", "lead-contested": "/leads/" + sampleID(22), "problem": "/nowhere", "none": "/?tier=D"}
	for _, dress := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"desk", 1360, 900, "light"}, {"desk-dark", 1360, 900, "dark"}, {"tablet", 820, 1100, "light"}, {"phone", 390, 844, "light"}, {"phone-dark", 390, 844, "dark"}} {
		for name, path := range views {
			var wide bool
			b.run(t, look(dress.width, dress.height, dress.scheme), chromedp.Navigate(origin+path), chromedp.WaitVisible("h1"),
				chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &wide))
			if wide {
				t.Errorf("%s scrolls sideways on a %s", path, dress.name)
			}
			b.shot(t, name+"-"+dress.name)
		}
	}
}

func TestHostileTextInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	if path == "" {
		return
	}
	s := newSite(t, nil)
	s.store.records = nil
	for i, text := range attacks() {
		s.store.records = append(s.store.records, poisoned(sampleID(i), text))
	}
	origin := serve(t, s)
	b := openTab(t, path, origin)
	b.run(t, logIn(origin, "ana.souza"))
	for i := range attacks() {
		b.run(t, chromedp.Navigate(origin+"/leads/"+sampleID(i)), chromedp.WaitVisible("h1"), chromedp.Sleep(50*time.Millisecond))
	}
	b.quiet(t)
}

func TestMonitorInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	if path == "" {
		return
	}
	s := newSite(t, func(d *Deps) { d.Monitor = embeddedRedis(t) })
	origin := serve(t, s)
	b := openTab(t, path, origin)
	var name string
	b.run(t, logIn(origin, "ana.souza"), chromedp.Navigate(origin+"/monitor/"), chromedp.Poll(`document.querySelector("#root header")?.nodeName`, &name, chromedp.WithPollingTimeout(20*time.Second)))
	b.shot(t, "monitor")
	b.quiet(t)
	if s.get("/monitor/").Code != http.StatusFound {
		t.Error("the browser's login opened it for everybody")
	}
}

func TestAConflictIsSettledInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	if path == "" {
		return
	}
	s := newSite(t, nil)
	s.store.disputes = sampleDisputes()[:1]
	origin := serve(t, s)
	b := openTab(t, path, origin)
	var seen, after, place string
	b.run(t, logIn(origin, "root"), chromedp.Navigate(origin+"/leads/"+sampleID(22)), chromedp.WaitVisible("#conflicts"),
		chromedp.Text(".claims", &seen), chromedp.Click(`.claims button[value="=45"]`), chromedp.WaitNotPresent("#conflicts"),
		chromedp.WaitVisible("h1"), chromedp.Location(&place), chromedp.Navigate(origin+"/conflicts?all=1"), chromedp.WaitVisible(".empty"),
		chromedp.Text("main", &after))
	if !strings.Contains(seen, "460") || !strings.Contains(seen, "would be tier C") {
		t.Errorf("the lead shows %q", seen)
	}
	if place != origin+"/leads/"+sampleID(22) || strings.Contains(after, "Employees") {
		t.Errorf("went to %s, the list shows %q", place, after)
	}
	if len(s.store.words) != 1 || s.store.words[0].Value.Lo != 45 || s.store.words[0].By != "root" {
		t.Errorf("said %+v", s.store.words)
	}
	b.quiet(t)
}

func TestALeadIsReassignedInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	if path == "" {
		return
	}
	g := &grip{}
	s := newSite(t, func(d *Deps) { d.Hands, d.Targets = g, whom })
	origin := serve(t, s)
	b := openTab(t, path, origin)
	lead := origin + "/leads/" + sampleID(24)
	give := chromedp.Tasks{chromedp.SetValue("#give-to", "ben"), chromedp.SendKeys("#give-why", "Ana is ill"), chromedp.Click(`form[action$="/reassign"] button`)}
	var place, said string
	b.run(t, look(390, 844, "light"), logIn(origin, "root"), chromedp.Navigate(lead), chromedp.WaitVisible("#give-to"),
		chromedp.Click(`form[action$="/reassign"] button`), // nothing is chosen: the browser sends nothing
		chromedp.SetAttributeValue("body", "id", "before"), give, chromedp.WaitVisible("body:not(#before) #give-to"), chromedp.Location(&place))
	if want := (galena.Act{LeadID: sampleID(24), Epoch: 2, Actor: "root", To: "ben", Note: "Ana is ill"}); place != lead || len(g.acts) != 1 || g.acts[0] != want {
		t.Errorf("at %s, done %+v, want %+v", place, g.acts, want)
	}
	b.quiet(t)
	g.err = galena.Errorf(galena.Conflict, "moved", "moved to ben at 14:05:00 UTC")
	b.run(t, give, chromedp.WaitVisible(".problem"), chromedp.Text(".problem", &said))
	if !strings.Contains(said, "The lead was moved to ben at 14:05:00 UTC.") {
		t.Errorf("the late one reads %q", said)
	}
	b.shot(t, "reassign-late")
	var forms int
	b.run(t, chromedp.Click(".problem a"), chromedp.WaitVisible("#hands"), chromedp.Submit(".who button"), chromedp.WaitVisible("#password"),
		logIn(origin, "ana.souza"), chromedp.Navigate(lead), chromedp.WaitVisible("#reason"), chromedp.Evaluate(`document.querySelectorAll("#give-to").length`, &forms))
	b.shot(t, "lead-rep-phone")
	if forms != 0 {
		t.Error("a rep is offered to reassign")
	}
}

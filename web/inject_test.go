package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// attacks are texts that must come out as they went in: as text.
func attacks() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.}}${7*7}`, `</title><svg onload=alert(1)>`,
		`javascript:alert(1)`, "\u202egpj.exe", `<a hx-get="/logout" hx-trigger="load">`, `&lt;b&gt;`,
	}
}

// poisoned is a lead with the text in every field that anybody outside can fill.
func poisoned(id, text string) galena.Record {
	fact := func(field string) *galena.Fact {
		return &galena.Fact{Field: field, State: galena.Known, Value: galena.TextValue(text), Source: text, Confidence: 1, ObservedAt: noon}
	}
	facts := galena.Facts{}
	for _, f := range galena.Fields() {
		facts[f.Name] = fact(f.Name)
	}
	lead := galena.Lead{ID: id, ExternalID: text, Status: galena.StatusDecided, Name: text, FirstName: text, LastName: text, Company: text, Website: text, JobTitle: text,
		Phone: text, Country: text, Form: text, Source: text, UTM: map[string]string{text: text}, Consent: map[string]any{text: text}, Fields: map[string]any{text: text, "list": []any{text}},
		Judgement: galena.Judgement{Verdict: galena.Accept, Codes: []string{"did_you_mean:" + text, text}, Email: text, Domain: text, Class: galena.EmailClass(text)}, CreatedAt: noon}
	d := &galena.Decision{LeadID: id, Stop: galena.Stop(text), Rule: text, To: text, Owner: text, Territory: text, DecidedAt: noon, Facts: facts, Calls: 1,
		Steps:      []galena.Call{{Provider: text, Outcome: "error:" + text, Why: text, Added: []string{text}}},
		Tries:      []galena.RuleTry{{Rule: text, Values: map[string]string{text: text}}},
		Candidates: []galena.Candidate{{Rep: text, Pool: text, Why: text}, {Rep: "x", Why: text}},
		Assignment: galena.Assignment{Pool: text}, Configs: []galena.ConfigRef{{Kind: text, Name: text, Hash: text}},
		Score: galena.Score{Tier: text, TopReasons: []string{text}, WouldChange: &galena.Hint{Field: text}, Disqualified: &galena.Disqualification{ID: text, Reason: text, Sink: text},
			Disqualifiers: []galena.DisqualifierState{{ID: text}}, Rows: []galena.Row{{Criterion: text, Field: text, State: galena.State(text), Value: text, Label: text + "!", Source: text}}}}
	return galena.Record{Lead: lead, Company: galena.Company{Domain: text, Facts: facts}, Decision: d}
}

func TestTextFromOutsideStaysText(t *testing.T) {
	t.Parallel()
	for i, text := range attacks() {
		s := newSite(t, func(d *Deps) {
			d.Hands, d.Targets, d.Releaser = &grip{note: text}, func() []string { return []string{text, "pool:" + text} }, &clerk{}
		})
		id := sampleID(i)
		held := poisoned(sampleID(99), text)
		held.Decision, held.Lead.Status, held.Lead.Verdict = nil, galena.StatusQuarantined, galena.Quarantine
		s.store.records = []galena.Record{poisoned(id, text), held}
		s.store.states = []galena.ProviderState{{Provider: text, Breaker: text, PauseReason: galena.Kind(text), PausedUntil: noon.AddDate(1, 0, 0)}}
		s.store.disputes = []galena.Dispute{{ID: text, Entity: text, Field: text, LeadID: text, Severity: galena.SeverityDecision, Status: galena.ConflictOpen,
			Candidates: []galena.Claim{{Value: galena.TextValue(text), Source: text, Tier: text}, {Value: galena.TextValue("x"), Source: text, Tier: text}}}}
		s.store.pairs = []galena.Disagreement{{A: text, B: text, Info: 1}}
		s.login("root")
		for _, path := range []string{"/conflicts", "/", "/leads/" + id, "/leads/" + sampleID(99), "/providers"} {
			w := s.get(path)
			body := w.Body.String()
			if w.Code != http.StatusOK {
				t.Errorf("%s with %q answered %d", path, text, w.Code)
			}
			if strings.ContainsAny(text, `<>"'`) && strings.Contains(body, text) {
				t.Errorf("%s prints %q raw", path, text)
			}
			for _, bad := range []string{"<script>", "<img src=x", "<svg onload", "hx-get=\"/logout", `href="javascript:`, "onmouseover='"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s with %q contains %s", path, text, bad)
				}
			}
		}
		for _, path := range []string{"/login?next=" + "%22%3E%3Cscript%3E", "/?tier=%22%3E%3Cscript%3E&owner=%22%3E%3Cscript%3E&before=%22%3E%3Cscript%3E"} {
			if body := s.get(path).Body.String(); strings.Contains(body, `"><script>`) {
				t.Errorf("%s comes back raw", path)
			}
		}
	}
}

func TestOnlyWebAddressesAreLinks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://acme.example/a?b=c": "https://acme.example/a?b=c", "http://acme.example": "http://acme.example",
		"acme.example": "", "javascript:alert(1)": "", "JaVaScRiPt:alert(1)": "", "data:text/html,x": "", "file:///etc/passwd": "", "//acme.example": "",
		"https://user:pw@acme.example": "", "https:///path": "", "https://acme.example/\u202egpj": "", "mailto:a@b.example": "",
	} {
		if got := link(in); got != want {
			t.Errorf("link(%q) = %q, want %q", in, got, want)
		}
	}
	s := newSite(t, nil)
	r := s.store.records[0]
	r.Lead.Website = "https://acme.example/"
	s.store.records[0] = r
	s.login("ops")
	body := s.get("/leads/" + r.Lead.ID).Body.String()
	if !strings.Contains(body, `<a href="https://acme.example/" rel="noopener noreferrer nofollow" target="_blank">`) {
		t.Error("the website is not a guarded link")
	}
}

func TestANameTurnsNothingBesideIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	r := poisoned(sampleID(1), "x")
	r.Lead.Name, r.Lead.Email = "\u202egpj.exe", "ana@acme.example"
	s.store.records = []galena.Record{r}
	s.login("root")
	if body := s.get("/").Body.String(); !strings.Contains(body, "<bdi>\u202egpj.exe</bdi> · ana@acme.example") {
		t.Error("the address beside a name from right to left is turned with it")
	}
}

func TestADomainSaysWhereItIsFrom(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"company_from_website:acme.com": "website", "subdomain_of:acme.com": "e-mail"} {
		r := poisoned(sampleID(1), "x")
		r.Lead.Codes, r.Lead.Domain = []string{"freemail", code}, "acme.com"
		if rows := companyFacts(r, noon); rows[0].Value != "acme.com" || rows[0].Source != want {
			t.Errorf("%s: %+v", code, rows[0])
		}
	}
}

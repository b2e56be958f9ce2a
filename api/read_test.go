package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

// decided puts a lead with its decision on the shelf.
func (d *desk) decided() string {
	at := d.time.Add(-48 * time.Hour)
	facts := galena.Facts{
		"company.employee_count": {Field: "company.employee_count", State: galena.Partial, Value: galena.Interval(51, 200, "51-200"),
			Source: "alpha-firmo", Confidence: 0.876, ObservedAt: at},
		"company.name":  galena.KnownFact("company.name", galena.TextValue("Acme"), "form", at),
		"company.phone": {Field: "company.phone", State: galena.Absent, Source: "alpha-firmo", ObservedAt: at},
	}
	r := galena.Record{
		Lead: galena.Lead{ID: newID(), ExternalID: "crm-7", Status: galena.StatusDecided, CreatedAt: at, DecidedAt: at.Add(time.Second),
			Judgement: galena.Judgement{Verdict: galena.Accept, Email: "ana@acme.example", Domain: "acme.example"}},
		Company: galena.Company{Domain: "acme.example", Owner: "ana.souza", Facts: facts, UpdatedAt: at},
		Decision: &galena.Decision{Epoch: 1, Rule: "tier-a", To: "ana.souza", Owner: "ana.souza", Stop: galena.StopSettled, Cents: 5, Calls: 2,
			Score: galena.Score{Score: 850, Lo: 814, Hi: 959, Coverage: 0.89, Confidence: 0.9, Tier: "A", Settled: true, TopReasons: []string{"fintech"},
				Rows: []galena.Row{{Criterion: "headcount"}}},
			Steps: []galena.Call{{Provider: "alpha-firmo", Outcome: "hit"}}, Tries: []galena.RuleTry{{Rule: "tier-a"}},
			Candidates: []galena.Candidate{{Rep: "ana.souza", Eligible: true}}, Configs: []galena.ConfigRef{{Kind: "ICP", Hash: "00"}}},
		Notices: []galena.Notice{{Epoch: 1, Kind: galena.NoticeToday, Text: "today this lead would be tier B"}},
	}
	d.shelf.leads = append(d.shelf.leads, r)
	return r.Lead.ID
}

func (d *desk) get(t *testing.T, path string, want int) map[string]any {
	t.Helper()
	w := d.call(http.MethodGet, path, "", auth(bootstrap))
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != want {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return m
}

func sameAs(t *testing.T, got map[string]any, want string) {
	t.Helper()
	var w map[string]any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, got); diff != "" {
		t.Error(diff)
	}
}

func TestALeadReadsAsTheContractSays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.decided()
	sameAs(t, d.get(t, "/v1/leads/"+id, 200), `{"id":"`+id+`","external_id":"crm-7","status":"decided","verdict":"accept","codes":[],
		"email":"ana@acme.example","domain":"acme.example","created_at":"2026-11-21T14:30:00Z","decided_at":"2026-11-21T14:30:01Z",
		"company":{"domain":"acme.example","name":"Acme","employee_count":"51-200"},
		"decision":{"epoch":1,"score":85,"lo":81.4,"hi":95.9,"coverage":0.89,"confidence":0.9,"tier":"A","settled":true,"provisional":false,
		"undecided":false,"stop":"settled","cents":5,"calls":2,"rule":"tier-a","to":"ana.souza","owner":"ana.souza","reasons":["fintech"]}}`)
	sameAs(t, d.get(t, "/v1/leads/"+id+"?fields=status,external_id", 200), `{"status":"decided","external_id":"crm-7"}`)
	if p := d.get(t, "/v1/leads/"+id+"?fields=secretfield", 422); strings.Contains(p["detail"].(string), "secretfield") {
		t.Error(p)
	}
}

func TestAnUndecidedLeadSaysSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if w := d.post(`{"email":"ana@acme.example"}`); w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id := d.shelf.leads[0].Lead.ID
	m := d.get(t, "/v1/leads/"+id, 200)
	if m["decision"] != nil || m["decided_at"] != nil || m["external_id"] != nil || m["status"] != "accepted" {
		t.Errorf("%v", m)
	}
	why := d.get(t, "/v1/leads/"+id+"/why", 200)
	for _, list := range []string{"rows", "steps", "rules", "candidates", "configs", "codes", "notices"} {
		if l, ok := why[list].([]any); !ok || len(l) != 0 {
			t.Errorf("%s is %v", list, why[list])
		}
	}
}

func TestWhyTellsEverything(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	why := d.get(t, "/v1/leads/"+d.decided()+"/why", 200)
	for _, list := range []string{"rows", "steps", "rules", "candidates", "configs", "notices"} {
		if l, ok := why[list].([]any); !ok || len(l) != 1 {
			t.Errorf("%s is %v", list, why[list])
		}
	}
}

func TestETagSavesTheAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.decided()
	first := d.call(http.MethodGet, "/v1/leads/"+id, "", auth(bootstrap))
	tag := first.Header().Get("ETag")
	if !strings.HasPrefix(tag, `"`) {
		t.Fatalf("tag %s", tag)
	}
	again := d.call(http.MethodGet, "/v1/leads/"+id, "", auth(bootstrap), `If-None-Match: "x", W/`+tag)
	if again.Code != 304 || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	d.shelf.leads[0].Lead.Status = galena.StatusQuarantined
	if w := d.call(http.MethodGet, "/v1/leads/"+id, "", auth(bootstrap), "If-None-Match: "+tag); w.Code != 200 {
		t.Errorf("a changed lead: %d", w.Code)
	}
}

func TestUnknownIDsAllLookTheSame(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.decided()
	bodies := map[string]bool{}
	for _, id := range []string{newID(), newID(), "1", "' OR 1=1", strings.Repeat("9", 36)} {
		for _, suffix := range []string{"", "/why"} {
			w := d.call(http.MethodGet, "/v1/leads/"+strings.ReplaceAll(id, " ", "%20")+suffix, "", auth(bootstrap), "X-Request-Id: same-same")
			if w.Code != 404 {
				t.Errorf("%s%s: %d", id, suffix, w.Code)
			}
			problemIn(t, w)
			bodies[w.Body.String()] = true
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers", len(bodies))
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var want []string
	for range 5 {
		want = append([]string{d.decided()}, want...)
	}
	var got []string
	cursor := ""
	for range 3 {
		m := d.get(t, "/v1/leads?limit=2&fields=id"+cursor, 200)
		for _, l := range m["leads"].([]any) {
			got = append(got, l.(map[string]any)["id"].(string))
		}
		next, _ := m["next_cursor"].(string)
		cursor = "&cursor=" + next
	}
	if diff := cmp.Diff(want, got); diff != "" || cursor != "&cursor=" {
		t.Errorf("%s, then %q", diff, cursor)
	}
	if d.get(t, "/v1/leads?hand_back=spam", 200); d.shelf.back != galena.HandBackSpam {
		t.Errorf("asked for what came back as %q, want spam", d.shelf.back)
	}
	sameAs(t, d.get(t, "/v1/leads?status=internal", 200), `{"leads":[],"next_cursor":null}`)
	for _, q := range []string{"limit=0", "limit=201", "limit=many", "status=lost", "hand_back=boring", "cursor=!", "cursor=YQ"} {
		w := d.call(http.MethodGet, "/v1/leads?"+q, "", auth(bootstrap))
		p := problemIn(t, w)
		name, value, _ := strings.Cut(q, "=")
		if w.Code != 422 || len(p.Errors) == 0 || p.Errors[0].Parameter != name || len(value) > 2 && strings.Contains(p.Errors[0].Detail, `"`+value) {
			t.Errorf("%s: %d %s", q, w.Code, w.Body)
		}
	}
}

func TestACompanyTellsWhereEachValueIsFromAndHowFresh(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.decided()
	sameAs(t, d.get(t, "/v1/companies/ACME.example", 200), `{"domain":"acme.example","owner":"ana.souza","updated_at":"2026-11-21T14:30:00Z","fields":{
		"employee_count":{"state":"partial","value":"51-200","source":"alpha-firmo","confidence":0.88,"observed_at":"2026-11-21T14:30:00Z","age_days":2,"freshness":"fresh"},
		"name":{"state":"known","value":"Acme","source":"form","confidence":1,"observed_at":"2026-11-21T14:30:00Z","age_days":2,"freshness":"stale"},
		"phone":{"state":"absent","value":null,"source":"alpha-firmo","confidence":0,"observed_at":"2026-11-21T14:30:00Z","age_days":2,"freshness":"expired"}},"aliases":[],"conflicts":[]}`)
	d.get(t, "/v1/companies/nobody.example", 404)
}

func TestConfigsTellWhatIsInForceAndWhatWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ops := auth(d.token(galena.ScopeOpsRead))
	var got Configs
	if w := d.call(http.MethodGet, "/v1/configs", "", ops); w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &got) != nil ||
		got.Files == nil || got.Findings == nil {
		t.Fatalf("%d %s, want empty lists", w.Code, w.Body)
	}
	ref := galena.ConfigRef{Kind: "ICP", Name: "quarry", Version: 7, Hash: "a1b2"}
	d.rules = galena.ConfigState{LoadedAt: d.now(), Files: []galena.ConfigFile{{ConfigRef: ref, Path: "icp.yaml", Since: d.now()}},
		Findings: []galena.Finding{{Path: "icp.yaml", Line: 31, Column: 15, Code: "E09", Severity: galena.SeverityError, Message: "m", Hint: "h"}}}
	w := d.call(http.MethodGet, "/v1/configs", "", ops)
	want := `{"files":[{"kind":"ICP","name":"quarry","version":7,"hash":"a1b2","path":"icp.yaml","since":"2026-11-23T14:30:00Z"}],` +
		`"loaded_at":"2026-11-23T14:30:00Z","errors":1,` +
		`"findings":[{"path":"icp.yaml","line":31,"column":15,"code":"E09","severity":"error","message":"m","hint":"h"}]}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

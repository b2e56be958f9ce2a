package notify

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

func routedExample() (galena.Lead, galena.Company, galena.Decision) {
	at := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	fact := func(name string, v galena.Value) *galena.Fact {
		return galena.KnownFact("company."+name, v, "alpha-firmo", at)
	}
	facts := galena.Facts{}
	for _, f := range []*galena.Fact{
		fact("name", galena.TextValue("Acme")), fact("industry", galena.EnumValue("fintech")),
		fact("hq_country", galena.CountryValue("CL")), fact("annual_revenue_usd", galena.Number(7_000_000)),
		fact("technologies", galena.SetValue([]string{"hubspot", "bigquery"}, false)),
		{Field: "company.employee_count", State: galena.Partial, Value: galena.Interval(51, 200, "51-200")},
		{Field: "company.funding_total_usd", State: galena.Unknown},
		{Field: "company.phone", State: galena.Absent},
		{Field: "lead.job_title", State: galena.Known, Value: galena.TextValue("CEO")},
	} {
		facts[f.Field] = f
	}
	l := galena.Lead{ID: "0193", ExternalID: "crm-7", Name: "Ana Prado", Judgement: galena.Judgement{Email: "ana@acme.com",
		Domain: "acme.com", Verdict: galena.Quarantine, Codes: []string{"disposable"}}}
	d := galena.Decision{Epoch: 1, Rule: "tier-a", To: "ana.souza", Owner: "ana.souza", Facts: facts,
		Score: galena.Score{Score: 850, Lo: 814, Hi: 959, Coverage: 0.89, Tier: "A", TopReasons: []string{"fintech"}}}
	return l, galena.Company{Domain: "acme.com"}, d
}

func sameJSON(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

func TestRoutedTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	l, c, d := routedExample()
	got, err := Routed(l, c, d, true)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, got, `{"type":"lead.routed","id":"crm-7","lead_id":"0193","email":"ana@acme.com","domain":"acme.com",
		"score":85,"lo":81.4,"hi":95.9,"coverage":0.89,"tier":"A","route":"tier-a","owner":"ana.souza","to":"ana.souza",
		"provisional":false,"reasons":["fintech"],"company":{"domain":"acme.com","name":"Acme","industry":"fintech",
		"employee_count":"51-200","hq_country":"CL","annual_revenue_usd":7000000,"technologies":["bigquery","hubspot"]}}`)
}

func TestWithoutPersonalDataNobodyIsNamed(t *testing.T) {
	t.Parallel()
	l, _, d := routedExample()
	l.ExternalID, d.Owner, d.To, d.Facts, d.TopReasons = "", "", "sink:nurture", nil, nil
	got, err := Routed(l, galena.Company{}, d, false)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, got, `{"type":"lead.routed","id":"0193","lead_id":"0193","domain":"acme.com","score":85,"lo":81.4,"hi":95.9,
		"coverage":0.89,"tier":"A","route":"tier-a","owner":null,"to":"sink:nurture","provisional":false,"reasons":[],"company":{}}`)
}

func TestQuarantinedSaysWhyAndNotWho(t *testing.T) {
	t.Parallel()
	l, _, _ := routedExample()
	got, err := Quarantined(l, true)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, got, `{"type":"lead.quarantined","id":"crm-7","lead_id":"0193","verdict":"quarantine","codes":["disposable"]}`)
}

func TestConfigTellsEveryFaultWithItsPath(t *testing.T) {
	t.Parallel()
	no := false
	c := Config{Webhooks: []Webhook{
		{ID: "ok", URL: "https://sink.example/x", SecretEnv: "GALENA_SINK", Events: []string{galena.EventRouted}, Personal: &no},
		{ID: "ok", URL: "https://sink.example", SecretEnv: "GALENA_SINK"},
		{ID: "Bad id", URL: "ftp://sink", SecretEnv: "", Events: []string{"lead.lost"}},
		{ID: Default, URL: "https://sink.example", SecretEnv: "A"},
	}}
	var got []string
	for _, e := range c.Validate().(interface{ Unwrap() []error }).Unwrap() {
		f, _ := errors.AsType[*galena.Fault](e)
		got = append(got, f.Path+" "+f.Code)
	}
	want := []string{"spec.webhooks[1].id E03", "spec.webhooks[2].id E02", "spec.webhooks[2].url E02",
		"spec.webhooks[2].secret_env E02", "spec.webhooks[2].events[0] E11", "spec.webhooks[3].id E03"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	e := c.Endpoints(func(name string) string { return "secret of " + name })
	if e[0].Personal || !e[1].Personal || e[0].Secret != "secret of GALENA_SINK" {
		t.Errorf("%+v", e)
	}
}

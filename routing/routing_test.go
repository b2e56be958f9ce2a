package routing

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/galenahq/galena"
)

// monday is the day of the sample: 09:30 in New York, 15:30 in Berlin.
var monday = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

func example(t testing.TB) Config {
	t.Helper()
	raw, err := os.ReadFile("testdata/routing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		APIVersion string         `yaml:"apiVersion"`
		Kind       string         `yaml:"kind"`
		Metadata   map[string]any `yaml:"metadata"`
		Spec       Config         `yaml:"spec"`
	}
	if err := yaml.UnmarshalWithOptions(raw, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return file.Spec
}

func exampleRouter(t testing.TB) *Router {
	t.Helper()
	r, err := New(example(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sample is one lead of the golden file, as scoring left it.
type sample struct {
	N                                  int
	Person, Domain, Form, Country      string
	Score, Lo, Hi                      galena.Tenths
	Tier, Disqualified, Sink, Rule, To string
	Settled, Undecided                 bool
}

// office is what a store keeps between leads.
type office struct {
	roster   galena.Roster
	accounts map[string]string // domain -> rep
	open     map[string]string // person -> rep
}

func (o office) input(r *Router, s sample) Input {
	now := monday.Add(time.Duration(s.N) * 20 * time.Second)
	facts := galena.Facts{}
	add := func(field string, v galena.Value) { facts[field] = galena.KnownFact(field, v, "test", now) }
	add("company.domain", galena.TextValue(s.Domain))
	add("lead.form", galena.EnumValue(s.Form))
	add("match.open_lead_owner", galena.TextValue(o.open[s.Person]))
	add("match.account_owner", galena.TextValue(o.accounts[s.Domain]))
	add("match.named_account_rep", galena.TextValue(r.NamedRep(s.Domain)))
	if s.Country != "" {
		add("company.hq_country", galena.CountryValue(s.Country))
	}
	score := galena.Score{Score: s.Score, Lo: s.Lo, Hi: s.Hi, Tier: s.Tier, Settled: s.Settled,
		Provisional: !s.Settled, Undecided: s.Undecided}
	if s.Disqualified != "" {
		score.Disqualified = &galena.Disqualification{ID: s.Disqualified, Sink: s.Sink}
	}
	return Input{Score: score, Reachable: []string{s.Tier}, Facts: facts, Now: now, Final: true}
}

func TestTheSampleLeadsGoWhereTheGoldenFileSays(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/sample.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var samples []sample
	if err := json.Unmarshal(raw, &samples); err != nil {
		t.Fatal(err)
	}
	r := exampleRouter(t)
	o := office{accounts: map[string]string{"stacklift.example": "dylan.okafor"},
		open: map[string]string{"h.old@titan-industrials.example": "frank.ito"}}
	for _, s := range samples {
		in := o.input(r, s)
		found := r.Match(in)
		a, _, roster := r.Assign(found, in, o.roster, s.Person, 1, galena.Held{})
		if found.Rule != s.Rule || a.To != s.To {
			t.Errorf("lead %d: got %s by %s, want %s by %s", s.N, a.To, found.Rule, s.To, s.Rule)
		}
		o.roster = roster
		if a.OwnCompany {
			o.accounts[s.Domain] = a.Rep
		}
		if a.Rep != "" {
			o.open[s.Person] = a.Rep
		}
	}
	if len(samples) != 15 {
		t.Errorf("got %d leads, want the 15 that pass hygiene", len(samples))
	}
}

package scoring

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func exampleConfig(t testing.TB) Config {
	t.Helper()
	raw, err := os.ReadFile("testdata/icp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := struct {
		APIVersion string         `yaml:"apiVersion"`
		Kind       string         `yaml:"kind"`
		Metadata   map[string]any `yaml:"metadata"`
		Spec       Config         `yaml:"spec"`
	}{Spec: Defaults()}
	if err := yaml.UnmarshalWithOptions(raw, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return file.Spec
}

func mustNew(t testing.TB, c Config) *Profile {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var noon = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

// exampleLead is a lead with the facts that stood when its buying ended, and
// what the reference implementation decided.
type exampleLead struct {
	N     int `json:"n"`
	Facts []struct {
		Field  string `json:"field"`
		Value  any    `json:"value"`
		Source string `json:"source"`
	} `json:"facts"`
	Want struct {
		Score, Lo, Hi galena.Tenths
		Coverage      float64
		Tier, Stop    string
		Rows          []galena.Row
	} `json:"want"`
}

func exampleLeads(t testing.TB) []exampleLead {
	t.Helper()
	raw, err := os.ReadFile("testdata/leads.json")
	if err != nil {
		t.Fatal(err)
	}
	var leads []exampleLead
	if err := json.Unmarshal(raw, &leads); err != nil {
		t.Fatal(err)
	}
	return leads
}

func (l exampleLead) facts(t testing.TB) galena.Facts {
	t.Helper()
	facts := galena.Facts{}
	for _, x := range l.Facts {
		facts[x.Field] = fact(t, x.Field, x.Value, x.Source)
	}
	return facts
}

// fact is a certain fact of today; detectors of technologies see everything.
func fact(t testing.TB, name string, raw any, source string) *galena.Fact {
	t.Helper()
	field, ok := galena.LookupField(name)
	if !ok {
		t.Fatalf("no field %s", name)
	}
	v, err := galena.ParseValue(field, raw)
	if err != nil {
		t.Fatal(err)
	}
	v.Closed = v.Type == galena.TypeSet
	f := galena.KnownFact(name, v, source, noon)
	if numeric(v) && !v.Exact() {
		f.State = galena.Partial
	}
	return f
}

// TestExample scores every decided lead of the example as the reference did.
func TestExample(t *testing.T) {
	t.Parallel()
	p := mustNew(t, exampleConfig(t))
	leads := exampleLeads(t)
	if len(leads) != 15 {
		t.Fatalf("%d leads, want 15", len(leads))
	}
	for _, l := range leads {
		t.Run(strconv.Itoa(l.N), func(t *testing.T) {
			t.Parallel()
			got := p.Score(l.facts(t), noon, true)
			w := l.Want
			if got.Score.Score != w.Score || got.Lo != w.Lo || got.Hi != w.Hi || got.Coverage != w.Coverage || got.Tier != w.Tier {
				t.Errorf("%s in %s..%s, coverage %v, tier %s; want %s in %s..%s, coverage %v, tier %s",
					got.Score.Score, got.Lo, got.Hi, got.Coverage, got.Tier, w.Score, w.Lo, w.Hi, w.Coverage, w.Tier)
			}
			rows := got.Rows
			for i := range rows {
				rows[i].AgeDays, rows[i].EffectiveConfidence, rows[i].AtLeast = nil, nil, ""
			}
			if d := cmp.Diff(w.Rows, rows); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			stop, _, _ := strings.Cut(strings.TrimSuffix(w.Stop, " (provisional)"), ":")
			d := galena.Decision{Score: got.Score, Stop: galena.Stop(stop)}
			if d.StopLabel() != w.Stop {
				t.Errorf("stop %q, want %q", d.StopLabel(), w.Stop)
			}
			if wantStops := stop == "disqualified"; got.Stops != wantStops {
				t.Errorf("stops %v, want %v", got.Stops, wantStops)
			}
		})
	}
}

// TestExampleIsLintClean keeps the shipped example free of every warning.
func TestExampleIsLintClean(t *testing.T) {
	t.Parallel()
	if err := exampleConfig(t).Validate(); err != nil {
		t.Error(err)
	}
}

// TestStrict: an operator's misspelt key is refused wherever it stands.
func TestStrict(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"criteria: [{id: a, wieght: 3}]",
		"criteria: [{id: a, bands: [{rnage: [1, 2], value: 1}]}]",
		"disqualifiers: [{id: a, when: {field: company.domain, eqq: 1}}]",
		"tiers: [{name: A, requires: {all: [{fild: company.domain}]}}]",
		"unknown: {polcy: prior}",
	} {
		c := Defaults()
		if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err == nil {
			t.Errorf("%s was read without complaint", text)
		}
	}
}

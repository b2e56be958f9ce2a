package merging

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/galenahq/galena"
)

func TestAFileChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	c := Defaults()
	err := yaml.UnmarshalWithOptions([]byte(`
classes: [human_locked, human, registry]
defaults: {q: 0.05}
fields:
  company.employee_count: {max_stale: 30d, trust: {alpha-firmo: 0.95}}
  company.tags: {decay: 0, max_stale: 36h}
`), &c, yaml.Strict())
	if err != nil {
		t.Fatal(err)
	}
	p := policy(t, c)
	if got := p.MaxStale(headcount); got != 30*day {
		t.Errorf("max_stale %s, want 30 days", got)
	}
	if got := p.MaxStale("company.tags"); got != 36*time.Hour {
		t.Errorf("max_stale %s, want 36 hours", got)
	}
	if got := p.rules(headcount); got.decay != 0.35 {
		t.Errorf("decay %v, want the table's", got.decay)
	}
	all := []galena.Observation{obs(t, "a", "alpha-firmo", headcount, "45", 0), obs(t, "b", "beta-prime", headcount, "460", 0)}
	if got := p.Merge(galena.Refs(all), now).Get(headcount).Value.Lo; got != 45 {
		t.Errorf("got %d, want the provider that the file trusts more", got)
	}
}

func TestAnUnknownKeyIsRefused(t *testing.T) {
	t.Parallel()
	c := Defaults()
	if err := yaml.UnmarshalWithOptions([]byte("fields: {company.tags: {max_stael: 3d}}"), &c, yaml.Strict()); err == nil {
		t.Error("a misspelt key must be refused")
	}
	if err := yaml.UnmarshalWithOptions([]byte("fields: {company.tags: {max_stale: 3 weeks}}"), &c, yaml.Strict()); err == nil {
		t.Error("an age in weeks must be refused")
	}
}

func TestValidateTellsEachFault(t *testing.T) {
	t.Parallel()
	bad := 1.5
	for want, c := range map[string]Config{
		`spec.fields.company.industri: E04 unknown field`: {Fields: map[string]Field{"company.industri": {}}},
		`spec.fields.company.tags.decay: E08`:             {Fields: map[string]Field{"company.tags": {Decay: &bad}}},
		`spec.defaults.q: E08`:                            {Defaults: Field{Q: &bad}},
		`spec.defaults.max_stale: E08`:                    {Defaults: Field{MaxStale: -1}},
		`spec.defaults.trust.x: E08`:                      {Defaults: Field{Trust: map[string]float64{"x": 2}}},
		`spec.classes[0]: E10 must be human_locked`:       {Classes: []galena.SourceClass{galena.ClassProvider}},
		`spec.classes[2]: E11 unknown class "llm"`:        {Classes: []galena.SourceClass{galena.ClassHumanLocked, galena.ClassHuman, "llm"}},
		`spec.classes[1]: E03 class human_locked`:         {Classes: []galena.SourceClass{galena.ClassHumanLocked, galena.ClassHumanLocked}},
	} {
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := New(c, nil); err == nil {
			t.Errorf("New accepts what Validate refuses: %s", want)
		}
	}
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

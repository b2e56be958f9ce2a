package planning

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)

func readYAML(t testing.TB, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func exampleProfile(t testing.TB) *scoring.Profile {
	t.Helper()
	file := struct {
		Spec scoring.Config `yaml:"spec"`
	}{scoring.Defaults()}
	readYAML(t, "../scoring/testdata/icp.yaml", &file)
	p, err := scoring.New(file.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// catalogue is the example's vendors: what they promise, and how far they are trusted.
type catalogue struct {
	offers []galena.Offer
	trust  map[string]float64
	limit  int64
}

func exampleCatalogue(t testing.TB) catalogue {
	t.Helper()
	var file struct {
		Spec struct {
			Providers []struct {
				ID      string             `yaml:"id"`
				Cents   int64              `yaml:"cost_cents"`
				Billing string             `yaml:"billing"`
				P95     int                `yaml:"p95_ms"`
				Trust   float64            `yaml:"trust"`
				OnlyIf  *galena.Condition  `yaml:"only_if"`
				Fields  map[string]float64 `yaml:"fields"`
			} `yaml:"providers"`
			Limits struct {
				PerLead int64 `yaml:"per_lead_cents"`
			} `yaml:"limits"`
		} `yaml:"spec"`
	}
	readYAML(t, "testdata/providers.yaml", &file)
	c := catalogue{trust: map[string]float64{}, limit: file.Spec.Limits.PerLead * 10_000}
	for _, v := range file.Spec.Providers {
		o := galena.Offer{Provider: v.ID, CostMicros: v.Cents * 10_000, PerMatch: v.Billing == "per_match",
			P95: time.Duration(v.P95) * time.Millisecond, Hits: v.Fields, Available: true}
		if v.OnlyIf != nil {
			var faults []*galena.Fault
			if o.OnlyIf, faults = v.OnlyIf.Compile("only_if", nil); faults != nil {
				t.Fatal(faults)
			}
		}
		c.offers = append(c.offers, o)
		c.trust[v.ID] = v.Trust
	}
	return c
}

// exampleLead is what a lead brought, what each vendor would answer about its
// company, and the steps that the reference implementation took.
type exampleLead struct {
	N       int
	Domain  string
	Class   string
	Form    map[string]any
	Answers map[string]map[string]any
	Steps   []step
	Want    struct {
		Score, Lo, Hi   galena.Tenths
		Coverage, Cents float64
		Tier, Stop      string
		Calls           int
	}
}

type step struct {
	Provider, Outcome, Why string
	Cents                  float64
}

// simulation is the loop around Plan, with vendors that answer from the file.
type simulation struct {
	t       *testing.T
	profile *scoring.Profile
	vendors catalogue
	held    map[string]bool // provider and domain: paid for by an earlier lead
	facts   galena.Facts
	lead    exampleLead
	asked   map[string]bool
	failed  bool
	spent   int64
	steps   []step
}

func (s *simulation) state() State {
	r := s.profile.Score(s.facts, noon, false)
	st := State{Result: r, RouteSettled: true, Facts: s.facts, Offers: s.vendors.offers, Asked: s.asked, Failed: s.failed,
		SpentMicros: s.spent, LimitMicros: s.vendors.limit, TimeLeft: -1, HasDomain: true, Spendable: true, Now: noon}
	// The routing example asks for a territory in tiers A and B.
	routable := slices.Contains(r.Reachable, "A") || slices.Contains(r.Reachable, "B")
	if routable && s.facts.Get("company.hq_country").State == galena.Unknown {
		st.RouteOpen, st.RouteSettled = []string{"company.hq_country"}, false
	}
	return st
}

// run plans and asks until the plan stops.
func (s *simulation) run() galena.Stop {
	s.facts, s.asked = galena.Facts{}, map[string]bool{}
	s.set("company.domain", s.lead.Domain, "hygiene")
	s.set("lead.email_class", s.lead.Class, "hygiene")
	for field, v := range s.lead.Form {
		s.set(field, v, "form")
	}
	for {
		next := Plan(s.state())
		if next.Provider == "" {
			return next.Stop
		}
		s.ask(next)
	}
}

func (s *simulation) ask(next Next) {
	i := slices.IndexFunc(s.vendors.offers, func(o galena.Offer) bool { return o.Provider == next.Provider })
	offer, key := s.vendors.offers[i], next.Provider+" "+s.lead.Domain
	answer, hit := s.lead.Answers[next.Provider]
	cause, failed := answer["error"].(string)
	x := step{Provider: next.Provider, Outcome: "hit", Why: next.Why, Cents: galena.CentsOf(offer.CostMicros)}
	switch {
	case s.held[key]:
		x.Outcome, x.Cents = "cached", 0
	case failed:
		x.Outcome, x.Cents = "error:"+cause, 0
	case !hit:
		x.Outcome = "miss"
		if offer.PerMatch {
			x.Cents = 0
		}
	}
	s.steps, s.asked[next.Provider] = append(s.steps, x), true
	s.spent += int64(x.Cents * 10_000)
	if failed {
		s.failed = true
		return
	}
	s.held[key] = true
	for field, v := range answer {
		s.set(field, v, next.Provider)
	}
}

// set is a merge that is just good enough here: a later vendor wins when it is
// trusted 1.15 times as much.
func (s *simulation) set(name string, raw any, source string) {
	old, taken := s.facts[name]
	if taken && s.vendors.trust[source] < 1.15*s.vendors.trust[old.Source] {
		return
	}
	field, _ := galena.LookupField(name)
	v, err := galena.ParseValue(field, raw)
	if err != nil {
		s.t.Fatal(err)
	}
	v.Closed = v.Type == galena.TypeSet
	f := galena.KnownFact(name, v, source, noon)
	if !v.Exact() {
		f.State = galena.Partial
	}
	s.facts[name] = f
}

// TestExample walks every decided lead of the example, in the order of arrival,
// and takes the same steps for the same reasons as the reference did.
func TestExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/leads.json")
	if err != nil {
		t.Fatal(err)
	}
	var leads []exampleLead
	if err := json.Unmarshal(raw, &leads); err != nil {
		t.Fatal(err)
	}
	if len(leads) != 15 {
		t.Fatalf("%d leads, want 15", len(leads))
	}
	profile, vendors, held := exampleProfile(t), exampleCatalogue(t), map[string]bool{}
	for _, l := range leads {
		s := &simulation{t: t, profile: profile, vendors: vendors, held: held, lead: l}
		stop := s.run()
		got := profile.Score(s.facts, noon, true)
		d := galena.Decision{Score: got.Score, Stop: stop}
		if d.StopLabel() != l.Want.Stop {
			t.Errorf("lead %d stops %q, want %q", l.N, d.StopLabel(), l.Want.Stop)
		}
		if !slices.Equal(l.Steps, s.steps) {
			t.Errorf("lead %d (-want +got):\n%s", l.N, cmp.Diff(l.Steps, s.steps))
		}
		w := l.Want
		if got.Score.Score != w.Score || got.Lo != w.Lo || got.Hi != w.Hi || got.Coverage != w.Coverage || got.Tier != w.Tier {
			t.Errorf("lead %d: %s in %s..%s, coverage %v, tier %s; want %s in %s..%s, %v, %s",
				l.N, got.Score.Score, got.Lo, got.Hi, got.Coverage, got.Tier, w.Score, w.Lo, w.Hi, w.Coverage, w.Tier)
		}
		if galena.CentsOf(s.spent) != w.Cents || len(s.steps) != w.Calls {
			t.Errorf("lead %d: %v cents in %d calls, want %v in %d", l.N, galena.CentsOf(s.spent), len(s.steps), w.Cents, w.Calls)
		}
	}
}

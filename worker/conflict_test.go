package worker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
)

// bazaar is a waterfall with several vendors; each knows one figure, 0 = it
// does not know the company.
type bazaar struct {
	market
	says  map[string]int64
	order []string
}

func (b *bazaar) Ask(_ context.Context, provider, domain string, _ galena.Facts) (galena.Answer, galena.Call, error) {
	b.order = append(b.order, provider+"@"+domain)
	n := b.says[provider]
	if n == 0 {
		return galena.Answer{Kind: galena.NotFound}, galena.Call{Provider: provider, Outcome: "miss", Cents: 2}, galena.Errorf(galena.NotFound, provider, "miss")
	}
	return galena.Answer{Observations: []galena.Observation{{ID: "o-" + provider, Entity: domain, Field: headcount,
			Value: galena.Number(n), Source: provider, Class: galena.ClassProvider, Confidence: 1, ObservedAt: testNow, FetchedAt: testNow}}},
		galena.Call{Provider: provider, Outcome: "hit", Cents: 2}, nil
}

const headcount = "company.employee_count"

// contest runs a lead whose company is known by some observations and by what
// the vendors say.
func contest(t *testing.T, says map[string]int64, known []galena.Observation, change func(*Rules, *bazaar, *desk)) (*desk, *bazaar) {
	t.Helper()
	d, b := &desk{}, &bazaar{says: says}
	b.offers = []galena.Offer{}
	for _, id := range []string{"one", "two", "three", "four"} {
		if _, offered := says[id]; offered {
			b.offers = append(b.offers, galena.Offer{Provider: id, CostMicros: 20_000, P95: time.Second, Available: true,
				Hits: map[string]float64{headcount: 0.9}})
		}
	}
	p, _ := pipelineOn(t, d, &b.market)
	rules := p.Rules()
	rules.Enricher = b
	policy, err := merging.New(merging.Defaults(), map[string]float64{"one": 0.75, "two": 0.9, "three": 0.9, "four": 0.9})
	if err != nil {
		t.Fatal(err)
	}
	rules.Merging = policy
	d.memory.Observations = known
	if change != nil {
		change(rules, b, d)
	}
	if err := p.Process(context.Background(), firstRun); err != nil || len(d.ruled) != 1 {
		t.Fatalf("error %v, %d decisions", err, len(d.ruled))
	}
	return d, b
}

// stated is what two sources said before, the second of them 460: nothing is open.
func stated(a int64) []galena.Observation {
	said := func(id string, n int64) galena.Observation {
		return galena.Observation{ID: "r-" + id, Entity: "acme.example", Field: headcount, Value: galena.Number(n), Source: id,
			Class: galena.ClassProvider, Confidence: 1, ObservedAt: testNow, FetchedAt: testNow}
	}
	return []galena.Observation{said("one", a), said("two", 460)}
}

func TestADecisionConflictAsksOneMoreProvider(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		says   map[string]int64
		known  []galena.Observation
		change func(*Rules, *bazaar, *desk)
		asked  string
		open   string // severity of the conflict that is left, "" = none
	}{
		{name: "the third one decides it", says: map[string]int64{"three": 470}, known: stated(45), asked: "three", open: ""},
		{name: "two are left to ask, one is asked", says: map[string]int64{"three": 0, "four": 470}, known: stated(45), asked: "three", open: "decision"},
		{name: "the third one knows nothing", says: map[string]int64{"three": 0}, known: stated(45), asked: "three", open: "decision"},
		{name: "nobody is left", known: stated(45), open: "decision"},
		{name: "of one mind on what matters", says: map[string]int64{"three": 470}, known: stated(300), open: "info"},
		{name: "in agreement", says: map[string]int64{"three": 470}, known: stated(450)},
		{name: "beyond the budget", says: map[string]int64{"three": 470}, known: stated(45), open: "decision",
			change: func(r *Rules, _ *bazaar, _ *desk) { r.LimitMicros = 10_000 }},
		{name: "of a lead that nothing is spent on", says: map[string]int64{"three": 470}, known: stated(45), open: "decision",
			change: func(_ *Rules, _ *bazaar, d *desk) { d.memory.Lead.Spendable = false }},
		{name: "of a vendor that rests", says: map[string]int64{"three": 470}, known: stated(45), open: "decision",
			change: func(_ *Rules, b *bazaar, _ *desk) { b.offers[0].Available = false }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, b := contest(t, tc.says, tc.known, tc.change)
			var asked []string
			for _, q := range b.order {
				asked = append(asked, strings.TrimSuffix(q, "@acme.example"))
			}
			if got := strings.Join(asked, " "); got != tc.asked {
				t.Errorf("asked %q, want %q", got, tc.asked)
			}
			if d.ruled[0].Stop != galena.StopSettled {
				t.Errorf("stop %s, want settled: a conflict changes no reason", d.ruled[0].Stop)
			}
			got := ""
			for _, c := range d.ruling.Conflicts {
				got = string(c.Severity)
				if c.Entity != "acme.example" || c.Field != headcount || c.LeadID != someLead || c.Epoch != 1 {
					t.Errorf("conflict %+v", c)
				}
			}
			if got != tc.open {
				t.Errorf("conflict %q is left, want %q: %+v", got, tc.open, d.ruling.Conflicts)
			}
		})
	}
}

func TestAConflictShowsWhatEitherSideLeadsTo(t *testing.T) {
	t.Parallel()
	d, _ := contest(t, nil, stated(45), nil)
	c := d.ruling.Conflicts[0].Candidates
	if len(c) != 2 || c[0].Tier != "A" || c[0].Rule != "tier-a" || c[1].Tier != "D" || c[1].Rule != "rest" {
		t.Errorf("candidates %+v, want A by tier-a or D by rest", c)
	}
	told, err := d.ruling.Opened(d.ruling.Conflicts[0])
	if err != nil || len(told) != 1 || told[0].Event != galena.EventConflict {
		t.Errorf("told %+v, %v", told, err)
	}
}

func TestALeadClosesOnlyConflictsThatItCanJudge(t *testing.T) {
	t.Parallel()
	was := galena.Dispute{ID: "c1", Entity: "acme.example", Field: headcount, Severity: galena.SeverityDecision, Status: galena.ConflictOpen,
		Candidates: []galena.Claim{{Source: "two", Class: galena.ClassProvider}, {Source: "one", Class: galena.ClassProvider}}}
	was.Chosen = was.Candidates[0]
	human := stated(45)[:1]
	human[0].Source, human[0].Class = "human:ana", galena.ClassHuman
	for _, tc := range []struct {
		name  string
		known []galena.Observation
		want  string
	}{
		{"both sides were heard and agree", stated(450), "resolved agreement"},
		{"one side was not heard", stated(450)[1:], ""},
		{"a person has spoken", human, "superseded human:ana"},
		{"they still disagree", stated(45), "open "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, _ := contest(t, nil, tc.known, func(_ *Rules, _ *bazaar, d *desk) { d.memory.Disputes = []galena.Dispute{was} })
			got := ""
			for _, c := range d.ruling.Conflicts {
				got = string(c.Status) + " " + c.ResolvedBy
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestALeadAtAnAliasBelongsToTheCompany(t *testing.T) {
	t.Parallel()
	d, b := contest(t, map[string]int64{"one": 420}, nil, func(_ *Rules, _ *bazaar, d *desk) {
		d.memory.Company, d.memory.Domains = "acme.com", []string{"acme.com", "acme.example"}
	})
	if !slices.Equal(b.order, []string{"one@acme.com"}) {
		t.Errorf("asked %v, want the company's own domain", b.order)
	}
	if got := d.ruling.Company.Domain; got != "acme.com" {
		t.Errorf("kept under %s", got)
	}
	if f := d.ruled[0].Facts.Get("company.domain"); f.Value.Text != "acme.com" || f.Source != "alias" {
		t.Errorf("company.domain is %+v", f)
	}
}

func TestANamedAccountIsFoundByAnyOfItsDomains(t *testing.T) {
	t.Parallel()
	of := func(domain string) string { return map[string]string{"acme.at": "ben"}[domain] }
	m := galena.Memory{Lead: galena.Lead{Judgement: galena.Judgement{Domain: "acme.de"}}, Company: "acme.com",
		Domains: []string{"acme.com", "acme.at", "acme.de"}}
	if rep := namedRep(of, m); rep != "ben" {
		t.Errorf("named rep %q, want ben", rep)
	}
	if rep := namedRep(of, galena.Memory{Lead: m.Lead}); rep != "" {
		t.Errorf("named rep %q of a stranger", rep)
	}
}

func TestAConflictOnWhichNothingHangsIsWrittenOncePerHour(t *testing.T) {
	t.Parallel()
	first, _ := contest(t, nil, stated(300), nil)
	written := first.ruling.Conflicts
	if len(written) != 1 || written[0].Severity != galena.SeverityInfo {
		t.Fatalf("conflicts %+v, want one of severity info", written)
	}
	for _, tc := range []struct {
		name   string
		change func(*galena.Dispute)
		want   int
	}{
		{"it stands as it is", func(*galena.Dispute) {}, 0},
		{"an hour is over", func(d *galena.Dispute) { d.UpdatedAt = testNow.Add(-conflictKept) }, 1},
		{"a side has changed", func(d *galena.Dispute) { d.Candidates[1].ObservationID = "r-three" }, 1},
		{"something hung on it", func(d *galena.Dispute) { d.Severity = galena.SeverityDecision }, 1},
	} {
		known := written[0]
		known.Status, known.UpdatedAt, known.Candidates = galena.ConflictOpen, testNow, slices.Clone(known.Candidates)
		tc.change(&known)
		d, _ := contest(t, nil, stated(300), func(_ *Rules, _ *bazaar, d *desk) { d.memory.Disputes = []galena.Dispute{known} })
		if got := d.ruling.Conflicts; len(got) != tc.want {
			t.Errorf("%s: wrote %+v, want %d", tc.name, got, tc.want)
		}
	}
}

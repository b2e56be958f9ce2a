package scoring

import (
	"slices"
	"testing"

	"github.com/galenahq/galena"
)

// small is a profile of one number and one set, easy to follow by hand: P = 100.
func small() Config {
	c := Defaults()
	c.Criteria = []Criterion{
		{ID: "size", Field: "company.employee_count", Weight: 60, Else: 0.2, Bands: []Band{
			{Operators: galena.Operators{Range: []any{10, 99}}, Value: 0.5, Label: "small"},
			{Operators: galena.Operators{Gte: 100}, Value: 1, Label: "large"},
		}},
		{ID: "tools", Field: "company.technologies", Weight: 40, Mode: ModeSum, Clamp: []float64{-1, 1}, Bands: []Band{
			{Operators: galena.Operators{IncludesAny: []string{"hubspot"}}, Value: 0.7, Label: "crm"},
			{Operators: galena.Operators{IncludesAny: []string{"snowflake"}}, Value: 0.7, Label: "warehouse"},
			{Operators: galena.Operators{IncludesAny: []string{"basalt-crm"}}, Value: -0.5, Label: "rival"},
		}},
	}
	c.Tiers = []Tier{{Name: "A", Min: 70, MinCoverage: 0.6}, {Name: "B", Min: 50}, {Name: "C", Min: 0}}
	return c
}

func size(lo, hi int64) *galena.Fact {
	f := galena.KnownFact("company.employee_count", galena.Interval(lo, hi, ""), "alpha", noon)
	if lo != hi {
		f.State = galena.Partial
	}
	return f
}

func stack(closed bool, items ...string) *galena.Fact {
	return galena.KnownFact("company.technologies", galena.SetValue(items, closed), "gamma", noon)
}

func absent(field string) *galena.Fact {
	return &galena.Fact{Field: field, State: galena.Absent, Confidence: 1, ObservedAt: noon}
}

func factsOf(list ...*galena.Fact) galena.Facts {
	facts := galena.Facts{}
	for _, f := range list {
		facts[f.Field] = f
	}
	return facts
}

// TestScore follows the arithmetic of SEMANTICS 1.3 and 1.5 by hand.
func TestScore(t *testing.T) {
	t.Parallel()
	policy := func(name string) func(*Config) { return func(c *Config) { c.Unknown.Policy = name } }
	same := func(*Config) {}
	for _, c := range []struct {
		name          string
		change        func(*Config)
		facts         galena.Facts
		score, lo, hi galena.Tenths
		coverage      float64
	}{
		{"AllUnknownEarnsThePrior", same, nil, 400, 0, 1000, 0},
		{"AllUnknownAtWorst", policy(PolicyWorst), nil, 0, 0, 1000, 0},
		{"ExcludeScoresWhatIsKnown", policy(PolicyExclude), factsOf(size(50, 50)), 500, 100, 700, 0.44},
		{"ExcludeOfEverythingIsTheLeast", policy(PolicyExclude), nil, 0, 0, 1000, 0},
		{"KnownIsExact", same, factsOf(size(50, 50), stack(true, "hubspot")), 580, 580, 580, 1},
		{"SumIsClamped", same, factsOf(size(50, 50), stack(true, "hubspot", "snowflake")), 700, 700, 700, 1},
		{"AbsentTakesElse", same, factsOf(absent("company.employee_count"), absent("company.technologies")), 120, 120, 120, 1},
		// ln(100)-ln(80) against ln(121)-ln(100): 54 % at 0.5, 46 % at 1.0.
		{"IntervalIsWeighedByItsLogarithm", same, factsOf(size(80, 120), stack(true)), 438, 300, 600, 0.72},
		{"IntervalWithinOneBandIsKnown", same, factsOf(size(20, 90), stack(true)), 300, 300, 300, 1},
		{"OpenEndCountsAsTenfold", same, factsOf(size(50, galena.OpenEnd), stack(true)), 510, 300, 600, 0.72},
		{"ElseIsTouchedInAGap", same, factsOf(size(5, 50), stack(true)), 246, 120, 300, 0.83},
		{"OpenSetMayHoldMore", same, factsOf(size(50, 50), stack(false, "hubspot")), 580, 380, 700, 0.7},
		{"OpenSetNeverProvesAnAbsence", same, factsOf(size(50, 50), stack(false, "marketo")), 300, 100, 700, 0.44},
		{"TooUncertainCountsAsUnknown", func(c *Config) { c.Unknown.MinConfidence = 1.0 },
			factsOf(&galena.Fact{Field: "company.employee_count", State: galena.Known, Value: galena.Number(50), Confidence: 0.9}), 400, 0, 1000, 0},
		{"OwnPolicyOverrides", func(c *Config) { c.Criteria[0].Unknown = &UnknownOverride{Policy: PolicyWorst} }, nil, 280, 0, 1000, 0},
		{"OwnPriorOverrides", func(c *Config) { x := 1.0; c.Criteria[0].Unknown = &UnknownOverride{Prior: &x} }, nil, 760, 0, 1000, 0},
		{"DoesNotApply", inBritain, factsOf(galena.KnownFact("company.hq_country", galena.CountryValue("US"), "alpha", noon), size(500, 500)), 160, 0, 400, 0.5},
		{"MayNotApply", inBritain, factsOf(size(500, 500), stack(true)), 600, 0, 600, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := small()
			c.change(&config)
			got := mustNew(t, config).Score(c.facts, noon, false)
			if got.Score.Score != c.score || got.Lo != c.lo || got.Hi != c.hi || got.Coverage != c.coverage {
				t.Errorf("%s in %s..%s, coverage %v; want %s in %s..%s, coverage %v",
					got.Score.Score, got.Lo, got.Hi, got.Coverage, c.score, c.lo, c.hi, c.coverage)
			}
		})
	}
}

// inBritain makes the first criterion count in one country only.
func inBritain(c *Config) {
	c.Criteria[0].AppliesWhen = &galena.Condition{Field: "company.hq_country", Operators: galena.Operators{Eq: "GB"}}
}

// TestThreshold: exact arithmetic keeps a lead that sits on a threshold there.
func TestThreshold(t *testing.T) {
	t.Parallel()
	c := small()
	c.Criteria[1].Bands[0].Value = 0.5 // 60 x 0.5 + 40 x 0.5 = 50.0
	got := mustNew(t, c).Score(factsOf(size(50, 50), stack(true, "hubspot")), noon, false)
	if got.Score.Score != 500 || got.Tier != "B" || !got.Settled {
		t.Errorf("%s, tier %s, settled %v; want 50, B, settled", got.Score.Score, got.Tier, got.Settled)
	}
}

// TestAbsence: a band that asks for the absence is the exception to else.
func TestAbsence(t *testing.T) {
	t.Parallel()
	yes := true
	c := small()
	c.Criteria[0].Bands = []Band{{Operators: galena.Operators{Ne: 7}, Value: 1}}
	if row := mustNew(t, c).Score(factsOf(absent("company.employee_count")), noon, false).Rows[0]; row.Points != 120 {
		t.Errorf("an absent value earned %s, want the 12 of else", row.Points)
	}
	c = small()
	c.Criteria[0].Bands = append(c.Criteria[0].Bands, Band{Operators: galena.Operators{Absent: &yes}, Value: 0.9, Label: "no staff"})
	got := mustNew(t, c).Score(factsOf(absent("company.employee_count")), noon, false)
	if row := got.Rows[0]; row.Points != 540 || row.State != galena.Absent || row.Label != "no staff" {
		t.Errorf("row %+v, want 54 points for the absence", row)
	}
}

// TestNeed names what is worth buying.
func TestNeed(t *testing.T) {
	t.Parallel()
	p := mustNew(t, small())
	got := p.Score(factsOf(size(80, 120)), noon, false)
	want := []Need{{"company.employee_count", 300}, {"company.technologies", 600}}
	if !slices.Equal(got.Need, want) {
		t.Errorf("need %v, want %v", got.Need, want)
	}
	if got := p.Score(factsOf(size(50, 50), stack(true)), noon, false); got.Need != nil {
		t.Errorf("need %v with all known", got.Need)
	}
	c := small()
	inBritain(&c)
	got = mustNew(t, c).Score(factsOf(size(500, 500), stack(true)), noon, false)
	if got.Need != nil || !slices.Equal(got.OpenRequires, []string{"company.hq_country"}) {
		t.Errorf("need %v, open %v: only the country decides whether the known size counts", got.Need, got.OpenRequires)
	}
}

// BenchmarkScore scores one lead of the example.
func BenchmarkScore(b *testing.B) {
	p, facts := mustNew(b, exampleConfig(b)), exampleLeads(b)[0].facts(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Score(facts, noon, true)
	}
}

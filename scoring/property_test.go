package scoring

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/galenahq/galena"
	"pgregory.net/rapid"
)

// The words of the small world that the properties are tried in.
var (
	countries  = []string{"US", "DE", "BR", "KP"}
	industries = []string{"software", "fintech", "education", "mining"}
	tools      = []string{"salesforce", "hubspot", "snowflake", "basalt-crm"}
	worldly    = []string{"company.employee_count", "company.annual_revenue_usd", "company.hq_country",
		"company.industry", "company.technologies", "company.type"}
)

// drawConfig makes a random profile without errors.
func drawConfig(t *rapid.T) Config {
	c := Defaults()
	c.Unknown.Policy = rapid.SampledFrom([]string{PolicyPrior, PolicyExclude, PolicyWorst}).Draw(t, "policy")
	c.Unknown.Prior = float64(rapid.IntRange(0, 100).Draw(t, "prior")) / 100
	for i := range rapid.IntRange(1, 6).Draw(t, "criteria") {
		c.Criteria = append(c.Criteria, drawCriterion(t, i))
	}
	// One criterion that can earn something keeps E16 away.
	c.Criteria[0].Mode, c.Criteria[0].Clamp, c.Criteria[0].Else = "", nil, 0.5
	for i := range rapid.IntRange(0, 2).Draw(t, "disqualifiers") {
		c.Disqualifiers = append(c.Disqualifiers, Disqualifier{
			ID: fmt.Sprint("d", i), When: drawCondition(t), Reason: "no", Sink: rapid.SampledFrom(sinks()).Draw(t, "sink"),
			IfUnknown: rapid.SampledFrom([]string{"", UnknownPass, UnknownHold}).Draw(t, "ifUnknown"),
		})
	}
	for i, name := range []string{"A", "B", "C", "D"} {
		tier := Tier{Name: name, Min: float64(75 - 25*i), MinCoverage: float64(75-25*i) / 200}
		if i < 3 && rapid.IntRange(0, 3).Draw(t, "requires") == 0 {
			when := drawCondition(t)
			tier.Requires = &when
		}
		c.Tiers = append(c.Tiers, tier)
	}
	return c
}

func drawShare(t *rapid.T) float64 {
	return float64(rapid.IntRange(-100, 100).Draw(t, "value")) / 100
}

func drawCriterion(t *rapid.T, i int) Criterion {
	c := Criterion{
		ID: fmt.Sprint("c", i), Field: rapid.SampledFrom(worldly).Draw(t, "field"),
		Weight: float64(rapid.IntRange(1, 100).Draw(t, "weight")), Else: drawShare(t),
	}
	for _, o := range drawBands(t, c.Field) {
		c.Bands = append(c.Bands, Band{Operators: o, Value: drawShare(t), Label: "band"})
	}
	if rapid.Bool().Draw(t, "sum") {
		c.Mode = ModeSum
		lo, hi := drawShare(t), drawShare(t)
		c.Clamp = []float64{min(lo, hi), max(lo, hi)}
	}
	if rapid.IntRange(0, 3).Draw(t, "applies") == 0 {
		when := drawCondition(t)
		c.AppliesWhen = &when
	}
	if rapid.IntRange(0, 3).Draw(t, "override") == 0 {
		c.Unknown = &UnknownOverride{Policy: rapid.SampledFrom([]string{PolicyPrior, PolicyExclude, PolicyWorst}).Draw(t, "own")}
	}
	return c
}

// drawBands cuts the field's values into bands that do not overlap.
func drawBands(t *rapid.T, field string) []galena.Operators {
	var out []galena.Operators
	add := func(o galena.Operators) {
		if rapid.IntRange(0, 3).Draw(t, "gap") > 0 {
			out = append(out, o)
		}
	}
	switch field {
	case "company.employee_count", "company.annual_revenue_usd":
		from := int64(0)
		for range rapid.IntRange(1, 4).Draw(t, "ranges") {
			to := from + rapid.Int64Range(0, 300).Draw(t, "width")
			add(galena.Operators{Range: []any{from, to}})
			from = to + 1
		}
		add(galena.Operators{Gte: from})
	case "company.technologies":
		for _, tool := range tools {
			add(galena.Operators{IncludesAny: []string{tool}})
		}
	case "company.hq_country":
		for _, c := range countries {
			add(galena.Operators{In: []any{c}})
		}
	default:
		for _, s := range industries {
			add(galena.Operators{Eq: s})
		}
	}
	return rapid.Permutation(out).Draw(t, "order")
}

func drawCondition(t *rapid.T) galena.Condition {
	leaf := func() galena.Condition {
		return rapid.SampledFrom([]galena.Condition{
			{Field: "company.employee_count", Operators: galena.Operators{Lt: 50}},
			{Field: "company.hq_country", Operators: galena.Operators{In: []any{"KP", "DE"}}},
			{Field: "company.technologies", Operators: galena.Operators{IncludesNone: []string{"basalt-crm"}}},
			{Field: "company.technologies", Operators: galena.Operators{IncludesAll: []string{"hubspot", "snowflake"}}},
			{Field: "company.type", Operators: galena.Operators{Ne: "mining"}},
			{Field: "company.type", Operators: galena.Operators{Exists: new(true)}},
		}).Draw(t, "leaf")
	}
	switch rapid.IntRange(0, 4).Draw(t, "connective") {
	case 0:
		return galena.Condition{All: []galena.Condition{leaf(), leaf()}}
	case 1:
		return galena.Condition{Any: []galena.Condition{leaf(), leaf()}}
	case 2:
		not := leaf()
		return galena.Condition{Not: &not}
	default:
		return leaf()
	}
}

// drawTruth is everything there is to know of one field.
func drawTruth(t *rapid.T, field string) *galena.Fact {
	if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
		return &galena.Fact{Field: field, State: galena.Absent, Confidence: 1}
	}
	var v galena.Value
	switch field {
	case "company.employee_count", "company.annual_revenue_usd":
		v = galena.Number(rapid.Int64Range(0, 1500).Draw(t, "n"))
	case "company.technologies":
		v = galena.SetValue(rapid.SliceOf(rapid.SampledFrom(tools)).Draw(t, "tools"), true)
	case "company.hq_country":
		v = galena.CountryValue(rapid.SampledFrom(countries).Draw(t, "country"))
	default:
		v = galena.EnumValue(rapid.SampledFrom(industries).Draw(t, "slug"))
	}
	return &galena.Fact{Field: field, State: galena.Known, Value: v, Confidence: 1}
}

// blur forgets some of a fact, never contradicting it.
func blur(t *rapid.T, of *galena.Fact) *galena.Fact {
	f := *of
	unknown := &galena.Fact{Field: f.Field, State: galena.Unknown}
	how := rapid.IntRange(0, 2).Draw(t, "blur")
	switch {
	case how == 0:
		return &f
	case how == 1 || f.State == galena.Absent:
		return unknown
	case f.Value.Type == galena.TypeNumber:
		f.Value.Lo = max(0, f.Value.Lo-rapid.Int64Range(0, 400).Draw(t, "below"))
		f.Value.Hi += rapid.Int64Range(0, 400).Draw(t, "above")
		if rapid.IntRange(0, 4).Draw(t, "openEnd") == 0 {
			f.Value.Hi = galena.OpenEnd
		}
	case f.Value.Type == galena.TypeSet:
		var seen []string
		for _, s := range f.Value.Set {
			if rapid.Bool().Draw(t, "seen") {
				seen = append(seen, s)
			}
		}
		f.Value = galena.SetValue(seen, false)
	default:
		return unknown
	}
	f.State = galena.Partial
	return &f
}

// drawViews makes a full truth and what is known of it so far.
func drawViews(t *rapid.T) (truth, view galena.Facts) {
	truth, view = galena.Facts{}, galena.Facts{}
	for _, field := range worldly {
		truth[field] = drawTruth(t, field)
		view[field] = blur(t, truth[field])
	}
	return truth, view
}

func drawProfile(t *rapid.T) *Profile {
	p, err := New(drawConfig(t))
	if err != nil {
		t.Fatalf("the generator made a faulty profile: %v", err)
	}
	if rapid.Bool().Draw(t, "means") {
		return p.WithMeans(drawMeans(t, p))
	}
	return p
}

// drawMeans are means of some criteria, also such as no portfolio gives.
func drawMeans(t *rapid.T, p *Profile) map[string]int64 {
	means := map[string]int64{"of-nothing": 7}
	for _, c := range p.criteria {
		if rapid.IntRange(0, 3).Draw(t, "hasMean") > 0 {
			means[c.id] = rapid.Int64Range(-2*unit, 2*unit).Draw(t, "mean")
		}
	}
	return means
}

// TestInvariants tries I1 to I4 on the same drawn profile and facts: to draw them
// takes longer than to judge them.
func TestInvariants(t *testing.T) {
	t.Parallel()
	t.Run("I1ToI4", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			p := drawProfile(t)
			truth, view := drawViews(t)
			withinBounds(t, p, view)
			rowsSum(t, p, view)
			settledHolds(t, p, truth, view)
			neverWidens(t, p, truth, view)
			meansOnlyGuess(t, p, view)
		})
	})
	t.Run("I10RandomFactsNeverPanic", func(t *testing.T) { t.Parallel(); rapid.Check(t, neverPanics) })
}

// withinBounds is I1, for every policy.
func withinBounds(t *rapid.T, p *Profile, view galena.Facts) {
	r := p.Score(view, noon, false)
	if r.Lo > r.Score.Score || r.Score.Score > r.Hi || r.Lo < 0 || r.Hi > 1000 {
		t.Errorf("I1: score %s, bounds %s..%s", r.Score.Score, r.Lo, r.Hi)
	}
	if r.Coverage < 0 || r.Coverage > 1 {
		t.Errorf("I1: coverage %v", r.Coverage)
	}
}

// rowsSum is I2.
func rowsSum(t *rapid.T, p *Profile, view galena.Facts) {
	var s sheet
	s.fill(p, view.Believing(p.minConfidence), noon)
	if s.base == 0 {
		return // policy exclude left everything out: there is no sum to speak of
	}
	sum, half := new(big.Rat), big.NewRat(1, 20)
	for i, row := range s.rows(noon) {
		r := s.readings[i]
		exact := new(big.Rat)
		if !r.left {
			exact.SetFrac64(100*r.c.weight*r.e, s.base)
		}
		sum.Add(sum, exact)
		off := new(big.Rat).Sub(exact, big.NewRat(int64(row.Points), 10))
		if off.Abs(off).Cmp(half) > 0 {
			t.Errorf("I2: row %s prints %s for %s", row.Criterion, row.Points, exact.FloatString(4))
		}
	}
	if want := big.NewRat(100*s.e, s.base); sum.Cmp(want) != 0 {
		t.Errorf("I2: rows sum to %s, the score is %s", sum, want)
	}
	// Clamping and rounding that exact sum is the printed score.
	if sum.Sign() < 0 {
		sum.SetInt64(0)
	}
	if sum.Cmp(big.NewRat(100, 1)) > 0 {
		sum.SetInt64(100)
	}
	twice := new(big.Rat).Add(new(big.Rat).Mul(sum, big.NewRat(20, 1)), big.NewRat(1, 1))
	want := new(big.Int).Quo(twice.Num(), new(big.Int).Mul(twice.Denom(), big.NewInt(2))).Int64()
	if got := int64(share(s.e, s.base)); got != want {
		t.Errorf("I2: score %d tenths, want %d", got, want)
	}
}

// neverWidens is I3.
func neverWidens(t *rapid.T, p *Profile, truth, view galena.Facts) {
	before := p.Score(view, noon, false)
	field := rapid.SampledFrom(worldly).Draw(t, "bought")
	view[field] = truth[field]
	after := p.Score(view, noon, false)
	if after.Lo < before.Lo || after.Hi > before.Hi {
		t.Errorf("I3: %s widened %s..%s to %s..%s", field, before.Lo, before.Hi, after.Lo, after.Hi)
	}
}

// meansOnlyGuess: whatever the means, the bounds and what is settled stay.
func meansOnlyGuess(t *rapid.T, p *Profile, view galena.Facts) {
	a, b := p.Score(view, noon, false), p.WithMeans(drawMeans(t, p)).Score(view, noon, false)
	if a.Lo != b.Lo || a.Hi != b.Hi || a.Coverage != b.Coverage || a.Settled != b.Settled || a.Settled && a.Tier != b.Tier {
		t.Errorf("means moved %+v to %+v", a.Score, b.Score)
	}
}

// settledHolds is I4.
func settledHolds(t *rapid.T, p *Profile, truth, view galena.Facts) {
	r, full := p.Score(view, noon, false), p.Score(truth, noon, false)
	if !full.Settled {
		t.Errorf("I4: all is known and still not settled: %+v", full.Score)
	}
	if r.Settled && r.Tier != full.Tier {
		t.Errorf("I4: settled on %s, the truth is %s", r.Tier, full.Tier)
	}
	if r.Settled && r.Disqualified != nil && r.Disqualified.Sink != full.Disqualified.Sink {
		t.Errorf("I4: settled on sink %s, the truth is %s", r.Disqualified.Sink, full.Disqualified.Sink)
	}
	if full.Tier != TierX && !slices.Contains(r.Reachable, full.Tier) {
		t.Errorf("I4: tier %s was held unreachable: %v", full.Tier, r.Reachable)
	}
	if full.Tier == TierX && r.Tier != TierX && len(r.OpenDisqualifiers) == 0 {
		t.Error("I4: a disqualifier came true that was not open")
	}
	toBuy := len(r.OpenDisqualifiers) + len(r.OpenRequires)
	if r.TierLo != r.TierHi {
		toBuy += len(r.Need)
	}
	if r.Settled != (toBuy == 0) && !r.Stops {
		t.Errorf("I4: settled %v with %d fields to buy", r.Settled, toBuy)
	}
}

// noise is text that is no value, or one of another field.
var noise = []string{"", "DE", "software", "hubspot", " Fin/Tech_ ", "M\u00fcnchen", "\xff\xfe", "51-200", "\u0000"}

// neverPanics hands in facts of the wrong type, state or order.
func neverPanics(t *rapid.T) {
	p := drawProfile(t)
	facts := galena.Facts{}
	for _, field := range worldly {
		facts[field] = &galena.Fact{
			State: rapid.SampledFrom([]galena.State{"", galena.Known, galena.Partial, galena.Absent, galena.Unknown}).Draw(t, "state"),
			Value: galena.Value{
				Type: rapid.SampledFrom([]galena.FieldType{"", galena.TypeNumber, galena.TypeSet, galena.TypeText, galena.TypeDate}).Draw(t, "type"),
				Lo:   rapid.Int64().Draw(t, "lo"), Hi: rapid.Int64().Draw(t, "hi"), Text: rapid.SampledFrom(noise).Draw(t, "text"),
				Set: rapid.SliceOfN(rapid.SampledFrom(noise), 0, 3).Draw(t, "set"), Closed: rapid.Bool().Draw(t, "closed"),
			},
			Confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
		}
	}
	r := p.Score(facts, noon, rapid.Bool().Draw(t, "final"))
	if r.Lo > r.Score.Score || r.Score.Score > r.Hi {
		t.Errorf("score %s, bounds %s..%s", r.Score.Score, r.Lo, r.Hi)
	}
	if Explain(galena.Decision{Score: r.Score, Stop: galena.StopExhausted}) == "" {
		t.Error("no explanation")
	}
}

package scoring

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

func TestBandsTellValuesApart(t *testing.T) {
	t.Parallel()
	p := mustNew(t, exampleConfig(t))
	number, set := galena.Number, func(items ...string) galena.Value { return galena.SetValue(items, true) }
	const size, stack = "company.employee_count", "company.technologies"
	for _, c := range []struct {
		name  string
		field string
		a, b  galena.Value
		same  bool
	}{
		{"TheSampleLead", size, number(45), number(460), false},
		{"WithinABand", size, number(420), number(431), true},
		{"OnTwoSidesOfAnEdge", size, number(199), number(201), false},
		{"BandsOfASum", stack, set("hubspot"), set("hubspot", "bigquery"), false},
		{"ElementsThatNoBandReads", stack, set("hubspot"), set("hubspot", "wordpress-x"), true},
		{"AFieldThatNoCriterionReads", "company.founded_year", number(1900), number(2020), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if a, b := p.Band(c.field, c.a, noon), p.Band(c.field, c.b, noon); (a == b) != c.same {
				t.Errorf("%s and %s are in %q and %q, same %v wanted", c.a, c.b, a, b, c.same)
			}
		})
	}
}

func TestValuesOfOneBandEarnTheSame(t *testing.T) {
	t.Parallel()
	p := mustNew(t, exampleConfig(t))
	rapid.Check(t, func(rt *rapid.T) {
		const size = "company.employee_count"
		a := galena.Number(rapid.Int64Range(0, 30_000).Draw(rt, "a"))
		b := galena.Number(rapid.Int64Range(0, 30_000).Draw(rt, "b"))
		if p.Band(size, a, noon) != p.Band(size, b, noon) {
			return
		}
		score := func(v galena.Value) galena.Tenths {
			return p.Score(galena.Facts{size: galena.KnownFact(size, v, "x", noon)}, noon, true).Score.Score
		}
		if score(a) != score(b) {
			rt.Fatalf("%s earns %s, %s of the same band %s", a, score(a), b, score(b))
		}
	})
}

package scoring

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// faultsOf unpacks what Validate joined.
func faultsOf(t *testing.T, err error) []*galena.Fault {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T is not joined faults", err)
	}
	var out []*galena.Fault
	for _, e := range joined.Unwrap() {
		f, ok := errors.AsType[*galena.Fault](e)
		if !ok {
			t.Fatalf("%v is not a fault", e)
		}
		out = append(out, f)
	}
	return out
}

// TestValidate plants one fault a case into the lint-clean example.
func TestValidate(t *testing.T) {
	t.Parallel()
	no := false
	for _, c := range []struct {
		name  string
		plant func(*Config)
		want  string // beginning of a fault
	}{
		{"WrongPolicy", func(c *Config) { c.Unknown.Policy = "prio" }, "spec.unknown.policy: E02"},
		{"NoID", func(c *Config) { c.Criteria[0].ID = "" }, "spec.criteria[0].id: E02"},
		{"ClampInModeFirst", func(c *Config) { c.Criteria[0].Clamp = []float64{0, 1} }, "spec.criteria[0].clamp: E02"},
		{"TwoOperators", func(c *Config) { c.Criteria[0].Bands[0].Gte = 3 }, "spec.criteria[0].bands[0]: E02"},
		{"SameCriterionTwice", func(c *Config) { c.Criteria[1].ID = "headcount" }, `spec.criteria[1].id: E03 "headcount" is already used by spec.criteria[0].id`},
		{"SameDisqualifierTwice", func(c *Config) { c.Disqualifiers[2].ID = "embargo" }, "spec.disqualifiers[2].id: E03"},
		{"TierX", func(c *Config) { c.Tiers[1].Name = "X" }, "spec.tiers[1].name: E03"},
		{"UnknownField", func(c *Config) { c.Criteria[0].Field = "company.employe_count" }, `spec.criteria[0].field: E04 unknown field "company.employe_count" (did you mean "company.employee_count"?)`},
		{"UnknownFieldInCondition", func(c *Config) { c.Disqualifiers[1].When.Field = "company.hq_contry" }, "spec.disqualifiers[1].when.field: E04"},
		{"OperatorForAnotherType", func(c *Config) { c.Criteria[3].Bands[0].Operators = galena.Operators{Lt: 3} }, "spec.criteria[3].bands[0].lt: E05"},
		{"OwnAnswer", func(c *Config) { c.Criteria[0].Field = "decision.score" }, "spec.criteria[0].field: E05"},
		{"OwnAnswerInCondition", func(c *Config) { c.Disqualifiers[0].When.Field = "decision.tier" }, "spec.disqualifiers[0].when.field: E05"},
		{"UnknownOutsideOnlyIf", func(c *Config) { c.Criteria[0].Bands[0].Operators = galena.Operators{Unknown: &no} }, "spec.criteria[0].bands[0].unknown: E05"},
		{"RangeUpsideDown", func(c *Config) { c.Criteria[0].Bands[0].Range = []any{1000, 200} }, "spec.criteria[0].bands[0].range: E06"},
		{"ClampUpsideDown", func(c *Config) { c.Criteria[2].Clamp = []float64{1, -0.5} }, "spec.criteria[2].clamp: E06"},
		{"BandOverlap", func(c *Config) { c.Criteria[0].Bands[1].Range = []any{50, 210} }, "spec.criteria[0].bands[1].range: E07 200 to 210 never reaches this band: bands[0] takes it first"},
		{"BandOverlapOfWords", func(c *Config) {
			c.Criteria[6].Bands[1].Operators = galena.Operators{In: []any{"role", "Freemail"}}
		}, `spec.criteria[6].bands[1].in: E07 "freemail" never`},
		{"BandAfterNotIn", func(c *Config) {
			c.Criteria[6].Bands[0].Operators = galena.Operators{NotIn: []any{"corporate"}}
		}, `spec.criteria[6].bands[1].in: E07 "role" never`},
		{"BandAfterExists", func(c *Config) {
			yes := true
			c.Criteria[1].Bands[0].Operators = galena.Operators{Exists: &yes}
		}, "spec.criteria[1].bands[1].in_group: E07 any value never"},
		{"ValueTooLarge", func(c *Config) { c.Criteria[0].Bands[0].Value = 1.5 }, "spec.criteria[0].bands[0].value: E08"},
		{"ValueNotANumber", func(c *Config) { c.Criteria[0].Else = math.NaN() }, "spec.criteria[0].else: E08"},
		{"ValueTooFine", func(c *Config) { c.Criteria[0].Bands[0].Value = 0.333 }, "spec.criteria[0].bands[0].value: E08"},
		{"Weight", func(c *Config) { c.Criteria[0].Weight = 101 }, "spec.criteria[0].weight: E09 must be a whole number from 1 to 100, is 101"},
		{"WeightInParts", func(c *Config) { c.Criteria[0].Weight = 2.5 }, "spec.criteria[0].weight: E09 must be a whole number from 1 to 100, is 2.5"},
		{"NoTiers", func(c *Config) { c.Tiers = nil }, "spec.tiers: E10"},
		{"TiersNotDecreasing", func(c *Config) { c.Tiers[1].Min = 70 }, "spec.tiers[1].min: E10"},
		{"TierWithoutEnd", func(c *Config) { c.Tiers[0].Min = math.Inf(1) }, "spec.tiers[0].min: E10 must be a score, is +Inf"},
		{"LastTierNotZero", func(c *Config) { c.Tiers[3].Min = 5 }, "spec.tiers[3].min: E10"},
		{"LastTierGated", func(c *Config) { c.Tiers[3].MinCoverage = 0.1 }, "spec.tiers[3].min_coverage: E10"},
		{"LastTierRequires", func(c *Config) { c.Tiers[3].Requires = &c.Disqualifiers[2].When }, "spec.tiers[3].requires: E10"},
		{"UnknownGroup", func(c *Config) { c.Criteria[3].Bands[0].InGroup = "countries.north_americ" }, `spec.criteria[3].bands[0].in_group: E11 unknown group "countries.north_americ" (did you mean "countries.north_america"?)`},
		{"UnknownSink", func(c *Config) { c.Disqualifiers[0].Sink = "rejekt" }, "spec.disqualifiers[0].sink: E11"},
		{"Regex", func(c *Config) { c.Criteria[5].Bands[0].Regex = "(" }, "spec.criteria[5].bands[0].regex: E12"},
		{"ItemInTwoGroups", func(c *Config) { c.Groups["countries"]["nordics"] = []string{"SE", "de"} }, `spec.criteria[3].bands[3].in_group: E14 "DE" is in countries.dach and in countries.nordics`},
		{"SumWithoutClamp", func(c *Config) { c.Criteria[2].Clamp = nil }, "spec.criteria[2]: E15"},
		{"NothingToEarn", func(c *Config) { c.Criteria = c.Criteria[6:] }, "spec.criteria: E16"},
		{"Gap", func(c *Config) { c.Criteria[0].Bands[1].Range = []any{60, 199} }, "spec.criteria[0].bands: W01 no band covers 50 to 59"},
		{"TierOutOfReach", func(c *Config) { c.Tiers[0].Min = 101 }, "spec.tiers[0].min: W02 tier A is unreachable: the best score is 100"},
		{"CoverageAboveMin", func(c *Config) { c.Tiers[1].MinCoverage = 0.55 }, "spec.tiers[1].min_coverage: W02"},
		{"NoEffect", func(c *Config) { c.Criteria[6].Bands = nil }, "spec.criteria[6]: W03 criterion freemail cannot change any tier"},
		{"OneTier", func(c *Config) { c.Tiers = c.Tiers[3:] }, "spec.criteria[0]: W03"},
		{"BlindBoundary", func(c *Config) { c.Criteria[5].Bands[1].Regex = `(?i)\b(head|élu)\b` }, "spec.criteria[5].bands[1].regex: W06"},
		{"BlindBoundaryAtTheEnd", func(c *Config) {
			c.Disqualifiers[0].When = galena.Condition{Not: &galena.Condition{Field: "lead.job_title", Operators: galena.Operators{Regex: `café\b`}}}
		}, "spec.disqualifiers[0].when.not.regex: W06"},
		{"OneCriterionRules", func(c *Config) { c.Criteria = c.Criteria[:2]; c.Criteria[0].Weight = 100 }, "spec.criteria[0].weight: W07 criterion headcount holds 80 % of all points"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := exampleConfig(t)
			c.plant(&config)
			faults := faultsOf(t, config.Validate())
			found := slices.ContainsFunc(faults, func(f *galena.Fault) bool { return strings.HasPrefix(f.Error(), c.want) })
			if !found {
				t.Errorf("no fault begins with %q, got:\n%v", c.want, config.Validate())
			}
			_, err := New(config)
			if wantErr := slices.ContainsFunc(faults, isError); (err != nil) != wantErr {
				t.Errorf("New says %v, want an error: %v", err, wantErr)
			}
		})
	}
}

// TestQuietPatterns are regular expressions that must not warn.
func TestQuietPatterns(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`(?i)\b(chief|sales)\b`, `\bestagi\S*`, `[^x]\b`, `é head\b`, `(?i)\b[ks]`} {
		c := exampleConfig(t)
		c.Criteria[5].Bands = []Band{{Operators: galena.Operators{Regex: pattern}, Value: 1}}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// TestAllFaultsAtOnce: an operator corrects a file in one round.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	c := exampleConfig(t)
	c.Criteria[0].Weight, c.Criteria[1].Weight, c.Tiers[3].Min = 0, 200, 3
	var codes []string
	for _, f := range faultsOf(t, c.Validate()) {
		codes = append(codes, f.Code)
	}
	if want := []string{"E09", "E09", "E10"}; !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
}

package scoring

import "github.com/galenahq/galena"

// Config is the spec of a file of kind ICP, as an operator writes it.
type Config struct {
	Unknown       Unknown        `yaml:"unknown"`
	Groups        galena.Groups  `yaml:"groups,omitempty"`
	Disqualifiers []Disqualifier `yaml:"disqualifiers,omitempty"`
	Criteria      []Criterion    `yaml:"criteria"`
	Tiers         []Tier         `yaml:"tiers"`
}

// The ways to estimate a criterion whose field is unknown.
const (
	PolicyPrior   = "prior"   // expect a share of what the criterion can earn, or the portfolio mean
	PolicyExclude = "exclude" // score what is known, as if the criterion were not there
	PolicyWorst   = "worst"   // expect the least
)

// Unknown says what to think of fields that nobody knows.
type Unknown struct {
	Policy        string  `yaml:"policy"`
	Prior         float64 `yaml:"prior"`          // expected share of the best value, 0..1, until there are portfolio means
	MinConfidence float64 `yaml:"min_confidence"` // facts below this count as unknown
}

// UnknownOverride replaces the profile's policy for one criterion. A prior given
// here holds for good: no portfolio mean replaces it.
type UnknownOverride struct {
	Policy string   `yaml:"policy,omitempty"`
	Prior  *float64 `yaml:"prior,omitempty"`
}

// What happens with a disqualifier that stays unknown when nobody is left to ask.
const (
	UnknownPass = "pass" // the lead goes on, provisionally
	UnknownHold = "hold" // the lead waits in the disqualifier's sink, provisionally
)

// Disqualifier is a hard rule; the first that is TRUE ends the evaluation.
type Disqualifier struct {
	ID        string           `yaml:"id"`
	When      galena.Condition `yaml:"when"`
	Reason    string           `yaml:"reason,omitempty"`
	Sink      string           `yaml:"sink"`
	IfUnknown string           `yaml:"if_unknown,omitempty"`
}

// The modes of a criterion.
const (
	ModeFirst = "first" // the first matching band gives the value
	ModeSum   = "sum"   // all matching bands are added, then clamped
)

// Criterion is one line of the profile. Its weight is its importance; only band
// values may be negative.
type Criterion struct {
	ID          string            `yaml:"id"`
	Field       string            `yaml:"field"`
	Weight      float64           `yaml:"weight"` // whole; a float so that 2.5 is refused, not cut to 2
	Mode        string            `yaml:"mode,omitempty"`
	Clamp       []float64         `yaml:"clamp,omitempty,flow"`
	Bands       []Band            `yaml:"bands"`
	Else        float64           `yaml:"else"`
	Unknown     *UnknownOverride  `yaml:"unknown,omitempty"`
	AppliesWhen *galena.Condition `yaml:"applies_when,omitempty"`
}

// Band gives a share of the weight, in [-1, 1], to the values it matches.
type Band struct {
	galena.Operators `yaml:",inline"`
	Value            float64 `yaml:"value"`
	Label            string  `yaml:"label,omitempty"`
}

// Tier is a class of fit. MinCoverage is asked only of a provisional decision;
// Requires is asked of every decision.
type Tier struct {
	Name        string            `yaml:"name"`
	Min         float64           `yaml:"min"`
	MinCoverage float64           `yaml:"min_coverage"`
	Label       string            `yaml:"label,omitempty"`
	Requires    *galena.Condition `yaml:"requires,omitempty"`
	Routable    bool              `yaml:"routable,omitempty"` // when no tier says so: the two highest
}

// Defaults is what a file need not say. The criteria and tiers are the
// operator's own.
func Defaults() Config {
	return Config{Unknown: Unknown{Policy: PolicyPrior, Prior: 0.40, MinConfidence: 0.50}}
}

// refused lists the fields that a profile must not read, because they are made
// from its own answer or after it.
func refused() []string {
	return []string{"decision.tier", "decision.score", "decision.disqualified", "decision.undecided",
		"decision.territory", "match.open_lead_owner", "match.account_owner", "match.named_account_rep"}
}

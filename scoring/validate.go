package scoring

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Validate returns every fault that this file alone can show, joined, each a
// *galena.Fault. Codes that begin with W are warnings.
func (c Config) Validate() error {
	k := check(c)
	errs := make([]error, len(k.faults))
	for i, f := range k.faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// sinks are where a disqualified lead may go.
func sinks() []string { return []string{"nurture", "archive", "reject", "compliance_review"} }

// checker collects faults while it compiles, so that what is checked is what runs.
type checker struct {
	config  Config
	profile *Profile
	faults  []*galena.Fault
}

// check compiles the whole configuration and finds everything wrong with it.
func check(c Config) *checker {
	k := &checker{config: c, profile: &Profile{groups: c.Groups, minConfidence: c.Unknown.MinConfidence}}
	k.unknown()
	k.allDisqualifiers()
	k.allCriteria()
	k.allTiers()
	if !slices.ContainsFunc(k.faults, isError) {
		k.reach()
	}
	return k
}

func isError(f *galena.Fault) bool { return !strings.HasPrefix(f.Code, "W") }

func (k *checker) fail(path, code, format string, args ...any) *galena.Fault {
	f := galena.Faultf(path, code, format, args...)
	k.faults = append(k.faults, f)
	return f
}

func (k *checker) oneOf(path, code, what, got string, want ...string) {
	if !slices.Contains(want, got) {
		f := k.fail(path, code, "%s must be one of %s, is %q", what, strings.Join(want, ", "), got)
		f.Hint = galena.Nearest(got, want)
	}
}

// within checks a share, from lo to 1.
func (k *checker) within(path string, x, lo float64) {
	if !(x >= lo && x <= 1) { // written so that not-a-number fails as well
		k.fail(path, "E08", "must be from %v to 1, is %v", lo, x)
	}
}

// value checks a share of the weight. Two decimals keep the arithmetic exact.
func (k *checker) value(path string, x float64) {
	k.within(path, x, -1)
	if math.Abs(x*100-math.Round(x*100)) > 1e-9 {
		k.fail(path, "E08", "must have at most 2 decimals, is %v", x)
	}
}

func (k *checker) unknown() {
	u := k.config.Unknown
	k.oneOf("spec.unknown.policy", "E02", "policy", u.Policy, PolicyPrior, PolicyExclude, PolicyWorst)
	k.within("spec.unknown.prior", u.Prior, 0)
	k.within("spec.unknown.min_confidence", u.MinConfidence, 0)
}

// condition compiles a condition of the profile.
func (k *checker) condition(path string, c galena.Condition) galena.Predicate {
	p, faults := c.Compile(path, k.config.Groups, galena.RefuseFields(refused()...))
	k.faults = append(k.faults, faults...)
	k.patterns(path, c)
	return p
}

// name refuses an id that is empty or taken.
func (k *checker) name(path, id string, seen map[string]string) {
	switch first, taken := seen[id]; {
	case id == "":
		k.fail(path, "E02", "must not be empty")
	case taken:
		k.fail(path, "E03", "%q is already used by %s", id, first)
	default:
		seen[id] = path
	}
}

func (k *checker) allDisqualifiers() {
	seen := map[string]string{}
	for i, d := range k.config.Disqualifiers {
		path := fmt.Sprintf("spec.disqualifiers[%d]", i)
		k.name(path+".id", d.ID, seen)
		k.oneOf(path+".sink", "E11", "sink", d.Sink, sinks()...)
		if d.IfUnknown != "" {
			k.oneOf(path+".if_unknown", "E02", "if_unknown", d.IfUnknown, UnknownPass, UnknownHold)
		}
		k.profile.disqualifiers = append(k.profile.disqualifiers, disqualifier{
			Disqualification: galena.Disqualification{ID: d.ID, Reason: d.Reason, Sink: d.Sink},
			when:             k.condition(path+".when", d.When), hold: d.IfUnknown == UnknownHold,
		})
	}
}

func (k *checker) allCriteria() {
	seen := map[string]string{}
	for i, c := range k.config.Criteria {
		path := fmt.Sprintf("spec.criteria[%d]", i)
		k.name(path+".id", c.ID, seen)
		if !(c.Weight >= 1 && c.Weight <= 100) || c.Weight != math.Trunc(c.Weight) {
			k.fail(path+".weight", "E09", "must be a whole number from 1 to 100, is %v", c.Weight)
			c.Weight = 1 // what is no number makes no other fault
		}
		k.shape(path, c)
		bands := k.bands(path, c)
		var applies galena.Predicate
		if c.AppliesWhen != nil {
			applies = k.condition(path+".applies_when", *c.AppliesWhen)
		}
		x := compileCriterion(c, k.config.Unknown, bands, applies)
		lo, hi := x.span()
		k.profile.total += x.weight * max(0, x.vmax)
		k.profile.room += x.weight * (hi - lo)
		k.profile.criteria = append(k.profile.criteria, x)
	}
	if k.profile.total <= 0 {
		k.fail("spec.criteria", "E16", "no criterion can score above zero")
	}
}

// shape checks what a criterion says besides its bands.
func (k *checker) shape(path string, c Criterion) {
	k.value(path+".else", c.Else)
	switch c.Mode {
	case "", ModeFirst:
		if c.Clamp != nil {
			k.fail(path+".clamp", "E02", "clamp is for mode sum")
		}
	case ModeSum:
		k.clampOf(path, c)
	default:
		k.oneOf(path+".mode", "E02", "mode", c.Mode, ModeFirst, ModeSum)
	}
	if u := c.Unknown; u != nil {
		if u.Policy != "" {
			k.oneOf(path+".unknown.policy", "E02", "policy", u.Policy, PolicyPrior, PolicyExclude, PolicyWorst)
		}
		if u.Prior != nil {
			k.within(path+".unknown.prior", *u.Prior, 0)
		}
	}
}

func (k *checker) clampOf(path string, c Criterion) {
	switch len(c.Clamp) {
	case 0:
		f := k.fail(path, "E15", "mode sum needs a clamp")
		f.Hint = "clamp: [-1, 1]"
	case 2:
		k.value(path+".clamp[0]", c.Clamp[0])
		k.value(path+".clamp[1]", c.Clamp[1])
		if c.Clamp[0] > c.Clamp[1] {
			k.fail(path+".clamp", "E06", "clamp is upside down: %v is above %v", c.Clamp[0], c.Clamp[1])
		}
	default:
		k.fail(path+".clamp", "E02", "clamp must be [low, high], has %d values", len(c.Clamp))
	}
}

// bands compiles the bands and looks for overlaps and gaps among them.
func (k *checker) bands(path string, c Criterion) []band {
	field, ok := galena.LookupField(c.Field)
	switch {
	case c.Field == "":
		k.fail(path+".field", "E02", "must not be empty")
		return nil
	case !ok:
		f := k.fail(path+".field", "E04", "unknown field %q", c.Field)
		f.Hint = galena.Nearest(c.Field, fieldNames())
		return nil
	case slices.Contains(refused(), c.Field):
		k.fail(path+".field", "E05", "%s cannot be used here", c.Field)
		return nil
	}
	out := make([]band, len(c.Bands))
	sound := true
	for i, b := range c.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		k.value(at+".value", b.Value)
		p, faults := b.Compile(at, c.Field, k.config.Groups)
		k.faults = append(k.faults, faults...)
		k.patterns(at, galena.Condition{Operators: b.Operators})
		sound = sound && len(faults) == 0
		out[i] = band{when: p, value: fix(b.Value), label: b.Label, onState: b.Exists != nil || b.Absent != nil}
	}
	if sound {
		k.overlaps(path, c, field, out)
	}
	return out
}

func fieldNames() []string {
	var names []string
	for _, f := range galena.Fields() {
		if !slices.Contains(refused(), f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

func (k *checker) allTiers() {
	tiers := k.config.Tiers
	if len(tiers) == 0 {
		k.fail("spec.tiers", "E10", "a profile needs at least one tier")
		return
	}
	seen := map[string]string{TierX: "the tier of disqualified leads"}
	requires := make([]galena.Predicate, len(tiers))
	for i, t := range tiers {
		path := fmt.Sprintf("spec.tiers[%d]", i)
		k.name(path+".name", t.Name, seen)
		k.within(path+".min_coverage", t.MinCoverage, 0)
		if math.IsNaN(t.Min) || math.IsInf(t.Min, 0) {
			k.fail(path+".min", "E10", "must be a score, is %v", t.Min)
			continue
		}
		if i > 0 && !(math.Round(10*t.Min) < math.Round(10*tiers[i-1].Min)) {
			k.fail(path+".min", "E10", "tiers must be strictly decreasing: %v is not below %v", t.Min, tiers[i-1].Min)
		}
		if i < len(tiers)-1 && t.MinCoverage > t.Min/100 {
			k.fail(path+".min_coverage", "W02", "%v is above min/100: a score that reaches the tier may still miss its coverage", t.MinCoverage)
		}
		if t.Requires != nil {
			requires[i] = k.condition(path+".requires", *t.Requires)
		}
	}
	path, last := fmt.Sprintf("spec.tiers[%d]", len(tiers)-1), tiers[len(tiers)-1]
	if last.Min != 0 {
		k.fail(path+".min", "E10", "the last tier must begin at 0, begins at %v", last.Min)
	}
	if last.MinCoverage != 0 {
		k.fail(path+".min_coverage", "E10", "the last tier takes every lead: min_coverage must be 0")
	}
	if last.Requires != nil {
		k.fail(path+".requires", "E10", "the last tier takes every lead: it must not require anything")
	}
	k.profile.tiers = compileTiers(tiers, requires)
}

package merging

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Config is the spec of a file of kind Merging. What a file leaves out comes
// from Defaults, member by member.
type Config struct {
	Classes  []galena.SourceClass `yaml:"classes,omitempty"`  // strongest first; those left out follow in the usual order
	Defaults Field                `yaml:"defaults,omitempty"` // for fields that are not listed
	Fields   map[string]Field     `yaml:"fields,omitempty"`
}

// Field is how one field ages and whom to believe about it.
type Field struct {
	Decay    *float64             `yaml:"decay,omitempty"`     // share of values that is wrong after a year
	Q        *float64             `yaml:"q,omitempty"`         // tolerated share of stale values
	MaxStale Age                  `yaml:"max_stale,omitempty"` // older is unknown; none = twice the time to live
	Trust    map[string]float64   `yaml:"trust,omitempty"`     // by source; none = the provider catalogue's
	Classes  []galena.SourceClass `yaml:"classes,omitempty"`
}

// Age is a length of time that is mostly days: "180d", or "36h" as Go writes it.
type Age time.Duration

const day = 24 * time.Hour

// UnmarshalText reads "180d" or a Go duration.
func (a *Age) UnmarshalText(b []byte) error {
	if days, ok := strings.CutSuffix(string(b), "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a length of time such as 180d", b)
		}
		*a = Age(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a length of time such as 180d", b)
	}
	*a = Age(d)
	return nil
}

// MarshalText writes days where they are whole.
func (a Age) MarshalText() ([]byte, error) {
	d := time.Duration(a)
	if d%day == 0 {
		return []byte(strconv.FormatInt(int64(d/day), 10) + "d"), nil
	}
	return []byte(d.String()), nil
}

// Defaults is the table of SEMANTICS 5. Its decays are assumptions until there
// are enough repeated look-ups to estimate them.
func Defaults() Config {
	fields := map[string]Field{}
	for decay, names := range map[float64][]string{
		0.35: {"company.employee_count"},
		0.30: {"company.annual_revenue_usd"},
		0.40: {"company.technologies"},
		0.05: {"company.industry", "company.hq_country", "company.name"},
		0.20: {"lead.job_title"},
		0.10: {"company.phone"},
	} {
		for _, n := range names {
			fields[n] = Field{Decay: &decay}
		}
	}
	decay, q := 0.225, 0.10
	return Config{Classes: galena.SourceClasses(), Defaults: Field{Decay: &decay, Q: &q}, Fields: fields}
}

// Validate returns every fault, joined.
func (c Config) Validate() error {
	v := &checker{}
	v.classes("spec.classes", c.Classes)
	v.field("spec.defaults", c.Defaults)
	var known []string
	for _, f := range galena.Fields() {
		known = append(known, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		path := "spec.fields." + name
		if _, ok := galena.LookupField(name); !ok {
			f := galena.Faultf(path, "E04", "unknown field %q", name)
			f.Hint = galena.Nearest(name, known)
			v.faults = append(v.faults, f)
		}
		v.field(path, c.Fields[name])
	}
	return errors.Join(v.faults...)
}

type checker struct{ faults []error }

func (v *checker) fail(path, code, format string, args ...any) {
	v.faults = append(v.faults, galena.Faultf(path, code, format, args...))
}

func (v *checker) field(path string, f Field) {
	if d := f.Decay; d != nil && !(*d >= 0 && *d < 1) {
		v.fail(path+".decay", "E08", "must be at least 0 and below 1, is %v", *d)
	}
	if q := f.Q; q != nil && !(*q > 0 && *q < 1) {
		v.fail(path+".q", "E08", "must be above 0 and below 1, is %v", *q)
	}
	if f.MaxStale < 0 {
		v.fail(path+".max_stale", "E08", "must not be negative")
	}
	for _, s := range slices.Sorted(maps.Keys(f.Trust)) {
		if w := f.Trust[s]; math.IsNaN(w) || w < 0 || w > 1 {
			v.fail(path+".trust."+s, "E08", "must be from 0 to 1, is %v", w)
		}
	}
	v.classes(path+".classes", f.Classes)
}

// classes refuses an order in which a machine could overrule a person.
func (v *checker) classes(path string, order []galena.SourceClass) {
	usual := galena.SourceClasses()
	for i, c := range order {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !slices.Contains(usual, c):
			v.fail(at, "E11", "unknown class %q", c)
		case slices.Contains(order[:i], c):
			v.fail(at, "E03", "class %s is listed twice", c)
		case i < 2 && c != usual[i]:
			v.fail(at, "E10", "must be %s: what a person entered comes first", usual[i])
		}
	}
}

package crm

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Rule is what an operator's file says of how one field is written. What is
// left out means FillEmpty.
type Rule struct {
	Write        Mode     `yaml:"write,omitempty"`
	Placeholders []string `yaml:"placeholders,omitempty"` // words that stand for nothing
	Shadow       string   `yaml:"shadow,omitempty"`       // where suggest writes
	Refill       bool     `yaml:"refill,omitempty"`       // again what a person cleared
	Pool         []string `yaml:"pool,omitempty"`         // owners who may be replaced, as the CRM names them
}

// Policy is the rule for the merge. Norm puts a placeholder into the form in
// which values are compared.
func (r Rule) Policy(norm func(string) string) Policy {
	p := Policy{Mode: r.Write, Shadow: Field(r.Shadow), Refill: r.Refill}
	if p.Mode == "" {
		p.Mode = FillEmpty
	}
	for _, w := range r.Placeholders {
		p.Placeholders = append(p.Placeholders, norm(w))
	}
	for _, w := range r.Pool {
		p.Pool = append(p.Pool, norm(w))
	}
	return p
}

// Faults are what is wrong with the rule of a field at a path of the file.
func (r Rule) Faults(path string, f Field) []error {
	var out []error
	fail := func(key, format string, args ...any) {
		out = append(out, galena.Faultf(path+"."+key, "E02", format, args...))
	}
	if r.Write != "" && !slices.Contains(Modes(), r.Write) {
		var words []string
		for _, m := range Modes() {
			words = append(words, string(m))
		}
		fault := galena.Faultf(path+".write", "E02", "write must be one of %s, is %q", strings.Join(words, ", "), r.Write)
		fault.Hint = galena.Nearest(string(r.Write), words)
		out = append(out, fault)
	}
	switch {
	case r.Write == Suggest && r.Shadow == "":
		fail("write", "suggest needs shadow, the field that is made for it")
	case r.Write != Suggest && r.Shadow != "":
		fail("shadow", "shadow goes with write: suggest")
	}
	if r.Write != OverridePlaceholders && len(r.Placeholders) > 0 {
		fail("placeholders", "placeholders go with write: override_placeholders")
	}
	if f != Owner && len(r.Pool) > 0 {
		fail("pool", "only the owner has a pool")
	}
	return out
}

// Fields lists every name that a CRM's field may be mapped to.
func Fields() []string {
	out := []string{string(Domain), string(Email), string(FirstName), string(LastName), string(Employer), string(Owner),
		string(Score), string(Tier), string(Reasons), string(EnrichedAt)}
	for _, name := range galena.FieldNames() {
		if strings.HasPrefix(name, "company.") || strings.HasPrefix(name, "lead.") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

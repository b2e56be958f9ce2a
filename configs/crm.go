package configs

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/rest"
)

// The kinds of CRM.
const (
	crmNone   = "none"
	crmREST   = "rest"
	crmTwenty = "twenty"
)

var idShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// CRM is the `spec` of a file of kind CRM: where decided leads are written to.
type CRM struct {
	ID   string       `yaml:"id,omitempty"` // names GALENA_CRM_<ID>_TOKEN
	Kind string       `yaml:"kind"`
	REST *rest.Config `yaml:"rest,omitempty"`
	// Of a CRM that we know: what differs from the usual there.
	crm.Mapping `yaml:",inline"`
}

// Chosen says that there is a CRM.
func (c CRM) Chosen() bool { return c.Kind != "" && c.Kind != crmNone }

// Known says that the CRM is one that we know, and not described by the file.
func (c CRM) Known() bool { return c.Kind == crmTwenty }

// Validate returns every fault.
func (c CRM) Validate() error {
	var faults []error
	words := []string{crmNone, crmREST, crmTwenty}
	if !slices.Contains(words, c.Kind) {
		f := galena.Faultf("spec.kind", "E02", "must be one of %s, is %q", strings.Join(words, ", "), c.Kind)
		f.Hint = galena.Nearest(c.Kind, words)
		faults = append(faults, f)
	}
	if c.Chosen() && !idShape.MatchString(c.ID) {
		faults = append(faults, galena.Faultf("spec.id", "E02", "must be lower-case letters, digits and hyphens, is %q", c.ID))
	}
	switch {
	case c.Kind == crmREST && c.REST == nil:
		faults = append(faults, galena.Faultf("spec.kind", "E02", "kind rest needs rest, the description of the CRM"))
	case c.Kind != crmREST && c.REST != nil:
		faults = append(faults, galena.Faultf("spec.rest", "E02", "goes with kind: rest, not %s", cmp.Or(c.Kind, crmNone)))
	}
	if c.REST != nil {
		faults = append(faults, c.REST.Validate("spec.rest"))
	}
	if !c.Known() && (len(c.Owners) > 0 || len(c.Fields) > 0) {
		faults = append(faults, galena.Faultf("spec.kind", "E02", "owners and fields go with kind: twenty, not %s", cmp.Or(c.Kind, crmNone)))
	}
	faults = append(faults, c.Faults("spec")...)
	return errors.Join(faults...)
}

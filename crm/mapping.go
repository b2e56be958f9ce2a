package crm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Mapping is what an operator's file says to a connector that knows its CRM
// itself: only what differs from the usual there.
type Mapping struct {
	Owners map[string]string            `yaml:"owners,omitempty"` // rep of the routing -> the CRM's user, by e-mail address or id
	Fields map[string]map[string]Placed `yaml:"fields,omitempty"` // company, person -> our field
}

// Placed is where a field stands, and how it is written.
type Placed struct {
	Rule  `yaml:",inline"`
	Place string `yaml:"place,omitempty"` // the CRM's own name for it; default: the usual one
}

// placeShape is a name, or a name and the part of it that is meant.
var placeShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}(\.[A-Za-z][A-Za-z0-9_]{0,62})?$`)

// Faults are what is wrong with a mapping at a path of the file, in order.
func (m Mapping) Faults(at string) []error {
	var out []error
	for _, rep := range slices.Sorted(maps.Keys(m.Owners)) {
		if strings.TrimSpace(m.Owners[rep]) == "" {
			out = append(out, galena.Faultf(at+".owners."+rep, "E02", "must be the e-mail address or the id of a user of the CRM"))
		}
	}
	objects := []string{string(Company), string(Person)}
	for _, o := range slices.Sorted(maps.Keys(m.Fields)) {
		if !slices.Contains(objects, o) {
			out = append(out, galena.Faultf(at+".fields."+o, "E02", "must be one of %s, is %q", strings.Join(objects, ", "), o))
			continue
		}
		for _, f := range slices.Sorted(maps.Keys(m.Fields[o])) {
			out = append(out, m.field(fmt.Sprintf("%s.fields.%s.%s", at, o, f), o, f)...)
		}
	}
	return out
}

// field checks one line.
func (m Mapping) field(path, o, f string) []error {
	p := m.Fields[o][f]
	out := p.Faults(path, Field(f))
	if !slices.Contains(Fields(), f) && !m.suggests(o, f) {
		fault := galena.Faultf(path, "E04", "unknown field %q", f)
		fault.Hint = galena.Nearest(f, Fields())
		out = append(out, fault)
	}
	if p.Place != "" && !placeShape.MatchString(p.Place) {
		out = append(out, galena.Faultf(path+".place", "E02", "%q is no name such as headcount or address.addressCity", p.Place))
	}
	if p.Shadow != "" && m.Fields[o][p.Shadow].Place == "" {
		out = append(out, galena.Faultf(path+".shadow", "E02", "no field is called %q: give it a line with its place", p.Shadow))
	}
	return out
}

// suggests says that a field exists for the suggestions of another.
func (m Mapping) suggests(o, f string) bool {
	for _, p := range m.Fields[o] {
		if p.Shadow == f {
			return true
		}
	}
	return false
}

// owned are the fields that are ours alone where a file says nothing else.
var owned = []Field{Score, Tier, Reasons, EnrichedAt}

// Policies are how the fields of an object are written: as the mapping says, and
// the others in their usual way. norm puts a word into the form of a field in
// which values are compared.
func (m Mapping) Policies(o Object, fields []Field, norm func(Field, string) string) map[Field]Policy {
	out := map[Field]Policy{}
	for _, f := range fields {
		rule := m.Fields[string(o)][string(f)].Rule
		if rule.Write == "" && slices.Contains(owned, f) {
			rule.Write = Own
		}
		out[f] = rule.Policy(func(word string) string { return norm(f, word) })
	}
	return out
}

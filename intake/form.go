package intake

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// newLead is the lead as it will be kept.
func newLead(id string, s galena.Submission, j galena.Judgement, now time.Time) galena.Lead {
	l := galena.Lead{
		ID: id, ExternalID: s.ExternalID, Judgement: j, Status: statusOf(j.Verdict),
		Name: maskCards(s.Name), FirstName: maskCards(s.FirstName), LastName: maskCards(s.LastName),
		Company: maskCards(s.Company), Website: maskCards(s.Website), JobTitle: maskCards(s.JobTitle),
		Phone: s.Phone, Country: s.Country, Form: s.Form, Source: s.Source,
		Consent: maskFields(s.Consent), Fields: maskFields(s.Fields), UTM: maskWords(s.UTM), Epoch: 1, CreatedAt: now,
	}
	if l.Name == "" {
		l.Name = strings.TrimSpace(l.FirstName + " " + l.LastName)
	}
	return l
}

// statusOf is where a lead begins, by its verdict. A suppressed person is told
// what everybody is told.
func statusOf(v galena.Verdict) galena.LeadStatus {
	switch v {
	case galena.Quarantine, galena.Confirm:
		return galena.StatusQuarantined
	case galena.InternalOK:
		return galena.StatusInternal
	default:
		return galena.StatusAccepted
	}
}

// observations are the company facts that a form states and the one that our
// own list of competitors does. What is said of the person stays on the lead.
func observations(l galena.Lead, now time.Time) ([]galena.Observation, error) {
	if l.Domain == "" || l.Verdict != galena.Accept {
		return nil, nil
	}
	said := make(map[string]any, len(l.Fields)+1)
	for name, v := range l.Fields {
		full := "company." + strings.TrimPrefix(name, "company.")
		if _, both := l.Fields[full]; both && name != full {
			continue // a form that gives both means the full name
		}
		said[full] = v
	}
	if l.Company != "" {
		said["company.name"] = l.Company
	}
	var out []galena.Observation
	names := slices.AppendSeq(make([]string, 0, len(said)), maps.Keys(said))
	slices.Sort(names)
	for _, name := range names {
		f, ok := galena.LookupField(name)
		if !ok || !sayable(f.Name) {
			continue
		}
		v, err := galena.ParseValue(f, said[name])
		if err != nil || v.Empty() || octets(v) > maxSaid {
			continue // an answer that cannot be read stays on the lead, and the field unknown
		}
		o, err := observation(l.Domain, f.Name, v, l.ID, now)
		if err != nil {
			return nil, err
		}
		o.Source, o.Class, o.Method = "form", galena.ClassForm, "form"
		out = append(out, o)
	}
	if slices.Contains(l.Codes, codeCompetitor) {
		o, err := competitor(l.Domain, l.ID, now)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// competitor is what our own list says of a company.
func competitor(domain, ref string, now time.Time) (galena.Observation, error) {
	o, err := observation(domain, "company.competitor", galena.BoolValue(true), ref, now)
	o.Source, o.Class, o.Method = "hygiene", galena.ClassCRM, "derived"
	return o, err
}

func observation(domain, field string, v galena.Value, ref string, now time.Time) (galena.Observation, error) {
	id, err := uuid.NewV7()
	return galena.Observation{ID: id.String(), Entity: domain, Field: field, Value: v, Ref: ref, Confidence: 1, ObservedAt: now, FetchedAt: now}, err
}

// maxSaid is longer than any answer that says something, in octets. What is kept of a
// company is read with every lead of it.
const maxSaid = 4096

// octets is how much a value keeps of what was said.
func octets(v galena.Value) int {
	n := len(v.Raw) + len(v.Text)
	for _, it := range v.Set {
		n += len(it)
	}
	return n
}

// sayable says that a form may state the field. What the domain is, whether it
// belongs to a competitor or to a mailbox host, and how we tagged the company is
// ours to say.
func sayable(field string) bool {
	return strings.HasPrefix(field, "company.") && !slices.Contains([]string{
		"company.domain", "company.competitor", "company.is_email_provider", "company.tags", "company.status"}, field)
}

package crm

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Policies say for each object which fields are written, and how. A field that
// is not among them is left alone.
type Policies map[Object]map[Field]Policy

// JobOf is what a decided lead brings into a CRM: its company, if it has one,
// then the person and the link between them. The company gets what was decided
// last of its people, whoever's turn it is: so that its record does not change
// with each of them. account is the lead of that decision. It is empty for a lead
// without a decision. An error means that the CRM could not even be asked for the
// form of a value.
func JobOf(c CRM, policies Policies, run string, lead, account galena.Record) (Job, error) {
	j := Job{Run: run, Kind: galena.CRMRunLead, LeadID: lead.Lead.ID}
	if lead.Decision == nil {
		return j, nil
	}
	if account.Decision == nil || account.Company.Domain != lead.Company.Domain {
		account = lead
	}
	if m := policies[Company]; len(m) > 0 && lead.Company.Domain != "" {
		wants, err := wantsOf(c, Company, m, account)
		if err != nil {
			return j, err
		}
		j.Records = append(j.Records, Wanted{Key: Key{Object: Company, Domain: lead.Company.Domain}, Wants: wants})
	}
	if m := policies[Person]; len(m) > 0 && lead.Lead.Email != "" {
		wants, err := wantsOf(c, Person, m, lead)
		if err != nil {
			return j, err
		}
		x := Wanted{Key: Key{Object: Person, Email: lead.Lead.Email}, Wants: wants}
		if p, ok := m[Employer]; ok && len(j.Records) > 0 {
			x.Link = &Want{Field: Employer, Policy: p, Source: "galena", Confidence: 1, ObservedAt: lead.Decision.DecidedAt}
		}
		j.Records = append(j.Records, x)
	}
	return j, nil
}

// wantsOf is one want for each mapped field of which something is known, in the
// order of the alphabet.
func wantsOf(c CRM, o Object, policies map[Field]Policy, r galena.Record) ([]Want, error) {
	var out []Want
	var newest time.Time
	for _, f := range slices.Sorted(maps.Keys(policies)) {
		fact := known(r, f)
		if f == Employer || f == EnrichedAt || fact.State != galena.Known && fact.State != galena.Partial || fact.Value.Empty() {
			continue
		}
		w := Want{Field: f, Policy: policies[f], Source: fact.Source, Confidence: fact.Confidence, ObservedAt: fact.ObservedAt}
		w.Encoded, w.Err = c.Encode(o, f, fact.Value)
		if err := outage(w.Err); err != nil {
			return nil, err
		}
		if out = append(out, w); strings.HasPrefix(string(f), "company.") && fact.ObservedAt.After(newest) {
			newest = fact.ObservedAt
		}
	}
	if p, ok := policies[EnrichedAt]; ok && !newest.IsZero() {
		w := Want{Field: EnrichedAt, Policy: p, Source: "galena", Confidence: 1, ObservedAt: newest}
		w.Encoded, w.Err = c.Encode(o, EnrichedAt, galena.DateValue(newest))
		if err := outage(w.Err); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// outage is an error that says nothing of the value: nobody could be asked.
func outage(err error) error {
	if kind := galena.KindOf(err); kind == galena.NotFound || kind == galena.Invalid {
		return nil
	}
	return err
}

// known is what we know of a field: of the company what it is known for today,
// of the lead and its score what was decided.
func known(r galena.Record, f Field) galena.Fact {
	text := func(s, source string, at time.Time) galena.Fact {
		return *galena.KnownFact(string(f), galena.TextValue(s), source, at)
	}
	form := func(s string) galena.Fact { return text(s, "form", r.Lead.CreatedAt) }
	decided := func(s string) galena.Fact { return text(s, "galena", r.Decision.DecidedAt) }
	first, last := named(r.Lead)
	switch f {
	case Domain:
		return decided(r.Company.Domain)
	case Email:
		return form(r.Lead.Email)
	case FirstName:
		return form(first)
	case LastName:
		return form(last)
	case Owner:
		return decided(r.Decision.Assignment.Rep)
	case Tier:
		return decided(r.Decision.Tier)
	case Reasons:
		return decided(strings.Join(r.Decision.TopReasons, "\n"))
	case Score:
		points := int64(r.Decision.Score.Score)
		return *galena.KnownFact(string(f), galena.Value{Type: galena.TypeScore, Lo: points, Hi: points}, "galena", r.Decision.DecidedAt)
	case "company.name":
		if fact := r.Company.Facts.Get(string(f)); fact.State == galena.Known {
			return fact
		}
		if r.Lead.Company != "" {
			return form(r.Lead.Company)
		}
		return decided(r.Company.Domain) // a record without a name is taken nowhere
	}
	if strings.HasPrefix(string(f), "company.") {
		return r.Company.Facts.Get(string(f))
	}
	return r.Decision.Facts.Get(string(f))
}

// named splits a name that came in one piece at its first space.
func named(l galena.Lead) (first, last string) {
	if l.FirstName != "" || l.LastName != "" {
		return l.FirstName, l.LastName
	}
	first, last, _ = strings.Cut(strings.TrimSpace(l.Name), " ")
	return first, strings.TrimSpace(last)
}

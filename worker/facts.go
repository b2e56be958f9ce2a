package worker

import (
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// leadFactsMost is how many facts most leads bring along, with those of matchFacts.
const leadFactsMost = 16

// leadFacts is what the form and the gate say of the person. What a form could
// have said about itself and did not is absent; what it did not say about the
// person is unknown.
func leadFacts(l galena.Lead) galena.Facts {
	facts := make(galena.Facts, leadFactsMost)
	set := func(field, source string, v galena.Value, emptyIsAbsent bool) {
		if v.Empty() && !emptyIsAbsent {
			return
		}
		facts[field] = galena.KnownFact(field, v, source, l.CreatedAt)
	}
	set("lead.job_title", "form", galena.TextValue(l.JobTitle), false)
	set("lead.company", "form", galena.TextValue(l.Company), false)
	set("lead.website", "form", galena.TextValue(l.Website), false)
	set("lead.country", "form", galena.CountryValue(l.Country), false)
	set("lead.email_class", "hygiene", galena.EnumValue(string(l.Class)), false)
	set("lead.form", "form", galena.EnumValue(l.Form), true)
	set("lead.source", "form", galena.EnumValue(l.Source), true)
	for _, k := range []string{"source", "medium", "campaign"} {
		set("lead.utm_"+k, "form", galena.EnumValue(l.UTM[k]), true)
	}
	if v, ok := l.Consent["marketing"].(bool); ok {
		set("lead.consent_marketing", "form", galena.BoolValue(v), false)
	}
	for k, raw := range l.Fields {
		field, _ := galena.LookupField("lead.fields." + k)
		if v, err := galena.ParseValue(field, raw); err == nil {
			set(field.Name, "form", v, false)
		}
	}
	set("company.domain", "hygiene", galena.TextValue(l.Domain), false)
	return facts
}

// namedRep is the rep of a named account, by any domain that the company is known by.
func namedRep(of func(domain string) string, m galena.Memory) string {
	for _, d := range append(slices.Clone(m.Domains), m.Lead.Domain) {
		if rep := of(d); rep != "" {
			return rep
		}
	}
	return ""
}

// matchFacts adds who already knows this person or company. They are known
// either way: nobody is an answer too.
func matchFacts(facts galena.Facts, m galena.Memory, namedRep string, now time.Time) {
	set := func(field, rep string) { facts[field] = galena.KnownFact(field, galena.TextValue(rep), "galena", now) }
	set("match.open_lead_owner", m.OpenLeadOwner)
	set("match.account_owner", m.AccountOwner)
	set("match.named_account_rep", namedRep)
}

// companyFacts keeps the part of a profile that is about the company.
func companyFacts(all galena.Facts) galena.Facts {
	out := make(galena.Facts, len(all))
	for name, f := range all {
		if strings.HasPrefix(name, "company.") && f.State != galena.Unknown {
			out[name] = f
		}
	}
	return out
}

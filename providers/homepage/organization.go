package homepage

import (
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// organizations are the types of schema.org that a company calls itself.
var organizations = []string{"Organization", "Corporation", "LocalBusiness", "OnlineBusiness", "OnlineStore", "NGO",
	"EducationalOrganization", "GovernmentOrganization", "MedicalOrganization", "NewsMediaOrganization", "ProfessionalService"}

// organization finds the company among the data of a page: the first of its
// kind that does not name another site as its own.
func (p page) organization(domain string) providers.Object {
	for _, o := range p.data {
		if found := search(o, domain); found != nil {
			return found
		}
	}
	return nil
}

// search looks at a node and at the graph below it.
func search(o providers.Object, domain string) providers.Object {
	types := append(o.Texts("@type"), o.Text("@type"))
	at := o.Text("url")
	onSite := at == "" || strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//")
	about := onSite || providers.CheckSubject(op, domain, at, nil) == nil
	if about && slices.ContainsFunc(types, func(t string) bool { return slices.Contains(organizations, t) }) {
		return o
	}
	for _, below := range append(o.Objects("@graph"), o.Object("@graph")) {
		if below == nil {
			continue
		}
		if found := search(below, domain); found != nil {
			return found
		}
	}
	return nil
}

// record makes observations of what the page says.
func (p page) record(domain string, now time.Time) providers.Record {
	var (
		r       providers.Record
		o       = p.organization(domain)
		address = one(o, "address")
		size    = o.Object("numberOfEmployees")
	)
	name := o.Text("name")
	if name == "" {
		name = p.meta["og:site_name"]
	}
	r.Add("company.name", galena.TextValue(providers.Name(name)), "Organization.name")
	r.Add("company.legal_name", galena.TextValue(o.Text("legalName")), "Organization.legalName")
	description := p.meta["description"]
	if description == "" {
		description = p.meta["og:description"]
	}
	r.Add("company.description", galena.TextValue(providers.Description(description)), "meta description")
	count, band := o.Text("numberOfEmployees"), ""
	if size != nil {
		count = size.Text("value")
		if lo, hi := size.Text("minValue"), size.Text("maxValue"); lo != "" && hi != "" {
			band = lo + "-" + hi
		}
	}
	r.Add("company.employee_count", providers.Employees(count, band), "Organization.numberOfEmployees")
	r.Add("company.founded_year", providers.Year(o.Text("foundingDate"), now), "Organization.foundingDate")
	r.Add("company.hq_country", providers.CountryOf(address.Text("addressCountry"), address.Object("addressCountry").Text("name")),
		"Organization.address")
	r.Add("company.hq_city", galena.TextValue(providers.Name(address.Text("addressLocality"))), "Organization.address")
	r.Add("company.phone", galena.TextValue(o.Text("telephone")), "Organization.telephone")
	r.Add("company.parent_domain", galena.TextValue(providers.Domain(one(o, "parentOrganization").Text("url"))),
		"Organization.parentOrganization")
	r.Add("company.linkedin_url", galena.TextValue(p.linkedIn(o)), "Organization.sameAs")
	if len(p.products) > 0 {
		var names []string
		for n := range p.products {
			names = append(names, n)
		}
		r.Add("company.technologies", providers.Technologies(names), "scripts, headers")
	}
	return r
}

// linkedIn is what the data name, else the first link to a company.
func (p page) linkedIn(o providers.Object) string {
	for _, s := range append(o.Texts("sameAs"), o.Text("sameAs")) {
		if v := providers.LinkedIn(s); v.Text != "" {
			return v.Text
		}
	}
	return p.linkedin
}

// one is an object, or the first of a list of them.
func one(o providers.Object, key string) providers.Object {
	if list := o.Objects(key); len(list) > 0 {
		return list[0]
	}
	return o.Object(key)
}

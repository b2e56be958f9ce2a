package providers

import (
	"time"

	"github.com/galenahq/galena"
)

// ReadClearbitShape reads the company record that one vendor invented and
// several others answer with. They differ in small things, all accepted here:
// metrics.employees is a number with employeesRange beside it, or the range
// itself; indexedAt is a day or an instant; emailProvider is a flag or a host.
// A field of the wrong type is unknown; only a record about another company
// is an error.
func ReadClearbitShape(op, asked string, o Object, now time.Time) (Record, error) {
	if err := CheckSubject(op, asked, o.Text("domain"), o.Texts("domainAliases")); err != nil {
		return Record{}, err
	}
	var (
		r        Record
		category = o.Object("category")
		metrics  = o.Object("metrics")
		geo      = o.Object("geo")
	)
	r.Add("company.name", galena.TextValue(Name(o.Text("name"))), "name")
	r.Add("company.legal_name", galena.TextValue(o.Text("legalName")), "legalName")
	r.Add("company.description", galena.TextValue(Description(o.Text("description"))), "description")
	r.AddIndustry("category", category.Text("industry"), category.Text("subIndustry"), category.Text("industryGroup"))
	r.Add("company.type", CompanyType(o.First("company_type", "type")), "type")
	r.Add("company.employee_count", Employees(metrics.Text("employees"), metrics.Text("employeesRange")), "metrics.employees")
	r.Add("company.annual_revenue_usd",
		Revenue(metrics.Text("annualRevenue"), metrics.Text("estimatedAnnualRevenue"), ""), "metrics.annualRevenue")
	if raised, ok := metrics.Number("raised"); ok {
		r.Add("company.funding_total_usd", galena.Number(raised), "metrics.raised")
	}
	r.Add("company.founded_year", Year(o.Text("foundedYear"), now), "foundedYear")
	r.Add("company.hq_country", CountryOf(geo.Text("countryCode"), geo.Text("country")), "geo.country")
	r.Add("company.hq_city", galena.TextValue(Name(geo.Text("city"))), "geo.city")
	if tech := o.Texts("tech"); tech != nil {
		r.Add("company.technologies", Technologies(tech), "tech")
	}
	if tags := o.Texts("tags"); tags != nil {
		r.Add("company.tags", galena.SetValue(tags, false), "tags")
	}
	r.Add("company.linkedin_url", LinkedIn(o.Object("linkedin").Text("handle")), "linkedin.handle")
	r.Add("company.phone", galena.TextValue(o.Text("phone")), "phone")
	r.Add("company.parent_domain", galena.TextValue(Domain(o.Object("parent").Text("domain"))), "parent.domain")
	if free, ok := o["emailProvider"].(bool); ok {
		r.Add("company.is_email_provider", galena.BoolValue(free), "emailProvider")
	}
	if at := When(o.Text("indexedAt"), now); !at.IsZero() {
		for i := range r.Observations {
			r.Observations[i].ObservedAt = at
		}
	}
	return r, nil
}

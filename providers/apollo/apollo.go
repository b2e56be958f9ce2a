// Package apollo asks Apollo's organization enrichment. It writes 0 and null
// for what it does not know, answers a miss with an empty 200, and mixes the
// caller's own CRM records into the answer, which are left alone.
package apollo

import (
	"context"
	"net/url"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Apollo. Whether a miss is charged is not documented: it is
// taken to be, which asks it later. A company is one credit; what that costs is
// the plan's: two and a half cents are assumed.
var Spec = providers.Spec{
	Name: "apollo", Title: "Apollo", Docs: "https://docs.apollo.io/reference/organization-enrichment",
	BaseURL: "https://api.apollo.io", CostMicros: 25_000, Assumed: true,
	P95: 700 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.8, Class: galena.ClassProvider,
	Rate: 10, Burst: 10, // 1,000 a minute on paid plans; a free plan says 429 and how long
	Fields: map[string]float64{
		"company.name": 0.85, "company.description": 0.75, "company.industry": 0.8, "company.type": 0.05,
		"company.employee_count": 0.85, "company.annual_revenue_usd": 0.65, "company.funding_total_usd": 0.15,
		"company.founded_year": 0.65, "company.hq_country": 0.85, "company.hq_city": 0.8,
		"company.technologies": 0.75, "company.tags": 0.7, "company.linkedin_url": 0.8, "company.phone": 0.5,
		"company.parent_domain": 0.05,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "apollo.enrich"

type adapter struct{ settings providers.Settings }

// Enrich asks for one company. A 403 means that the key may not call this
// route, which stays so: the table of statuses reads it as such.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/api/v1/organizations/enrich", Query: url.Values{"domain": {q.Domain}},
		Header: map[string]string{"x-api-key": a.settings.Key},
	})
	if err != nil {
		return providers.Record{}, err
	}
	c := o.Object("organization")
	switch {
	case c == nil && o["organization"] != nil:
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the organization is no object")
	case len(c) == 0:
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "no such company")
	}
	if err := providers.CheckSubject(op, q.Domain, c.Text("primary_domain"), []string{c.Text("website_url")}); err != nil {
		return providers.Record{}, err
	}
	return read(c, a.settings.Now()), nil
}

func read(c providers.Object, now time.Time) providers.Record {
	var r providers.Record
	r.Add("company.name", galena.TextValue(providers.Name(c.Text("name"))), "organization.name")
	r.Add("company.description", galena.TextValue(providers.Description(c.First("short_description", "seo_description"))),
		"organization.short_description")
	r.AddIndustry("organization.industry", append([]string{c.Text("industry")}, c.Texts("industries")...)...)
	if c.Text("publicly_traded_symbol") != "" {
		r.Add("company.type", providers.CompanyType("public"), "organization.publicly_traded_symbol")
	}
	r.Add("company.employee_count", providers.Employees(c.Text("estimated_num_employees"), ""), "organization.estimated_num_employees")
	r.Add("company.annual_revenue_usd", providers.Revenue(c.Text("annual_revenue"), c.Text("annual_revenue_printed"), ""),
		"organization.annual_revenue")
	if raised, ok := c.Number("total_funding"); ok {
		r.Add("company.funding_total_usd", galena.Number(raised), "organization.total_funding")
	}
	r.Add("company.founded_year", providers.Year(c.Text("founded_year"), now), "organization.founded_year")
	r.Add("company.hq_country", providers.CountryOf(c.Text("country")), "organization.country")
	r.Add("company.hq_city", galena.TextValue(providers.Name(c.Text("city"))), "organization.city")
	if tech := technologies(c); tech != nil {
		r.Add("company.technologies", providers.Technologies(tech), "organization.current_technologies")
	}
	if tags := c.Texts("keywords"); tags != nil {
		r.Add("company.tags", galena.SetValue(tags, false), "organization.keywords")
	}
	r.Add("company.linkedin_url", providers.LinkedIn(c.Text("linkedin_url")), "organization.linkedin_url")
	r.Add("company.phone", galena.TextValue(c.Text("phone")), "organization.phone")
	owner := c.Object("owned_by_organization")
	r.Add("company.parent_domain", galena.TextValue(providers.Domain(owner.First("primary_domain", "website_url"))),
		"organization.owned_by_organization")
	return r
}

// technologies are the products by name: the vendor's ids spell one product in
// several ways.
func technologies(c providers.Object) []string {
	list := c.Objects("current_technologies")
	if list == nil {
		return c.Texts("technology_names")
	}
	out := make([]string, 0, len(list))
	for _, t := range list {
		out = append(out, t.Text("name"))
	}
	return out
}

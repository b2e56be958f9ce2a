// Package thecompaniesapi asks The Companies API. Its 403 means that the
// credits are used up, its Basic authorization takes the token as it is, and
// it is the one vendor that tells a dead company from a living one.
package thecompaniesapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes The Companies API. A company costs one credit, a miss none; what
// a credit costs is the plan's: a fifth of a cent is assumed.
var Spec = providers.Spec{
	Name: "thecompaniesapi", Title: "The Companies API", Docs: "https://www.thecompaniesapi.com/api",
	BaseURL: "https://api.thecompaniesapi.com", CostMicros: 1_900, Assumed: true, PerMatch: true,
	P95: 800 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.7, Class: galena.ClassProvider,
	Rate: 25, Burst: 25, // 50 a second on the smallest plan
	Fields: map[string]float64{
		"company.name": 0.85, "company.legal_name": 0.3, "company.description": 0.8, "company.industry": 0.75,
		"company.type": 0.65, "company.employee_count": 0.75, "company.annual_revenue_usd": 0.5,
		"company.founded_year": 0.55, "company.hq_country": 0.8, "company.hq_city": 0.7, "company.technologies": 0.5,
		"company.tags": 0.6, "company.linkedin_url": 0.7, "company.parent_domain": 0.05, "company.status": 0.8,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "thecompaniesapi.enrich"

type adapter struct{ settings providers.Settings }

// Enrich asks for one company as they hold it: a fresh crawl costs ten times
// as much. An empty object is a miss.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/v2/companies/" + url.PathEscape(q.Domain),
		Header: map[string]string{"Authorization": "Basic " + a.settings.Key},
		Means:  map[int]galena.Kind{http.StatusForbidden: galena.Exhausted},
	})
	if err != nil {
		return providers.Record{}, err
	}
	domain := o.Object("domain")
	switch {
	case domain == nil && o.Object("about") == nil && o["domain"] == nil:
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "no such company")
	case domain == nil:
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no domain")
	}
	aliases := append(domain.Texts("domainAlts"), domain.Text("alias"), domain.Text("redirection"))
	if err := providers.CheckSubject(op, q.Domain, domain.Text("domain"), aliases); err != nil {
		return providers.Record{}, err
	}
	return read(o, a.settings.Now()), nil
}

func read(o providers.Object, now time.Time) providers.Record {
	var (
		r        providers.Record
		about    = o.Object("about")
		finances = o.Object("finances")
		hq       = o.Object("locations").Object("headquarters")
		meta     = o.Object("meta")
	)
	r.Add("company.name", galena.TextValue(providers.Name(about.Text("name"))), "about.name")
	r.Add("company.legal_name", galena.TextValue(about.Text("nameLegal")), "about.nameLegal")
	r.Add("company.description", galena.TextValue(providers.Description(o.Object("descriptions").First("primary", "tagline"))),
		"descriptions.primary")
	r.AddIndustry("about.industry", append([]string{about.Text("industry")}, about.Texts("industries")...)...)
	r.Add("company.type", providers.CompanyType(about.Text("businessType")), "about.businessType")
	r.Add("company.employee_count", providers.Employees(about.Text("totalEmployeesExact"), about.Text("totalEmployees")), "about.totalEmployees")
	r.Add("company.annual_revenue_usd", providers.Revenue("", finances.Text("revenue"), ""), "finances.revenue")
	r.Add("company.founded_year", providers.Year(about.Text("yearFounded"), now), "about.yearFounded")
	country, city := hq.Object("country"), hq.Object("city")
	r.Add("company.hq_country", providers.CountryOf(country.Text("code"), country.Text("name")), "locations.headquarters.country")
	r.Add("company.hq_city", galena.TextValue(providers.Name(city.Text("name"))), "locations.headquarters.city")
	if tech := o.Object("technologies").Texts("active"); tech != nil {
		r.Add("company.technologies", providers.Technologies(tech), "technologies.active")
	}
	if tags := about.Texts("industries"); tags != nil {
		r.Add("company.tags", galena.SetValue(tags, false), "about.industries")
	}
	r.Add("company.linkedin_url", providers.LinkedIn(o.Object("socials").Object("linkedin").Text("url")), "socials.linkedin.url")
	r.Add("company.parent_domain", galena.TextValue(providers.Domain(o.Object("companies").Object("parent").Text("domain"))),
		"companies.parent.domain")
	r.Add("company.status", status(about.Text("yearEnded"), o.Object("domain").Text("state"), now), "domain.state")
	r.Vouch(score(meta), providers.When(meta.Text("syncedAt"), now))
	r.Credits = credits(meta)
	return r
}

// states are what the vendor says of a company's site. A broken site is no
// dead company.
var states = map[string]string{"operating": "active", "for-sale": "for-sale", "redirected": "redirected"}

// status is dead when the company has ended, else what its site shows.
func status(ended, state string, now time.Time) galena.Value {
	if providers.Year(ended, now).Type != "" {
		return galena.EnumValue("dead")
	}
	return galena.EnumValue(states[galena.Slug(state)])
}

// score is their confidence; on another scale than 0 to 1 it is not taken.
func score(meta providers.Object) float64 {
	x, err := strconv.ParseFloat(meta.Text("score"), 64)
	if err != nil || !(x > 0 && x <= 1) {
		return 0
	}
	return x
}

// maxCredits is more than any one company costs; a larger number is not one.
const maxCredits = 100

// credits is what the answer says it cost, nil when it says nothing.
func credits(meta providers.Object) *int64 {
	n, err := strconv.ParseInt(meta.Text("cost"), 10, 64)
	if free, _ := meta["freeRequest"].(bool); free {
		n, err = 0, nil
	}
	if err != nil || n < 0 || n > maxCredits {
		return nil
	}
	return &n
}

// Package abstract asks Abstract's company enrichment. It takes the key in the
// query only, answers everything 200, a miss as well as some errors, charges
// misses, and its 422 means that the quota is used up.
package abstract

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Abstract. Every request is a credit, found or not; what a credit
// costs is the plan's: one cent is assumed.
var Spec = providers.Spec{
	Name: "abstract", Title: "Abstract", Docs: "https://docs.abstractapi.com/company-enrichment",
	BaseURL: "https://companyenrichment.abstractapi.com", CostMicros: 10_000, Assumed: true,
	P95: 900 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.6, Class: galena.ClassProvider,
	Rate: 1, Burst: 1, // 1 a second on the free plan
	Fields: map[string]float64{
		"company.name": 0.8, "company.description": 0.6, "company.industry": 0.7, "company.type": 0.5,
		"company.employee_count": 0.7, "company.annual_revenue_usd": 0.4, "company.founded_year": 0.6,
		"company.hq_country": 0.75, "company.hq_city": 0.65, "company.technologies": 0.5, "company.tags": 0.4,
		"company.linkedin_url": 0.7, "company.phone": 0.3,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "abstract.enrich"

type adapter struct{ settings providers.Settings }

// Enrich asks for one company. The key is part of the URL, which therefore
// must never be told: no error names a URL.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/v2", Query: url.Values{"api_key": {a.settings.Key}, "domain": {q.Domain}},
		Means: map[int]galena.Kind{http.StatusUnprocessableEntity: galena.Exhausted},
	})
	if err != nil {
		return providers.Record{}, err
	}
	if o["error"] != nil {
		return providers.Record{}, refusal(o.Object("error").Text("code"))
	}
	switch {
	case o.Text("company_name") != "":
	case o.Text("name") != "" || o.Text("employees_count") != "":
		// The older product's keys: taking this for a miss would lose every hit.
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer is of another version")
	default:
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "no such company")
	}
	if err := providers.CheckSubject(op, q.Domain, o.Text("domain"), nil); err != nil {
		return providers.Record{}, err
	}
	return read(o, a.settings.Now()), nil
}

// refusal reads an error that came as a 200.
func refusal(code string) error {
	code = strings.ToLower(code)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(code, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("quota", "credit"):
		return galena.Errorf(galena.Exhausted, op, "the quota is used up")
	case has("too_many", "rate"):
		return galena.Errorf(galena.RateLimited, op, "too many requests")
	case has("unauthorized", "api_key"):
		return galena.Errorf(galena.Unauthorized, op, "the key was refused")
	default:
		return galena.Errorf(galena.Malformed, op, "an error came as an answer")
	}
}

func read(o providers.Object, now time.Time) providers.Record {
	var r providers.Record
	r.Add("company.name", galena.TextValue(providers.Name(o.Text("company_name"))), "company_name")
	r.Add("company.description", galena.TextValue(providers.Description(o.Text("description"))), "description")
	r.AddIndustry("industry", o.Text("industry"))
	r.Add("company.type", providers.CompanyType(o.Text("type")), "type")
	r.Add("company.employee_count", providers.Employees(o.Text("employee_count"), o.Text("employee_range")), "employee_count")
	r.Add("company.annual_revenue_usd", providers.Revenue(o.Text("annual_revenue"), o.Text("revenue_range"), ""), "annual_revenue")
	r.Add("company.founded_year", providers.Year(o.Text("year_founded"), now), "year_founded")
	r.Add("company.hq_country", providers.CountryOf(o.Text("country_iso_code"), o.Text("country")), "country")
	r.Add("company.hq_city", galena.TextValue(providers.Name(o.Text("city"))), "city")
	if tech := o.Texts("technologies"); tech != nil {
		r.Add("company.technologies", providers.Technologies(tech), "technologies")
	}
	if tags := o.Texts("tags"); tags != nil {
		r.Add("company.tags", galena.SetValue(tags, false), "tags")
	}
	r.Add("company.linkedin_url", providers.LinkedIn(o.Text("linkedin_url")), "linkedin_url")
	if phones := o.Texts("phone_numbers"); len(phones) > 0 {
		r.Add("company.phone", galena.TextValue(phones[0]), "phone_numbers")
	}
	return r
}

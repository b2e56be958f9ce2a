// Package peopledatalabs asks People Data Labs' company enrichment. It matches
// loosely and says how sure it is on a scale that is not linear; its headcount
// counts profiles, so that the band which people report themselves stands.
package peopledatalabs

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes People Data Labs. A match is one credit, as the header of the
// answer says; what a credit costs is the plan's: ten cents are assumed.
var Spec = providers.Spec{
	Name: "peopledatalabs", Title: "People Data Labs", Docs: "https://docs.peopledatalabs.com/docs/company-enrichment-api",
	BaseURL: "https://api.peopledatalabs.com", CostMicros: 100_000, Assumed: true, PerMatch: true,
	P95: 600 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.75, Class: galena.ClassProvider,
	Rate: 1.5, Burst: 10, // 100 a minute on the free plan
	Fields: map[string]float64{
		"company.name": 0.85, "company.description": 0.75, "company.industry": 0.8, "company.type": 0.7,
		"company.employee_count": 0.8, "company.annual_revenue_usd": 0.4, "company.funding_total_usd": 0.1,
		"company.founded_year": 0.65, "company.hq_country": 0.85, "company.hq_city": 0.8, "company.tags": 0.6,
		"company.linkedin_url": 0.8,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "peopledatalabs.enrich"

// leastLikelihood is what we ask for: below it the vendor guesses, and a miss
// is free.
const leastLikelihood = "6"

type adapter struct{ settings providers.Settings }

// Enrich asks for one company. The record stands at the top of the answer,
// beside the match's own fields.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	var credits *int64
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/v5/company/enrich", Query: url.Values{"website": {q.Domain}, "min_likelihood": {leastLikelihood}},
		Header: map[string]string{"X-Api-Key": a.settings.Key}, Reset: "x-ratelimit-reset",
		Heard: func(h http.Header) {
			if n, err := strconv.ParseInt(h.Get("x-call-credits-spent"), 10, 64); err == nil && n >= 0 && n <= maxCredits {
				credits = &n
			}
		},
	})
	if err != nil {
		return providers.Record{}, err
	}
	if err := providers.CheckSubject(op, q.Domain, o.Text("website"), o.Texts("alternative_domains")); err != nil {
		return providers.Record{}, err
	}
	r := read(o, a.settings.Now())
	r.Credits = credits
	if n, ok := o.Number("likelihood"); ok {
		r.Vouch(confidence(n), time.Time{})
	}
	return r, nil
}

// maxCredits is more than any one company costs; a larger number is not one.
const maxCredits = 100

// likelihoods are what the vendor's scale of 1 to 10 means as a probability:
// it calls 2 "roughly a 10-30% chance".
var likelihoods = [...]float64{1: 0.05, 2: 0.2, 3: 0.3, 4: 0.4, 5: 0.55, 6: 0.7, 7: 0.8, 8: 0.88, 9: 0.94, 10: 0.98}

func confidence(likelihood int64) float64 {
	return likelihoods[min(likelihood, int64(len(likelihoods)-1))]
}

// read takes the record. Names of other companies stand among the alternative
// names, and parents are ids of theirs: neither is taken.
func read(o providers.Object, now time.Time) providers.Record {
	var (
		r        providers.Record
		location = o.Object("location")
	)
	r.Add("company.name", galena.TextValue(providers.Name(o.First("display_name", "name"))), "display_name")
	r.Add("company.description", galena.TextValue(providers.Description(o.First("headline", "summary"))), "headline")
	r.AddIndustry("industry_v2", o.Text("industry_v2"), o.Text("industry"))
	r.Add("company.type", providers.CompanyType(o.Text("type")), "type")
	r.Add("company.employee_count", employees(o), "size")
	r.Add("company.annual_revenue_usd", providers.Revenue("", o.Text("inferred_revenue"), ""), "inferred_revenue")
	if raised, ok := o.Number("total_funding_raised"); ok {
		r.Add("company.funding_total_usd", galena.Number(raised), "total_funding_raised")
	}
	r.Add("company.founded_year", providers.Year(o.Text("founded"), now), "founded")
	r.Add("company.hq_country", providers.CountryOf(location.Text("country")), "location.country")
	r.Add("company.hq_city", galena.TextValue(providers.Name(location.Text("locality"))), "location.locality")
	if tags := o.Texts("tags"); tags != nil {
		r.Add("company.tags", galena.SetValue(tags, false), "tags")
	}
	r.Add("company.linkedin_url", providers.LinkedIn(o.Text("linkedin_url")), "linkedin_url")
	return r
}

// employees is the band; the count is of profiles, which may be more or fewer
// than people, and stands in only where there is no band.
func employees(o providers.Object) galena.Value {
	if v := providers.Employees("", o.Text("size")); v.Type != "" {
		return v
	}
	return providers.Employees(o.Text("employee_count"), "")
}

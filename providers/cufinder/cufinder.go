// Package cufinder asks CUFinder's company enrichment (ENC): a form post whose
// 400 means that the credits are used up, and whose 200 may still be a miss.
package cufinder

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes CUFinder. Revenue and technologies are services of their own
// that cost as much again each; they are not asked.
var Spec = providers.Spec{
	Name: "cufinder", Title: "CUFinder", Docs: "https://apidoc.cufinder.io",
	BaseURL: "https://api.cufinder.io", CostMicros: 30_000, PerMatch: true,
	P95: 1200 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.7, Class: galena.ClassProvider,
	Rate: 5, Burst: 5, // not published
	Fields: map[string]float64{
		"company.name": 0.85, "company.description": 0.7, "company.industry": 0.75, "company.type": 0.65,
		"company.employee_count": 0.75, "company.founded_year": 0.6, "company.hq_country": 0.75, "company.hq_city": 0.65,
		"company.linkedin_url": 0.75, "company.annual_revenue_usd": 0.05, "company.technologies": 0.05,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "cufinder.enrich"

type adapter struct{ settings providers.Settings }

// Enrich asks for one company.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	o, err := providers.PostForm(ctx, a.settings, providers.Request{
		Op: op, Path: "/v2/enc", Form: url.Values{"query": {q.Domain}},
		Header: map[string]string{"x-api-key": a.settings.Key},
		Means:  map[int]galena.Kind{http.StatusBadRequest: galena.Exhausted},
	})
	if err != nil {
		return providers.Record{}, err
	}
	if status := o.Text("status"); status != "1" {
		return providers.Record{}, refusal(status, o.Text("message"))
	}
	data := o.Object("data")
	company := data.Object("company")
	if company == nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no company")
	}
	if err := providers.CheckSubject(op, q.Domain, company.First("domain", "website"), nil); err != nil {
		return providers.Record{}, err
	}
	r := read(company, a.settings.Now())
	if n, ok := data.Number("confidence_level"); ok && n <= 100 {
		for i := range r.Observations {
			r.Observations[i].Confidence = float64(n) / 100
		}
	}
	return r, nil
}

// refusal reads a 200 that is none. Misses, used up credits and a refused key
// share the status -1; only the message tells them apart.
func refusal(status, message string) error {
	message = strings.ToLower(message)
	switch {
	case status != "-1":
		return galena.Errorf(galena.Malformed, op, "the answer has no status")
	case strings.Contains(message, "credit"):
		return galena.Errorf(galena.Exhausted, op, "no credits are left")
	case strings.Contains(message, "api key"):
		return galena.Errorf(galena.Unauthorized, op, "the key was refused")
	default:
		return galena.Errorf(galena.NotFound, op, "no such company")
	}
}

// read takes the flat record that the vendor documents, and what it lacks from
// the nested one that its own tests answer with.
func read(c providers.Object, now time.Time) providers.Record {
	var (
		r         providers.Record
		employees = c.Object("employees")
		location  = c.Object("main_location")
	)
	r.Add("company.name", galena.TextValue(providers.Name(c.Text("name"))), "company.name")
	r.Add("company.description", galena.TextValue(providers.Description(c.First("description", "overview"))), "company.description")
	r.AddIndustry("company.industry", c.Text("industry"))
	r.Add("company.type", providers.CompanyType(c.Text("type")), "company.type")
	r.Add("company.employee_count",
		providers.Employees(either(c.Text("employee_count"), employees.Text("count")), either(c.Text("size"), employees.Text("range"))),
		"company.employee_count")
	r.Add("company.annual_revenue_usd", revenue(c), "company.annual_revenue")
	r.Add("company.founded_year", providers.Year(c.Text("founded_year"), now), "company.founded_year")
	r.Add("company.hq_country", providers.CountryOf(c.Text("country"), location.Text("country")), "company.country")
	r.Add("company.hq_city", galena.TextValue(providers.Name(either(c.Text("city"), location.Text("city")))), "company.city")
	r.Add("company.linkedin_url", providers.LinkedIn(c.Text("linkedin_url")), "company.linkedin_url")
	if tech := c.Texts("technologies"); tech != nil {
		r.Add("company.technologies", providers.Technologies(tech), "company.technologies")
	}
	return r
}

// revenue is a figure, a band, or an object with a currency.
func revenue(c providers.Object) galena.Value {
	if o := c.Object("annual_revenue"); o != nil {
		n, ok := o.Number("annual_revenue")
		if !ok {
			return galena.Value{}
		}
		return providers.Revenue(strconv.FormatInt(n, 10), "", o.Text("currency"))
	}
	return providers.Revenue(c.Text("annual_revenue"), "", "")
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

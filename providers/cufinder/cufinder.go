// Package cufinder asks CUFinder: company enrichment (ENC), revenue (CAR) and
// technologies (FTS), each charged by itself and therefore each planned by
// itself. All are form posts whose 400 means that the credits are used up, and
// whose 200 may still be a miss.
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

// Spec describes company enrichment. What a credit costs is the plan's: three
// cents are assumed for each service.
var Spec = providers.Spec{
	Name: "cufinder", Title: "CUFinder", Docs: "https://apidoc.cufinder.io",
	BaseURL: "https://api.cufinder.io", CostMicros: 30_000, Assumed: true, PerMatch: true,
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
	data, err := ask(ctx, a.settings, op, "/v2/enc", q)
	if err != nil {
		return providers.Record{}, err
	}
	company := data.Object("company")
	if company == nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no company")
	}
	if err := providers.CheckSubject(op, q.Domain, company.First("domain", "website"), nil); err != nil {
		return providers.Record{}, err
	}
	r := read(company, a.settings.Now())
	vouch(&r, data)
	return r, nil
}

// ask posts to one of the services and returns the data of a hit.
func ask(ctx context.Context, s providers.Settings, op, path string, q providers.Query) (providers.Object, error) {
	o, err := providers.PostForm(ctx, s, providers.Request{
		Op: op, Path: path, Form: url.Values{"query": {q.Domain}},
		Header: map[string]string{"x-api-key": s.Key},
		Means:  map[int]galena.Kind{http.StatusBadRequest: galena.Exhausted},
	})
	if err != nil {
		return nil, err
	}
	if status := o.Text("status"); status != "1" {
		return nil, refusal(op, status, o.Text("message"))
	}
	return o.Object("data"), nil
}

// vouch takes over how sure they are, in percent.
func vouch(r *providers.Record, data providers.Object) {
	if n, ok := data.Number("confidence_level"); ok && n <= 100 {
		r.Vouch(float64(n)/100, time.Time{})
	}
}

// refusal reads a 200 that is none. Misses, used up credits and a refused key
// share the status -1; only the message tells them apart.
func refusal(op, status, message string) error {
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
	r.Add("company.technologies", technologies(c), "company.technologies")
	return r
}

// technologies are a list; nothing when there is none.
func technologies(c providers.Object) galena.Value {
	tech := c.Texts("technologies")
	if tech == nil {
		return galena.Value{}
	}
	return providers.Technologies(tech)
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

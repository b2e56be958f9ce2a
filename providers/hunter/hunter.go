// Package hunter asks Hunter's company enrichment. Its 403 and 429 mean the
// reverse of what everybody else means by them, and it gives no hint how long
// to wait.
package hunter

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Hunter. Some plans count a company as one credit and some not
// at all: the price is the dearer, a credit of the smallest paid plan (2,000 for
// $49), and an operator's catalogue may lower it.
var Spec = providers.Spec{
	Name: "hunter", Title: "Hunter", Docs: "https://hunter.io/api-documentation",
	BaseURL: "https://api.hunter.io", CostMicros: 24_500, PerMatch: true,
	P95: 700 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.75, Class: galena.ClassProvider,
	Rate: 8, Burst: 8, // 500 a minute, 15 a second
	Fields: map[string]float64{
		"company.name": 0.85, "company.legal_name": 0.4, "company.description": 0.75, "company.industry": 0.75,
		"company.type": 0.6, "company.employee_count": 0.75, "company.annual_revenue_usd": 0.2,
		"company.funding_total_usd": 0.1, "company.founded_year": 0.6, "company.hq_country": 0.8, "company.hq_city": 0.7,
		"company.technologies": 0.65, "company.tags": 0.6, "company.linkedin_url": 0.7, "company.phone": 0.4,
		"company.parent_domain": 0.05, "company.is_email_provider": 0.05,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

type adapter struct{ settings providers.Settings }

// Enrich asks for one company.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	const op = "hunter.enrich"
	data, err := a.get(ctx, op, "/v2/companies/find", url.Values{"domain": {q.Domain}})
	if err != nil {
		return providers.Record{}, err
	}
	return providers.ReadClearbitShape(op, q.Domain, data, a.settings.Now())
}

// Account asks how many credits are left. Plans of today have one kind; older
// ones count searches by themselves. What remains is told: an allowance less
// what is used leaves out packs that were bought.
func (a adapter) Account(ctx context.Context) (providers.Account, error) {
	data, err := a.get(ctx, "hunter.account", "/v2/account", nil)
	if err != nil {
		return providers.Account{}, err
	}
	out := providers.Account{}
	if day, err := time.Parse(time.DateOnly, data.Text("reset_date")); err == nil {
		out.RenewsAt = day
	}
	requests := data.Object("requests")
	left := cmp.Or(requests.Object("credits").Text("remaining"), requests.Object("searches").Text("remaining"))
	if n, err := strconv.ParseFloat(left, 64); err == nil && n >= 0 && n < 1e12 {
		whole := int64(n) // a verification is half a credit
		out.CreditsLeft = &whole
	}
	return out, nil
}

// get asks and returns what an answer holds under data.
func (a adapter) get(ctx context.Context, op, path string, query url.Values) (providers.Object, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: path, Query: query,
		Header: map[string]string{"X-API-KEY": a.settings.Key},
		Means: map[int]galena.Kind{
			http.StatusForbidden:       galena.RateLimited,
			http.StatusTooManyRequests: galena.Exhausted,
		},
	})
	if err != nil {
		return nil, err
	}
	data := o.Object("data")
	if data == nil {
		return nil, galena.Errorf(galena.Malformed, op, "the answer has no data")
	}
	return data, nil
}

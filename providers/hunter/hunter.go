// Package hunter asks Hunter's company enrichment. Its 403 and 429 mean the
// reverse of what everybody else means by them, and it gives no hint how long
// to wait.
package hunter

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Hunter. Some plans count a company as one credit and some not
// at all: the price is the dearer, an operator's catalogue may lower it.
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
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/v2/companies/find", Query: url.Values{"domain": {q.Domain}},
		Header: map[string]string{"X-API-KEY": a.settings.Key},
		Means: map[int]galena.Kind{
			http.StatusForbidden:       galena.RateLimited,
			http.StatusTooManyRequests: galena.Exhausted,
		},
	})
	if err != nil {
		return providers.Record{}, err
	}
	data := o.Object("data")
	if data == nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no data")
	}
	return providers.ReadClearbitShape(op, q.Domain, data, a.settings.Now())
}

// Package clearbit asks Clearbit's company API, and with another address
// whatever speaks its language: look-alikes, gateways, in-house services. A
// company it has not seen lately is answered 202: queued, ask again later.
package clearbit

import (
	"context"
	"net/url"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Clearbit. Misses are charged like hits, which makes it the
// last to ask.
var Spec = providers.Spec{
	Name: "clearbit", Title: "Clearbit and look-alikes", Docs: "https://clearbit.com/docs#company-api",
	BaseURL: "https://company.clearbit.com", CostMicros: 100_000,
	P95: 900 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.8, Class: galena.ClassProvider,
	Rate: 10, Burst: 10, // 600 a minute
	Fields: map[string]float64{
		"company.name": 0.85, "company.legal_name": 0.4, "company.description": 0.75, "company.industry": 0.8,
		"company.type": 0.75, "company.employee_count": 0.8, "company.annual_revenue_usd": 0.7,
		"company.funding_total_usd": 0.25, "company.founded_year": 0.6, "company.hq_country": 0.85, "company.hq_city": 0.8,
		"company.technologies": 0.8, "company.tags": 0.7, "company.linkedin_url": 0.7, "company.phone": 0.4,
		"company.parent_domain": 0.1, "company.is_email_provider": 0.85,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

type adapter struct{ settings providers.Settings }

// Enrich asks for one company. An address is followed through redirects on
// their side: the record of facebook.com answers for fb.com, with the asked
// domain among its aliases.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	const op = "clearbit.enrich"
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/v2/companies/find", Query: url.Values{"domain": {q.Domain}},
		Header: map[string]string{"Authorization": "Bearer " + a.settings.Key},
	})
	if err != nil {
		return providers.Record{}, err
	}
	return providers.ReadClearbitShape(op, q.Domain, o, a.settings.Now())
}

// Package clearbit asks Clearbit's company API, and with another address
// whatever speaks its language: look-alikes, gateways, in-house services. They
// differ in how they want the key and in the version in their path. A company
// that such a service has not seen lately is answered 202: queued, ask again
// later; the host company-stream.clearbit.com keeps the line open instead.
package clearbit

import (
	"context"
	"net/url"
	"regexp"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Clearbit. Misses are charged like hits, which makes it the
// last to ask. What a call costs was agreed one by one: ten cents are assumed.
var Spec = providers.Spec{
	Name: "clearbit", Title: "Clearbit and look-alikes", Docs: "https://clearbit.com/docs#company-api",
	BaseURL: "https://company.clearbit.com", Auths: providers.Auths(), CostMicros: 100_000, Assumed: true,
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
	asked := url.Values{"domain": {q.Domain}}
	if q.Ticket != "" {
		asked.Set(a.ticketWord(), q.Ticket)
	}
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: path(a.settings.BaseURL), Query: asked,
		Header: map[string]string{"Authorization": a.settings.Authorization()},
	})
	if err != nil {
		return providers.Record{}, err
	}
	if o["error"] != nil && o["domain"] == nil { // some gateways answer everything 200
		if o.Object("error").Text("type") == "unknown_record" {
			return providers.Record{}, galena.Errorf(galena.NotFound, op, "no such company")
		}
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "an error came as an answer")
	}
	return providers.ReadClearbitShape(op, q.Domain, o, a.settings.Now())
}

// ticketWord is what the vendor calls the word that it is to call back with.
// BigPicture, which wants its key raw, writes it in another case.
func (a adapter) ticketWord() string {
	if a.settings.Auth == "raw" {
		return "webhookId"
	}
	return "webhook_id"
}

var versioned = regexp.MustCompile(`/v[0-9]+/?$`)

// path is Clearbit's own, unless the address names a version itself: BigPicture's
// is https://company.bigpicture.io/v1.
func path(base string) string {
	if versioned.MatchString(base) {
		return "/companies/find"
	}
	return "/v2/companies/find"
}

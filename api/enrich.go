package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
)

// Enricher asks vendors about a company that no lead came from. One that asked to
// be left alone is an Invalid error with Op "suppressed".
type Enricher interface {
	Enrich(ctx context.Context, o galena.EnrichOrder) (galena.Enrichment, error)
}

// EnrichBody is the contract of a posted order. Like a lead it is read by hand.
type EnrichBody struct {
	Domain   string `json:"domain" maxLength:"253" doc:"The company, by any of its domains"`
	UseCache string `json:"use_cache,omitempty" enum:"if_present,if_fresh,never" default:"if_present" doc:"Which answers held from earlier calls may stand for a call"`
	MaxAge   string `json:"max_age,omitempty" doc:"Of a held answer, such as 30d or 12h; what is older is asked for anew"`
	Fallback string `json:"fallback,omitempty" enum:"on_error,never" default:"on_error" doc:"Where a provider fails: whether what it said before counts"`
}

// Enrichment is what is known of a company, and how it came to be known.
type Enrichment struct {
	Domain     string                 `json:"domain" doc:"The one that the company is kept by"`
	Owner      *string                `json:"owner"`
	Fields     map[string]CompanyFact `json:"fields"`
	Steps      []galena.Call          `json:"steps" nullable:"false" doc:"Who was asked, why, and what it brought. A failed step that added fields fell back on what was held"`
	Stop       galena.Stop            `json:"stop" enum:"disqualified,settled,exhausted,degraded,budget,deadline" doc:"settled: no fact of the company can change any lead's decision any more"`
	Open       []string               `json:"open" nullable:"false" doc:"Unknown fields of the company that could still change a decision"`
	Away       []string               `json:"away" nullable:"false" doc:"Providers that failed or are away"`
	Cents      float64                `json:"cents"`
	LimitCents float64                `json:"limit_cents"`
}

// ViewEnrichment shows an enrichment to programs; ttl says how long a value is good.
func ViewEnrichment(e galena.Enrichment, now time.Time, ttl func(field string) (fresh, held time.Duration)) Enrichment {
	c := viewCompany(e.Company, now, ttl)
	return Enrichment{Domain: c.Domain, Owner: c.Owner, Fields: c.Fields, Steps: orEmpty(e.Steps), Stop: e.Stop,
		Open: orEmpty(e.Open), Away: orEmpty(e.Away), Cents: e.Cents, LimitCents: e.LimitCents}
}

// registerEnrich adds the operation. It spends money as a lead does and shows what
// came of it, so it asks for both scopes.
func (h *handlers) registerEnrich(a huma.API, body map[string]*huma.MediaType) {
	const path = "/v1/companies:enrich"
	huma.Register(a, huma.Operation{
		OperationID: "enrich-company", Method: http.MethodPost, Path: path, Summary: "Ask providers about a company",
		Description: "What a lead of the company would buy, within the budget and the deadline of one lead; the record is kept. " +
			"422 for a domain that is nobody's alone (a suffix, free mail, a shared one) or that is suppressed.",
		Security: needs(galena.ScopeLeadsWrite, galena.ScopeLeadsRead), MaxBodyBytes: maxLead, Metadata: map[string]any{takesItsTime: true},
		Errors: []int{400, 401, 403, 413, 415, 422, 429, 500, 503},
	}, h.enrichCompany)
	a.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{Required: true, Content: body}
}

func (h *handlers) enrichCompany(ctx context.Context, _ *struct{}) (*struct{ Body Enrichment }, error) {
	o, err := h.order(ctx)
	if err != nil {
		return nil, err
	}
	out, err := h.deps.Enricher.Enrich(ctx, o)
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Op == "suppressed" {
		return nil, badProperty(ctx, "/domain", e.Err.Error())
	}
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &struct{ Body Enrichment }{ViewEnrichment(out, h.deps.Now(), h.deps.TTL)}, nil
}

// order reads the body. What is no property of an order is refused: a misspelt
// max_age would spend money.
func (h *handlers) order(ctx context.Context) (galena.EnrichOrder, error) {
	o := galena.EnrichOrder{LimitMicros: -1}
	m, err := readMembers(ctx, bodyOf(ctx))
	if err != nil {
		return o, err
	}
	given := map[string]string{}
	for name, v := range m {
		s, isText := v.(string)
		if !slices.Contains([]string{"domain", "use_cache", "max_age", "fallback"}, name) {
			return o, badProperty(ctx, galena.JSONPointer(name), "is no property of an order")
		}
		if !isText {
			return o, badProperty(ctx, "/"+name, "must be a text")
		}
		given[name] = s
	}
	o.UseCache = galena.CacheUse(cmp.Or(given["use_cache"], string(galena.CacheIfPresent)))
	if !slices.Contains(galena.CacheUses(), o.UseCache) {
		return o, badProperty(ctx, "/use_cache", "must be one of if_present, if_fresh, never")
	}
	fallback := cmp.Or(given["fallback"], "on_error")
	if o.NoFallback = fallback == "never"; !o.NoFallback && fallback != "on_error" {
		return o, badProperty(ctx, "/fallback", "must be one of on_error, never")
	}
	if age, ok := given["max_age"]; ok {
		if o.MaxAge, err = galena.ParseAge(age); err != nil {
			return o, badProperty(ctx, "/max_age", "must be such as 30d or 12h")
		}
	}
	o.Domain, err = h.deps.Gate.CompanyDomain(given["domain"])
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Invalid {
		return o, badProperty(ctx, "/domain", e.Err.Error())
	}
	if err != nil {
		return o, refuse(ctx, err)
	}
	return o, nil
}

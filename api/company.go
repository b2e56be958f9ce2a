package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
)

// Links is the part of the store that knows by which domains a company goes.
type Links interface {
	CompanyNames(ctx context.Context, domain string) (galena.CompanyNames, error)
	LinkDomain(ctx context.Context, l galena.DomainLink) (galena.CompanyNames, error)
	UnlinkDomain(ctx context.Context, domain, company, by string) (galena.CompanyNames, error)
}

// CompanyNames are the domains of a company.
type CompanyNames struct {
	Domain  string  `json:"domain" doc:"The one that the company is kept by"`
	Aliases []Alias `json:"aliases" nullable:"false"`
}

// Alias is a domain that leads to a company.
type Alias struct {
	Domain string `json:"domain"`
	Kind   string `json:"kind" enum:"alias,brand,former,redirect,regional"`
}

// AliasBody is the body of a link; it may be {} or missing.
type AliasBody struct {
	Kind string `json:"kind,omitempty" enum:"alias,brand,former,redirect,regional" default:"alias"`
}

type aliasInput struct {
	Domain string `path:"domain" maxLength:"253" doc:"The company, by any of its domains"`
	Alias  string `path:"alias" maxLength:"253" doc:"The other domain"`
}

type namesOutput struct{ Body CompanyNames }

// registerCompanies adds the operations. Whose company a lead belongs to decides
// who gets it, so a link asks for the scope that may change the routing file.
func (h *handlers) registerCompanies(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "get-company", Method: http.MethodGet, Path: "/v1/companies/{domain}",
		Summary:  "A company: each value with its source, age and confidence",
		Security: needs(galena.ScopeLeadsRead), Errors: []int{401, 403, 404, 422, 429, 500, 503},
	}, h.getCompany)
	const path = "/v1/companies/{domain}/aliases/{alias}"
	huma.Register(a, huma.Operation{
		OperationID: "link-alias", Method: http.MethodPut, Path: path, Summary: "Let a domain lead to a company",
		Description: "Who writes from there belongs to the company from then on; what was decided stays. Said twice, it is done once. " +
			"409 when the domain leads to another company, or in a circle. 422 for a domain that is nobody's alone: a suffix, free mail, a shared one.",
		Security: needs(galena.ScopeConfigWrite), MaxBodyBytes: maxLead, Metadata: map[string]any{bodyOptional: true},
		Errors: []int{400, 401, 403, 409, 413, 415, 422, 429, 500, 503},
	}, h.linkAlias)
	t := reflect.TypeFor[AliasBody]()
	a.OpenAPI().Paths[path].Put.RequestBody = &huma.RequestBody{
		Content: map[string]*huma.MediaType{"application/json": {Schema: a.OpenAPI().Components.Schemas.Schema(t, true, t.Name())}}}
	huma.Register(a, huma.Operation{
		OperationID: "unlink-alias", Method: http.MethodDelete, Path: path, Summary: "Make an alias a company by itself again",
		Description: "Answers with the domain as it is then. Said twice, it is done once. 409 when it leads to another company.",
		Security:    needs(galena.ScopeConfigWrite), Errors: []int{401, 403, 409, 422, 429, 500, 503},
	}, h.unlinkAlias)
}

func (h *handlers) linkAlias(ctx context.Context, in *aliasInput) (*namesOutput, error) {
	l := galena.DomainLink{Kind: "alias", By: caller(ctx).ID}
	if raw := bodyOf(ctx); len(raw) > 0 {
		m, err := readMembers(ctx, raw)
		if err != nil {
			return nil, err
		}
		if kind, given := m["kind"]; given {
			l.Kind, _ = kind.(string)
		}
	}
	if !slices.Contains(galena.LinkKinds(), l.Kind) {
		return nil, badProperty(ctx, "/kind", "must be one of "+strings.Join(galena.LinkKinds(), ", "))
	}
	var err error
	if l.Company, err = h.deps.Gate.CompanyDomain(in.Domain); err != nil {
		return nil, badDomain(ctx, "domain", err)
	}
	if l.Domain, err = h.deps.Gate.CompanyDomain(in.Alias); err != nil {
		return nil, badDomain(ctx, "alias", err)
	}
	if l.Domain == l.Company {
		return nil, badParameter(ctx, "alias", "is the company itself")
	}
	return shownNames(ctx)(h.deps.Store.LinkDomain(ctx, l))
}

// unlinkAlias takes any text for a domain: what was linked once can be undone,
// whatever the lists say by now.
func (h *handlers) unlinkAlias(ctx context.Context, in *aliasInput) (*namesOutput, error) {
	return shownNames(ctx)(h.deps.Store.UnlinkDomain(ctx, intake.Written(in.Alias), intake.Written(in.Domain), caller(ctx).ID))
}

func shownNames(ctx context.Context) func(galena.CompanyNames, error) (*namesOutput, error) {
	return func(n galena.CompanyNames, err error) (*namesOutput, error) {
		if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Conflict && e.Op == "linked" {
			return nil, problem(ctx, http.StatusConflict, "linked", e.Err.Error())
		}
		if err != nil {
			return nil, refuse(ctx, err)
		}
		return &namesOutput{CompanyNames{Domain: n.Domain, Aliases: viewAliases(n)}}, nil
	}
}

func viewAliases(n galena.CompanyNames) []Alias {
	out := make([]Alias, len(n.Aliases))
	for i, a := range n.Aliases {
		out[i] = Alias{a.Domain, a.Kind}
	}
	return out
}

func badDomain(ctx context.Context, name string, err error) *Problem {
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Invalid {
		return badParameter(ctx, name, e.Err.Error())
	}
	return refuse(ctx, err)
}

func (h *handlers) getCompany(ctx context.Context, in *domainInput) (*struct{ Body Company }, error) {
	c, err := h.deps.Store.Company(ctx, intake.Written(in.Domain))
	if err != nil {
		return nil, refuse(ctx, err)
	}
	out := viewCompany(c, h.deps.Now(), h.deps.TTL)
	names, err := h.deps.Store.CompanyNames(ctx, c.Domain)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	out.Aliases = viewAliases(names)
	open, err := h.deps.Store.Conflicts(ctx, galena.ConflictFilter{Entity: c.Domain, Status: galena.ConflictOpen})
	if err != nil {
		return nil, refuse(ctx, err)
	}
	for _, d := range open {
		out.Conflicts = append(out.Conflicts, viewConflict(d))
	}
	return &struct{ Body Company }{out}, nil
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/galenahq/galena"
)

// Deps is what the API is made of.
type Deps struct {
	Gate      Gate
	Store     Store
	Hands     Hands
	Enricher  Enricher
	Callbacks Callbacks // nil = no provider calls this process
	Edits     Edits     // nil = no CRM does
	Tokens    Tokens
	Figures   Figures
	Bootstrap string                          // GALENA_BOOTSTRAP_TOKEN, "" = none
	Rules     func() galena.ConfigState       // what is in force; nil = nothing is shown
	Catalogue func() galena.Catalogue         // what is configured of providers; nil = no budgets are shown
	Ready     func(ctx context.Context) error // can a lead be accepted now?
	Wake      func()                          // nudges the relay after steps were handed out; nil = it finds them
	Metrics   http.Handler
	Log       *slog.Logger
	Now       func() time.Time

	TTL func(field string) (fresh, held time.Duration) // how long a value is good; nil = for ever
}

// shortestBootstrap is how long a token that an operator made up must be.
const shortestBootstrap = 32

// New builds the handler of every route in openapi.yaml.
func New(d Deps) (http.Handler, error) {
	if d.Gate == nil || d.Store == nil || d.Hands == nil || d.Enricher == nil || d.Tokens == nil || d.Figures == nil || d.Ready == nil || d.Metrics == nil || d.Log == nil || d.Now == nil {
		return nil, errors.New("the api needs a gate, a store, hands, an enricher, tokens, figures, readiness, metrics, a log and a clock")
	}
	if d.Bootstrap != "" && len(d.Bootstrap) < shortestBootstrap {
		return nil, galena.Errorf(galena.Invalid, "api", "the bootstrap token must have at least %d characters", shortestBootstrap)
	}
	if d.TTL == nil {
		d.TTL = func(string) (fresh, held time.Duration) { return math.MaxInt64, math.MaxInt64 }
	}
	k := newKeeper(d)
	mux := http.NewServeMux()
	contract := build(mux, &handlers{deps: d}, k.middleware, readBody, inTime)
	spec, err := json.Marshal(contract)
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(spec)
	})
	mux.Handle("GET /metrics", k.guard(galena.ScopeOpsRead, d.Metrics))
	return observe(d.Log, d.Now, noKeyInURL(strangers(mux))), nil
}

// OpenAPI is the contract, as YAML.
func OpenAPI() ([]byte, error) {
	return build(http.NewServeMux(), &handlers{}).YAML()
}

// Paths lists the first words of the routes, for whoever mounts the handler
// beside others.
func Paths() []string { return []string{"/v1/", "/healthz", "/readyz", "/openapi.json", "/metrics"} }

type handlers struct {
	deps   Deps
	checks meter
}

// build registers every operation. The contract is what the handlers are.
func build(mux *http.ServeMux, h *handlers, middleware ...func(huma.Context, func(huma.Context))) *huma.OpenAPI {
	useOurProblems()
	config := huma.DefaultConfig("galena", "1")
	config.Info.Description = "Raw leads in, routed leads out. Errors are application/problem+json (RFC 9457) with code, errors and request_id."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no $schema in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{security: {Type: "http", Scheme: "bearer",
		Description: "A token made by `galena token create`, in the header Authorization. Never in the URL."}}
	a := humago.New(mux, config)
	a.UseMiddleware(middleware...)
	h.register(a)
	plain(a.OpenAPI())
	correct(a.OpenAPI())
	return a.OpenAPI()
}

// answerTime is how long the store may keep a caller before he is told to come again:
// longer than a statement that it lets run to its end.
const answerTime = 5 * time.Second

// takesItsTime marks an operation that has a deadline of its own.
const takesItsTime = "takes-its-time"

// inTime bounds what an operation does once it has all that the caller sends, by what
// finding out who he is has left of the time.
func inTime(c huma.Context, next func(huma.Context)) {
	if c.Operation().Metadata[takesItsTime] == true {
		next(c)
		return
	}
	ctx, cancel := context.WithTimeout(c.Context(), answerTime-requestOf(c.Context()).spent)
	defer cancel()
	next(huma.WithContext(c, ctx))
}

// needs asks for a token that has every one of the scopes.
func needs(scopes ...string) []map[string][]string { return []map[string][]string{{security: scopes}} }

func (h *handlers) register(a huma.API) {
	schema := func(v any) *huma.Schema {
		t := reflect.TypeOf(v)
		return a.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
	}
	body := func(v any) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: schema(v)}}
	}
	huma.Register(a, huma.Operation{
		OperationID: "post-lead", Method: http.MethodPost, Path: "/v1/leads", Summary: "Hand in one lead",
		Description:   "202 means: this lead will be decided or quarantined, whatever dies next.",
		DefaultStatus: http.StatusAccepted, Security: needs(galena.ScopeLeadsWrite), MaxBodyBytes: maxLead,
		Errors: []int{400, 401, 403, 409, 413, 415, 422, 429, 500, 503},
	}, h.postLead)
	// Said after the registration: huma would read a body that it knew of by itself.
	a.OpenAPI().Paths["/v1/leads"].Post.RequestBody = &huma.RequestBody{Required: true, Content: body(LeadBody{})}
	huma.Register(a, huma.Operation{
		OperationID: "list-leads", Method: http.MethodGet, Path: "/v1/leads", Summary: "Leads, newest first",
		Security: needs(galena.ScopeLeadsRead), Errors: []int{401, 403, 422, 429, 500, 503},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: body(LeadPage{})}},
	}, h.listLeads)
	huma.Register(a, huma.Operation{
		OperationID: "get-lead", Method: http.MethodGet, Path: "/v1/leads/{id}", Summary: "One lead with its decision",
		Security: needs(galena.ScopeLeadsRead), Errors: []int{401, 403, 404, 422, 429, 500, 503},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: body(Lead{})}, "304": {Description: "Not Modified"}},
	}, h.getLead)
	huma.Register(a, huma.Operation{
		OperationID: "why-lead", Method: http.MethodGet, Path: "/v1/leads/{id}/why", Summary: "Why this score, why this rep",
		Security: needs(galena.ScopeLeadsRead), Errors: []int{401, 403, 404, 429, 500, 503},
	}, h.getWhy)
	h.registerHands(a)
	huma.Register(a, huma.Operation{
		OperationID: "release-lead", Method: http.MethodPost, Path: "/v1/leads/{id}/release", Summary: "Let a held lead go on",
		Description: "For leads of status quarantined. A token that only hands leads in may not judge them: reading is needed too. " +
			"409 when the lead is not held.",
		Security: needs(galena.ScopeLeadsWrite, galena.ScopeLeadsRead), MaxBodyBytes: maxLead, Metadata: map[string]any{bodyOptional: true},
		Errors: []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503},
	}, h.releaseLead)
	a.OpenAPI().Paths["/v1/leads/{id}/release"].Post.RequestBody = &huma.RequestBody{Content: body(NoteBody{})}
	huma.Register(a, huma.Operation{
		OperationID: "check-email", Method: http.MethodPost, Path: "/v1/email:check", Summary: "Judge an address, for a form to ask its visitor",
		Description: "Stores nothing, looks nothing up outside, and says nothing of people: who is suppressed or known is answered like " +
			"everybody. 10 a second and token in one process, 60 at once.",
		Security: needs(galena.ScopeLeadsWrite), MaxBodyBytes: maxLead, Errors: []int{400, 401, 403, 413, 415, 422, 429, 500, 503},
	}, h.checkEmail)
	a.OpenAPI().Paths["/v1/email:check"].Post.RequestBody = &huma.RequestBody{Required: true, Content: body(EmailBody{})}
	h.registerCompanies(a)
	h.registerEnrich(a, body(EnrichBody{}))
	h.registerSteps(a)
	h.registerStats(a)
	h.registerHooks(a)
	huma.Register(a, huma.Operation{
		OperationID: "get-configs", Method: http.MethodGet, Path: "/v1/configs",
		Summary:     "The configuration in force, and what is wrong with the files as they are now",
		Description: "The answer of the process that is asked: each watches its own files.",
		Security:    needs(galena.ScopeOpsRead), Errors: []int{401, 403, 429, 500, 503},
	}, h.getConfigs)
	huma.Register(a, huma.Operation{
		OperationID: "resolve-conflict", Method: http.MethodPost, Path: "/v1/conflicts/{id}/resolve",
		Summary: "Say which value is right", Description: "A person's word: it wins over every other source from then on. Leads " +
			"of the company are looked at again: one that was decided just now and that nobody touched may move, others get a notice.",
		Security: needs(galena.ScopeConfigWrite), MaxBodyBytes: maxLead, Errors: []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503},
	}, h.resolveConflict)
	a.OpenAPI().Paths["/v1/conflicts/{id}/resolve"].Post.RequestBody = &huma.RequestBody{Required: true, Content: body(ResolutionBody{})}
	huma.Register(a, huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Summary: "The process lives",
	}, h.healthz)
	huma.Register(a, huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Summary: "A lead could be accepted now", Errors: []int{503},
	}, h.readyz)
}

// plain adds the two routes that are not huma's to the contract.
func plain(o *huma.OpenAPI) {
	o.AddOperation(&huma.Operation{OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Summary: "This contract",
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/openapi+json": {}}}}})
	o.AddOperation(&huma.Operation{OperationID: "metrics", Method: http.MethodGet, Path: "/metrics",
		Summary:  "Prometheus metrics; open on loopback",
		Security: append(needs(galena.ScopeOpsRead), map[string][]string{}),
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {}}},
			"401": {Description: "Unauthorized"}, "403": {Description: "Forbidden"}}})
}

// correct says what huma cannot see in the Go types: points are kept in tenths as
// whole numbers and written as 94.5, and an object behind a pointer may be null.
func correct(o *huma.OpenAPI) {
	for _, s := range o.Components.Schemas.Map() {
		for name, p := range s.Properties {
			switch {
			case p.Type == huma.TypeInteger && slices.Contains([]string{"points", "lo", "hi", "max"}, name):
				s.Properties[name] = &huma.Schema{Type: huma.TypeNumber, Description: p.Description}
			case p.Ref != "" && slices.Contains([]string{"decision", "disqualified", "would_change"}, name):
				s.Properties[name] = &huma.Schema{OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
			}
		}
	}
}

// State is the answer of the two probes.
type State struct {
	Status string `json:"status" enum:"ok"`
}

type stateOutput struct{ Body State }

func (h *handlers) healthz(context.Context, *struct{}) (*stateOutput, error) {
	return &stateOutput{State{"ok"}}, nil
}

func (h *handlers) readyz(ctx context.Context, _ *struct{}) (*stateOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := h.deps.Ready(ctx); err != nil {
		return nil, refuse(ctx, &galena.Error{Kind: galena.Unavailable, Op: "readyz", Err: err})
	}
	return &stateOutput{State{"ok"}}, nil
}

// strangers answers paths and methods that are not in the contract, in our words.
func strangers(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" && path.Clean(r.URL.Path) == r.URL.Path { // no redirect to what was meant
			if strings.Contains(pattern, "{") {
				mux.ServeHTTP(w, r) // it notes the values in the path
				return
			}
			r.Pattern = pattern
			h.ServeHTTP(w, r)
			return
		}
		probe := &silent{header: http.Header{}}
		h.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			problem(r.Context(), probe.status, "method_not_allowed", "this method is not allowed here").
				with("Allow", probe.header.Get("Allow")).write(w)
			return
		}
		problem(r.Context(), http.StatusNotFound, string(galena.NotFound), details[http.StatusNotFound]).write(w)
	})
}

// silent keeps the status and the headers of an answer, and says nothing.
type silent struct {
	header http.Header
	status int
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
func (s *silent) WriteHeader(status int)      { s.status = status }

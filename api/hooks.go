package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/galenahq/galena"
)

// maxCallback is the largest call of a provider: a company with all that is known of it.
const maxCallback = 256 << 10

// Callbacks takes the calls of providers that answer later. NotFound: no such
// provider calls; Unauthorized: it was not the provider.
type Callbacks interface {
	Callback(ctx context.Context, provider string, header http.Header, body []byte) error
}

// callbackInput is a call with all its headers: which of them proves it is the
// provider's own affair.
type callbackInput struct {
	Provider string `path:"provider" maxLength:"40" doc:"The provider's id in the catalogue"`
	header   http.Header
}

// Resolve implements huma.Resolver.
func (in *callbackInput) Resolve(c huma.Context) []error {
	r, _ := humago.Unwrap(c)
	in.header = r.Header
	return nil
}

// registerHooks adds the operation. No token is asked for: the signature on the
// raw body is the proof.
func (h *handlers) registerHooks(a huma.API) {
	const path = "/v1/hooks/providers/{provider}"
	huma.Register(a, huma.Operation{
		OperationID: "provider-callback", Method: http.MethodPost, Path: path, Summary: "The answer of a provider that answers later",
		Description: "For providers, not for you: signed as the provider's contract has it (Clearbit: X-Request-Signature over the raw " +
			"body). A call that was taken before, or answers no question of ours, is accepted and changes nothing.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxCallback, Metadata: map[string]any{bodyOfAnyType: true},
		Errors: []int{400, 401, 404, 413, 415, 422, 500, 502, 503},
	}, h.providerCallback)
	a.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{Required: true,
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}
}

func (h *handlers) providerCallback(ctx context.Context, in *callbackInput) (*struct{}, error) {
	if h.deps.Callbacks == nil {
		return nil, refuse(ctx, galena.Errorf(galena.NotFound, "api.callback", "no provider calls here"))
	}
	err := h.deps.Callbacks.Callback(ctx, in.Provider, in.header, bodyOf(ctx))
	switch {
	case err == nil:
		return nil, nil //nolint:nilnil // nothing is answered but the status
	case galena.KindOf(err) == galena.Unauthorized:
		return nil, problem(ctx, http.StatusUnauthorized, string(galena.Unauthorized), "the signature does not fit the body")
	default:
		return nil, refuse(ctx, err)
	}
}

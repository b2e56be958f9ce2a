package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/galenahq/galena"
)

// maxCallback is the largest call of a provider: a company with all that is known
// of it. maxEdit is that of a CRM, which sends a whole record with what is custom.
const (
	maxCallback = 256 << 10
	maxEdit     = 1 << 20
)

// Callbacks takes the calls of providers that answer later. NotFound: no such
// provider calls; Unauthorized: it was not the provider.
type Callbacks interface {
	Callback(ctx context.Context, provider string, header http.Header, body []byte) error
}

// Edits takes what CRMs tell of the edits of people. NotFound: no such CRM calls;
// Unauthorized: it was not the CRM, or not now.
type Edits interface {
	Edited(ctx context.Context, crm string, header http.Header, body []byte) error
}

// signed is a call with all its headers: which of them proves it is the caller's
// own affair.
type signed struct{ header http.Header }

// Resolve implements huma.Resolver.
func (in *signed) Resolve(c huma.Context) []error {
	r, _ := humago.Unwrap(c)
	in.header = r.Header
	return nil
}

type callbackInput struct {
	signed
	Provider string `path:"provider" maxLength:"40" doc:"The provider's id in the catalogue"`
}

type editInput struct {
	signed
	CRM string `path:"crm" maxLength:"40" doc:"The CRM: twenty"`
}

// registerHooks adds the operations. No token is asked for: the signature on the
// raw body is the proof.
func (h *handlers) registerHooks(a huma.API) {
	h.registerEdits(a)
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

func (h *handlers) registerEdits(a huma.API) {
	const path = "/v1/hooks/{crm}"
	huma.Register(a, huma.Operation{
		OperationID: "crm-edit", Method: http.MethodPost, Path: path, Summary: "What a person changed in the CRM",
		Description: "For the CRM, not for you: a webhook of Twenty for company.* and person.*, with its secret in " +
			"GALENA_CRM_TWENTY_WEBHOOK_SECRET. X-Twenty-Webhook-Signature is the HMAC-SHA256 in hex of X-Twenty-Webhook-Timestamp, a " +
			"colon and the raw body; a delivery that is more than five minutes old or ahead is refused. What a person gave a company, or " +
			"somebody who is a lead, is their word from the next decision on; our own writes, those of other programs, records of other " +
			"kinds and fields that were emptied are accepted and change nothing. The same delivery once more is the same word.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxEdit, Metadata: map[string]any{bodyOfAnyType: true},
		Errors: []int{400, 401, 404, 413, 415, 422, 500, 503},
	}, h.crmEdit)
	a.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{Required: true,
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}
}

func (h *handlers) crmEdit(ctx context.Context, in *editInput) (*struct{}, error) {
	if h.deps.Edits == nil {
		return nil, refuse(ctx, galena.Errorf(galena.NotFound, "api.edit", "no CRM calls here"))
	}
	err := h.deps.Edits.Edited(ctx, in.CRM, in.header, bodyOf(ctx))
	switch {
	case err == nil:
		return nil, nil //nolint:nilnil // nothing is answered but the status
	case galena.KindOf(err) == galena.Unauthorized:
		return nil, problem(ctx, http.StatusUnauthorized, string(galena.Unauthorized), "the signature does not fit the body, or the time")
	default:
		return nil, refuse(ctx, err)
	}
}

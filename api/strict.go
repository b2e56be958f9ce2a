package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/galenahq/galena"
)

// The limits of a body.
const (
	maxDepth  = 32
	maxFields = 100
)

// strictJSON reads a body, and the names of its members in their order. The error is
// a *galena.JSONFault.
func strictJSON(body []byte) (map[string]any, []string, error) {
	return galena.ReadJSON[map[string]any](body, galena.JSONLimits{Depth: maxDepth, Fields: maxFields})
}

// readMembers reads a small body, of which a fault needs no pointer. The error is a
// problem.
func readMembers(ctx context.Context, raw []byte) (map[string]any, error) {
	m, _, err := strictJSON(raw)
	if f, ok := errors.AsType[*galena.JSONFault](err); ok {
		return nil, problem(ctx, http.StatusBadRequest, f.Code, f.Detail)
	}
	return m, err
}

package api

import "github.com/galenahq/galena"

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

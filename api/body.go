package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxLead is the largest body of one lead.
const maxLead = 64 << 10

// bodyOptional marks an operation that may be called without a body.
const bodyOptional = "body optional"

// bodyOfAnyType marks an operation whose caller proves the bytes themselves.
const bodyOfAnyType = "body of any type"

type bodyKey struct{}

// bodyOf is the raw body that readBody let through.
func bodyOf(ctx context.Context) []byte {
	b, _ := ctx.Value(bodyKey{}).([]byte)
	return b
}

// readBody reads the body of an operation that has one, within its limit. It
// runs after the caller is known: a stranger learns nothing about limits.
func readBody(c huma.Context, next func(huma.Context)) {
	op := c.Operation()
	if op.MaxBodyBytes == 0 {
		next(c)
		return
	}
	r, w := humago.Unwrap(c)
	if r.ContentLength == 0 && op.Metadata[bodyOptional] == true {
		next(c)
		return
	}
	b, err := read(w, r, op.MaxBodyBytes, op.Metadata[bodyOfAnyType] == true)
	if err != nil {
		fail(w, r, err)
		return
	}
	next(huma.WithValue(c, bodyKey{}, b))
}

// read looks at the announced length before it touches the body: a server that
// wraps the body first answers 413 only after its read timeout.
func read(w http.ResponseWriter, r *http.Request, limit int64, anyType bool) ([]byte, error) {
	ctx := r.Context()
	tooLarge := problem(ctx, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d KB", limit>>10))
	if r.ContentLength > limit {
		return nil, tooLarge.with("Connection", "close")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if !anyType && (err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return nil, problem(ctx, http.StatusUnsupportedMediaType, "unsupported_media_type", "send application/json in UTF-8")
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, problem(ctx, http.StatusUnsupportedMediaType, "unsupported_encoding", "send the body without compression")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if err != nil {
		return nil, problem(ctx, http.StatusBadRequest, "malformed", "the body could not be read to its end")
	}
	return b, nil
}

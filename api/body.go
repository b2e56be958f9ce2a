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

// bodyOf is the raw body that readBody let through.
func bodyOf(ctx context.Context) []byte { return requestOf(ctx).body }

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
	requestOf(r.Context()).body = b
	next(c)
}

// read looks at the announced length before it touches the body: a server that
// wraps the body first answers 413 only after its read timeout.
func read(w http.ResponseWriter, r *http.Request, limit int64, anyType bool) ([]byte, error) {
	ctx := r.Context()
	if r.ContentLength > limit {
		return nil, tooLarge(ctx, limit).with("Connection", "close")
	}
	if !anyType && !isJSON(r.Header.Get("Content-Type")) {
		return nil, problem(ctx, http.StatusUnsupportedMediaType, "unsupported_media_type", "send application/json in UTF-8")
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, problem(ctx, http.StatusUnsupportedMediaType, "unsupported_encoding", "send the body without compression")
	}
	b, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(ctx, limit)
	}
	if err != nil {
		return nil, problem(ctx, http.StatusBadRequest, "malformed", "the body could not be read to its end")
	}
	return b, nil
}

func tooLarge(ctx context.Context, limit int64) *Problem {
	return problem(ctx, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d KB", limit>>10))
}

// isJSON reads a Content-Type.
func isJSON(header string) bool {
	if header == "application/json" {
		return true
	}
	kind, params, err := mime.ParseMediaType(header)
	charset := params["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// readAll reads to the end, into one buffer where no more than a lead was announced:
// who may send more, strangers to the hooks among them, gets room as it comes.
func readAll(r io.Reader, announced int64) ([]byte, error) {
	if announced <= 0 || announced > maxLead {
		return io.ReadAll(r)
	}
	b := make([]byte, announced) // what is longer net/http cuts off
	_, err := io.ReadFull(r, b)
	return b, err
}

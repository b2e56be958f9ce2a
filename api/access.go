package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// request is what is known of a request while it is answered. The handlers behind
// the middleware read it; only facts for the log may come from several goroutines.
type request struct {
	id     string
	log    *slog.Logger
	logged bool          // its line will be written
	caller galena.Token  // who was admitted
	spent  time.Duration // on finding that out
	body   []byte        // that readBody let through
	mu     sync.Mutex
	attrs  []slog.Attr
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

func requestID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.id
	}
	return ""
}

// note adds a fact to the request's line in the log.
func note(ctx context.Context, key, value string) {
	if r := requestOf(ctx); r != nil && r.logged && value != "" {
		r.mu.Lock()
		r.attrs = append(r.attrs, slog.String(key, value))
		r.mu.Unlock()
	}
}

// idForm is what a caller's own request id may look like.
var idForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// recorder remembers status and size for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

// Unwrap lets net/http reach the connection behind.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe gives every request an id and a line in the log, and turns a panic
// into an answer. The line names the route, never the path or the query.
func observe(log *slog.Logger, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := now()
		id := r.Header.Get("X-Request-Id")
		if id == "" || !idForm.MatchString(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		req := &request{id: id, log: log, logged: log.Enabled(r.Context(), slog.LevelInfo)}
		ctx := context.WithValue(r.Context(), requestKey{}, req)
		r = r.WithContext(ctx)
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				if cause == http.ErrAbortHandler { //nolint:errorlint // net/http asks for this very value
					panic(cause)
				}
				// The value of a panic may hold anything; its type and the stack do not.
				log.ErrorContext(ctx, "panic", "request_id", id, "type", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
				if rec.status == 0 {
					problemOf(ctx, nil).write(rec)
				}
			}
			if !req.logged {
				return
			}
			req.mu.Lock()
			defer req.mu.Unlock()
			log.LogAttrs(ctx, slog.LevelInfo, "request", append([]slog.Attr{slog.String("request_id", id), slog.String("method", method(r.Method)),
				slog.String("route", r.Pattern), slog.Int("status", rec.status), slog.Int("bytes", rec.bytes),
				slog.Int64("ms", now().Sub(start).Milliseconds())}, req.attrs...)...)
		}()
		next.ServeHTTP(rec, r)
	})
}

// method is what may stand in a log: a made-up method is a text like any other.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "other"
}

// refuse turns an error into a problem and logs its cause where it is ours.
func refuse(ctx context.Context, err error) *Problem {
	p := problemOf(ctx, err)
	note(ctx, "code", p.Code)
	if r := requestOf(ctx); r != nil && p.Status >= http.StatusInternalServerError {
		r.log.WarnContext(ctx, "request failed", "request_id", r.id, "error", err)
	}
	return p
}

func fail(w http.ResponseWriter, r *http.Request, err error) { refuse(r.Context(), err).write(w) }

package api

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/galenahq/galena"
)

// bootstrapID is the token id under which the bootstrap token acts.
const bootstrapID = "bootstrap"

// security is the name of the bearer scheme in the contract; its scopes there
// are the ones that are asked for.
const security = "bearer"

// Tokens is what the gate keeper needs of the store.
type Tokens interface {
	TokenByHash(ctx context.Context, hash []byte) (galena.Token, error)
	TouchToken(ctx context.Context, id string) error
}

type keeper struct {
	tokens    Tokens
	bootstrap []byte       // SHA-256, nil when there is none
	ours      galena.Token // whom the bootstrap token makes
	now       func() time.Time
	failures  *failures

	mu      sync.Mutex
	touched map[string]time.Time
}

func newKeeper(d Deps) *keeper {
	k := &keeper{tokens: d.Tokens, now: d.Now, failures: newFailures(d.Now), touched: map[string]time.Time{}}
	if d.Bootstrap != "" {
		k.bootstrap = HashToken(d.Bootstrap)
		k.ours = galena.Token{ID: bootstrapID, Group: "integration", Scopes: galena.GroupScopes()["integration"]}
	}
	return k
}

// admit finds out who calls and whether they may. Missing, malformed, unknown,
// expired and revoked tokens get one and the same answer.
func (k *keeper) admit(r *http.Request, scopes ...string) (galena.Token, error) {
	value, shown := bearer(r)
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	t, err := k.recognise(ctx, value)
	if err != nil {
		return t, err
	}
	if t.ID == "" {
		if shown {
			if wait := k.failures.add(peer(r)); wait > 0 {
				return t, problem(r.Context(), http.StatusTooManyRequests, "rate_limited", "too many invalid tokens; try again later").retry(wait)
			}
		}
		return t, unauthorized(r.Context())
	}
	note(r.Context(), "token", t.ID)
	for _, scope := range scopes {
		if !slices.Contains(t.Scopes, scope) {
			return t, problem(r.Context(), http.StatusForbidden, "forbidden", "the token lacks the scope "+scope)
		}
	}
	k.touch(ctx, t.ID)
	return t, nil
}

func unauthorized(ctx context.Context) *Problem {
	return problem(ctx, http.StatusUnauthorized, "unauthorized", details[http.StatusUnauthorized]).with("WWW-Authenticate", "Bearer")
}

// bearer reads the token; shown says that the caller tried with something.
func bearer(r *http.Request) (value string, shown bool) {
	h := r.Header.Values("Authorization")
	if len(h) == 0 {
		return "", false
	}
	scheme, value, ok := strings.Cut(h[0], " ")
	if !ok || len(h) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(value), true
}

// recognise returns the valid token behind a value, or one without id.
func (k *keeper) recognise(ctx context.Context, value string) (galena.Token, error) {
	if value == "" {
		return galena.Token{}, nil
	}
	hash := HashToken(value)
	if k.bootstrap != nil && subtle.ConstantTimeCompare(hash, k.bootstrap) == 1 {
		return k.ours, nil
	}
	if !wellFormed(value) {
		return galena.Token{}, nil
	}
	t, err := k.tokens.TokenByHash(ctx, hash)
	if galena.KindOf(err) == galena.NotFound {
		return galena.Token{}, nil
	}
	if err != nil {
		return galena.Token{}, err
	}
	expired := !t.ExpiresAt.IsZero() && !k.now().Before(t.ExpiresAt)
	if expired || !t.RevokedAt.IsZero() || subtle.ConstantTimeCompare(hash, t.Hash) != 1 {
		return galena.Token{}, nil
	}
	return t, nil
}

// touch writes at most once a minute that a token is in use. That it cannot be
// written is no reason to refuse the caller.
func (k *keeper) touch(ctx context.Context, id string) {
	if id == bootstrapID {
		return
	}
	now := k.now()
	k.mu.Lock()
	due := now.Sub(k.touched[id]) >= time.Minute
	if due {
		k.touched[id] = now
	}
	k.mu.Unlock()
	if due {
		ctx, cancel := context.WithTimeout(ctx, touchMost)
		defer cancel()
		_ = k.tokens.TouchToken(ctx, id)
	}
}

// touchMost is how long a caller waits for what is of no use to him.
const touchMost = time.Second

// middleware admits the caller of an operation by the scopes that its contract
// names, all of them; an operation without any is open.
func (k *keeper) middleware(c huma.Context, next func(huma.Context)) {
	scopes := scopesOf(c.Operation())
	if len(scopes) == 0 {
		next(c)
		return
	}
	r, w := humago.Unwrap(c)
	began := time.Now()
	t, err := k.admit(r, scopes...)
	if err != nil {
		fail(w, r, err)
		return
	}
	admitted := requestOf(r.Context())
	admitted.caller, admitted.spent = t, time.Since(began)
	next(c)
}

func scopesOf(op *huma.Operation) []string {
	for _, s := range op.Security {
		if scopes := s[security]; len(scopes) > 0 {
			return scopes
		}
	}
	return nil
}

// caller is the token that was admitted.
func caller(ctx context.Context) galena.Token { return requestOf(ctx).caller }

// guard admits callers of a plain handler, and whoever calls from this machine.
func (k *keeper) guard(scope string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r) {
			if _, err := k.admit(r, scope); err != nil {
				fail(w, r, err)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// noKeyInURL refuses a token in the query: it would stand in every log on the way.
func noKeyInURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if namesKey(r.URL.RawQuery) {
			problem(r.Context(), http.StatusUnauthorized, "token_in_url",
				"a token must not travel in a URL; send it in the header Authorization: Bearer, and replace the one that was sent").
				with("WWW-Authenticate", "Bearer").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// namesKey reads a query as it was sent: url.Values leaves out a pair with a semicolon
// or a broken escape, and the token stands in the URL all the same.
func namesKey(query string) bool {
	for pair := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(name) {
		case "api_key", "apikey", "access_token", "token":
			return true
		}
	}
	return false
}

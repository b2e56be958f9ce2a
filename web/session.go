package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

// sessionLife is how long a login lasts, whatever is done with it.
const sessionLife = 8 * time.Hour

// sessionCookie names and shapes the cookie. The __Host- prefix makes browsers
// refuse it from another host, another path or without Secure; it needs https.
type sessionCookie struct {
	name   string
	secure bool
}

func newSessionCookie(secure bool) sessionCookie {
	if secure {
		return sessionCookie{"__Host-galena", true}
	}
	return sessionCookie{"galena_session", false}
}

func (c sessionCookie) set(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: c.name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode})
}

// hash reads the cookie and returns what the store keeps of it, nil without one.
func (c sessionCookie) hash(r *http.Request) []byte {
	k, err := r.Cookie(c.name)
	if err != nil || k.Value == "" || len(k.Value) > 64 {
		return nil
	}
	sum := sha256.Sum256([]byte(k.Value))
	return sum[:]
}

// begin makes a session, tells the audit trail and hands the cookie out. The
// value is 128 random bits; only its hash is kept.
func (s *server) begin(w http.ResponseWriter, r *http.Request, user, role, how string) error {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	value := base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(value))
	session := galena.Session{Hash: sum[:], User: user, Role: role, ExpiresAt: s.Now().Add(sessionLife)}
	if err := s.Store.PutSession(r.Context(), session); err != nil {
		return err
	}
	if err := s.audit(r.Context(), user, "login.ok", "", how); err != nil {
		return err
	}
	if old := s.cookie.hash(r); old != nil {
		if err := s.Store.DeleteSession(r.Context(), old); err != nil && galena.KindOf(err) != galena.NotFound {
			return err
		}
	}
	s.cookie.set(w, value, int(sessionLife/time.Second))
	return nil
}

func (s *server) audit(ctx context.Context, actor, action, target, detail string) error {
	return s.Store.Audit(ctx, galena.AuditEntry{At: s.Now().UTC(), Actor: actor, Action: action, Target: target, Detail: detail})
}

// sessionKey is where the guard leaves the session for the handlers behind it.
type sessionKey struct{}

func sessionOf(r *http.Request) (galena.Session, bool) {
	v, ok := r.Context().Value(sessionKey{}).(galena.Session)
	return v, ok
}

// guard lets only logged-in people through. A page sends the others to the
// login; what a script asked for gets 401, since it could not show a form.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok, err := s.session(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case ok:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session)))
		case r.Header.Get("HX-Request") != "":
			w.Header().Set("HX-Redirect", "/login")
			http.Error(w, "log in first", http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/monitor/api/"):
			http.Error(w, "log in first", http.StatusUnauthorized)
		default:
			http.Redirect(w, r, loginURL(r), http.StatusFound)
		}
	})
}

// session finds the living session of a request.
func (s *server) session(r *http.Request) (galena.Session, bool, error) {
	hash := s.cookie.hash(r)
	if hash == nil {
		return galena.Session{}, false, nil
	}
	session, err := s.Store.Session(r.Context(), hash)
	if galena.KindOf(err) == galena.NotFound {
		return galena.Session{}, false, nil
	}
	if err != nil {
		return galena.Session{}, false, err
	}
	return session, s.Now().Before(session.ExpiresAt), nil
}

// loginURL leads to the login and, after it, back to the page that was wanted.
func loginURL(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/" || localPath(r.URL.Path) == "/" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(r.URL.Path)
}

// localPath keeps a path of our own and turns anything that a browser could
// read as another host into the first page.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") || len(p) > 200 {
		return "/"
	}
	return p
}

// onceToken is a secret that works a single time.
type onceToken struct {
	hash [sha256.Size]byte
	left atomic.Bool
}

func newOnceToken(secret string) *onceToken {
	t := &onceToken{hash: sha256.Sum256([]byte(secret))}
	t.left.Store(secret != "")
	return t
}

// take says whether the secret is right and has not been used, and uses it.
func (t *onceToken) take(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], t.hash[:]) == 1 && t.left.CompareAndSwap(true, false)
}

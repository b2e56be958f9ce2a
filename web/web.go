package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/galenahq/galena"
)

// Reader is what the pages show.
type Reader interface {
	Record(ctx context.Context, leadID string) (galena.Record, error)
	Records(ctx context.Context, f galena.LeadFilter) ([]galena.Record, error)
	Backlog(ctx context.Context) (galena.Backlog, error)
	Vendors
	Disputes
}

// Accounts is who may see them. Unknown users and sessions are NotFound errors.
type Accounts interface {
	User(ctx context.Context, name string) (galena.User, error)
	PutSession(ctx context.Context, s galena.Session) error
	Session(ctx context.Context, hash []byte) (galena.Session, error)
	DeleteSession(ctx context.Context, hash []byte) error
	Audit(ctx context.Context, e galena.AuditEntry) error
}

// Store is all that the pages need of the database.
type Store interface {
	Reader
	Accounts
}

// Monitor hands out the shared Redis client. It has the shape of asynq's
// RedisConnOpt, so that asynq itself stays behind the worker's door.
type Monitor interface{ MakeRedisClient() any }

// Deps is what the pages are built from. Only Store is required.
type Deps struct {
	Store     Store
	Log       *slog.Logger              // default: discards
	Now       func() time.Time          // default: time.Now
	PublicURL string                    // "https://…" makes the session cookie Secure; "" = plain http on the request's host
	Catalogue func() galena.Catalogue   // the providers that are configured; others are shown when the store knows them
	Tiers     func() []string           // tiers to filter by, highest first; default A to D. X is always there
	Rules     func() galena.ConfigState // the files in force, and what is wrong with them as they are now
	ClientIP  func(*http.Request) string
	Hands     Hands           // nil = leads are shown and cannot be accepted or handed back here
	Targets   func() []string // whom a lead can be given to: ids of reps, and pool:<id>; default: nobody
	Releaser  Releaser        // nil = held leads are shown and cannot be released here
	Limiter   Limiter         // nil = each process counts logins for itself

	LoginToken string // opens /login?once=… a single time as user "demo", role admin; "" = off

	Monitor           Monitor // nil = no /monitor/
	MonitorWrite      bool    // lets admins pause, run and delete in /monitor/
	PrometheusAddress string  // where asynqmon reads its time series; "" hides that page
}

// server is the pages with everything they hold on to.
type server struct {
	Deps
	origin  string // scheme://host of PublicURL, "" when unset
	cookie  sessionCookie
	tries   *limiter
	hashing chan struct{} // bounds how many passwords are compared at a time
	once    *onceToken
	assets  assets
	pages   pages
}

// New builds the handler of every page. It answers every path, so mount it
// last, at "/".
func New(d Deps) (http.Handler, error) {
	if d.Store == nil {
		return nil, errors.New("web: a store is needed")
	}
	withDefaults(&d)
	s := &server{Deps: d, tries: newLimiter(loginTries, time.Minute), hashing: make(chan struct{}, 2),
		once: newOnceToken(d.LoginToken)}
	origin, secure, err := originOf(d.PublicURL)
	if err != nil {
		return nil, err
	}
	s.origin, s.cookie = origin, newSessionCookie(secure)
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(s.assets); err != nil {
		return nil, err
	}
	return s.routes()
}

func withDefaults(d *Deps) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.ClientIP == nil {
		d.ClientIP = remoteHost
	}
	if d.Tiers == nil {
		d.Tiers = func() []string { return []string{"A", "B", "C", "D"} }
	}
	if d.Catalogue == nil {
		d.Catalogue = func() galena.Catalogue { return galena.Catalogue{} }
	}
	if d.Targets == nil {
		d.Targets = func() []string { return nil }
	}
	if d.Rules == nil {
		d.Rules = func() galena.ConfigState { return galena.ConfigState{} }
	}
}

// originOf reads scheme and host of the public address and whether it is https.
func originOf(public string) (origin string, secure bool, err error) {
	if public == "" {
		return "", false, nil
	}
	u, err := url.Parse(public)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false, errors.New("web: the public URL must be http(s)://host")
	}
	return u.Scheme + "://" + u.Host, u.Scheme == "https", nil
}

// handlers are the pages behind the login; access says who may ask for each.
func (s *server) handlers() (map[string]http.Handler, error) {
	all := map[string]http.Handler{}
	for page, h := range map[string]http.HandlerFunc{
		"GET /{$}":                   s.leads,
		"GET /leads/{id}":            s.lead,
		"POST /leads/{id}/accept":    s.act(accept),
		"POST /leads/{id}/touch":     s.act(touch),
		"POST /leads/{id}/hand-back": s.act(Hands.HandBack),
		toRelease:                    s.release,
		toReassign:                   s.act(reassign),
		"GET /conflicts":             s.conflicts,
		toResolve:                    s.keep,
		"GET /providers":             s.providers,
		"GET /rules":                 s.rules,
		"POST /logout":               s.logout,
		"/":                          s.notFound,
	} {
		all[page] = h
	}
	if s.Monitor == nil {
		return all, nil
	}
	m, err := newMonitor(s.Deps)
	all["GET /monitor/"], all[toSteer] = m, m
	return all, err
}

// routes puts the guard around everything but the login and its assets, so
// that a page added later is closed until somebody opens it.
func (s *server) routes() (http.Handler, error) {
	all, err := s.handlers()
	if err != nil {
		return nil, err
	}
	private := http.NewServeMux()
	for page, h := range all {
		private.Handle(page, s.only(page, h))
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /login", s.loginForm)
	open.HandleFunc("POST /login", s.login)
	open.HandleFunc("GET /static/{file}", s.assets.serve)
	open.Handle("/", s.guard(private))

	crossOrigin := http.NewCrossOriginProtection()
	if s.origin != "" {
		if err := crossOrigin.AddTrustedOrigin(s.origin); err != nil {
			return nil, fmt.Errorf("web: the public URL: %w", err)
		}
	}
	crossOrigin.SetDenyHandler(http.HandlerFunc(s.foreign))
	return s.harden(crossOrigin.Handler(open)), nil
}

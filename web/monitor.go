package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hibiken/asynqmon"

	"github.com/galenahq/galena"
)

// monitorPolicy is what asynqmon needs: it writes its styles at run time. Its
// inline scripts are let through by their hashes, which follow it.
const monitorPolicy = "default-src 'none'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'"

// newMonitor mounts asynqmon, which has no login, no check of its own and can
// delete queues. Everybody who is logged in may look; with MonitorWrite an
// admin may also act, and each act is told to the audit trail first.
func newMonitor(d Deps) (h http.Handler, err error) {
	defer func() {
		if recover() != nil { // asynqmon panics on a client it cannot use
			err = errors.New("web: the monitor's Redis client cannot be used")
		}
	}()
	show := func(readOnly bool) http.Handler {
		return asynqmon.New(asynqmon.Options{RootPath: "/monitor", RedisConnOpt: d.Monitor,
			PrometheusAddress: d.PrometheusAddress, ReadOnly: readOnly})
	}
	look := show(true)
	act := look
	if d.MonitorWrite {
		act = show(false)
	}
	return monitorGate(d, look, act), nil
}

func monitorGate(d Deps, look, act http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := sessionOf(r)
		steers := d.MonitorWrite && may(session.Role, toSteer)
		chosen := look
		if steers {
			chosen = act
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if !steers {
				http.Error(w, "the monitor is read-only", http.StatusMethodNotAllowed)
				return
			}
			entry := galena.AuditEntry{At: d.Now().UTC().Truncate(time.Millisecond), Actor: session.User,
				Action: "monitor." + strings.ToLower(r.Method), Target: r.URL.Path}
			if err := d.Store.Audit(r.Context(), entry); err != nil {
				d.Log.ErrorContext(r.Context(), "monitor act refused: no audit row", "error", err)
				http.Error(w, "the audit trail does not answer, so nothing was done", http.StatusServiceUnavailable)
				return
			}
		}
		w.Header().Set("Content-Security-Policy", monitorPolicy)
		page := &monitorPage{ResponseWriter: w}
		chosen.ServeHTTP(page, r)
		page.finish()
	})
}

// strangerLinks are the two style sheets that asynqmon fetches from a stranger,
// and its manifest, which browsers fetch without the cookie.
var strangerLinks = regexp.MustCompile(`<link rel="(?:stylesheet" href="https://fonts\.googleapis\.com/|manifest" href=")[^"]*"/?>`)

// inlineScripts finds the scripts that stand in the page itself.
var inlineScripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// monitorPage passes answers through, except that of the page itself, which it
// holds back to take out the links to strangers and to name the inline scripts
// in the policy: so no other inline script can run there.
type monitorPage struct {
	http.ResponseWriter
	status int
	held   *bytes.Buffer // the page; nil for everything else
}

func (p *monitorPage) WriteHeader(status int) {
	p.status = status
	p.ResponseWriter.WriteHeader(status)
}

func (p *monitorPage) Write(b []byte) (int, error) {
	if p.status == 0 && p.held == nil && p.Header().Get("Content-Type") == "" && bytes.HasPrefix(b, []byte("<!doctype html>")) {
		p.held = &bytes.Buffer{}
	}
	if p.held != nil {
		return p.held.Write(b)
	}
	return p.ResponseWriter.Write(b)
}

func (p *monitorPage) finish() {
	if p.held == nil {
		return
	}
	body := strangerLinks.ReplaceAll(p.held.Bytes(), nil)
	policy := monitorPolicy
	for _, m := range inlineScripts.FindAllSubmatch(body, -1) {
		sum := sha256.Sum256(m[1])
		policy += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	p.Header().Set("Content-Security-Policy", policy)
	p.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = p.ResponseWriter.Write(body) // the reader went away: nobody to tell
}

package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/galenahq/galena"
)

// loginTries is how often one address may try to log in within a minute.
const loginTries = 10

// nobody is the bcrypt hash of a password that was thrown away. A name that
// does not exist is compared with it, so that it takes as long as one that does.
const nobody = "$2a$10$XDL5P9aGjRFyzwnCUX8nluYc2xDAveG0X4B/ogNp55PtZA8QxviXq"

// loginView is the form: what was typed, where to go next, what went wrong.
type loginView struct {
	Name, Next, Error string
}

func (s *server) loginForm(w http.ResponseWriter, r *http.Request) {
	if secret := r.URL.Query().Get("once"); secret != "" {
		s.loginOnce(w, r, secret)
		return
	}
	next := localPath(r.URL.Query().Get("next"))
	if _, ok, err := s.session(r); err == nil && ok {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.showLogin(w, r, http.StatusOK, loginView{Next: next})
}

// loginOnce is the link that the demo prints.
func (s *server) loginOnce(w http.ResponseWriter, r *http.Request, secret string) {
	if !s.allowTry(w, r, loginView{}) {
		return
	}
	if !s.once.take(secret) {
		s.refuse(w, r, "unknown", "link", loginView{Next: "/", Error: "This link has been used already, or was never valid. It works once."})
		return
	}
	if err := s.begin(w, r, "demo", roleAdmin, "link"); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		s.problem(w, r, http.StatusBadRequest, "The form could not be read", "It was too long, or not a form.")
		return
	}
	view := loginView{Name: r.PostForm.Get("name"), Next: localPath(r.PostForm.Get("next"))}
	if !s.allowTry(w, r, view) {
		return
	}
	user, err := s.Store.User(r.Context(), view.Name)
	if err != nil && galena.KindOf(err) != galena.NotFound {
		s.fail(w, r, err)
		return
	}
	known := err == nil
	if !s.passwordIs(r.Context(), user, known, r.PostForm.Get("password")) {
		actor := "unknown" // what was typed may be anything, even a password
		if known {
			actor = user.Name
		}
		view.Error = "Name or password is wrong."
		s.refuse(w, r, actor, "password", view)
		return
	}
	if err := s.begin(w, r, user.Name, user.Role, "password"); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, view.Next, http.StatusSeeOther)
}

// allowTry counts a try and answers 429 when there were too many.
func (s *server) allowTry(w http.ResponseWriter, r *http.Request, view loginView) bool {
	ok, wait := s.allow(r.Context(), limitKey(s.ClientIP(r)))
	if ok {
		return true
	}
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	s.Log.WarnContext(r.Context(), "too many logins")
	view.Error = "Too many tries. Wait " + (time.Duration(seconds) * time.Second).String() + ", then try again."
	s.showLogin(w, r, http.StatusTooManyRequests, view)
	return false
}

// passwordIs compares under a bound, because one comparison keeps a core busy
// for a twentieth of a second and strangers may ask for it.
func (s *server) passwordIs(ctx context.Context, user galena.User, known bool, password string) bool {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return false
	}
	hash := []byte(nobody)
	if known {
		hash = user.PasswordHash
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && known
}

// refuse tells the audit trail and shows the form again.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, actor, how string, view loginView) {
	if err := s.audit(r.Context(), actor, "login.failed", "", how); err != nil {
		s.fail(w, r, err)
		return
	}
	s.showLogin(w, r, http.StatusUnauthorized, view)
}

func (s *server) showLogin(w http.ResponseWriter, r *http.Request, status int, view loginView) {
	if view.Next == "" {
		view.Next = "/"
	}
	s.render(w, r, status, "login", page{Title: "Log in", Body: view})
}

// logout ends the session in the store, so that a copied cookie is worthless.
func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	session, _ := sessionOf(r)
	if err := s.Store.DeleteSession(r.Context(), s.cookie.hash(r)); err != nil && galena.KindOf(err) != galena.NotFound {
		s.fail(w, r, err)
		return
	}
	if err := s.audit(r.Context(), session.User, "logout", "", ""); err != nil {
		s.fail(w, r, err)
		return
	}
	s.cookie.set(w, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/galenahq/galena"
)

// page is what the frame around every page needs; Body belongs to the page.
type page struct {
	Title   string
	Nav     string // which entry of the navigation is open
	User    string // "" on the login
	Monitor bool
	Faults  int // errors that keep changed files out of force
	Body    any
}

// pages are the parsed templates, by name.
type pages map[string]*template.Template

// pageNames are the templates that stand inside the frame.
var pageNames = []string{"login", "leads", "lead", "conflicts", "providers", "rules", "problem"}

func parsePages(a assets) (pages, error) {
	frame, err := template.New("frame").Funcs(template.FuncMap{"asset": a.address}).
		ParseFS(embedded, "templates/frame.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	all := pages{}
	for _, name := range pageNames {
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(embedded, "templates/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("web: template %s: %w", name, err)
		}
		all[name] = t
	}
	return all, nil
}

// render writes a whole page, or nothing of it: the body is complete before
// the status goes out.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	if session, ok := sessionOf(r); ok {
		p.User = session.User
	}
	p.Monitor, p.Faults = s.Monitor != nil, s.Rules().Errors()
	var body bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&body, "frame", p); err != nil {
		s.Log.ErrorContext(r.Context(), "page not rendered", "page", name, "error", err)
		http.Error(w, "this page could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader went away: nobody to tell
}

// problemView says what went wrong and what to do.
type problemView struct {
	Status int
	Head   string
	Advice string
	Back   string // where the reader came from; "" = the list
}

func (s *server) problem(w http.ResponseWriter, r *http.Request, status int, head, advice string) {
	s.render(w, r, status, "problem", page{Title: head, Body: problemView{Status: status, Head: head, Advice: advice}})
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "There is nothing here", "The address is wrong, or what it named is gone.")
}

func (s *server) foreign(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusForbidden, "Refused", "The request came from another site. Open this one and try there.")
}

// statuses is what the pages answer to each kind of failure of the store; a
// reader of pages sends nothing that could be malformed, so the rest is ours.
var statuses = map[galena.Kind]int{
	galena.Internal:     http.StatusInternalServerError,
	galena.Invalid:      http.StatusBadRequest,
	galena.NotFound:     http.StatusNotFound,
	galena.Unauthorized: http.StatusInternalServerError,
	galena.Exhausted:    http.StatusServiceUnavailable,
	galena.RateLimited:  http.StatusServiceUnavailable,
	galena.Unavailable:  http.StatusServiceUnavailable,
	galena.Malformed:    http.StatusInternalServerError,
	galena.BreakerOpen:  http.StatusServiceUnavailable,
	galena.Conflict:     http.StatusConflict,
	galena.Pending:      http.StatusServiceUnavailable,
	galena.WrongSubject: http.StatusInternalServerError,
}

// fail answers for an error. The cause goes to the log, not to the page.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := galena.KindOf(err)
	status := statuses[kind]
	if status == http.StatusNotFound {
		s.notFound(w, r)
		return
	}
	if !errors.Is(err, context.Canceled) { // the reader went away: no failure of ours
		s.Log.ErrorContext(r.Context(), "page failed", "kind", kind, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(5))
		s.problem(w, r, status, "The database does not answer", "Nothing is lost: leads that were accepted are safe. Try again in a few seconds.")
		return
	}
	s.problem(w, r, status, "Something went wrong here", "It has been written to the log. Try again; if it stays, tell whoever runs this.")
}

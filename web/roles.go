package web

import (
	"net/http"
	"slices"
	"strings"
)

// roles are who may ask for a page.
type roles []string

// The roles of people, and what they are for.
const (
	roleRep   = "rep"   // has leads of their own: the user's name is the rep's id
	roleOps   = "ops"   // looks after leads
	roleAdmin = "admin" // may overrule what the files say
)

var (
	everybody = roles{roleRep, roleOps, roleAdmin}
	keepers   = roles{roleOps, roleAdmin}
	rulers    = roles{roleAdmin}
)

// The pages that are offered only to those who may ask for them.
const (
	toRelease  = "POST /leads/{id}/release"
	toReassign = "POST /leads/{id}/reassign"
	toResolve  = "POST /conflicts/{id}/resolve"
	toSteer    = "/monitor/" // every method but GET: pausing, running and deleting tasks
)

// access is who may ask for what, and nothing else says so: a page that is not
// listed is closed to all. No page admits a role whose group of tokens lacks
// the config:write that the API asks for the same act, because a person's word
// then outweighs the files. Reps act on their own leads only, so they release
// none: a lead that is held is nobody's yet.
var access = map[string]roles{
	"GET /{$}":                   everybody,
	"GET /leads/{id}":            everybody,
	"POST /leads/{id}/accept":    everybody,
	"POST /leads/{id}/touch":     everybody,
	"POST /leads/{id}/hand-back": everybody,
	toRelease:                    keepers,
	toReassign:                   rulers,
	"GET /conflicts":             everybody,
	toResolve:                    rulers,
	"GET /providers":             everybody,
	"GET /rules":                 everybody,
	"GET /monitor/":              everybody,
	toSteer:                      rulers,
	"POST /logout":               everybody,
	"/":                          everybody, // there is nothing here
}

func may(role, page string) bool { return slices.Contains(access[page], role) }

// offered says whether whoever looks may ask for a page.
func offered(r *http.Request, page string) bool {
	session, _ := sessionOf(r)
	return may(session.Role, page)
}

// only lets those through who may ask for the page.
func (s *server) only(page string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if offered(r, page) {
			next.ServeHTTP(w, r)
			return
		}
		session, _ := sessionOf(r)
		s.problem(w, r, http.StatusForbidden, "Not for your role",
			"This takes the role "+strings.Join(access[page], " or ")+"; yours is "+session.Role+".")
	})
}

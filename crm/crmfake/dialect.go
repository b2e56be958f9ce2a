package crmfake

import (
	"net/http"
	"strings"

	"github.com/galenahq/galena/crm"
)

// Dialect is how a fake CRM talks.
type Dialect string

// The dialects.
const (
	Twenty    Dialect = "twenty"    // GET filter, amounts in micros, 400 for a limit and for a duplicate
	HubSpot   Dialect = "hubspot"   // POST search, everything a text below properties, batch of which a part may fail
	Laravel   Dialect = "laravel"   // PUT replaces the record, 422, Too Many Attempts.
	Pipedrive Dialect = "pipedrive" // nested hits without their keys, hashes for names, ids for options
	JSONAPI   Dialect = "jsonapi"   // attributes and relationships, If-Match, deleted records are shown
)

// Dialects lists every dialect once.
func Dialects() []Dialect { return []Dialect{Twenty, HubSpot, Laravel, Pipedrive, JSONAPI} }

// habits are what a language says in one word.
type habits struct {
	header, prefix string             // of the token
	deleted        bool               // deleted records are shown
	writesDeleted  bool               // and those that are not shown can be changed
	newID          func(n int) string // of the record that is made after n others
	free           string             // prefix of the paths that no limit counts
}

// language is what tells one fake from the next.
type language interface {
	columns() map[crm.Object][]column
	habits() habits
	parse(r *http.Request, body object) (call, *refusal)
	reply(c call, rows []*row) answer
	refuse(f refusal) answer
}

// taker is a language that judges by itself what is put into a record.
type taker interface {
	take(s *Server, t *table, rec, set object) *refusal
}

// describer is a language in which a CRM tells of itself.
type describer interface {
	describe(s *Server, r *http.Request, body object) (answer, bool)
}

var languages = map[Dialect]language{
	Twenty: twenty{}, HubSpot: hubspot{}, Laravel: laravel{}, Pipedrive: pipedrive{}, JSONAPI: jsonapi{},
}

// route reads "/prefix/names[/id]" against the names of the two objects.
func route(r *http.Request, prefix string, names map[string]crm.Object) (crm.Object, string, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, prefix)
	name, id, _ := strings.Cut(rest, "/")
	o, known := names[name]
	return o, id, ok && known
}

// verb is what a method means for a record.
func verb(r *http.Request, id string) (op, bool) {
	switch {
	case r.Method == http.MethodGet && id != "":
		return read, true
	case r.Method == http.MethodGet:
		return search, true
	case r.Method == http.MethodPost && id == "":
		return create, true
	case r.Method == http.MethodPatch && id != "":
		return merge, true
	default:
		return 0, false
	}
}

// statuses of the refusals, where a language has no idea of its own.
var statuses = map[why]int{
	badToken: http.StatusUnauthorized, noToken: http.StatusUnauthorized, garbled: http.StatusBadRequest, tooFast: http.StatusTooManyRequests, spent: http.StatusTooManyRequests,
	away: http.StatusServiceUnavailable, misunderstood: http.StatusBadRequest, unknownField: http.StatusBadRequest,
	badValue: http.StatusBadRequest, duplicate: http.StatusConflict, missing: http.StatusNotFound, stale: http.StatusPreconditionFailed,
}

// last is the last key of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

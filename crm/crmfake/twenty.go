package crmfake

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

// twenty is Twenty as a 2.21 server was seen to behave, and where nothing was
// seen, as its documentation says.
type twenty struct{}

const graphPath = "/graphql"

// twentyObject is what Twenty calls a kind of record.
type twentyObject struct{ one, many, id string }

var twentyObjects = map[crm.Object]twentyObject{
	crm.Company: {"company", "companies", "50e3785c-dde3-4cdb-8145-ecb7ec714e0e"},
	crm.Person:  {"person", "people", "513f6d3f-41b0-4f03-b39b-ca4fea1acedb"},
	User:        {"workspaceMember", "workspaceMembers", "0a2b3c4d-0000-4000-8000-000000000001"},
}

func (o twentyObject) title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func twentyNamed(name string) (crm.Object, bool) {
	for o, n := range twentyObjects {
		if n.many == name {
			return o, true
		}
	}
	return "", false
}

// The most records of one page, of one batch, and of one change by a filter.
const (
	twentyPage  = 200
	twentyUsual = 60
	twentyBatch = 200
)

func (twenty) habits() habits {
	return habits{header: "Authorization", prefix: "Bearer ", writesDeleted: true, free: "/rest/metadata",
		newID: func(n int) string { return fmt.Sprintf("20202020-0000-4000-8000-%012d", n+1) }}
}

// parse reads a request for records.
func (t twenty) parse(r *http.Request, body object) (call, *refusal) {
	if r.URL.Path == graphPath {
		return t.parseGraph(r, body)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/rest/")
	if !ok {
		return call{}, &refusal{why: missing, text: "Cannot " + r.Method + " " + r.URL.Path}
	}
	rest, many := strings.CutPrefix(rest, "batch/")
	name, id, _ := strings.Cut(rest, "/")
	o, known := twentyNamed(name)
	if !known {
		return call{}, &refusal{why: misunderstood, text: fmt.Sprintf("object '%s' not found. eg: companies", name)}
	}
	c := call{object: o, id: id, set: body, upsert: r.URL.Query().Get("upsert") == "true"}
	if id != "" && !uuidShape.MatchString(id) {
		return c, &refusal{why: misunderstood, text: fmt.Sprintf("'%s' is not a valid UUID", id)}
	}
	list, isList := body[""].([]any)
	switch {
	case many && r.Method == http.MethodPost && id == "" && isList:
		return t.parseBatch(c, list)
	case many:
		return c, &refusal{why: misunderstood, text: "the body of a batch is a list"}
	case isList && r.Method != http.MethodGet:
		return c, &refusal{why: unknownField, path: "0"}
	case r.Method == http.MethodGet && id != "":
		c.op = read
		return c, nil
	case r.Method == http.MethodGet:
		c.op = search
		return t.page(c, r)
	case o == User:
		return c, &refusal{why: misunderstood, text: "members are not made by programs"}
	case r.Method == http.MethodPost && id == "":
		c.op = create
		return c, nil
	case r.Method == http.MethodPatch && r.ContentLength == 0:
		return c, &refusal{why: garbled, text: "Cannot read properties of undefined (reading 'position')"}
	case r.Method == http.MethodPatch && id != "":
		c.op = merge
		return c, nil
	case r.Method == http.MethodPatch && r.URL.Query().Get("filter") != "":
		c.op = mergeAll
		return t.filterOf(c, r)
	}
	return c, &refusal{why: misunderstood, text: fmt.Sprintf("Query path '%s' invalid. Valid examples: /rest/companies/id or /rest/companies or /rest/batch/companies", r.URL.Path)}
}

var uuidShape = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (twenty) parseBatch(c call, list []any) (call, *refusal) {
	c.op = createAll
	for _, it := range list {
		set, ok := it.(object)
		if !ok || len(list) > twentyBatch {
			return c, &refusal{why: misunderstood, text: "a batch holds up to 200 records"}
		}
		c.many = append(c.many, call{op: create, object: c.object, set: set, upsert: c.upsert})
	}
	return c, nil
}

// page reads what says which records are meant, and how many of them.
func (t twenty) page(c call, r *http.Request) (call, *refusal) {
	q := r.URL.Query()
	if d := q.Get("depth"); d != "" && d != "0" && d != "1" {
		return c, &refusal{why: misunderstood, text: fmt.Sprintf("'depth=%s' parameter invalid. Allowed values are 0, 1", d)}
	}
	c.limit = twentyUsual
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 {
		c.limit = min(n, twentyPage)
	}
	c.after = cursorID(q.Get("starting_after"))
	return t.filterOf(c, r)
}

func (twenty) filterOf(c call, r *http.Request) (call, *refusal) {
	text := r.URL.Query().Get("filter")
	if text == "" {
		c.filter = &filter{op: "and"}
		return c, nil
	}
	f, err := parseFilter(text)
	if err != nil {
		return c, &refusal{why: misunderstood, text: err.Error()}
	}
	c.filter = f
	return c, nil
}

// cursorOf says behind which record a page begins.
func cursorOf(id string) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"id":"` + id + `"}`))
}

func cursorID(cursor string) string {
	b, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(b), `{"id":"`), `"}`)
}

func (t twenty) reply(c call, rows []*row) answer {
	n := twentyObjects[c.object]
	more := c.limit > 0 && len(rows) > c.limit
	if more {
		rows = rows[:c.limit]
	}
	shown := make([]any, len(rows))
	for i, w := range rows {
		shown[i] = w.shown()
	}
	info := object{"hasNextPage": more, "hasPreviousPage": c.after != "", "startCursor": nil, "endCursor": nil}
	if len(rows) > 0 {
		info["startCursor"], info["endCursor"] = cursorOf(rows[0].id), cursorOf(rows[len(rows)-1].id)
	}
	if c.graph != nil {
		return t.replyGraph(c, n, shown, info)
	}
	data := func(status int, name string, v any) answer {
		return answer{status: status, body: object{"data": object{name: v}}}
	}
	switch c.op {
	case search:
		return answer{status: http.StatusOK, body: object{"data": object{n.many: shown}, "totalCount": len(shown), "pageInfo": info}}
	case create:
		return data(http.StatusCreated, "create"+n.title(n.one), shown[0])
	case createAll:
		return data(http.StatusCreated, "create"+n.title(n.many), shown)
	case merge:
		return data(http.StatusOK, "update"+n.title(n.one), shown[0])
	case mergeAll:
		return data(http.StatusOK, "update"+n.title(n.many), shown)
	default:
		return data(http.StatusOK, n.one, shown[0])
	}
}

// The key that writes, as a record names it.
const (
	twentyKey    = "enrichment connector"
	twentyMember = "20202020-1553-45c6-a028-5a9064cce07f"
	twentyTime   = "2006-01-02T15:04:05.000Z"
)

// shown is the record as an answer holds it.
func (w *row) shown() object {
	actor := func(api bool) object {
		if api {
			return object{"source": "API", "workspaceMemberId": nil, "name": twentyKey, "context": object{}}
		}
		return object{"source": "MANUAL", "workspaceMemberId": twentyMember, "name": "Ana Souza", "context": object{}}
	}
	out := clone(w.rec)
	out["id"], out["createdAt"], out["updatedAt"], out["deletedAt"] = w.id, w.made.UTC().Format(twentyTime), w.touched.UTC().Format(twentyTime), nil
	out["createdBy"], out["updatedBy"] = actor(w.makerAPI), actor(w.lastAPI)
	if w.deleted {
		out["deletedAt"] = w.gone.UTC().Format(twentyTime)
	}
	return out
}

// refuse says no in one of the five shapes in which Twenty does.
func (t twenty) refuse(f refusal) answer {
	status, kind, message := http.StatusBadRequest, "BadRequestException", f.text
	body := object{}
	switch f.why {
	case noToken:
		status, kind, message = http.StatusForbidden, "FORBIDDEN_EXCEPTION", "Missing authentication token"
	case badToken:
		status, kind, message = http.StatusUnauthorized, "UNAUTHENTICATED", "Token invalid."
	case tooFast:
		status, kind, message = http.StatusTooManyRequests, "HttpException", "Limit reached (100 tokens per 60000 ms)"
		if f.hint {
			kind, message = "RATE_LIMITED", "Rate limit reached"
			body["limitKind"], body["retryAfterSeconds"] = "speed", 12
		}
	case spent:
		status, kind, message = http.StatusPaymentRequired, "RATE_LIMITED", "Quota exhausted"
		body["limitKind"] = "quota"
	case away:
		kind, message = "Error", "connect ECONNREFUSED 10.0.0.5:5432"
	case garbled:
		if message == "" {
			return answer{status: status, body: object{"message": "Unexpected end of JSON input", "error": "Bad Request", "statusCode": status}}
		}
		kind = "TypeError"
	case duplicate:
		message = "A duplicate entry was detected"
	case missing:
		status, kind, message = http.StatusNotFound, "NotFoundException", "Record not found"
	case unknownField:
		message = fmt.Sprintf("Object company doesn't have any %q field.", f.path)
	case badLink:
		kind, message, body["code"] = "Error", "The URL of the link is not valid", "INVALID_URL"
	}
	if f.graph {
		return refuseGraph(f, message)
	}
	body["statusCode"], body["error"], body["messages"] = status, kind, []string{message}
	a := answer{status: status, body: body}
	if f.hint {
		a.header = map[string]string{"Retry-After": "12"}
	}
	return a
}

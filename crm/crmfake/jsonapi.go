package crmfake

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

type jsonapi struct{}

// jsonapiType is the content type that JSON:API insists on.
const jsonapiType = "application/vnd.api+json"

var jsonapiNames = map[string]crm.Object{"accounts": crm.Company, "contacts": crm.Person}

func (jsonapi) habits() habits {
	return habits{header: "Authorization", prefix: "Bearer ", deleted: true, newID: func(n int) string { return "a" + strconv.Itoa(n+1) }}
}

func (jsonapi) columns() map[crm.Object][]column {
	return map[crm.Object][]column{
		crm.Company: {
			{path: "attributes.website-host", field: crm.Domain, form: host, unique: true},
			{path: "attributes.display-name", field: "company.name"},
			{path: "attributes.headcount", field: "company.employee_count", form: whole},
			{path: "attributes.turnover.amount", field: "company.annual_revenue_usd", form: whole},
			{path: "attributes.turnover.currency"},
			{path: "attributes.sector", field: "company.industry", form: options, words: []any{"software", "retail", "mining"}},
			{path: "attributes.fit-points", field: crm.Score, form: whole},
			{path: "attributes.fit-grade", field: crm.Tier, form: options, words: []any{"A", "B", "C"}},
			{path: "attributes.fit-reasons", field: crm.Reasons},
			{path: "attributes.note", field: Note},
			{path: "relationships.owner.data.id", field: crm.Owner},
			{path: "relationships.owner.data.type"},
		},
		crm.Person: {
			{path: "attributes.email", field: crm.Email, form: host, unique: true},
			{path: "attributes.given-name", field: crm.FirstName},
			{path: "attributes.family-name", field: crm.LastName},
			{path: "attributes.position", field: "lead.job_title"},
			{path: "attributes.note", field: Note},
			{path: "relationships.account.data.id", field: crm.Employer},
			{path: "relationships.account.data.type"},
		},
	}
}

func (jsonapi) parse(r *http.Request, body object) (call, *refusal) {
	o, id, ok := route(r, "/", jsonapiNames)
	op, known := verb(r, id)
	if !ok || !known {
		return call{}, &refusal{why: missing}
	}
	c := call{op: op, object: o, id: id, match: strings.Trim(r.Header.Get("If-Match"), `"`)}
	if op == create || op == merge {
		data, _ := body["data"].(object)
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch {
		case r.Header.Get("Content-Type") != jsonapiType:
			return c, &refusal{why: misunderstood, path: "Content-Type"}
		case plain(data["type"]) != strings.SplitN(name, "/", 2)[0], plain(data["id"]) != id:
			return c, &refusal{why: misunderstood, path: "type"}
		}
		delete(data, "type")
		delete(data, "id")
		c.set = data
	}
	for name, v := range r.URL.Query() {
		if field, ok := strings.CutPrefix(name, "filter["); ok {
			c.where, c.values = "attributes."+strings.TrimSuffix(field, "]"), v
		}
	}
	if op == search && c.where == "" {
		return c, &refusal{why: misunderstood, path: "filter"}
	}
	return c, nil
}

func (jsonapi) reply(c call, rows []*row) answer {
	kind := "accounts"
	if c.object == crm.Person {
		kind = "contacts"
	}
	shown := make([]any, len(rows))
	for i, w := range rows {
		meta := object{"version": w.version, "deleted-at": nil}
		if w.deleted {
			meta["deleted-at"] = "2026-11-02T09:00:00Z"
		}
		rec := object{"type": kind, "id": w.id, "meta": meta}
		maps.Copy(rec, w.rec)
		shown[i] = rec
	}
	a := answer{status: http.StatusOK, kind: jsonapiType}
	switch c.op {
	case search:
		a.body = object{"data": shown}
		return a
	case create:
		a.status = http.StatusCreated
	}
	a.body = object{"data": shown[0]}
	return a
}

func (jsonapi) refuse(f refusal) answer {
	status := statuses[f.why]
	fault := object{"status": strconv.Itoa(status), "title": http.StatusText(status)}
	if f.why == unknownField || f.why == badValue {
		status = http.StatusUnprocessableEntity
		fault["title"] = "Invalid attribute"
		fault["source"] = object{"pointer": "/data/" + strings.ReplaceAll(f.path, ".", "/")}
	}
	if f.why == spent {
		fault["code"] = "quota_exhausted"
	}
	a := answer{status: status, kind: jsonapiType, body: object{"errors": []any{fault}}}
	if f.hint {
		a.header = map[string]string{"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT"}
	}
	return a
}

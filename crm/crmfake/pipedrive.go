package crmfake

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

type pipedrive struct{}

var pipedriveNames = map[string]crm.Object{"organizations": crm.Company, "persons": crm.Person}

// hash is the key of a custom field, 40 characters of no meaning.
func hash(n int) string {
	return "custom_fields.d4de1c1518b4531717c676029a45911c340390" + strconv.Itoa(10+n)
}

func (pipedrive) habits() habits {
	return habits{header: "x-api-token", prefix: "", deleted: true, newID: func(n int) string { return strconv.Itoa(17 + n) }}
}

func (pipedrive) columns() map[crm.Object][]column {
	// Options are numbers, from 1: software, retail, mining; A, B, C.
	numbers := []any{1, 2, 3}
	return map[crm.Object][]column{
		crm.Company: {
			{path: "name", field: "company.name"},
			{path: "owner_id", field: crm.Owner, form: whole},
			{path: hash(0), field: crm.Domain, form: host},
			{path: hash(1), field: "company.employee_count", form: whole},
			{path: hash(2) + ".value", field: "company.annual_revenue_usd", form: whole},
			{path: hash(2) + ".currency"},
			{path: hash(3), field: "company.industry", form: options, words: numbers},
			{path: hash(4), field: crm.Score, form: whole},
			{path: hash(5), field: crm.Tier, form: options, words: numbers},
			{path: hash(6), field: crm.Reasons},
			{path: hash(7), field: Note},
		},
		crm.Person: {
			{path: "emails", field: crm.Email, form: address},
			{path: "first_name", field: crm.FirstName},
			{path: "last_name", field: crm.LastName},
			{path: "job_title", field: "lead.job_title"},
			{path: "org_id", field: crm.Employer, form: whole},
			{path: hash(8), field: Note},
		},
	}
}

func (pipedrive) parse(r *http.Request, body object) (call, *refusal) {
	o, id, ok := route(r, "/api/v2/", pipedriveNames)
	op, known := verb(r, id)
	switch q := r.URL.Query(); {
	case !ok || !known || op == search:
		return call{}, &refusal{why: missing}
	case op == read && id == "search" && len(q.Get("term")) < 2:
		return call{}, &refusal{why: misunderstood, path: "term"}
	case op == read && id == "search":
		return call{op: search, object: o, values: q["term"], like: q.Get("exact_match") != "true"}, nil
	}
	return call{op: op, object: o, id: id, set: body}, nil
}

func (pipedrive) reply(c call, rows []*row) answer {
	shown := []any{}
	for _, w := range rows {
		id, _ := strconv.Atoi(w.id)
		if c.op != search {
			w.rec["id"], w.rec["is_deleted"], w.rec["update_time"] = id, w.deleted, w.version
			shown = append(shown, w.rec)
			continue
		}
		if w.deleted {
			continue // a search does not find it, a read does
		}
		// A hit tells the values of the custom fields, not which is which.
		values := []any{}
		custom, _ := w.rec["custom_fields"].(object)
		for _, v := range custom {
			if s, ok := v.(string); ok {
				values = append(values, s)
			}
		}
		shown = append(shown, object{"result_score": 1.22, "item": object{"id": id, "name": w.rec["name"], "custom_fields": values}})
	}
	if c.op == search {
		return answer{status: http.StatusOK, body: object{"success": true, "data": object{"items": shown}}}
	}
	status := http.StatusOK
	if c.op == create {
		status = http.StatusCreated
	}
	return answer{status: status, body: object{"success": true, "data": shown[0]}}
}

func (pipedrive) refuse(f refusal) answer {
	status := statuses[f.why]
	message, info := "Bad request", "Please check developers.pipedrive.com"
	switch f.why {
	case badToken, noToken:
		message = "unauthorized access"
	case tooFast:
		message = "Request over limit"
	case spent:
		message = "Daily token budget exceeded"
	case missing:
		message = "Resource not found"
	case unknownField:
		message = "Validation failed: " + last(f.path) + ": unknown field"
	case badValue:
		message = "Validation failed: " + strings.TrimSuffix(f.path, ".value") + ": invalid value"
	}
	a := answer{status: status, body: object{"success": false, "error": message, "error_info": info, "errorCode": status}}
	if f.hint {
		a.header = map[string]string{"x-ratelimit-reset": "2"}
	}
	return a
}

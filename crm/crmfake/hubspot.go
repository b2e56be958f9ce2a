package crmfake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

type hubspot struct{}

var hubspotNames = map[string]crm.Object{"companies": crm.Company, "contacts": crm.Person}

func (hubspot) habits() habits {
	return habits{header: "Authorization", prefix: "Bearer ", deleted: false, newID: func(n int) string { return strconv.Itoa(512 + n) }}
}

func (hubspot) columns() map[crm.Object][]column {
	tiers := []any{"A", "B", "C", "D", "X"}
	return map[crm.Object][]column{
		crm.Company: {
			{path: "domain", field: crm.Domain, form: host},
			{path: "name", field: "company.name"},
			{path: "numberofemployees", field: "company.employee_count", form: digits},
			{path: "annualrevenue", field: "company.annual_revenue_usd", form: digits},
			{path: "industry", field: "company.industry", form: options, words: []any{"COMPUTER_SOFTWARE", "RETAIL", "MINING_METALS"}},
			{path: "hubspot_owner_id", field: crm.Owner, form: digits},
			{path: "galena_icp_score", field: crm.Score, form: digits},
			{path: "galena_icp_tier", field: crm.Tier, form: options, words: tiers},
			{path: "galena_icp_reasons", field: crm.Reasons},
			{path: "note", field: Note},
		},
		crm.Person: {
			{path: "email", field: crm.Email, form: host, unique: true},
			{path: "firstname", field: crm.FirstName},
			{path: "lastname", field: crm.LastName},
			{path: "jobtitle", field: "lead.job_title"},
			{path: "associatedcompanyid", field: crm.Employer},
			{path: "note", field: Note},
		},
		User: {{path: "email", field: crm.Email, form: host, unique: true}},
	}
}

// describe implements describer: who works here.
func (hubspot) describe(s *Server, r *http.Request, _ object) (answer, bool) {
	if r.Method != http.MethodGet || r.URL.Path != "/crm/v3/owners" {
		return answer{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	results := []any{}
	for _, id := range s.tables[User].order {
		email := plain(s.tables[User].rows[id].rec["email"])
		if asked := r.URL.Query().Get("email"); asked == "" || strings.EqualFold(asked, email) {
			results = append(results, object{"id": id, "email": email, "archived": false})
		}
	}
	return answer{status: http.StatusOK, body: object{"results": results}}, true
}

func (hubspot) parse(r *http.Request, body object) (call, *refusal) {
	o, id, ok := route(r, "/crm/v3/objects/", hubspotNames)
	set, _ := body["properties"].(object)
	c := call{object: o, id: id, set: set, show: strings.Split(r.URL.Query().Get("properties"), ",")}
	switch op, known := verb(r, id); {
	case !ok:
		return c, &refusal{why: missing}
	case r.Method == http.MethodPost && id == "search":
		return searchHubSpot(c, body)
	case r.Method == http.MethodPost && id == "batch/update":
		c.op = batch
		inputs, _ := body["inputs"].([]any)
		for _, it := range inputs {
			in, _ := it.(object)
			set, _ := in["properties"].(object)
			c.many = append(c.many, call{op: merge, object: o, id: plain(in["id"]), set: set})
		}
		if len(c.many) == 0 || len(c.many) > 100 {
			return c, &refusal{why: misunderstood, path: "inputs"}
		}
	case known && op != search:
		if c.op = op; op != read && set == nil {
			return c, &refusal{why: misunderstood, path: "properties"}
		}
	default:
		return c, &refusal{why: misunderstood, path: "method"}
	}
	return c, nil
}

func searchHubSpot(c call, body object) (call, *refusal) {
	c.op, c.show = search, nil
	groups, _ := body["filterGroups"].([]any)
	if len(groups) != 1 {
		return c, &refusal{why: misunderstood, path: "filterGroups"}
	}
	group, _ := groups[0].(object)
	filters, _ := group["filters"].([]any)
	if len(filters) != 1 {
		return c, &refusal{why: misunderstood, path: "filters"}
	}
	filter, _ := filters[0].(object)
	c.where = plain(filter["propertyName"])
	switch plain(filter["operator"]) {
	case "EQ":
		c.values = []string{plain(filter["value"])}
	case "IN":
		values, _ := filter["values"].([]any)
		for _, v := range values {
			c.values = append(c.values, plain(v))
		}
	}
	if c.where == "" || len(c.values) == 0 {
		return c, &refusal{why: misunderstood, path: "operator"}
	}
	shown, _ := body["properties"].([]any)
	for _, p := range shown {
		c.show = append(c.show, plain(p))
	}
	return c, nil
}

// record shows the properties that were asked for, as texts.
func (hubspot) record(c call, w *row) object {
	properties := object{}
	for k, v := range w.rec {
		if slices.Contains(c.show, k) || c.op == create || c.op == merge {
			properties[k] = v
		}
	}
	return object{"id": w.id, "properties": properties, "archived": false}
}

func (h hubspot) reply(c call, rows []*row) answer {
	results, errs := []any{}, []any{}
	for _, w := range rows {
		if w.version < 0 {
			errs = append(errs, object{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not update an object",
				"context": object{"ids": []string{w.id}}})
			continue
		}
		results = append(results, h.record(c, w))
	}
	switch c.op {
	case search:
		return answer{status: http.StatusOK, body: object{"total": len(results), "results": results}}
	case batch:
		if len(errs) > 0 {
			return answer{status: http.StatusMultiStatus, body: object{"status": "COMPLETE", "results": results, "errors": errs, "numErrors": len(errs)}}
		}
		return answer{status: http.StatusOK, body: object{"status": "COMPLETE", "results": results}}
	case create:
		return answer{status: http.StatusCreated, body: results[0]}
	default:
		return answer{status: http.StatusOK, body: results[0]}
	}
}

func (hubspot) refuse(f refusal) answer {
	body := object{"status": "error", "correlationId": "9c5760c4-2c71-4059-897d-cf20a1ce1523", "category": "VALIDATION_ERROR"}
	a := answer{status: statuses[f.why], body: body}
	switch f.why {
	case badToken, noToken:
		body["category"], body["message"] = "INVALID_AUTHENTICATION", "Authentication credentials not found."
	case tooFast:
		body["errorType"], body["policyName"] = "RATE_LIMIT", "TEN_SECONDLY_ROLLING"
		body["message"] = "You have reached your ten_secondly_rolling limit."
		if f.hint {
			a.header = map[string]string{"Retry-After": "10"}
		}
	case spent:
		body["errorType"], body["policyName"], body["message"] = "RATE_LIMIT", "DAILY", "You have reached your daily limit."
	case unknownField:
		body["message"] = fmt.Sprintf("Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"%s\\\" does not exist\"}]", f.path)
		body["errors"] = []any{object{"message": fmt.Sprintf("Property %q does not exist", f.path), "code": "PROPERTY_DOESNT_EXIST"}}
	case badValue:
		body["message"] = "Property values were not valid"
		body["errors"] = []any{object{"message": fmt.Sprintf("%q was not one of the allowed options", f.path), "code": "INVALID_OPTION"}}
	case duplicate:
		body["category"], body["message"] = "CONFLICT", "Contact already exists"
	case missing:
		body["category"], body["message"] = "OBJECT_NOT_FOUND", "Object not found. objectId is usually a number."
	default:
		body["message"] = "Invalid input: " + f.path
	}
	return a
}

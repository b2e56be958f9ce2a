package crmfake

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/galenahq/galena/crm"
)

type twenty struct{}

var twentyNames = map[string]crm.Object{"companies": crm.Company, "people": crm.Person}

func (twenty) habits() habits {
	return habits{header: "Authorization", prefix: "Bearer ", deleted: false, newID: func(n int) string { return fmt.Sprintf("20202020-0000-4000-8000-%012d", n+1) }}
}

func (twenty) columns() map[crm.Object][]column {
	tiers := []any{"A", "B", "C", "D", "X"}
	return map[crm.Object][]column{
		crm.Company: {
			{path: "domainName.primaryLinkUrl", field: crm.Domain, form: host, unique: true},
			{path: "domainName.primaryLinkLabel"},
			{path: "name", field: "company.name"},
			{path: "employees", field: "company.employee_count", form: whole},
			{path: "annualRecurringRevenue.amountMicros", field: "company.annual_revenue_usd", form: micros},
			{path: "annualRecurringRevenue.currencyCode"},
			{path: "industry", field: "company.industry", form: options, words: []any{"SOFTWARE", "RETAIL", "MINING"}},
			{path: "accountOwnerId", field: crm.Owner},
			{path: "icpScore", field: crm.Score, form: whole},
			{path: "icpTier", field: crm.Tier, form: options, words: tiers},
			{path: "icpReasons", field: crm.Reasons},
			{path: "note", field: Note},
		},
		crm.Person: {
			{path: "emails.primaryEmail", field: crm.Email, form: host, unique: true},
			{path: "name.firstName", field: crm.FirstName},
			{path: "name.lastName", field: crm.LastName},
			{path: "jobTitle", field: "lead.job_title"},
			{path: "companyId", field: crm.Employer},
			{path: "note", field: Note},
		},
	}
}

func (twenty) parse(r *http.Request, body object) (call, *refusal) {
	o, id, ok := route(r, "/rest/", twentyNames)
	op, known := verb(r, id)
	if !ok || !known {
		return call{}, &refusal{why: missing}
	}
	c := call{op: op, object: o, id: id, set: body}
	if op == search {
		// filter=domainName.primaryLinkUrl[in]:[a,b] or …[eq]:a
		field, test, ok := strings.Cut(r.URL.Query().Get("filter"), "[")
		comparator, value, ok2 := strings.Cut(test, "]:")
		if !ok || !ok2 || comparator != "in" && comparator != "eq" {
			return c, &refusal{why: misunderstood, path: field}
		}
		if c.where = field; comparator == "in" {
			value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
		}
		for v := range strings.SplitSeq(value, ",") {
			c.values = append(c.values, strings.Trim(v, `"`))
		}
	}
	return c, nil
}

func (twenty) reply(c call, rows []*row) answer {
	one, many, title := "company", "companies", "Company"
	if c.object == crm.Person {
		one, many, title = "person", "people", "Person"
	}
	shown := make([]any, len(rows))
	for i, w := range rows {
		w.rec["id"], w.rec["deletedAt"] = w.id, nil
		shown[i] = w.rec
	}
	switch c.op {
	case search:
		return answer{status: http.StatusOK, body: object{"data": object{many: shown}, "totalCount": len(shown),
			"pageInfo": object{"hasNextPage": false}}}
	case create:
		return answer{status: http.StatusCreated, body: object{"data": object{"create" + title: shown[0]}}}
	case merge:
		return answer{status: http.StatusOK, body: object{"data": object{"update" + title: shown[0]}}}
	default:
		return answer{status: http.StatusOK, body: object{"data": object{one: shown[0]}}}
	}
}

func (twenty) refuse(f refusal) answer {
	var message string
	status, kind := statuses[f.why], "BadRequestException"
	switch f.why {
	case badToken:
		kind, message = "UnauthorizedException", "Token invalid."
	case tooFast:
		if f.hint {
			return answer{status: status, body: object{"statusCode": status, "error": "RATE_LIMITED",
				"messages": []string{"Rate limit reached"}, "limitKind": "speed", "retryAfterSeconds": 12}}
		}
		status, kind, message = http.StatusBadRequest, "Error", "Limit reached (100 tokens per 60000 ms)"
	case spent:
		return answer{status: status, body: object{"statusCode": status, "error": "RATE_LIMITED",
			"messages": []string{"Quota exhausted"}, "limitKind": "quota"}}
	case away:
		status, kind, message = http.StatusBadRequest, "Error", "connect ECONNREFUSED 10.0.0.5:5432"
	case duplicate:
		status, message = http.StatusBadRequest, "A duplicate entry was detected"
	case missing:
		kind, message = "NotFoundException", "Record not found"
	case unknownField:
		message = fmt.Sprintf("Object company doesn't have any %q field.", f.path)
	case badValue:
		message = fmt.Sprintf("Invalid value for field %q", f.path)
	default:
		message = "'filter' invalid for " + f.path
	}
	return answer{status: status, body: object{"statusCode": status, "error": kind, "messages": []string{message}}}
}

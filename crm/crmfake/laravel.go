package crmfake

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/galenahq/galena/crm"
)

type laravel struct{}

var laravelNames = map[string]crm.Object{"empresas": crm.Company, "pessoas": crm.Person}

func (laravel) habits() habits {
	return habits{header: "Authorization", prefix: "Bearer ", deleted: false, newID: func(n int) string { return strconv.Itoa(n + 1) }}
}

func (laravel) columns() map[crm.Object][]column {
	return map[crm.Object][]column{
		crm.Company: {
			{path: "dominio", field: crm.Domain, form: host, unique: true},
			{path: "razao_social", field: "company.name"},
			{path: "funcionarios", field: "company.employee_count", form: whole},
			{path: "faturamento", field: "company.annual_revenue_usd", form: whole},
			{path: "moeda"},
			{path: "setor", field: "company.industry", form: options, words: []any{"Software", "Varejo", "Mineração"}},
			{path: "vendedor_id", field: crm.Owner, form: whole},
			{path: "icp_pontos", field: crm.Score, form: whole},
			{path: "icp_classe", field: crm.Tier, form: options, words: []any{"quente", "morno", "frio"}},
			{path: "icp_motivos", field: crm.Reasons},
			{path: "observacoes", field: Note},
		},
		crm.Person: {
			{path: "email", field: crm.Email, form: host, unique: true},
			{path: "nome", field: crm.FirstName},
			{path: "sobrenome", field: crm.LastName},
			{path: "cargo", field: "lead.job_title"},
			{path: "empresa_id", field: crm.Employer, form: whole},
			{path: "observacoes", field: Note},
		},
	}
}

// parse searches by parts of a value, as SQL's LIKE does.
func (laravel) parse(r *http.Request, body object) (call, *refusal) {
	o, id, ok := route(r, "/api/", laravelNames)
	op, known := verb(r, id)
	if r.Method == http.MethodPut && id != "" {
		op, known = replace, true
	}
	if !ok || !known || op == merge {
		return call{}, &refusal{why: missing}
	}
	delete(body, "id")
	delete(body, "updated_at")
	c := call{op: op, object: o, id: id, set: body, like: true}
	for name, v := range r.URL.Query() {
		if name != "fields" {
			c.where, c.values = name, v
		}
	}
	if op == search && c.where == "" {
		return c, &refusal{why: badValue, path: "filtro"}
	}
	return c, nil
}

func (laravel) reply(c call, rows []*row) answer {
	shown := make([]any, len(rows))
	for i, w := range rows {
		id, _ := strconv.Atoi(w.id)
		w.rec["id"], w.rec["updated_at"] = id, w.version
		shown[i] = w.rec
	}
	switch c.op {
	case search:
		return answer{status: http.StatusOK, body: object{"data": shown, "meta": object{"current_page": 1, "total": len(shown)}}}
	case create:
		return answer{status: http.StatusCreated, body: object{"success": true, "data": shown[0]}}
	default:
		return answer{status: http.StatusOK, body: object{"success": true, "data": shown[0]}}
	}
}

// refuse says what is wrong with a deal as real ones do: some of it under 200.
func (laravel) refuse(f refusal) answer {
	status := statuses[f.why]
	invalid := func(text string) answer {
		name := strings.ReplaceAll(f.path, "_", " ")
		return answer{status: http.StatusUnprocessableEntity, body: object{"message": "The given data was invalid.",
			"errors": object{f.path: []string{"The " + name + " " + text}}}}
	}
	switch f.why {
	case badToken, noToken:
		return answer{status: status, body: object{"message": "Unauthenticated."}}
	case tooFast:
		a := answer{status: status, body: object{"message": "Too Many Attempts."}}
		if f.hint {
			a.header = map[string]string{"Retry-After": "37"}
		}
		return a
	case spent:
		return answer{status: http.StatusOK, body: object{"success": false, "message": "Limite diário atingido."}}
	case unknownField:
		return invalid("field is prohibited.")
	case badValue:
		return invalid("field is invalid.")
	case duplicate:
		return invalid("has already been taken.")
	case missing:
		return answer{status: status, body: object{"message": "No query results for model."}}
	default:
		return answer{status: status, body: object{"message": "Server Error"}}
	}
}

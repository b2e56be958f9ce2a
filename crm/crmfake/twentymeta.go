package crmfake

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena/crm"
)

// describe implements describer: which objects there are, of which fields, and a
// field more. No limit counts these calls.
func (twenty) describe(s *Server, r *http.Request, body object) (answer, bool) {
	ok := func(status int, name string, v any) (answer, bool) {
		return answer{status: status, body: object{"data": object{name: v}}}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "GET /healthz":
		return answer{status: http.StatusOK, body: object{"status": "ok"}}, true
	case "GET /rest/metadata/objects":
		var list []any
		for _, o := range []crm.Object{crm.Company, crm.Person, User} {
			n := twentyObjects[o]
			list = append(list, object{"id": n.id, "nameSingular": n.one, "namePlural": n.many, "isActive": true,
				"fields": s.tables[o].described(n.id)})
		}
		return ok(http.StatusOK, "objects", list)
	case "GET /rest/metadata/fields":
		var list []any
		for _, o := range []crm.Object{crm.Company, crm.Person, User} {
			list = append(list, s.tables[o].described(twentyObjects[o].id)...)
		}
		return ok(http.StatusOK, "fields", list)
	case "POST /rest/metadata/fields":
		for o, n := range twentyObjects {
			if n.id == plain(body["objectMetadataId"]) {
				made, no := s.tables[o].field(n.id, body)
				if no != "" {
					return badField("NOT_AVAILABLE", no), true
				}
				return ok(http.StatusCreated, "createOneField", made)
			}
		}
		return badField("OBJECT_METADATA_NOT_FOUND", "Provided object metadata id does not exist"), true
	}
	return answer{}, false
}

func badField(code, message string) answer {
	fault := object{"status": "fail", "errors": []any{object{"code": code, "message": message}}}
	return answer{status: http.StatusBadRequest, body: object{"statusCode": http.StatusBadRequest, "error": "METADATA_VALIDATION_ERROR",
		"message": "Multiple validation errors occurred while creating fields", "errors": object{"fieldMetadata": []any{fault}}}}
}

// described are the fields of a table, each once.
func (t *table) described(object string) []any {
	out := []any{describedField(object, "updatedBy", "ACTOR", nil)}
	seen := ""
	for _, c := range t.columns {
		name, _, _ := strings.Cut(c.path, ".")
		if name == seen {
			continue
		}
		seen = name
		out = append(out, describedField(object, name, c.kind, c.words))
	}
	return out
}

func describedField(of, name, kind string, words []any) object {
	out := object{"objectMetadataId": of, "name": name, "label": name, "type": kind, "isActive": true, "isUIReadOnly": false, "options": nil}
	if kind == "RELATION" {
		out["name"] = strings.TrimSuffix(name, "Id")
		out["settings"] = object{"relationType": "MANY_TO_ONE", "joinColumnName": name}
	}
	var options []any
	for i, w := range words {
		options = append(options, object{"value": w, "label": strings.TrimPrefix(plain(w), "TIER_"), "position": i})
	}
	if options != nil {
		out["options"] = options
	}
	return out
}

// fieldName is what a field may be called.
var fieldName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)

// field makes a field as an admin's key may.
func (t *table) field(of string, body object) (object, string) {
	name, kind := plain(body["name"]), plain(body["type"])
	switch {
	case !fieldName.MatchString(name):
		return nil, "Name is not valid: it must start with lowercase letter and contain only alphanumeric letters"
	case slices.ContainsFunc(t.columns, func(c column) bool { return strings.SplitN(c.path, ".", 2)[0] == name }):
		return nil, fmt.Sprintf("Name %q is not available as it is already used by another field", name)
	}
	columns := typed(name, kind)
	if list, ok := body["options"].([]any); ok {
		for _, it := range list {
			o, _ := it.(object)
			columns[0].form, columns[0].words = options, append(columns[0].words, o["value"])
		}
	}
	t.columns = append(t.columns, columns...)
	for _, w := range t.rows {
		for _, c := range columns {
			put(w.rec, c.path, c.blank())
		}
	}
	return describedField(of, name, kind, columns[0].words), ""
}

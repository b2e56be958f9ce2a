package twenty

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// graphFilter puts the tests into GraphQL's form.
func graphFilter(tests []test, deleted bool) any {
	one := make([]map[string]any, len(tests))
	for i, t := range tests {
		one[i] = nest(strings.Split(t.at, "."), map[string]any{t.is: t.value})
	}
	filter := map[string]any{"or": one}
	if deleted {
		return map[string]any{"and": []map[string]any{filter, {"deletedAt": map[string]any{"is": "NOT_NULL"}}}}
	}
	return filter
}

// nest puts a value under a path.
func nest(path []string, v map[string]any) map[string]any {
	for _, name := range slices.Backward(path) {
		v = map[string]any{name: v}
	}
	return v
}

// parts are what is read of a composite.
var parts = map[string]string{
	"LINKS":     "{primaryLinkUrl}",
	"EMAILS":    "{primaryEmail}",
	"PHONES":    "{primaryPhoneNumber primaryPhoneCallingCode}",
	"CURRENCY":  "{amountMicros currencyCode}",
	"ADDRESS":   "{addressStreet1 addressStreet2 addressCity addressPostcode addressState addressCountry}",
	"FULL_NAME": "{firstName lastName}",
}

// selection is what is read of each record: what is wanted, and what it is
// recognised by.
func (l *layout) selection(o crm.Object, want []crm.Field) string {
	out := []string{"id createdAt updatedAt deletedAt"}
	if _, ok := l.columns[o]["updatedBy"]; ok {
		out = append(out, "updatedBy{source workspaceMemberId name}")
	}
	for _, f := range append([]crm.Field{crm.Domain, crm.Email}, want...) {
		if s, ok := l.slots[o][f]; ok && !slices.Contains(out, s.name+parts[s.kind]) {
			out = append(out, s.name+parts[s.kind])
		}
	}
	return strings.Join(out, " ")
}

// graph reads every record that the filter matches by GraphQL.
func (c *CRM) graph(ctx context.Context, op string, o crm.Object, selection string, filter any) ([]record, error) {
	many := objects[o].many
	query := "query($f:" + title(objects[o].one) + "FilterInput,$after:String){" + many + "(filter:$f,first:" + strconv.Itoa(page) +
		",after:$after){pageInfo{hasNextPage endCursor} edges{node{" + selection + "}}}}"
	variables := map[string]any{"f": filter}
	var out []record
	for range pages {
		answer, err := c.call(ctx, op, http.MethodPost, "/graphql", nil, map[string]any{"query": query, "variables": variables})
		if err != nil {
			return nil, err
		}
		found := recordOf(recordOf(answer["data"])[many])
		edges, ok := found["edges"].([]any)
		if !ok {
			return nil, galena.Errorf(galena.Malformed, op, "the answer lists no %s", many)
		}
		for _, e := range edges {
			if r := recordOf(recordOf(e)["node"]); r != nil {
				out = append(out, r)
			}
		}
		info := recordOf(found["pageInfo"])
		next := textOf(info["endCursor"])
		if more, _ := info["hasNextPage"].(bool); !more || next == "" || len(edges) == 0 {
			return out, nil
		}
		variables["after"] = next
	}
	return nil, galena.Errorf(galena.Invalid, op, "more than %d records answer", page*pages)
}

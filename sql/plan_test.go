package sql_test

import (
	"context"
	stdsql "database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/galenahq/galena/sql"
)

// whole are the indexes that a kept plan may read from end to end: there are as
// many budgets as there are scopes.
var whole = map[string]bool{"budgets_pkey": true}

// What a lead needs is planned once (connect.go), in a store that may still be
// empty. Such a plan must find its rows by keys all the same, for it will be kept
// when they are many: no index is read whole, and none by a state that all of its
// rows have.
func TestAPlanThatIsKeptFindsItsRowsByKeys(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	ctx := context.Background()
	conn, err := beside(t, address).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"enable_seqscan = off", "plan_cache_mode = force_generic_plan"} {
		if _, err := conn.ExecContext(ctx, "SET "+set); err != nil {
			t.Fatal(err)
		}
	}
	texts, err := sql.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tokens-by-hash", "recall", "claim-keys", "claim-persons", "known-person", "insert-leads", "words-of-forms", "insert-steps",
		"begin-steps", "leads-named", "names-of-companies", "names-of-leads", "standing-observations", "outdate-words", "open-conflicts", "holders", "answers", "claim", "claim-many",
		"settle", "end-ruled-steps", "insert-observations", "log-answers", "digests-of-companies", "upsert-companies", "hold-persons",
		"insert-decisions", "insert-sheets", "insert-assignments", "decide-leads", "insert-deliveries", "deliveries", "note-delivered",
		"drop-steps", "renew-steps", "put-conflicts", "tell-conflicts", "close-conflicts", "portfolio"} {
		text, ok := texts[name]
		if !ok {
			t.Errorf("there is no statement %s", name)
			continue
		}
		for _, fault := range planned(ctx, t, conn, name, text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

var parameter = regexp.MustCompile(`([^:]):([a-z_]+)`)

// planned is what is wrong with the generic plan of a statement.
func planned(ctx context.Context, t *testing.T, conn *stdsql.Conn, name, text string) (faults []string) {
	t.Helper()
	places := map[string]int{}
	text = parameter.ReplaceAllStringFunc(text, func(m string) string {
		if places[m[2:]] == 0 {
			places[m[2:]] = len(places) + 1
		}
		return fmt.Sprintf("%s$%d", m[:1], places[m[2:]])
	})
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PREPARE %q AS %s", name, text)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	nulls := ""
	if len(places) > 0 {
		nulls = "(NULL" + strings.Repeat(", NULL", len(places)-1) + ")"
	}
	var plan string
	if err := conn.QueryRowContext(ctx, fmt.Sprintf("EXPLAIN (FORMAT JSON) EXECUTE %q %s", name, nulls)).Scan(&plan); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var roots []map[string]any
	if err := json.Unmarshal([]byte(plan), &roots); err != nil {
		t.Fatal(err)
	}
	return readsWhole(roots[0]["Plan"])
}

// states is a condition that names nothing but states.
var states = regexp.MustCompile(`^\(*(status|state|kind|severity) = '[a-z]*'::text\)( AND \((status|state|kind|severity) = '[a-z]*'::text\)+)*$`)

// readsWhole names what a node of a plan, or one below it, reads from end to end.
func readsWhole(node any) (faults []string) {
	n, _ := node.(map[string]any)
	kind, _ := n["Node Type"].(string)
	index, _ := n["Index Name"].(string)
	cond, _ := n["Index Cond"].(string)
	switch {
	case kind == "Seq Scan":
		faults = append(faults, fmt.Sprint("reads the table ", n["Relation Name"]))
	case index != "" && strings.Contains(kind, "Scan") && !whole[index] && (cond == "" || states.MatchString(cond)):
		faults = append(faults, "reads all of the index "+index)
	case index == "observations_standing" && !strings.Contains(cond, "outdated"):
		faults = append(faults, "reads what is outdated")
	}
	below, _ := n["Plans"].([]any)
	for _, child := range below {
		faults = append(faults, readsWhole(child)...)
	}
	return faults
}

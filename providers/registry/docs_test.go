package registry

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

const (
	page      = "../../docs/providers.md"
	tableHead = "|---|---|---|---|---|---|---|\n"
	tableEnd  = "<!-- end of the table -->"
)

func TestDocsListEveryVendorAsItIs(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(b), tableHead)
	_, tail, ended := strings.Cut(rest, tableEnd)
	if !found || !ended {
		t.Fatalf("%s has no table", page)
	}
	var rows strings.Builder
	for _, s := range All() {
		rows.WriteString(row(s))
	}
	want := head + tableHead + rows.String() + tableEnd + tail
	if want == string(b) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") != "1" {
		t.Fatalf("%s is not what the vendors say of themselves: run with UPDATE_GOLDEN=1 and read it", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// row is a vendor as the page shows it.
func row(s providers.Spec) string {
	key, misses := "its own", "charged"
	switch {
	case s.Contact:
		key = "a contact"
	case s.Keyless:
		key = "none"
	case s.KeyOf != "":
		key = "of " + s.KeyOf
	}
	if s.PerMatch || s.CostMicros == 0 {
		misses = "free"
	}
	title := s.Title
	if strings.HasPrefix(s.Docs, "https://") {
		title = "[" + title + "](" + s.Docs + ")"
	}
	supplies := "whatever it answers"
	if s.BaseURL != "" || s.Direct {
		var fields []string
		for _, f := range slices.Sorted(maps.Keys(s.Fields)) {
			fields = append(fields, fmt.Sprintf("%s %g", strings.TrimPrefix(f, "company."), s.Fields[f]))
		}
		supplies = strings.Join(fields, ", ")
		if len(s.Needs) > 0 {
			supplies = "by " + strings.ReplaceAll(strings.Join(s.Needs, " and "), "company.", "") + ": " + supplies
		}
	}
	price := fmt.Sprintf("%g", galena.CentsOf(s.CostMicros))
	if s.Assumed {
		price += " (assumed)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %g | %s |\n", s.Name, title, key, price, misses, s.Trust, supplies)
}

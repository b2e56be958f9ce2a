package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

func TestWhatWasWrittenToACRMIsShownAndAConflictIsSettled(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	t.Setenv("GALENA_DATABASE_URL", url)
	t.Setenv("GALENA_SECRET_KEY", "sixteen-characters-at-least")
	seedCRM(t, url)
	ask := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(args, streams{strings.NewReader(""), &out, &errs}); code != want {
			t.Fatalf("%v: exit %d, want %d: %s", args, code, want, errs.String())
		}
		return out.String()
	}
	if s := ask(exitOK, "runs", "list"); !strings.Contains(s, "r1") || !strings.Contains(s, "lead-1") {
		t.Errorf("runs list:\n%s", s)
	}
	if s := ask(exitOK, "runs", "show", "r1"); !strings.Contains(s, `"mining"`) || !strings.Contains(s, `"retail"`) || !strings.Contains(s, "done") {
		t.Errorf("runs show:\n%s", s)
	}
	ask(exitFailed, "runs", "show", "r2")
	var open []galena.CRMConflict
	if err := json.Unmarshal([]byte(ask(exitNo, "conflicts", "list", "--json")), &open); err != nil || len(open) != 1 {
		t.Fatalf("conflicts %v, %v", open, err)
	}
	if s := ask(exitOK, "conflicts", "keep-theirs", open[0].ID); !strings.Contains(s, "keep-theirs by cli") {
		t.Errorf("keep-theirs:\n%s", s)
	}
	if s := ask(exitOK, "conflicts", "list", "--json"); strings.TrimSpace(s) != "[]" {
		t.Errorf("open after it was settled: %s", s)
	}
	ask(exitFailed, "conflicts", "ignore", open[0].ID)
	ask(exitFailed, "conflicts", "ignore", "nothing")
}

// seedCRM writes one field and one conflict.
func seedCRM(t *testing.T, url string) {
	t.Helper()
	ctx := context.Background()
	if err := sql.Migrate(ctx, url, nil); err != nil {
		t.Fatal(err)
	}
	store, err := sql.Open(ctx, url, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	value := func(s string) galena.CRMValue { return galena.CRMValue{Raw: json.RawMessage(`"` + s + `"`), Norm: s} }
	record := galena.CRMRecord{CRM: "twenty", Object: "company", ID: "c1"}
	w := galena.CRMWrite{ID: "w1", Run: "r1", Key: "domain:acme.example", Record: record, Field: "company.industry", Before: value("mining"),
		After: value("retail"), Source: "hunter", LeadID: "lead-1", State: galena.CRMDone, Ours: true}
	if err := store.IntendCRM(ctx, []galena.CRMWrite{w}); err != nil {
		t.Fatal(err)
	}
	if err := store.SettleCRM(ctx, galena.CRMSettlement{Record: record, Run: "r1", Kind: galena.CRMRunLead, LeadID: "lead-1",
		Writes:    []galena.CRMWrite{w},
		Conflicts: []galena.CRMConflict{{Field: "company.city", Theirs: value("rome"), Ours: value("milan"), Source: "hunter", Evidence: "a person's"}},
		Outcomes:  []galena.CRMOutcome{{Field: "company.industry", Outcome: "write", Reason: "it was blank"}}}); err != nil {
		t.Fatal(err)
	}
}

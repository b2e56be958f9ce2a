package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
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

// oneRecord is a CRM with one company.
type oneRecord struct{ fields map[crm.Field]string }

func (oneRecord) Name() string { return "twenty" }
func (oneRecord) Capabilities() crm.Capabilities {
	return crm.Capabilities{BatchFind: 1, BatchWrite: 1}
}
func (oneRecord) Encode(crm.Object, crm.Field, galena.Value) (crm.Encoded, error) {
	return crm.Encoded{}, nil
}

func (o oneRecord) Find(context.Context, []crm.Key, []crm.Field) ([]crm.Found, error) {
	r := crm.Record{Object: crm.Company, ID: "c1", Fields: map[crm.Field]crm.Value{}}
	for f, v := range o.fields {
		r.Fields[f] = crm.Value{Encoded: crm.Encoded{Raw: v, Norm: v}, Blank: v == ""}
	}
	return []crm.Found{{Records: []crm.Record{r}}}, nil
}

func (o oneRecord) Apply(_ context.Context, changes []crm.Change) ([]crm.Result, error) {
	for f, v := range changes[0].Set {
		o.fields[f] = v.Norm
	}
	return []crm.Result{{ID: changes[0].ID}}, nil
}

func TestAPersonTakesOursAndPutsARunBackWhereNothingElseStands(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	seedCRM(t, url)
	store, err := sql.Open(ctx, url, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	target := oneRecord{map[crm.Field]string{"company.industry": "steel", "company.city": "turin"}}
	var out bytes.Buffer
	std := streams{nil, &out, &out}
	conflict := func() galena.CRMConflict {
		t.Helper()
		all, err := store.CRMConflicts(ctx, galena.CRMConflictFilter{})
		if err != nil || len(all) != 1 {
			t.Fatalf("conflicts %v, %v", all, err)
		}
		return all[0]
	}
	if err := takeOurs(ctx, std, store, target, conflict(), false); !errors.Is(err, errNo) || target.fields["company.city"] != "turin" {
		t.Errorf("take-ours over what nobody saw: %v, city %q", err, target.fields["company.city"])
	}
	if err := takeOurs(ctx, std, store, target, conflict(), false); err != nil || target.fields["company.city"] != "milan" {
		t.Errorf("take-ours: %v, city %q", err, target.fields["company.city"])
	}
	if k := conflict(); k.Resolution != galena.TakeOurs || k.ResolvedBy != "cli" {
		t.Errorf("conflict %+v", k)
	}
	writes, err := store.CRMRun(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := revert(ctx, std, store, target, "r1", writes, false); !errors.Is(err, errNo) || target.fields["company.industry"] != "steel" ||
		!strings.Contains(out.String(), "it holds another value by now") {
		t.Errorf("revert over a person's value: %v, industry %q\n%s", err, target.fields["company.industry"], out.String())
	}
	target.fields["company.industry"] = "retail"
	if err := revert(ctx, std, store, target, "r1", writes, false); err != nil || target.fields["company.industry"] != "mining" {
		t.Errorf("revert: %v, industry %q", err, target.fields["company.industry"])
	}
	if runs, err := store.CRMRuns(ctx, 10); err != nil || len(runs) != 3 || runs[2].ID != "r1" || runs[2].Reverted != 1 {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
)

// TestTheSampleLeadsGetTheDecisionsTheyMust plays the sample leads through the
// whole pipeline: gate, store, queue, waterfall, merge, score, route.
func TestTheSampleLeadsGetTheDecisionsTheyMust(t *testing.T) {
	t.Parallel()
	want := jsonLines(t, mustRead(t, filepath.Join("testdata", "decisions.golden.jsonl")))
	dir := t.TempDir()
	if err := os.CopyFS(dir, configs.Demo()); err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, env: foreign(os.Environ())}
	got := jsonLines(t, []byte(s.must("demo", "--scenario", filepath.Join(dir, "leads.yaml"), "--configs", dir, "--json", "--exit")))
	if len(got) != len(want) {
		t.Fatalf("%d leads, want %d", len(got), len(want))
	}
	for i := range want {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Errorf("lead %v (-want +got):\n%s", want[i]["n"], diff)
		}
	}
}

// What the sample leads cost, against asking every vendor in the order of the
// catalogue that supplies a field which is still missing. Each lead of that way
// pays for itself: it has no answers that an earlier lead bought.
func TestTheSampleLeadsCostLessThanAskingForEveryField(t *testing.T) {
	t.Parallel()
	var cents, everyField float64
	var calls, everyCall int
	d := &demo{}
	if err := d.load(); err != nil {
		t.Fatal(err)
	}
	files, err := d.rules()
	if err != nil {
		t.Fatal(err)
	}
	urls := scenarioURLs(providerIDs(files))
	w, err := providers.New(files.Providers, providers.Deps{Specs: registry.All(), Frozen: true, URLs: func(id string) string { return urls[id] }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for _, lead := range jsonLines(t, mustRead(t, filepath.Join("testdata", "decisions.golden.jsonl"))) {
		spent, _ := lead["cents"].(float64)
		made, _ := lead["calls"].(float64)
		cents, calls = cents+spent, calls+int(made)
		if domain, _ := lead["company_domain"].(string); lead["verdict"] == "accept" && domain != "" {
			c, n := fieldComplete(w.Offers(), d.scenario.Answers[domain])
			everyField, everyCall = everyField+c, everyCall+n
		}
	}
	t.Logf("%v cents in %d calls; every field of every company: %v cents in %d calls", cents, calls, everyField, everyCall)
	if cents != 55 || calls != 32 || everyField != 142 || everyCall != 60 {
		t.Error("want 55 cents in 32 calls, and 142 in 60 for every field")
	}
}

// fieldComplete is what it costs to ask for every field that some vendor supplies.
// A vendor with a condition is left out: where one holds in the sample, the others
// have said it all.
func fieldComplete(offers []galena.Offer, answers map[string]configs.ScenarioAnswer) (cents float64, calls int) {
	known := map[string]bool{}
	for _, o := range offers {
		missing := false
		for field := range o.Hits {
			missing = missing || !known[field]
		}
		if !missing || o.OnlyIf.Eval(galena.Facts{}.Get, time.Time{}) != galena.True {
			continue
		}
		calls++
		answer, hit := answers[o.Provider]
		if answer.Error == "" && (hit || !o.PerMatch) {
			cents += galena.CentsOf(o.CostMicros)
		}
		for field := range answer.Fields {
			known[field] = true
		}
	}
	return cents, calls
}

func TestTheDemoPrintsATableAndTellsWhereToLook(t *testing.T) {
	t.Parallel()
	s := &system{t: t, env: append(foreign(os.Environ()), "GALENA_ADDR="+freeAddr(t))}
	out := s.must("demo", "--exit")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	records := strings.Count(out, "└ CRM company") + strings.Count(out, "└ CRM person")
	if len(lines)-records != 25 || records != 30 || !strings.HasPrefix(lines[0], "LEAD") {
		t.Fatalf("%d lines, want a heading, 24 leads, and the company and the person of the 15 that are decided:\n%s", len(lines), out)
	}
	for _, want := range []string{"erin.walsh", "sink:compliance_review (embargo)", "hygiene:quarantine null_mx",
		"CRM company  new: name northwind-analytics.example, employee count 420", "CRM company  score 95 → 90",
		`keeps name "Key account stacklift.example" (ours "stacklift.example")`, "owner erin.walsh", "linked to its company"} {
		if !strings.Contains(out, want) {
			t.Errorf("no line says %q:\n%s", want, out)
		}
	}
}

func jsonLines(t *testing.T, b []byte) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
		m := map[string]any{}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		out = append(out, m)
	}
	return out
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

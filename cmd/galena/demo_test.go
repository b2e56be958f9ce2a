package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena/configs"
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

func TestTheDemoPrintsATableAndTellsWhereToLook(t *testing.T) {
	t.Parallel()
	s := &system{t: t, env: append(foreign(os.Environ()), "GALENA_ADDR="+freeAddr(t))}
	out := s.must("demo", "--exit")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 25 || !strings.HasPrefix(lines[0], "LEAD") {
		t.Fatalf("%d lines, want a heading and 24 leads:\n%s", len(lines), out)
	}
	for _, want := range []string{"erin.walsh", "sink:compliance_review (embargo)", "hygiene:quarantine null_mx"} {
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

package configs

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

// FuzzICP: no bytes make the reader panic, and a profile without an error scores
// whatever is known without one either (I10), within its bounds (I1).
func FuzzICP(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/*/icp.yaml")
	if err != nil || len(seeds) < 30 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for i, name := range seeds {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 16<<10 {
			f.Add(b, uint64(i))
		}
	}
	for _, dir := range []fs.FS{Builtin(), Demo()} {
		b, err := fs.ReadFile(dir, "icp.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint64(7))
	}
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		rules, err := LoadFiles([]Source{{Path: "icp.yaml", Bytes: b}}, Options{})
		for _, finding := range CheckFiles([]Source{{Path: "icp.yaml", Bytes: b}}, Options{}) {
			if finding.Line < 1 || finding.Column < 1 || finding.Code == "" {
				t.Errorf("a finding without a place: %v", finding)
			}
		}
		if err != nil {
			return
		}
		profile, err := scoring.New(rules.ICP)
		if err != nil {
			t.Fatalf("checked without an error, and refused: %v", err)
		}
		rnd := rand.New(rand.NewPCG(seed, 1))
		for range 4 {
			facts := randomFacts(rnd, now)
			for _, final := range []bool{false, true} {
				r := profile.Score(facts, now, final)
				if r.Lo > r.Score.Score || r.Score.Score > r.Hi || r.Coverage < 0 || r.Coverage > 1 || r.Tier == "" {
					t.Errorf("score %v in [%v, %v], coverage %v, tier %q", r.Score.Score, r.Lo, r.Hi, r.Coverage, r.Tier)
				}
			}
		}
	})
}

// randomFacts knows some fields, in some state.
func randomFacts(rnd *rand.Rand, now time.Time) galena.Facts {
	words := []string{"software", "fintech", "US", "DE", "ceo", "Écolière", "", "hubspot"}
	word := func() string { return words[rnd.IntN(len(words))] }
	out := galena.Facts{}
	for _, f := range galena.Fields() {
		if rnd.IntN(3) == 0 {
			continue
		}
		fact := galena.Fact{Field: f.Name, State: galena.Known, Confidence: rnd.Float64(), ObservedAt: now}
		switch f.Type {
		case galena.TypeNumber:
			lo := rnd.Int64N(1 << (1 + rnd.IntN(40)))
			fact.Value = galena.Interval(lo, lo+rnd.Int64N(1<<(1+rnd.IntN(20))), "")
			fact.State = galena.Partial
		case galena.TypeBool:
			fact.Value = galena.BoolValue(rnd.IntN(2) == 0)
		case galena.TypeSet:
			fact.Value = galena.SetValue([]string{word(), word()}, rnd.IntN(2) == 0)
		default:
			v, err := galena.ParseValue(f, word())
			if err != nil {
				continue
			}
			fact.Value = v
		}
		if rnd.IntN(8) == 0 {
			fact.State, fact.Value = galena.Absent, galena.Value{Type: f.Type}
		}
		out[f.Name] = &fact
	}
	return out
}

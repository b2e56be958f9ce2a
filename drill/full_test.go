//go:build drill

package drill

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDrill causes every fault, or those that DRILL_FAULT names, and prints a
// line for each.
func TestDrill(t *testing.T) {
	programs, err := findPrograms()
	if err != nil {
		t.Fatal(err)
	}
	p := plan{programs: programs, seed: uint64(time.Now().UnixNano() % 100_000),
		scale: setting(t, "DRILL_SCALE", 0.1), rate: setting(t, "DRILL_RATE", 20), patience: 1}
	p.seed = uint64(setting(t, "DRILL_SEED", float64(p.seed)))
	chosen := faults()
	if names := os.Getenv("DRILL_FAULT"); names != "" {
		ids := strings.Split(names, ",")
		chosen = slices.DeleteFunc(chosen, func(f fault) bool { return !slices.Contains(ids, f.id) })
		if len(chosen) < len(ids) {
			t.Fatalf("not every one of %s is a fault", names)
		}
	}
	p.galena = build(t, "")
	if slices.ContainsFunc(chosen, func(f fault) bool { return f.spoil }) {
		p.spoiled = build(t, "drill")
	}
	fmt.Printf("drill: %d faults, seed %d, %v of the written durations, %v leads/s\n", len(chosen), p.seed, p.scale, p.rate)
	for _, f := range chosen {
		t.Run(f.id, func(t *testing.T) { fmt.Println(f.run(t, p)) })
	}
}

// setting reads a setting of the run.
func setting(t *testing.T, name string, otherwise float64) float64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f <= 0 {
		t.Fatalf("%s must be a number above 0", name)
	}
	return f
}

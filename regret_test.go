package galena_test

import (
	"math"
	"testing"

	"github.com/galenahq/galena"
)

func TestRegretIsAShareWithWilsonsInterval(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		changed, audits  int
		share, low, high float64
	}{
		{"nothing is known yet", 0, 0, 0, 0, 1},
		{"none of a hundred", 0, 100, 0, 0, 0.0370},
		{"three of a hundred", 3, 100, 0.03, 0.0103, 0.0845},
		{"half of ten", 5, 10, 0.5, 0.2366, 0.7634},
		{"all of ten", 10, 10, 1, 0.7225, 1},
	} {
		r := galena.Regret{Audits: tc.audits, Changed: tc.changed}
		low, high := r.Interval()
		if near := func(a, b float64) bool { return math.Abs(a-b) < 0.00005 }; !near(r.Share(), tc.share) || !near(low, tc.low) || !near(high, tc.high) {
			t.Errorf("%s: %.4f in %.4f..%.4f, want %.4f in %.4f..%.4f", tc.name, r.Share(), low, high, tc.share, tc.low, tc.high)
		}
	}
}

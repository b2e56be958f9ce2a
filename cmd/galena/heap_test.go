package main

import "testing"

// TestHeapKeeper: garbage may lie while much is allocated, less of it in percent
// the more lives, and no longer once a few seconds were quiet.
func TestHeapKeeper(t *testing.T) {
	const mb = 1 << 20
	k := heapKeeper{percent: heapLeast, quiet: heapQuiet}
	var allocated uint64
	for i, step := range []struct {
		allocated, live uint64 // MB
		percent         int
	}{
		{1, 20, 100},    // little to do
		{120, 20, 320},  // busy: 64 MB may lie
		{120, 21, 320},  // a small change is none
		{120, 32, 200},  // more lives
		{120, 200, 100}, // as much lives as may lie anyway
		{120, 10, 400},  // never more than that
		{120, 0, 400},   // nothing collected yet
		{1, 10, 400},    // a short pause
		{1, 10, 400},    //
		{40, 10, 400},   // busy again
		{1, 10, 400},    //
		{15, 10, 400},   //
		{1, 10, 400},    //
		{1, 10, 400},    //
		{1, 10, 100},    // quiet for five looks
		{1, 10, 100},    //
		{17, 32, 200},   // busy again
	} {
		allocated += step.allocated * mb
		if k.look(allocated, step.live*mb); k.percent != step.percent {
			t.Errorf("look %d: %d percent, want %d", i, k.percent, step.percent)
		}
	}
}

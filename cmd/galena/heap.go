package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"time"
)

// heapKeeper lets a busy process trade room for time. A collection costs about
// as much as what lives, however much garbage lies there, so the more may lie the
// less is spent: 64 MB of it take a tenth off what a lead costs the process. One
// that few leads come through has nothing to gain by that; it is kept small, and
// what a busy spell took is given back when it is over.
//
//	≥ 16 MB allocated in a second ──► garbage: up to 64 MB ──┐
//	the default: as much as lives ◄── 5 quiet seconds, pages go back ◄──┘
//
// Whoever sets GOGC or GOMEMLIMIT has decided already.
type heapKeeper struct {
	allocated uint64 // by the process so far, at the last look
	quiet     int    // looks since it was busy
	percent   int    // in force
}

const (
	heapLook    = time.Second
	heapBusy    = 16 << 20 // bytes allocated between two looks, some 150 leads
	heapQuiet   = 5        // looks until a process counts as quiet
	heapGarbage = 64 << 20 // bytes that may wait to be collected while it is busy
	heapLeast   = 100      // percent of what lives: the runtime's own default
	heapMost    = 400
	heapStep    = 25 // a change by less is not worth stopping the process for
)

// heapGives are the quiet looks at which pages go back: soon, and again when what
// still lay between them has gone too.
var heapGives = []int{heapQuiet, 4 * heapQuiet, 12 * heapQuiet}

// keepHeap watches until the context ends.
func keepHeap(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	t := time.NewTicker(heapLook)
	defer t.Stop()
	k := heapKeeper{percent: heapLeast, quiet: heapQuiet}
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		metrics.Read(sample)
		before := k.percent
		if k.look(sample[0].Value.Uint64(), sample[1].Value.Uint64()); k.percent != before {
			debug.SetGCPercent(k.percent)
		}
		if slices.Contains(heapGives, k.quiet) {
			debug.FreeOSMemory()
		}
	}
}

// look takes what was allocated so far and what the last collection found alive,
// both in bytes, and sets how much garbage may lie in percent of that.
func (k *heapKeeper) look(allocated, live uint64) {
	k.quiet++
	if allocated-k.allocated >= heapBusy {
		k.quiet = 0
	}
	k.allocated = allocated
	want := heapLeast
	if k.quiet < heapQuiet {
		want = max(int(min(heapGarbage*100/max(live, 1), heapMost)), heapLeast)
	}
	if want == heapLeast || max(want-k.percent, k.percent-want) >= heapStep {
		k.percent = want
	}
}

package sql

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// A key is part of the answer that it is of: to remember it must not keep the answer.
func TestAKeyThatIsRememberedDoesNotKeepItsAnswer(t *testing.T) {
	var s seen
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	const size, keys = 100 << 10, 300
	for i := range keys {
		answer := strconv.Itoa(i) + strings.Repeat(" ", size)
		s.add([]string{strings.TrimSpace(answer)})
	}
	if grown := int64(held()) - int64(before); grown > size*keys/10 {
		t.Errorf("%d keys keep %d bytes", keys, grown)
	}
	for i := range keys {
		if !s.has(strconv.Itoa(i)) {
			t.Fatalf("key %d is forgotten", i)
		}
	}
	if s.has(strconv.Itoa(keys)) {
		t.Error("a key is known that nobody added")
	}
}

func TestTheOldestKeysAreForgotten(t *testing.T) {
	t.Parallel()
	var s seen
	for i := range 3 * recentMost {
		s.add([]string{strconv.Itoa(i)})
	}
	if n := len(s.now) + len(s.old); n != 2*recentMost || s.has("0") || !s.has(strconv.Itoa(3*recentMost-1)) {
		t.Errorf("%d keys are remembered, want the last %d", n, 2*recentMost)
	}
}

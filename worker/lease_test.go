package worker

import (
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A step that is over within two seconds is never renewed; one that goes on is
// renewed again when what the renewal gave is as old.
func TestALeaseIsRenewedWhenItIsOld(t *testing.T) {
	t.Parallel()
	l, began := newLeases(), time.Now()
	short, long := galena.Step{ID: "short"}, galena.Step{ID: "long"}
	release := l.hold(short, time.Now())
	l.hold(long, time.Now())
	if got := l.due(began); len(got) != 0 {
		t.Fatalf("%v are due at once", got)
	}
	release()
	later := began.Add(time.Minute)
	got := l.due(later)
	if len(got) != 1 || got[0] != long {
		t.Fatalf("%v are due, want the long one", got)
	}
	l.renewed([]galena.Step{short, long}, later)
	if again := l.due(later); len(again) != 0 || len(l.held) != 1 {
		t.Errorf("%v are due after the renewal, %d held; want none, and what was released is not held again", again, len(l.held))
	}
}

package sql

import (
	"testing"
	"time"
)

func TestAClockGoesByTheDatabase(t *testing.T) {
	t.Parallel()
	true0 := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	off, passed := 10*time.Minute, time.Duration(0)
	c := &clock{own: func() time.Time { return true0.Add(off + passed) }}
	ask := func(trip, wrong time.Duration) { // the database answers in the middle of the trip
		before := c.own()
		passed += trip / 2
		theirs := true0.Add(passed + wrong)
		passed += trip / 2
		c.hear(theirs, before, c.own())
	}
	wrongBy := func() time.Duration { return c.now().Sub(true0.Add(passed)) }
	if wrongBy() != off {
		t.Errorf("before anybody asked it is wrong by %v, want its own %v", wrongBy(), off)
	}
	ask(20*time.Millisecond, 0)
	if wrongBy() != 0 {
		t.Errorf("wrong by %v after the database was asked", wrongBy())
	}
	passed += time.Hour
	ask(20*time.Millisecond, drift)
	if wrongBy() != 0 {
		t.Errorf("moved by %v for a difference that is none", wrongBy())
	}
	ask(2*time.Second, time.Second)
	if wrongBy() != 0 {
		t.Errorf("moved by %v although the answer took longer than that", wrongBy())
	}
	off = -10 * time.Minute // somebody set the machine's clock
	ask(20*time.Millisecond, 0)
	if wrongBy() != 0 {
		t.Errorf("wrong by %v after the own clock was set and the database asked", wrongBy())
	}
}

package sql

import (
	"context"
	"sync/atomic"
	"time"
)

// clock is the process's own, put right by the database's. A lease or a due time
// is written by one process and read by others, so all of them must go by one
// clock, however wrong that of their machine is or becomes: between two looks at
// the database only the time that has passed is taken from it.
type clock struct {
	own  func() time.Time
	mark atomic.Pointer[mark] // nil = nobody has asked the database
}

// mark is one moment on both clocks.
type mark struct{ own, theirs time.Time }

// now is the database's time as far as it is known.
func (c *clock) now() time.Time {
	own := c.own()
	m := c.mark.Load()
	if m == nil {
		return own
	}
	return m.theirs.Add(own.Sub(m.own))
}

// drift is how far the two may part before the clock is put right once more: a
// clock that is moved at every look would let short times be negative.
const drift = 50 * time.Millisecond

// hear takes what the database said it was, at some time between two moments of
// the own clock.
func (c *clock) hear(theirs, before, after time.Time) {
	doubt := after.Sub(before) / 2
	m := &mark{own: before.Add(doubt), theirs: theirs}
	if old := c.mark.Load(); old != nil {
		expected := old.theirs.Add(m.own.Sub(old.own))
		if theirs.Sub(expected).Abs() <= drift+doubt {
			return
		}
	}
	c.mark.Store(m)
}

// Now is the time by which the store writes: the database's once SetClock was
// called, else the process's own.
func (s *Store) Now() time.Time { return s.now() }

// SetClock asks the database for its time and goes by it from now on. It is
// called again now and then, for clocks drift apart. A file has no clock of its
// own: there the process's is as good as any.
func (s *Store) SetClock(ctx context.Context) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	before := s.clock.own()
	micros, err := one[int64](ctx, s.reader(), "instant", args{})
	if err != nil {
		return fault("sql.set_clock", err)
	}
	s.clock.hear(at(micros), before, s.clock.own())
	return nil
}

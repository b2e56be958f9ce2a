package sql_test

import (
	"errors"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// place is a courier with one place.
type place struct{ kept, dropped, taken int }

func (*place) Ready() bool { return true }

func (p *place) Keep() bool { p.kept++; return p.kept-p.dropped == 1 }

func (p *place) Drop(n int) { p.dropped += n }

func (p *place) Take(steps []galena.Step) { p.taken += len(steps) }

// The place of a delivery that was not committed is free again, whatever went wrong.
func TestAPlaceIsDroppedWithItsTransaction(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := open(t, time.Now), &place{}
			s.HandTo(p)
			deliver := func(id string, then func() error) (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = errors.New("panic")
					}
				}()
				return s.InTx(t.Context(), func(tx sql.Tx) error {
					return errors.Join(tx.Deliver(t.Context(), s, id), then())
				})
			}
			if err := deliver("refused", func() error { return errors.New("no") }); err == nil || *p != (place{kept: 1, dropped: 1}) {
				t.Errorf("refused: %v, %+v, want the place dropped", err, *p)
			}
			if err := deliver("panics", func() error { panic("no") }); err == nil || *p != (place{kept: 2, dropped: 2}) {
				t.Errorf("panicked: %v, %+v, want the place dropped", err, *p)
			}
			if err := deliver("committed", func() error { return nil }); err != nil || *p != (place{kept: 3, dropped: 2, taken: 1}) {
				t.Errorf("committed: %v, %+v, want the place kept and the step taken", err, *p)
			}
			p.Drop(1) // it has been tried
			if err := deliver("committed", func() error { return nil }); err == nil || *p != (place{kept: 4, dropped: 4, taken: 1}) {
				t.Errorf("written twice: %v, %+v, want the place dropped with the commit", err, *p)
			}
		})
	}
}

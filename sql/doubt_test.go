package sql_test

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// deaf forwards to a server of Postgres and, once armed, ends the next line on which
// the word is answered, before anybody hears it.
func deaf(t *testing.T, server, word string) (address string, armed *atomic.Bool) {
	t.Helper()
	armed = &atomic.Bool{}
	return between(t, server, func(_ int64, ours, theirs net.Conn) {
		defer func() { _ = ours.Close() }()
		defer func() { _ = theirs.Close() }()
		go func() { _, _ = io.Copy(theirs, ours) }()
		buf := make([]byte, 64<<10)
		for {
			n, err := theirs.Read(buf)
			if bytes.Contains(buf[:n], []byte(word)) && armed.CompareAndSwap(true, false) {
				return
			}
			if _, wrong := ours.Write(buf[:n]); err != nil || wrong != nil {
				return
			}
		}
	}), armed
}

// hands is a courier that keeps what it takes, and has no places.
type hands struct{ taken []galena.Step }

func (*hands) Ready() bool                { return true }
func (*hands) Keep() bool                 { return false }
func (*hands) Drop(int)                   {}
func (h *hands) Take(steps []galena.Step) { h.taken = append(h.taken, steps...) }

// A lead whose commit nobody heard of is taken in all the same, and goes to the
// queue at once: the sweep would miss it after ten seconds only.
func TestALeadWhoseCommitNobodyHeardOfGoesToTheQueue(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	address, armed := deaf(t, schema(t, server), "COMMIT\x00")
	s, h := open(t, address, time.Now), &hands{}
	s.HandTo(h)
	armed.Store(true)
	r, err := s.Accept(t.Context(), galena.Intake{Lead: lead(1), RepeatWithin: time.Hour})
	if err != nil || r.Duplicate || armed.Load() {
		t.Fatalf("%+v, %v, the answer to a commit still to be lost: %t", r, err, armed.Load())
	}
	if len(h.taken) != 1 || h.taken[0].ID != r.ID || h.taken[0].Kind != galena.StepLead {
		t.Fatalf("handed out: %+v, want the step of %s", h.taken, r.ID)
	}
	if _, tries, err := s.Start(t.Context(), h.taken[0]); err != nil || tries != 1 {
		t.Errorf("the step that was handed out cannot be begun: %d tries, %v", tries, err)
	}
}

// A run whose beginning nobody heard of is begun all the same: else it would lie
// until its lease is over, and count as the death of a worker.
func TestARunWhoseBeginningNobodyHeardOfIsBegun(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	address, armed := deaf(t, schema(t, server), "UPDATE 1\x00")
	s := open(t, address, time.Now)
	r, err := s.Accept(t.Context(), galena.Intake{Lead: lead(1), RepeatWithin: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	st := galena.Step{Kind: galena.StepLead, ID: r.ID, Epoch: 1, Run: 1}
	armed.Store(true)
	if _, tries, err := s.Start(t.Context(), st); err != nil || tries != 1 || armed.Load() {
		t.Errorf("%d tries, %v, the answer still to be lost: %t", tries, err, armed.Load())
	}
	if _, again, err := s.Start(t.Context(), st); err != nil || again > 0 {
		t.Errorf("the run was begun twice: %d, %v", again, err)
	}
}

package sql_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// freezer forwards to a server of Postgres. The lines that there are when it freezes
// swallow everything from then on, as a frozen machine does or a firewall that
// forgot them; those that are made later work.
type freezer struct {
	lines  atomic.Int64
	frozen atomic.Int64 // the last line that is
	resets atomic.Bool  // the first of them on which something is said is reset instead
	asked  atomic.Int64 // how often one of them was asked whether it is there
}

func (f *freezer) freeze() { f.frozen.Store(f.lines.Load()) }

func (f *freezer) listen(t *testing.T, server string) string {
	t.Helper()
	return between(t, server, func(line int64, ours, theirs net.Conn) {
		f.lines.Add(1)
		go f.pump(line, theirs, ours)
		f.pump(line, ours, theirs)
	})
}

func (f *freezer) pump(line int64, to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if line <= f.frozen.Load() {
			if bytes.Contains(buf[:n], []byte("-- ping")) {
				f.asked.Add(1)
			}
			if f.resets.CompareAndSwap(true, false) {
				_ = from.Close()
				return
			}
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// A server that says nothing any more is given up: nobody waits for longer than he
// may, and the lines that are made anew are used.
func TestASilentLineIsGivenUp(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f freezer
	s := open(t, f.listen(t, schema(t, server)+"&statement_timeout=2s"), time.Now)
	accept := func(ctx context.Context, n int) error {
		_, err := s.Accept(ctx, galena.Intake{Lead: lead(n), RepeatWithin: time.Hour})
		return err
	}
	var all sync.WaitGroup
	for i := range 8 { // a line for each
		all.Go(func() { _ = accept(t.Context(), i) })
	}
	all.Wait()
	if _, err := s.Backlog(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.freeze()
	for i := range 8 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			if err := accept(ctx, 100+i); err == nil {
				t.Error("a frozen server took a lead")
			}
			if took := time.Since(began); took > 4*time.Second { // a line is given up after five
				t.Errorf("whoever may wait for a second was kept for %v", took)
			}
		})
	}
	all.Wait()
	for _, ask := range []func() error{ // by those who wait as long as it takes
		func() error { return accept(t.Context(), 200) },
		func() error { _, err := s.ClaimOutbox(t.Context(), 10); return err },
		func() error { _, err := s.Backlog(t.Context()); return err },
	} {
		done := make(chan error, 1)
		go func() { done <- ask() }()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("somebody waits for ever")
		}
	}
}

// A server that is at work says nothing until the last of the statements that came
// together has run: it has its time for more than one.
func TestASlowTransactionIsNotGivenUp(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	db := beside(t, address)
	for _, text := range []string{
		`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2.6); RETURN NULL; END $$`,
		`CREATE TRIGGER slow AFTER INSERT ON leads FOR EACH STATEMENT EXECUTE FUNCTION slow()`,
		`CREATE TRIGGER slow AFTER INSERT ON steps FOR EACH STATEMENT EXECUTE FUNCTION slow()`,
		`CREATE TRIGGER slow AFTER INSERT ON repeats FOR EACH STATEMENT EXECUTE FUNCTION slow()`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	_, err := s.Accept(t.Context(), galena.Intake{Lead: lead(1), RepeatWithin: time.Hour})
	if took := time.Since(began); err != nil || took < 7500*time.Millisecond {
		t.Errorf("%v after %v, want the lead after three waits", err, took)
	}
}

// A line that is silent is given up for a new one, whatever another line did before it.
func TestASilentLineAfterALostOneIsGivenUp(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f freezer
	s := open(t, f.listen(t, schema(t, server)+"&statement_timeout=1s"), time.Now)
	var all sync.WaitGroup
	for range 4 { // lines
		all.Go(func() { _, _ = s.Spent(t.Context(), "2026-11-23"); _ = s.Tidy(t.Context()) })
	}
	all.Wait()
	n := f.lines.Load()
	f.resets.Store(true)
	f.freeze()
	began := time.Now()
	_, err := s.Accept(t.Context(), galena.Intake{Lead: lead(1), RepeatWithin: time.Hour})
	if err != nil {
		t.Errorf("%d lines, after %v: %v, want the lead on a new line", n, time.Since(began), err)
	}
}

// The lines beside one that is silent are given up with it, not one after the other.
func TestSilentLinesAreGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f freezer
	s := open(t, f.listen(t, schema(t, server)), time.Now)
	var all sync.WaitGroup
	for range 12 { // lines
		all.Go(func() { _ = s.Tidy(t.Context()) })
	}
	all.Wait()
	n := f.lines.Load()
	f.freeze()
	began := time.Now()
	err := s.Tidy(t.Context()) // its statements travel alone: 5 s on the silent line, and a new one
	if took := time.Since(began); err != nil || took > 12*time.Second {
		t.Errorf("%d lines: %v after %v, want it done on a new line", n, err, took)
	}
}

// Lines that were idle are not asked one after the other whether they are there.
func TestOfSilentLinesOneIsAsked(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f freezer
	s := open(t, f.listen(t, schema(t, server)+"&statement_timeout=1s"), time.Now)
	var all sync.WaitGroup
	for range 12 { // lines
		all.Go(func() { _ = s.Tidy(t.Context()) })
	}
	all.Wait()
	time.Sleep(1100 * time.Millisecond)
	f.freeze()
	if err := s.Tidy(t.Context()); err != nil {
		t.Error(err)
	}
	if n := f.asked.Load(); n != 1 {
		t.Errorf("%d of %d lines were asked, want one", n, f.lines.Load())
	}
}

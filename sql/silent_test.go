package sql_test

import (
	"context"
	"net"
	"net/url"
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
}

func (f *freezer) freeze() { f.frozen.Store(f.lines.Load()) }

func (f *freezer) listen(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			ours, err := l.Accept()
			if err != nil {
				return
			}
			theirs, err := net.Dial("tcp", target)
			if err != nil {
				_ = ours.Close()
				continue
			}
			n := f.lines.Add(1)
			go f.pump(n, theirs, ours)
			go f.pump(n, ours, theirs)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
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
			if took := time.Since(began); took > 2*time.Second {
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

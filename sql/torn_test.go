package sql_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// torn forwards to a server of Postgres. Once armed, of the lines that there are the
// first on which something is said is reset and the others swallow everything, as when
// a server moves and a firewall forgot it; those that are made later work.
func torn(t *testing.T, server string) (address string, armed *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	armed = &atomic.Int64{} // lines made before are torn
	var lines atomic.Int64
	var reset sync.Once
	target := u.Host
	pump := func(n int64, to, from net.Conn) {
		defer func() { _ = to.Close() }()
		buf := make([]byte, 64<<10)
		for {
			k, err := from.Read(buf)
			if err != nil {
				return
			}
			if n <= armed.Load()>>32 {
				first := false
				reset.Do(func() { first = true })
				if first {
					_ = from.Close()
					return
				}
				continue
			}
			if _, err := to.Write(buf[:k]); err != nil {
				return
			}
		}
	}
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
			n := lines.Add(1)
			armed.Add(1)
			go pump(n, theirs, ours)
			go pump(n, ours, theirs)
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), armed
}

// A line that is silent is given up for a new one, whatever another line did before it.
func TestASilentLineAfterALostOneIsGivenUp(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	address, armed := torn(t, schema(t, server)+"&statement_timeout=1s")
	s := open(t, address, time.Now)
	var all sync.WaitGroup
	for range 4 { // lines
		all.Go(func() { _, _ = s.Spent(t.Context(), "2026-11-23"); _ = s.Tidy(t.Context()) })
	}
	all.Wait()
	n := armed.Load() & (1<<32 - 1)
	armed.Add(n << 32)
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

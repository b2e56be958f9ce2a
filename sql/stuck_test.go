package sql_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// stall forwards to a server of Postgres. Once frozen it reads nothing more from the
// lines that there are, as a stopped server does: what is sent stays in the buffers of
// the kernel as long as they have room.
type stall struct {
	mu     sync.Mutex
	lines  []net.Conn
	frozen chan struct{}
	once   sync.Once
}

func (f *stall) listen(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.frozen = make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.lines {
			_ = c.Close()
		}
	})
	target := u.Host
	go func() {
		for {
			ours, err := l.Accept()
			if err != nil {
				return
			}
			_ = ours.(*net.TCPConn).SetReadBuffer(16 << 10)
			theirs, err := net.Dial("tcp", target)
			if err != nil {
				_ = ours.Close()
				continue
			}
			f.mu.Lock()
			f.lines = append(f.lines, ours, theirs)
			f.mu.Unlock()
			frozen := f.frozen
			select {
			case <-frozen: // one that is made later works
				frozen = nil
			default:
			}
			go func() { _, _ = io.Copy(ours, theirs) }()
			go func() {
				buf := make([]byte, 4<<10)
				for {
					select {
					case <-frozen:
						return // reads no more
					default:
					}
					_ = ours.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
					n, err := ours.Read(buf)
					if bytes.Contains(buf[:n], []byte("xxxxxxxx")) { // in the midst of what is sent
						f.once.Do(func() { close(f.frozen) })
					}
					if n > 0 {
						if _, err := theirs.Write(buf[:n]); err != nil {
							return
						}
					}
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						return
					}
				}
			}()
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

// A server that reads nothing any more is given up, too, by those who have much to say.
func TestAServerThatReadsNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f stall
	s := open(t, f.listen(t, schema(t, server)+"&statement_timeout=2s"), time.Now)
	if _, err := s.Accept(t.Context(), galena.Intake{Lead: lead(0), RepeatWithin: time.Hour}); err != nil {
		t.Fatal(err)
	}
	l := lead(1)
	l.Fields = map[string]any{"text": strings.Repeat("x", 6<<20)} // more than the buffers hold
	done := make(chan error, 1)
	go func() {
		_, err := s.Accept(context.Background(), galena.Intake{Lead: l, RepeatWithin: time.Hour})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(25 * time.Second): // it may be given up after 10 s, and is sent once more
		t.Error("whoever has much to say waits for ever")
		f.mu.Lock()
		for _, c := range f.lines {
			_ = c.Close()
		}
		f.mu.Unlock()
	}
}

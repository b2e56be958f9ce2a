package sql_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// stall forwards to a server of Postgres, and from the first word of a long text on
// reads nothing more from the lines that there are, as a stopped server does: what is
// sent stays in the buffers of the kernel as long as they have room.
type stall struct {
	frozen chan struct{}
	once   sync.Once
	end    chan struct{} // of the test: lines that nobody reads end with it
}

func (f *stall) listen(t *testing.T, server string) string {
	t.Helper()
	f.frozen, f.end = make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(f.end) })
	return between(t, server, func(_ int64, ours, theirs net.Conn) {
		defer func() { _ = ours.Close() }()
		defer func() { _ = theirs.Close() }()
		if c, ok := ours.(*net.TCPConn); ok {
			_ = c.SetReadBuffer(16 << 10)
		}
		frozen := f.frozen
		select {
		case <-frozen: // one that is made later works
			frozen = nil
		default:
		}
		go func() { _, _ = io.Copy(ours, theirs) }()
		for buf := make([]byte, 4<<10); ; {
			select {
			case <-frozen:
				<-f.end
				return
			default:
			}
			_ = ours.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			n, err := ours.Read(buf)
			if bytes.Contains(buf[:n], []byte("xxxxxxxx")) { // in the midst of what is sent
				f.once.Do(func() { close(f.frozen) })
			}
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return
			}
			if _, err := theirs.Write(buf[:n]); err != nil {
				return
			}
		}
	})
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
	}
}

package drill

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands before a store and forwards, until it is told to be slow, to
// stop forwarding, or to cut.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	chance  *rand.Rand
	latency time.Duration
	jitter  time.Duration
	stalled chan struct{} // closed when the line moves again, nil = it moves
	commits int           // so many are passed on and their answer is never heard
	between int           // commits that are left alone before each
	parted  bool          // no connection is taken
	edits   []edit
	edited  int // pieces that were changed
	conns   map[net.Conn]struct{}
}

// edit is a text that is passed on as another one of the same length.
type edit struct {
	outward  bool // to the store, not from it
	old, new []byte
}

func newProxy(target string, chance *rand.Rand) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, chance: chance, conns: map[net.Conn]struct{}{}}
	go p.accept()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// slow delays each piece in both directions by the latency ± jitter.
func (p *proxy) slow(latency, jitter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency, p.jitter = latency, jitter
}

// stall keeps every connection open and lets nothing through: a partition.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// part ends every connection and takes no new one: nobody is there.
func (p *proxy) part() {
	p.mu.Lock()
	p.parted = true
	p.mu.Unlock()
	p.cut(1.1)
}

// edit passes a text on as another, which must be as long: to the store when
// outward, else from it.
func (p *proxy) edit(outward bool, from, to string) {
	if len(from) != len(to) {
		panic("the store counts the bytes: " + from + " and " + to)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edits = append(p.edits, edit{outward, []byte(from), []byte(to)})
}

// changed makes the edits in a piece. A text that lies across two pieces stays.
func (p *proxy) changed(piece []byte, outward bool) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.edits {
		if e.outward == outward && bytes.Contains(piece, e.old) {
			piece = bytes.ReplaceAll(piece, e.old, e.new)
			p.edited++
		}
	}
	return piece
}

// edits is how many pieces were changed on all lines to a store.
func (b *bench) edits(store string) (n int) {
	for _, line := range b.to(store) {
		line.mu.Lock()
		n += line.edited
		line.mu.Unlock()
	}
	return n
}

// loseCommits passes on so many commits and cuts before their answer, with
// some commits between that are answered: the client cannot know what became of
// its transaction.
func (p *proxy) loseCommits(n, between int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits, p.between = n, between
}

// lost says how many commits are still to be lost.
func (p *proxy) lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commits
}

// commits says that a piece asks for a commit: by its text, or by the statement that
// pgx has prepared of it, to be executed behind others.
func commits(piece []byte) bool {
	sum := sha256.Sum256([]byte("commit"))
	prepared := fmt.Sprintf("stmtcache_%x\x00", sum[:24])
	if at := bytes.Index(piece, []byte(prepared)); at >= 0 {
		return !bytes.HasPrefix(piece[at+len(prepared):], []byte("commit\x00")) // it is being prepared
	}
	return bytes.Contains(bytes.ToLower(piece), []byte("commit\x00"))
}

// loses says that the answer to this piece must never be heard.
func (p *proxy) loses(piece []byte) bool {
	if !commits(piece) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.commits == 0 || p.chance.IntN(p.between+1) > 0 {
		return false
	}
	p.commits--
	return true
}

// cut resets each connection with the given chance and says how many.
func (p *proxy) cut(share float64) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if p.chance.Float64() < share {
			reset(c)
			n++
		}
	}
	return n
}

// heal forwards as if nothing had been. What was stalled is cut: a partition
// that lasted is not survived by its connections.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency, p.jitter, p.commits, p.parted, p.edits = 0, 0, 0, false, nil
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
		for c := range p.conns {
			reset(c)
		}
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.heal()
	p.cut(1.1)
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		parted := p.parted
		p.mu.Unlock()
		if parted {
			reset(c)
			continue
		}
		go p.serve(c)
	}
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.DialTimeout("tcp", p.target, 2*time.Second)
	if err != nil {
		reset(client)
		return
	}
	p.mu.Lock()
	p.conns[client] = struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, true) })
	both.Go(func() { p.pump(client, server, false) })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	p.mu.Unlock()
}

// pump copies one direction until it ends; the end of one is the end of both.
func (p *proxy) pump(to, from net.Conn, outward bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.pass()
			if _, err := to.Write(p.changed(buf[:n], outward)); err != nil {
				return
			}
			if outward && p.loses(buf[:n]) {
				reset(from)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits as the fault of the moment wants it.
func (p *proxy) pass() {
	p.mu.Lock()
	wait, stalled := p.latency, p.stalled
	if p.jitter > 0 {
		wait += time.Duration((2*p.chance.Float64() - 1) * float64(p.jitter))
	}
	p.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
	if stalled != nil {
		<-stalled
	}
}

// reset ends a connection as a machine does that has lost its memory of it.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func TestAProxyCausesTheFaultItIsToldTo(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 100)
				for n, err := c.Read(buf); err == nil; n, err = c.Read(buf) {
					_, _ = c.Write(buf[:n])
				}
			}()
		}
	}()
	for _, tc := range []struct {
		name  string
		cause func(*proxy)
		back  bool // the echo comes back within half a second
		least time.Duration
	}{
		{"none", func(*proxy) {}, true, 0},
		{"slow", func(p *proxy) { p.slow(60*time.Millisecond, 10*time.Millisecond) }, true, 100 * time.Millisecond},
		{"stalled", func(p *proxy) { p.stall() }, false, 0},
		{"cut", func(p *proxy) { p.cut(1.1) }, false, 0},
		{"a commit's answer lost", func(p *proxy) { p.loseCommits(1, 0) }, false, 0},
		{"parted", func(p *proxy) { p.part() }, false, 0},
		{"edited there and back", func(p *proxy) { p.edit(true, "COMMIT", "commit"); p.edit(false, "commit", "COMMIT") }, true, 0},
		{"edited", func(p *proxy) { p.edit(true, "COMMIT", "commit") }, false, 0},
		{"healed", func(p *proxy) { p.edit(true, "COMMIT", "commit"); p.slow(time.Hour, 0); p.loseCommits(1, 0); p.heal() }, true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := newProxy(echo.Addr().String(), rand.New(rand.NewPCG(1, 1)))
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			c, err := net.Dial("tcp", p.addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			say := func() error {
				_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
				if _, err := c.Write([]byte("COMMIT\x00")); err != nil {
					return err
				}
				heard := make([]byte, 7)
				if _, err := c.Read(heard); err != nil {
					return err
				}
				if string(heard) != "COMMIT\x00" {
					return fmt.Errorf("heard %q", heard)
				}
				return nil
			}
			if err := say(); err != nil {
				t.Fatalf("before the fault: %v", err)
			}
			tc.cause(p)
			began := time.Now()
			err = say()
			if back := err == nil; back != tc.back {
				t.Errorf("the echo came back: %v (%v), want %v", back, err, tc.back)
			}
			if took := time.Since(began); tc.back && took < tc.least {
				t.Errorf("came back after %v, want at least %v", took, tc.least)
			}
		})
	}
}

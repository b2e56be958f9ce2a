package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/api"
)

// crowd is a listener that takes so many connections and no more. Whoever comes
// then is told so and may come again: a process that gave its last descriptor to
// an idler could not even ask its database any more.
type crowd struct {
	net.Listener
	places chan struct{} // of those who are served

	mu    sync.Mutex
	porch []net.Conn // those who are told that it is full, the first to come first
}

const (
	// keptDescriptors are for the stores, the vendors and the sinks.
	keptDescriptors = 300
	// porchPlaces is how many are told at once. When one more comes, the first is
	// cut off: whoever has a question asks it at once.
	porchPlaces = 16
	// porchWait is how long one may take to ask and to listen.
	porchWait = time.Second
)

// places is how many connections a process may take that may have so many
// descriptors: all but those kept, and half of them where that would be little.
func places(descriptors uint64) int {
	return int(min(max(descriptors/2, descriptors-min(descriptors, keptDescriptors)), 1<<20))
}

// newCrowd bounds a listener by what the system lets this process open.
func newCrowd(l net.Listener) *crowd {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		limit.Cur = 1024 // what most systems give
	}
	return crowdOf(l, places(limit.Cur))
}

func crowdOf(l net.Listener, n int) *crowd {
	return &crowd{Listener: l, places: make(chan struct{}, n)}
}

// Accept waits for somebody for whom there is a place.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case c.places <- struct{}{}:
			return &guest{Conn: conn, leave: sync.OnceFunc(func() { <-c.places })}, nil
		default:
			c.turnAway(conn)
		}
	}
}

// turnAway tells somebody that it is full. What was sent is read first, or the
// answer would be lost with the connection.
func (c *crowd) turnAway(conn net.Conn) {
	c.mu.Lock()
	if len(c.porch) == porchPlaces {
		_ = c.porch[0].Close()
		c.porch = c.porch[1:]
	}
	c.porch = append(c.porch, conn)
	c.mu.Unlock()
	go func() {
		defer c.gone(conn)
		_ = conn.SetDeadline(time.Now().Add(porchWait))
		if _, err := conn.Read(make([]byte, 4<<10)); err != nil {
			return
		}
		_, _ = conn.Write(fullHouse())
		if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
}

// gone makes room on the porch.
func (c *crowd) gone(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.porch, conn); i >= 0 {
		c.porch = slices.Delete(c.porch, i, i+1)
	}
}

// fullHouse is the answer to whoever finds no place, whatever was asked.
func fullHouse() []byte {
	const status = http.StatusServiceUnavailable
	id := uuid.NewString()
	body, err := json.Marshal(api.Problem{Type: "urn:galena:problem:unavailable", Title: http.StatusText(status), Status: status,
		Detail: "too many connections; try again", Code: string(galena.Unavailable), RequestID: id})
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nRetry-After: 1\r\n"+
		"X-Request-Id: %s\r\nConnection: close\r\n\r\n%s", status, http.StatusText(status), len(body), id, body)
}

// guest gives the place back when it leaves.
type guest struct {
	net.Conn
	leave func()
}

// Close leaves.
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

package sql_test

import (
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// between stands before a server of Postgres: talk gets both ends of each line, of which
// the first is 1, and closes them.
func between(t *testing.T, server string, talk func(line int64, ours, theirs net.Conn)) (address string) {
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
	target := u.Host
	var lines atomic.Int64
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
			go talk(lines.Add(1), ours, theirs)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

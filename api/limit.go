package api

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The limit on failed tokens, per address: it is against load, not luck, since a
// token of 160 bits cannot be guessed.
const (
	failuresAllowed = 10
	failureWindow   = time.Minute
	addressesKept   = 10_000
)

// failures remembers when addresses showed bad tokens.
type failures struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[netip.Prefix][]time.Time
}

func newFailures(now func() time.Time) *failures {
	return &failures{now: now, seen: map[netip.Prefix][]time.Time{}}
}

// add counts a failure. wait is how long the address must wait before its next
// failure is answered as such, 0 while it is within the limit.
func (f *failures) add(from netip.Prefix) (wait time.Duration) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	recent := f.seen[from]
	for len(recent) > 0 && now.Sub(recent[0]) >= failureWindow {
		recent = recent[1:]
	}
	if len(recent) >= failuresAllowed {
		f.seen[from] = recent
		return failureWindow - now.Sub(recent[0])
	}
	if _, known := f.seen[from]; !known && len(f.seen) >= addressesKept {
		f.forget(now)
	}
	f.seen[from] = append(recent, now)
	return 0
}

// forget makes room: first the addresses that were quiet, then, under a flood
// from more addresses than we keep, all of them.
func (f *failures) forget(now time.Time) {
	for from, times := range f.seen {
		if now.Sub(times[len(times)-1]) >= failureWindow {
			delete(f.seen, from)
		}
	}
	if len(f.seen) >= addressesKept {
		clear(f.seen)
	}
}

// address is where the connection came from: what headers say of it can be made
// up. It is invalid where the server itself does not know.
func address(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// peer is whom failures are counted for: an address, or the /64 that an IPv6
// customer has.
func peer(r *http.Request) netip.Prefix {
	ip := address(r)
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// local says that the request comes from this machine itself, and not through a
// proxy on it.
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return address(r).IsLoopback()
}

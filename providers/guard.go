package providers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"github.com/galenahq/galena"
)

// errNotOurs is why the guard refuses a dial.
var errNotOurs = errors.New("the address is not one we may call")

// errForbiddenTarget is a dial that the guard refused. Whoever uses the client
// finds the cause below the library's own errors.
var errForbiddenTarget error = &galena.Error{Kind: galena.Invalid, Op: "dial", Cause: galena.CauseForbiddenTarget, Err: errNotOurs}

// forbidden are the address blocks that no vendor on the internet answers from
// and that netip has no question for. Those that embed an IPv4 address (NAT64,
// 6to4, Teredo, v4-compatible) are refused whole: what they reach is hidden.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host: its settings and certificates, by plain address
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public says that an address may be called without anybody's leave.
func public(ip netip.Addr) bool {
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() &&
		!ip.IsMulticast() && !ip.IsUnspecified() &&
		!slices.ContainsFunc(forbidden, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// guard decides which addresses may be dialled. It looks at the address that a
// name resolved to, at the moment of the dial: a name that changes its mind
// between a look-up and the dial gains nothing.
type guard struct {
	loopback bool
	blocks   []netip.Prefix
	hosts    map[string]bool // "host" or "host:port", lower case
}

// newGuard reads the items of GALENA_ALLOW_PRIVATE_TARGETS.
func newGuard(allow []string) (*guard, error) {
	g := &guard{hosts: map[string]bool{}}
	for _, item := range allow {
		item = strings.ToLower(strings.TrimSpace(item))
		switch {
		case item == "":
		case item == "loopback":
			g.loopback = true
		case strings.Contains(item, "/"):
			p, err := netip.ParsePrefix(item)
			if err != nil {
				return nil, fmt.Errorf("%q is neither host[:port], nor a block such as 10.0.0.0/8, nor loopback", item)
			}
			g.blocks = append(g.blocks, p.Masked())
		default:
			g.hosts[item] = true
		}
	}
	return g, nil
}

// target is what a dial was asked for, before the name was resolved.
type target struct {
	host, port string
	plain      bool // http without TLS
}

// targetKey carries the target.
type targetKey struct{}

// allows says that an operator named this target.
func (g *guard) allows(t target, ip netip.Addr) bool {
	host := strings.ToLower(t.host)
	return g.loopback && ip.IsLoopback() ||
		slices.ContainsFunc(g.blocks, func(p netip.Prefix) bool { return p.Contains(ip) }) ||
		g.hosts[host] || g.hosts[net.JoinHostPort(host, t.port)] ||
		g.hosts[ip.String()] || g.hosts[net.JoinHostPort(ip.String(), t.port)]
}

// check refuses an address unless it is public and the talk is encrypted, or an
// operator named it.
func (g *guard) check(t target, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbiddenTarget
	}
	ip := at.Addr().Unmap().WithZone("")
	if g.allows(t, ip) || public(ip) && !t.plain {
		return nil
	}
	return errForbiddenTarget
}

// control is the hook that runs on every socket just before it connects.
func (g *guard) control(ctx context.Context, network, address string, _ syscall.RawConn) error {
	t, _ := ctx.Value(targetKey{}).(target)
	if !strings.HasPrefix(network, "tcp") {
		return errForbiddenTarget
	}
	return g.check(t, address)
}

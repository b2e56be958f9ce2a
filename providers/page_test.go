package providers

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestARedirectIsFollowedWithinTheDomainAndEncrypted(t *testing.T) {
	t.Parallel()
	first := &url.URL{Scheme: "https", Host: "acme.example", Path: "/"}
	for to, want := range map[string]string{
		"/en/":                                "https://acme.example/en/",
		"https://www.acme.example/":           "https://www.acme.example/",
		"http://www.acme.example/":            "https://www.acme.example/",
		"http://www.acme.example:80/home":     "https://www.acme.example/home",
		"//shop.acme.example/?a=b":            "https://shop.acme.example/?a=b",
		"https://WWW.Acme.Example/":           "https://www.acme.example/",
		"https://www.acme.example./":          "https://www.acme.example/",
		"https://www.acme.example:8443/":      "",
		"https://other.example/":              "",
		"https://notacme.example/":            "",
		"https://acme.example.evil.example/":  "",
		"http://127.0.0.1/":                   "",
		"ftp://acme.example/":                 "",
		"https://user:secret@acme.example/":   "",
		"javascript:alert(1)":                 "",
		"https://www.acme.example:not-a-port": "",
	} {
		got, err := move("x", "acme.example", first, first, to)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s is followed to %v", to, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%s leads to %v (%v), want %s", to, got, err, want)
		case err != nil && galena.KindOf(err) != galena.WrongSubject && galena.KindOf(err) != galena.Malformed:
			t.Errorf("%s: %v", to, err)
		}
	}
}

// exchanged is a client's transport that is one function.
type exchanged func(*http.Request) (*http.Response, error)

func (f exchanged) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestThatWeReachNobodyOpensTheBreaker(t *testing.T) {
	t.Parallel()
	dialled := func(ip string, cause error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 443}, Err: cause}
	}
	unreachable := os.NewSyscallError("connect", syscall.ENETUNREACH)
	resolver := func(cause error) error {
		r := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", cause)}
		}}
		_, err := r.LookupHost(t.Context(), "acme.example.")
		return dialled("", err)
	}
	for name, c := range map[string]struct {
		err  error
		ours error // what our own routes say of a way to the address
		want string
	}{
		"NoNetwork":            {dialled("93.184.215.14", unreachable), unreachable, Open},
		"NoWayToTheResolver":   {resolver(syscall.ENETUNREACH), unreachable, Open},
		"NoResolver":           {resolver(syscall.ECONNREFUSED), nil, Open},
		"ARouterKnowsNoWay":    {dialled("93.184.215.14", unreachable), nil, Closed},
		"OnlyTheirsIsIPv6":     {dialled("2606:2800:21f::1", unreachable), unreachable, Closed},
		"TheirHostRefuses":     {dialled("93.184.215.14", os.NewSyscallError("connect", syscall.ECONNREFUSED)), nil, Closed},
		"TheirHostIsSilent":    {context.DeadlineExceeded, nil, Closed},
		"TheirNameServersFail": {dialled("", &net.DNSError{Err: "server misbehaving", IsTemporary: true}), nil, Closed},
		"TheirNameIsNone":      {dialled("", &net.DNSError{Err: "no such host", IsNotFound: true}), nil, Closed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBreaker("homepage", defaultTimeout, func(string) {})
			s := Settings{Now: time.Now, way: func(*net.TCPAddr) error { return c.ours }, Client: &http.Client{Transport: exchanged(func(*http.Request) (*http.Response, error) { return nil, c.err })}}
			for range breakerMin {
				_, _ = b.do("homepage.ask", func() (Record, error) {
					_, err := GetPage(t.Context(), s, "homepage.enrich", "acme.example")
					return Record{}, err
				})
			}
			if got := b.state(); got != c.want {
				t.Errorf("after %d of %v the breaker is %s, want %s", breakerMin, c.err, got, c.want)
			}
		})
	}
}

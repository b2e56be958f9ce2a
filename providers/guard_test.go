package providers

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/galenahq/galena"
)

func TestGuardRefusesWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	g, err := newGuard(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"loopback": "127.0.0.1", "loopback block": "127.8.9.1", "loopback v6": "::1", "unspecified": "0.0.0.0",
		"unspecified v6": "::", "this network": "0.1.2.3", "private 10": "10.0.0.5", "private 172": "172.16.3.4",
		"private 192": "192.168.1.1", "metadata": "169.254.169.254", "Azure's host": "168.63.129.16", "link-local v6": "fe80::1%eth0",
		"carrier-grade NAT": "100.64.0.1", "multicast": "224.0.0.1", "multicast v6": "ff02::1",
		"reserved": "240.0.0.1", "broadcast": "255.255.255.255", "ULA": "fd00::1", "mapped loopback": "::ffff:127.0.0.1",
		"mapped private": "::ffff:10.1.2.3", "v4-compatible": "::127.0.0.1", "NAT64": "64:ff9b::7f00:1",
		"6to4": "2002:7f00:1::", "Teredo": "2001::1", "site-local": "fec0::1", "benchmark": "198.18.0.1",
	} {
		if err := g.check(target{host: "vendor.example", port: "443"}, net.JoinHostPort(address, "443")); err == nil {
			t.Errorf("%s: %s was let through", name, address)
		}
	}
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "168.63.129.17", "2606:4700::1111", "::ffff:8.8.8.8"} {
		at := net.JoinHostPort(address, "443")
		if err := g.check(target{host: "vendor.example", port: "443"}, at); err != nil {
			t.Errorf("%s is public and was refused", address)
		}
		if err := g.check(target{host: "vendor.example", port: "80", plain: true}, at); err == nil {
			t.Errorf("%s was let through without TLS", address)
		}
	}
}

func TestGuardLetsThroughWhatAnOperatorNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allow, host, address string
		want                 bool
	}{
		{"loopback", "localhost", "127.0.0.1:80", true},
		{"loopback", "v6", "[::1]:80", true},
		{"loopback", "10.0.0.1", "10.0.0.1:80", false},
		{"10.0.0.0/8", "crm.internal", "10.2.3.4:80", true},
		{"10.0.0.0/8", "crm.internal", "[::ffff:10.2.3.4]:80", true},
		{"10.0.0.0/8", "crm.internal", "192.168.0.1:80", false},
		{" CRM.internal ", "crm.internal", "10.2.3.4:80", true},
		{"crm.internal:8081", "crm.internal", "10.2.3.4:8081", true},
		{"crm.internal:8081", "crm.internal", "10.2.3.4:80", false},
		{"127.0.0.1:8081", "localhost", "127.0.0.1:8081", true},
		{"127.0.0.1:8081", "localhost", "127.0.0.1:8082", false},
		{"::1", "localhost", "[::1]:80", true},
		{"", "localhost", "127.0.0.1:80", false},
	} {
		g, err := newGuard([]string{c.allow})
		if err != nil {
			t.Fatal(err)
		}
		port := netip.MustParseAddrPort(c.address).Port()
		tgt := target{host: c.host, port: map[uint16]string{80: "80", 8081: "8081", 8082: "8082"}[port], plain: true}
		if got := g.check(tgt, c.address) == nil; got != c.want {
			t.Errorf("allow %q, %s at %s: %v, want %v", c.allow, c.host, c.address, got, c.want)
		}
	}
	if _, err := NewClient([]string{"10.0.0.0/99"}); err == nil {
		t.Error("a block that is none was accepted")
	}
}

func TestClientDialsOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	})
	plain, secure := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it will complain of the client that hangs up
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	ask := func(allow []string, at string) error {
		client, err := NewClient(allow)
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		_, err = GetJSON(t.Context(), Settings{BaseURL: at, Client: client, Now: clock}, Request{Op: "x.enrich", Path: "/"})
		return err
	}
	name := strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)
	for _, at := range []string{plain.URL, secure.URL, name} {
		// The name may lead elsewhere for a while: what is invalid would never be asked again.
		if err := ask(nil, at); galena.CauseOf(err) != galena.CauseForbiddenTarget || galena.KindOf(err) != galena.Unavailable {
			t.Errorf("loopback was not refused, or for good: %v", err)
		}
	}
	if visits.Load() != 0 {
		t.Fatal("a refused address was reached")
	}
	for _, allow := range []string{"loopback", "127.0.0.0/8", "127.0.0.1", strings.TrimPrefix(plain.URL, "http://")} {
		if err := ask([]string{allow}, plain.URL); err != nil {
			t.Errorf("allow %s: %v", allow, err)
		}
	}
	if err := ask([]string{"loopback"}, name); err != nil {
		t.Errorf("by name: %v", err)
	}
	// An unknown certificate is refused, allowed address or not.
	if err := ask([]string{"loopback"}, secure.URL); galena.KindOf(err) != galena.Unavailable || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("self-signed: %v", err)
	}
}

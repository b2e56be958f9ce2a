package dns

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.RunDNS(t, Spec) }

func TestOnlyAWholeLabelIsAHost(t *testing.T) {
	t.Parallel()
	z := zone{mx: []*net.MX{{Host: "notgoogle.com."}, {Host: "."}}, www: "myshopify.com.evil.example.",
		txt: []string{"v=spf1 include:evilsendgrid.net include: -all", "google-site-verification=abc", "v=spf1", "00days=of summer"}}
	if got := z.technologies(); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
}

func TestTextIsReadUpToItsLimit(t *testing.T) {
	t.Parallel()
	z := zone{txt: []string{strings.Repeat("x", maxText), "stripe-verification=1"}}
	if got := z.technologies(); got != nil {
		t.Errorf("got %v, want nothing behind the limit", got)
	}
}

func TestMarksAreWrittenAsTheyAreCompared(t *testing.T) {
	t.Parallel()
	for _, table := range [][]signature{mailHosts, tokens, senders, nameServers, siteHosts} {
		var seen []string
		for _, s := range table {
			if s.mark != strings.ToLower(s.mark) || s.product == "" || slices.Contains(seen, s.mark) {
				t.Errorf("mark %q of %q is not in lower case, has no product or stands twice", s.mark, s.product)
			}
			seen = append(seen, s.mark)
		}
	}
}

// asked is what the library says when no resolver can be asked.
func asked(t *testing.T, cause error) error {
	t.Helper()
	r := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", cause)}
	}}
	_, err := r.LookupMX(t.Context(), "acme.example.")
	return err
}

// What fails is told from who fails: our resolver, or the name servers of one domain.
func TestFailuresOfADomainOpenNoBreaker(t *testing.T) {
	t.Parallel()
	servfail := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	timeout := &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}
	missing := &net.DNSError{Err: "no such host", IsNotFound: true}
	for name, c := range map[string]struct {
		errs []error
		want string
	}{
		"NoSuchDomain": {[]error{missing, missing, missing}, "no such domain"},
		"OneIsEnough":  {[]error{servfail, nil, timeout}, ""},
		"TheirsFail":   {[]error{servfail, missing, servfail}, "the name servers of the domain fail"},
		"NoneAnswers":  {[]error{servfail, timeout, missing}, "the name servers do not answer"},
		"NoNetwork":    {[]error{missing, missing, asked(t, syscall.ENETUNREACH)}, "the name servers do not answer"},
		"NoResolver":   {[]error{missing, missing, asked(t, syscall.ECONNREFUSED)}, "the name servers do not answer"},
	} {
		got := ""
		if err := failure(t.Context(), c.errs); err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAddressNamesAServer(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://127.0.0.1:53", "dns://127.0.0.1", "127.0.0.1:53"} {
		if _, err := resolver(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

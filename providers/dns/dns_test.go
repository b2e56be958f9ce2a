package dns

import (
	"net"
	"slices"
	"strings"
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

func TestAddressNamesAServer(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://127.0.0.1:53", "dns://127.0.0.1", "127.0.0.1:53"} {
		if _, err := resolver(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

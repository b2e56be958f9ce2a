package intake

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"github.com/galenahq/galena"
)

// host is the domain of an address or a website, read.
type host struct {
	ascii   string // A-label, lower case
	lowered bool
	dotted  bool
	fault   string
}

// readHost brings a domain into its one form, by the IDNA2008 look-up profile.
func readHost(s string) host {
	var h host
	low := strings.ToLower(s)
	h.lowered = low != s
	trimmed := strings.TrimSuffix(low, ".")
	h.dotted = trimmed != low
	if len(trimmed) > maxRaw {
		h.fault = codeAddressTooLong
		return h
	}
	a, err := idna.Lookup.ToASCII(trimmed)
	h.ascii = a
	switch {
	case err != nil || !labels(a):
		h.fault = codeSyntax
	case len(a) > maxHost:
		h.fault = codeAddressTooLong
	case !strings.Contains(a, "."):
		h.fault = codeSingleLabel
	}
	return h
}

// labels checks letters, digits and hyphens label by label. A domain that ends
// in a number is an IP address and names no company.
func labels(s string) bool {
	last := ""
	for l := range strings.SplitSeq(s, ".") {
		if l == "" || len(l) > maxLabel || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
		last = l
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok && strings.Trim(hex, "0123456789abcdef") == "" {
		return false // so may a number be written too
	}
	return strings.Trim(last, "0123456789") != ""
}

// registrable is the part of a host that somebody registered, by the public
// suffix list with its private section: each tenant of a hosting suffix is its
// own. It is "" for a host that is itself a suffix.
func registrable(host string) string {
	d, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return d
}

// parents lists the host and what is above it, down to the registrable domain.
func parents(host, domain string) []string {
	out := []string{host}
	for host != domain {
		_, rest, ok := strings.Cut(host, ".")
		if !ok || len(rest) < len(domain) {
			break
		}
		host = rest
		out = append(out, host)
	}
	return out
}

// websiteDomain is the registrable domain of a website as people type it, "" if
// there is none to be had.
func websiteDomain(site string) string {
	site = strings.TrimSpace(site)
	if site == "" || len(site) > 2048 {
		return ""
	}
	if !strings.Contains(site, "://") {
		site = "http://" + site
	}
	u, err := url.Parse(site)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	h := readHost(norm.NFC.String(clean(u.Hostname())))
	if h.fault != "" {
		return ""
	}
	return registrable(h.ascii)
}

// CompanyDomain brings the domain of a company into its one form, and refuses as
// Invalid what can be no company's.
func (j *Judge) CompanyDomain(s string) (string, error) {
	h := readHost(norm.NFC.String(clean(strings.TrimSpace(s))))
	d := registrable(h.ascii)
	why := ""
	switch {
	case h.fault != "":
		why = "is no domain"
	case mixedScript(h.ascii):
		why = "mixes alphabets"
	case reserved(h.ascii) && !j.allowed(h.ascii):
		why = "is reserved for documentation and tests"
	case d == "":
		why = "is a suffix under which many are registered"
	case d != h.ascii:
		why = "is a host of " + d + ": give that"
	case j.nobodys(d):
		why = "is a domain of mailboxes for many, or our own"
	}
	if why != "" {
		return "", galena.Errorf(galena.Invalid, "intake.company_domain", "%s", why)
	}
	return d, nil
}

// Written is a domain as companies are kept by it, however people write it; what is
// no domain stays a text that nobody is kept by.
func Written(domain string) string {
	h := readHost(norm.NFC.String(clean(domain)))
	if h.fault != "" {
		return strings.ToLower(domain)
	}
	return h.ascii
}

// reserved says that the top-level domain exists for documentation and tests
// only (RFC 2606, RFC 6761).
func reserved(host string) bool {
	return slices.Contains([]string{"test", "example", "invalid", "localhost"}, topLevel(host))
}

func topLevel(host string) string { return host[strings.LastIndexByte(host, '.')+1:] }

// international says that some label is written in other letters.
func international(host string) bool {
	return strings.HasPrefix(host, "xn--") || strings.Contains(host, ".xn--")
}

// mixedScript says that one label mixes alphabets that no language mixes, the
// usual way to imitate a name. Latin may stand beside the East Asian scripts
// that are written with it (UTS 39, highly restrictive).
func mixedScript(host string) bool {
	if !international(host) {
		return false
	}
	shown, err := idna.Punycode.ToUnicode(host)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(strings.Split(shown, "."), func(label string) bool {
		seen := scripts(label)
		if len(seen) < 2 {
			return false
		}
		return !slices.ContainsFunc(eastAsian(), func(together []string) bool {
			return !slices.ContainsFunc(seen, func(s string) bool { return !slices.Contains(together, s) })
		})
	})
}

func eastAsian() [][]string {
	return [][]string{
		{"Latin", "Han", "Hiragana", "Katakana"},
		{"Latin", "Han", "Bopomofo"},
		{"Latin", "Han", "Hangul"},
	}
}

// scripts lists the alphabets of a label; digits and marks belong to all.
func scripts(label string) []string {
	var seen []string
	for _, r := range label {
		s := "Latin"
		if r >= 0x80 {
			s = scriptOf(r)
		} else if !unicode.IsLetter(r) {
			continue
		}
		if s != "Common" && s != "Inherited" && !slices.Contains(seen, s) {
			seen = append(seen, s)
		}
	}
	return seen
}

func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return "Common"
}

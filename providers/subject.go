package providers

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/galenahq/galena"
)

// Domain reduces what a vendor calls a domain or a website to the bare host:
// lower case, A-label, without scheme, port, path and "www.". "" when there is none.
func Domain(raw string) string {
	s := strings.ToLower(strings.TrimSpace(raw))
	if s == "" {
		return ""
	}
	if !strings.Contains(s, "://") {
		s = "https://" + strings.TrimPrefix(s, "//")
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), "."))
	if err != nil || !strings.Contains(host, ".") {
		return ""
	}
	return strings.TrimPrefix(host, "www.")
}

// CheckSubject refuses an answer about another company than the one asked for:
// a test key, a fuzzy match or a recycled record must never be merged. The
// answered domain or one of its aliases must be the asked one or a host below it.
func CheckSubject(op, asked, answered string, aliases []string) error {
	about := func(raw string) bool {
		d := Domain(raw)
		return d != "" && (d == asked || strings.HasSuffix(d, "."+asked))
	}
	if about(answered) || slices.ContainsFunc(aliases, about) {
		return nil
	}
	return galena.Errorf(galena.WrongSubject, op, "the answer is about another domain")
}

// askable says that a domain is safe to hand to any vendor: a bare A-label
// host name, with no room for a path, a port or a query.
func askable(domain string) bool {
	return len(domain) <= 253 && strings.Contains(domain, ".") &&
		!strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, "..") &&
		strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

package intake

import (
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// long is a domain of n octets, in labels of at most 63.
func long(n int) string {
	n -= len(".com")
	labels := strings.Repeat(strings.Repeat("b", 49)+".", (n-10)/50)
	return labels + strings.Repeat("c", n-len(labels)) + ".com"
}

// The corners of RFC 5321, 5322 and 6531. Each address that is taken is also
// judged again as it is kept, which must change nothing.
func TestAddressesByTheLetterOfTheirStandards(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	l63, l64 := strings.Repeat("a", 63), strings.Repeat("a", 64)
	syntax := "syntax"
	for email, want := range map[string]string{ // key@host, or the code that refuses it
		// Quoted local parts.
		`"a b"@acme.com`: `"a b"@acme.com`, `"a\"b"@acme.com`: `"a\"b"@acme.com`, `"a\\b"@acme.com`: `"a\\b"@acme.com`,
		`"a@b"@acme.com`: `"a@b"@acme.com`, `"a.b"@acme.com`: "a.b@acme.com", `"a\b"@acme.com`: "ab@acme.com",
		`""@acme.com`: syntax, `"a"b@acme.com`: syntax, `a"b"@acme.com`: syntax, `"a"."b"@acme.com`: syntax, `"a\"@acme.com`: syntax,
		"\"a\tb\"@acme.com": syntax, "\"a\\\x01\"@acme.com": syntax,
		// Letters beyond ASCII, on either side.
		"j\u00f6rg@acme.com": "j\u00f6rg@acme.com", "a\u0301@acme.com": "\u00e1@acme.com",
		"\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a": "\u7528\u6237@xn--fsqu00a.xn--4rr70v",
		"ana@fa\u00df.de":                        "ana@xn--fa-hia.de", "ana@B\u00dcCHER.de": "ana@xn--bcher-kva.de", "ana@XN--BCHER-KVA.de": "ana@xn--bcher-kva.de",
		// Comments and whatever else a header may hold.
		"ana(c)@acme.com": syntax, "(c)ana@acme.com": syntax, "ana@(c)acme.com": syntax, "ana@acme.com(c)": syntax, "<ana@acme.com>": syntax,
		"Ana <ana@acme.com>": syntax, "mailto:ana@acme.com": syntax, "ana@acme.com,bob@acme.com": syntax, "ana@acme.com\r\nBcc: x@y.com": syntax,
		// Dots.
		"ana@acme.com.": "ana@acme.com", "ana@acme.com..": syntax, "ana@acme..com": syntax, "ana@.acme.com": syntax, "ana@.": syntax,
		".ana@acme.com": syntax, "ana.@acme.com": syntax, "a..a@acme.com": syntax,
		// Lengths, in octets.
		l64 + "@acme.com": l64 + "@acme.com", l64 + "a@acme.com": "local_too_long",
		strings.Repeat("\u00f6", 32) + "@acme.com": strings.Repeat("\u00f6", 32) + "@acme.com", strings.Repeat("\u00f6", 33) + "@acme.com": "local_too_long",
		"a@" + l63 + ".com": "a@" + l63 + ".com", "a@" + l63 + "a.com": syntax,
		l64 + "@" + long(189): l64 + "@" + long(189), l64 + "@" + long(190): "address_too_long",
		"a@" + long(252): "a@" + long(252), "a@" + long(253): "address_too_long",
		// Domains that are nobody's.
		"ana@localhost": "single_label", "ana@com": "single_label", "ana@co.uk": "public_suffix", "ana@github.io": "public_suffix",
		"ana@vercel.app": "public_suffix", "ana@x.vercel.app": "ana@x.vercel.app", "ana@x.kawasaki.jp": "public_suffix",
		"ana@city.kawasaki.jp": "ana@city.kawasaki.jp",
		// Addresses of machines.
		"ana@[127.0.0.1]": syntax, "ana@[IPv6:::1]": syntax, "ana@127.0.0.1": syntax, "ana@acme.123": syntax, "ana@0x7f.1": syntax,
		"ana@acme.0x1": syntax, "ana@acme.0x": syntax, "ana@acme.0xyz": "ana@acme.0xyz",
		// Hyphens and what looks like punycode.
		"ana@a-b.com": "ana@a-b.com", "ana@-a.com": syntax, "ana@a-.com": syntax, "ana@a--b.com": "ana@a--b.com", "ana@ab--cd.com": syntax,
		"ana@xn--.com": syntax, "ana@xn--a.com": syntax, "ana@xn--acme.com": syntax, "ana@a_b.com": syntax,
		// What cannot be seen, and what is not what it looks like.
		"an\u200ba@ac\u200dme.com": "ana@acme.com", "\u202eana@acme.com": "ana@acme.com", "ana\u034f@acme.com": "ana@acme.com",
		"\ufe0fana@acme.com": "ana@acme.com", "ana\u3164@acme.com": "ana@acme.com", "ana\U000e0041@acme.com": syntax,
		"an\u2028a@acme.com": syntax, "an\x00a@acme.com": syntax, "ana\uff20acme.com": syntax, "ana@acme\u3002com": "ana@acme.com",
		"ana@\uff41cme.com": "ana@acme.com", "ana@\u05d0b.com": syntax, "ana\u00a0@acme.com": syntax,
		// Every atom that RFC 5322 allows.
		"!#$%&'*/=?^_`{|}~-@acme.com": "!#$%&'*/=?^_`{|}~-@acme.com", "a+@acme.com": "a@acme.com", "+x@acme.com": "+x@acme.com",
	} {
		v := j.Judge(galena.Submission{Email: email}, Known{})
		if refused := !strings.Contains(want, "@"); refused && (v.Verdict != galena.Reject || !slices.Contains(v.Codes, want)) ||
			!refused && (v.Verdict == galena.Reject || v.Key != want) {
			t.Errorf("%q: %s %v %q, want %q", email, v.Verdict, v.Codes, v.Key, want)
		}
		checkIdempotent(t, j, email)
	}
}

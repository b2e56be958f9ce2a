package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/galenahq/galena"
)

// The limits of RFC 5321 4.5.3.1, in octets. A text longer than maxRaw is not
// looked into: no address becomes short enough by trimming that much.
const (
	maxLocal   = 64
	maxAddress = 254
	maxHost    = 253
	maxLabel   = 63
	maxRaw     = 4096
)

// address is an e-mail address taken apart.
type address struct {
	text    string // cleaned, as far as it could be read
	local   string // as typed
	host    string // A-label, lower case, no trailing dot
	key     string // canonical local part: lower case, no tag
	person  string // the key at the host
	tagged  bool
	trimmed bool
	lowered bool
	dotted  bool   // the domain ended with a dot
	fault   string // code that makes it unusable
	long    bool   // address_too_long as well
}

// readAddress takes an address apart by RFC 5321 and 5322 with the widening of
// RFC 6531. It does what net/mail does not: it refuses display names, comments,
// address literals and whatever else no form should take, and says why.
func readAddress(raw string) address {
	if len(raw) > maxRaw {
		return address{fault: codeAddressTooLong}
	}
	if !utf8.ValidString(raw) {
		return address{fault: codeSyntax}
	}
	var a address
	cleaned := clean(raw)
	a.text, a.trimmed = norm.NFC.String(cleaned), cleaned != raw
	local, domain, ok := splitAddress(a.text)
	if !ok {
		a.fault = codeSyntax
		return a
	}
	h := readHost(domain)
	a.local, a.host, a.lowered, a.dotted = local, h.ascii, h.lowered, h.dotted
	plain, atom, ok := unquote(local)
	switch {
	case !ok:
		a.fault = codeSyntax
	case len(local) > maxLocal:
		a.fault = codeLocalTooLong
	case h.fault != "":
		a.fault = h.fault
	}
	if a.fault == codeSyntax {
		return a
	}
	a.text = local + "@" + h.ascii
	a.long = len(a.text) > maxAddress
	a.setKey(plain, atom)
	if a.fault == "" && len(a.key) > maxLocal {
		a.fault = codeLocalTooLong // folding made it longer than a mailbox may be
	}
	return a
}

// setKey finds the identity of the mailbox: case and +tag do not make another
// person, and at hosts known to ignore dots neither do dots.
func (a *address) setKey(plain string, atom bool) {
	defer func() { a.person = a.key + "@" + a.host }()
	k := norm.NFC.String(strings.ToLower(plain))
	if !atom {
		a.key = quote(k)
		return
	}
	if i := strings.IndexByte(k, '+'); i >= 0 {
		a.tagged = true
		if i > 0 {
			k = strings.TrimRight(k[:i], ".")
		}
	}
	if a.host == "gmail.com" || a.host == "googlemail.com" {
		k = strings.ReplaceAll(k, ".", "")
	}
	a.key = k
}

// canonical is the identity of the person.
func (a address) canonical() string { return a.person }

// CanonicalKey is the identity of the person behind an address: the one that
// Judgement.Key carries.
func CanonicalKey(email string) (string, error) {
	a := readAddress(email)
	if a.fault != "" {
		return "", galena.Errorf(galena.Invalid, "intake", "not an address: %s", a.fault)
	}
	return a.canonical(), nil
}

// clean removes what people paste without seeing it: blanks around, and
// zero-width and direction marks anywhere.
func clean(s string) string {
	return strings.TrimFunc(strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s), unicode.IsSpace)
}

// invisible says that a character leaves no mark on the page: with it a
// suppressed person would look the same and be another.
func invisible(r rune) bool {
	switch {
	case r == 0xAD, r == 0x61C, r == 0x180E, r == 0xFEFF:
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F:
		return true
	}
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// splitAddress cuts at the only unquoted @.
func splitAddress(s string) (local, domain string, ok bool) {
	at := strings.IndexByte(s, '@')
	if strings.HasPrefix(s, `"`) {
		end := closingQuote(s)
		if end < 0 || end+1 >= len(s) || s[end+1] != '@' {
			return "", "", false
		}
		at = end + 1
	}
	if at <= 0 || at == len(s)-1 || strings.IndexByte(s[at+1:], '@') >= 0 {
		return "", "", false
	}
	return s[:at], s[at+1:], true
}

func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote reads a local part. atom says that it needs no quotes: "ana"@x and
// ana@x are the same mailbox.
func unquote(local string) (plain string, atom, ok bool) {
	if !strings.HasPrefix(local, `"`) {
		return local, true, dotAtom(local)
	}
	var b strings.Builder
	escaped := false
	for _, r := range local[1 : len(local)-1] {
		switch {
		case r < ' ' || r == 0x7F || r >= utf8.RuneSelf && !letterish(r):
			return "", false, false
		case escaped && r >= utf8.RuneSelf:
			return "", false, false
		case !escaped && r == '\\':
			escaped = true
			continue
		}
		escaped = false
		b.WriteRune(r)
	}
	plain = b.String()
	return plain, dotAtom(plain), plain != "" && !escaped
}

func quote(plain string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain) + `"`
}

func dotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for _, r := range atom {
			if !atext(r) {
				return false
			}
		}
	}
	return true
}

func atext(r rune) bool {
	if r >= utf8.RuneSelf {
		return letterish(r)
	}
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// letterish says that a character beyond ASCII may stand in a local part:
// anything that can be seen.
func letterish(r rune) bool {
	return r != utf8.RuneError && unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

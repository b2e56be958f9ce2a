package providers

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold makes spellings of one thing equal: lower case, without accents, "&" as
// "and", all else that is neither letter nor digit as one blank.
func fold(s string) string {
	if plain, ok := foldASCII(s); ok {
		return plain
	}
	return foldAny(s)
}

func foldAny(s string) string {
	s = strings.ReplaceAll(strings.ToLower(s), "&", " and ")
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '\u2019', r == '.':
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// foldASCII is foldAny without tables, for what has no letter beyond ASCII: almost all
// that vendors write. What is folded already is returned as it is.
func foldASCII(s string) (string, bool) {
	var room [64]byte
	b, gap := room[:0], false // gap = a blank is due before the next letter
	put := func(letters ...byte) {
		if gap && len(b) > 0 {
			b = append(b, ' ')
		}
		b, gap = append(b, letters...), false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return "", false
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			put(c)
		case 'A' <= c && c <= 'Z':
			put(c + 'a' - 'A')
		case c == '&':
			gap = true
			put('a', 'n', 'd')
			gap = true
		case c == '\'', c == '.':
		default:
			gap = true
		}
	}
	if string(b) == s {
		return s, true
	}
	return string(b), true
}

// inverted turns "meaning: its spellings" into a look-up by folded spelling.
// Spellings are separated by semicolons, and a meaning spells itself.
func inverted(table map[string]string) map[string]string {
	out := make(map[string]string, 8*len(table))
	for meaning, spellings := range table {
		out[fold(meaning)] = meaning
		for s := range strings.SplitSeq(spellings, ";") {
			if f := fold(s); f != "" {
				out[f] = meaning
			}
		}
	}
	return out
}

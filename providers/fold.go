package providers

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold makes spellings of one thing equal: lower case, without accents, "&" as
// "and", all else that is neither letter nor digit as one blank.
func fold(s string) string {
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

package intake

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
)

// maskCards hides payment card numbers in free text, all but the last four
// digits: people type them into message fields, and we do not want to hold them.
func maskCards(s string) string {
	var out []byte
	for i := 0; i < len(s); {
		if !digitAt(s, i) {
			i++
			continue
		}
		end, digits := cardRun(s, i)
		if (i == 0 || s[i-1] != '+') && isCard(digits) {
			if out == nil {
				out = []byte(s)
			}
			hide(out[i:end], len(digits)-4)
		}
		i = end
	}
	if out == nil {
		return s
	}
	return string(out)
}

func digitAt(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }

// cardRun reads digits with single blanks or hyphens between them.
func cardRun(s string, from int) (end int, digits string) {
	var b strings.Builder
	for i := from; i < len(s); i++ {
		if !digitAt(s, i) {
			if (s[i] != ' ' && s[i] != '-') || !digitAt(s, i+1) {
				break
			}
			continue
		}
		b.WriteByte(s[i])
		end = i + 1
	}
	return end, b.String()
}

// isCard knows the length, the first digits and the check digit of a card.
func isCard(d string) bool {
	if len(d) < 13 || len(d) > 19 || d[0] < '2' || d[0] > '6' || d[0] == '2' && (d[1] < '2' || d[1] > '7') {
		return false
	}
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func hide(b []byte, count int) {
	for i := range b {
		if count > 0 && b[i] >= '0' && b[i] <= '9' {
			b[i] = '*'
			count--
		}
	}
}

// maskAny does the same through whatever JSON brings, without changing what
// was handed in.
func maskAny(v any) any {
	switch x := v.(type) {
	case string:
		return maskCards(x)
	case json.Number:
		if m := maskCards(x.String()); m != x.String() {
			return m
		}
	case float64:
		plain := strconv.FormatFloat(x, 'f', -1, 64)
		if m := maskCards(plain); m != plain {
			return m
		}
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = maskAny(e)
		}
		return out
	case map[string]any:
		return maskFields(x)
	}
	return v
}

// maskWords does it to the values of a map, which is copied if one must change.
func maskWords(m map[string]string) map[string]string {
	out, copied := m, false
	for k, v := range m {
		masked := maskCards(v)
		if masked == v {
			continue
		}
		if !copied {
			out, copied = maps.Clone(m), true
		}
		out[k] = masked
	}
	return out
}

func maskFields(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if k == "registry_id" { // a number of the state, not of a bank
			out[k] = v
			continue
		}
		out[k] = maskAny(v)
	}
	return out
}

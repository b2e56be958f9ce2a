package twenty

import "strings"

// A guard is the condition that a field still holds what was seen there.

func blank(s slot) string { return s.at() + "[is]:NULL" }

// blankText holds for both ways in which a text is empty.
func blankText(s slot) string { return "or(" + s.at() + "[is]:NULL," + s.at() + `[eq]:"")` }

func guardText(s slot, raw any) (string, bool) {
	if strings.TrimSpace(plain(raw)) == "" {
		return blankText(s), plain(raw) == ""
	}
	quoted, ok := quote(plain(raw))
	return s.at() + "[eq]:" + quoted, ok
}

func guardNumber(s slot, raw any) (string, bool) {
	if n := numberOf(raw); n != "" {
		return s.at() + "[eq]:" + n, true
	}
	return blank(s), raw == nil
}

func guardPlain(s slot, raw any) (string, bool) {
	if raw == nil {
		return blank(s), true
	}
	quoted, ok := quote(plain(raw))
	return s.at() + "[eq]:" + quoted, ok && plain(raw) != ""
}

// guardMoney looks at the currency too: a person may have changed only that.
func guardMoney(s slot, raw any) (string, bool) {
	m := recordOf(raw)
	filter, ok := guardNumber(s, m["amountMicros"])
	code := s
	code.part = "currencyCode"
	if c := textOf(m["currencyCode"]); c != "" {
		quoted, fine := quote(c)
		return filter + "," + code.at() + "[eq]:" + quoted, ok && fine
	}
	return filter, ok
}

// guardLink looks at the part of the composite that stands for it.
func guardLink(s slot, raw any) (string, bool) { return guardText(s, recordOf(raw)[s.part]) }

package twenty

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/galenahq/galena"
)

// form is how values of one type are written and compared. What is raw is the
// field's own value: of an address its part, of a link the whole composite.
type form struct {
	encode func(s slot, v galena.Value) (raw any, ok bool)
	norm   func(s slot, raw any) string // "" = blank
	guard  func(s slot, raw any) (filter string, ok bool)
}

// form names the row of forms for a slot.
func (s slot) form() string {
	switch {
	case s.kind == "LINKS" && s.name == "domainName":
		return "domain"
	case s.part == "addressCountry":
		return "country"
	case s.kind == "ADDRESS" && s.part != "", s.kind == "FULL_NAME" && s.part != "":
		return "TEXT"
	}
	return s.kind
}

var forms = map[string]form{
	"TEXT":         {encodeText, normText, guardText},
	"country":      {encodeCountry, normCountry, guardText},
	"NUMBER":       {encodeNumber, normNumber, guardNumber},
	"NUMERIC":      {encodeNumber, normNumber, guardNumber},
	"BOOLEAN":      {encodeBool, normPlain, guardPlain},
	"DATE":         {encodeDate, normDate, guardPlain},
	"DATE_TIME":    {encodeTime, normTime, guardPlain},
	"SELECT":       {encodeOption, normPlain, guardPlain},
	"MULTI_SELECT": {encodeOptions, normList, nil},
	"ARRAY":        {encodeList, normList, nil},
	"CURRENCY":     {encodeMoney, normMoney, guardMoney},
	"LINKS":        {encodeLink, normLink, guardLink},
	"domain":       {encodeDomain, normDomain, guardLink},
	"EMAILS":       {encodeEmail, normEmail, guardLink},
	"PHONES":       {encodePhone, normPhone, nil},
	"RELATION":     {encodeText, normPlain, guardPlain},
	"UUID":         {encodeText, normPlain, guardPlain},
}

// fold is a text as it is compared: composed, lower case, single spaces.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFC.String(s))), " ")
}

func encodeText(_ slot, v galena.Value) (any, bool) {
	s := v.String()
	if v.Type == galena.TypeSet {
		s = strings.Join(v.Set, ", ")
	}
	return s, s != ""
}

func normText(_ slot, raw any) string { return fold(plain(raw)) }

// plain prints a scalar: JSON's, or one that came back from a store.
func plain(raw any) string {
	switch v := raw.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return numberOf(raw)
}

func normPlain(_ slot, raw any) string { return strings.TrimSpace(plain(raw)) }

// numberOf prints a number, or a text that is one, the same way whatever its
// Go type: "250", "250.7"; "" for what is none.
func numberOf(raw any) string {
	var s string
	switch v := raw.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = strings.TrimSpace(v)
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		s = strconv.FormatInt(v, 10)
	case int:
		s = strconv.Itoa(v)
	}
	if s == "" || len(s) > 40 {
		return ""
	}
	if digits := strings.TrimPrefix(s, "-"); strings.Trim(digits, "0123456789") == "" {
		digits = strings.TrimLeft(digits, "0")
		if digits == "" {
			return "0"
		}
		return s[:len(s)-len(strings.TrimPrefix(s, "-"))] + digits
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func encodeNumber(_ slot, v galena.Value) (any, bool) {
	switch {
	case v.Type == galena.TypeNumber && v.Exact():
		return v.Lo, true
	case v.Type == galena.TypeScore:
		return json.Number(numberOf(v.String())), true
	}
	return nil, false // "51-200" has no form as a number
}

func normNumber(_ slot, raw any) string { return numberOf(raw) }

func encodeBool(_ slot, v galena.Value) (any, bool) { return v.Bool, v.Type == galena.TypeBool }

func encodeDate(_ slot, v galena.Value) (any, bool) {
	t, ok := instant(v)
	return t.Format(time.DateOnly), ok
}

func encodeTime(_ slot, v galena.Value) (any, bool) {
	t, ok := instant(v)
	return t.Format(time.RFC3339), ok
}

// instant reads a day, or an instant written as text.
func instant(v galena.Value) (time.Time, bool) {
	if v.Type == galena.TypeDate {
		return time.Unix(v.Lo*86400, 0).UTC(), true
	}
	t, err := time.Parse(time.RFC3339, v.Text)
	return t.UTC(), err == nil
}

func normDate(_ slot, raw any) string {
	s := plain(raw)
	return s[:min(len(s), len(time.DateOnly))]
}

func normTime(_ slot, raw any) string {
	s := plain(raw)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Format(time.RFC3339)
	}
	return s
}

// encodeOption finds the choice that means the value: by its value, by its label,
// or as a tier, for which an option's value may not be a single letter.
func encodeOption(s slot, v galena.Value) (any, bool) {
	word := galena.Slug(v.String())
	for _, want := range []string{word, "tier-" + word} {
		for _, o := range s.options {
			if want == galena.Slug(o.value) || want == galena.Slug(o.label) {
				return o.value, word != ""
			}
		}
	}
	return nil, false
}

// encodeOptions keeps the choices that exist.
func encodeOptions(s slot, v galena.Value) (any, bool) {
	out := []any{}
	for _, it := range items(v) {
		if raw, ok := encodeOption(s, galena.EnumValue(it)); ok {
			out = append(out, raw)
		}
	}
	return out, len(out) > 0
}

func encodeList(_ slot, v galena.Value) (any, bool) {
	out := []any{}
	for _, it := range items(v) {
		out = append(out, it)
	}
	return out, len(out) > 0
}

func items(v galena.Value) []string {
	if v.Type == galena.TypeSet {
		return v.Set
	}
	if s := v.String(); s != "" {
		return []string{s}
	}
	return nil
}

// normList takes a bare word, as a file names a placeholder, for a list of one.
func normList(_ slot, raw any) string {
	many, ok := raw.([]any)
	if !ok {
		many = []any{raw}
	}
	var out []string
	for _, it := range many {
		if s := fold(plain(it)); s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ",")
}

// encodeMoney writes dollars as millionths. The currency goes with the amount:
// without it what stood there would stay.
func encodeMoney(_ slot, v galena.Value) (any, bool) {
	if v.Type != galena.TypeNumber || !v.Exact() || v.Lo > math.MaxInt64/1_000_000 || v.Lo < math.MinInt64/1_000_000 {
		return nil, false
	}
	return map[string]any{"amountMicros": v.Lo * 1_000_000, "currencyCode": "USD"}, true
}

// normMoney compares amount and currency; an amount without one is in ours.
func normMoney(_ slot, raw any) string {
	m := recordOf(raw)
	amount := numberOf(m["amountMicros"])
	if amount == "" {
		return ""
	}
	code := strings.ToUpper(textOf(m["currencyCode"]))
	if code == "" {
		code = "USD"
	}
	return amount + " " + code
}

func encodeLink(_ slot, v galena.Value) (any, bool) {
	s := strings.TrimSpace(v.Text)
	if s != "" && !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, false
	}
	return map[string]any{"primaryLinkUrl": strings.TrimRight(s, "/")}, true
}

// normLink compares host and path; scheme, www and a last slash say nothing.
func normLink(_ slot, raw any) string {
	s := strings.TrimSpace(textOf(recordOf(raw)["primaryLinkUrl"]))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	host, path, _ := strings.Cut(s, "/")
	out := hostOf(host) + "/" + path
	return strings.TrimRight(out, "/")
}

// encodeDomain writes a new company's domain as Twenty itself does.
func encodeDomain(_ slot, v galena.Value) (any, bool) {
	h := hostOf(v.Text)
	return map[string]any{"primaryLinkUrl": "https://" + h}, strings.Contains(h, ".")
}

func normDomain(_ slot, raw any) string { return hostOf(textOf(recordOf(raw)["primaryLinkUrl"])) }

// hostOf is the host that a URL in any spelling names: lower case, ASCII, without
// scheme, user, port, path and www.
func hostOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	s, _, _ = strings.Cut(s, ":")
	s = strings.TrimPrefix(strings.TrimSuffix(s, "."), "www.")
	if ascii, err := idna.Lookup.ToASCII(s); err == nil {
		s = ascii
	}
	return s
}

func encodeEmail(_ slot, v galena.Value) (any, bool) {
	s := strings.TrimSpace(v.Text)
	return map[string]any{"primaryEmail": s}, strings.Contains(s, "@")
}

func normEmail(_ slot, raw any) string {
	return strings.ToLower(strings.TrimSpace(textOf(recordOf(raw)["primaryEmail"])))
}

// encodePhone leaves it to the server to take a number apart.
func encodePhone(_ slot, v galena.Value) (any, bool) {
	s := digits(v.Text)
	return map[string]any{"primaryPhoneNumber": s}, strings.HasPrefix(s, "+") && len(s) > 6
}

// normPhone joins calling code and number again, if they stand apart.
func normPhone(_ slot, raw any) string {
	m := recordOf(raw)
	text := textOf(m["primaryPhoneNumber"])
	number := digits(text)
	if number == "" {
		return strings.ToLower(strings.TrimSpace(text)) // "via reception" is no blank
	}
	if code := digits(textOf(m["primaryPhoneCallingCode"])); !strings.HasPrefix(number, "+") {
		number = code + number
	}
	return number
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// composite puts raw values that stand in one field together: city and country
// are one address to a server, which keeps the parts that it is not sent. It passes
// over a null in their place, so what is cleared are parts.
func composite(into map[string]any, s slot, raw any) {
	if main := mainPart[s.kind]; s.part == "" || main != "" {
		if raw == nil && main != "" {
			raw = map[string]any{main: nil}
			if s.kind == "CURRENCY" {
				raw = map[string]any{main: nil, "currencyCode": nil}
			}
		}
		into[s.name] = raw
		return
	}
	parts, ok := into[s.name].(map[string]any)
	if !ok {
		parts = map[string]any{}
		into[s.name] = parts
	}
	parts[s.part] = raw
}

// rawOf takes a field's own value out of a record.
func rawOf(r record, s slot) any {
	v := r[s.name]
	if s.part == "" || mainPart[s.kind] != "" {
		return v
	}
	return recordOf(v)[s.part]
}

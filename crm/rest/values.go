package rest

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
	"github.com/galenahq/galena/crm"
)

// usd is the currency of every amount of ours.
const usd = "USD"

// codec translates one field.
type codec struct {
	Field
	name          crm.Field
	op            string
	at, to, money path
}

func newCodec(op string, name crm.Field, f Field) codec {
	c := codec{Field: f, name: name, op: op, at: lead(f.Path), to: lead(f.Path), money: lead(f.Currency)}
	if f.Set != "" {
		c.to = lead(f.Set)
	}
	if c.Type == "" {
		c.Type = typeText
	}
	return c
}

func (c codec) refuse(why string) (crm.Encoded, error) {
	return crm.Encoded{}, galena.Errorf(galena.Invalid, c.op, "%s %s", c.name, why)
}

// encode puts a value of ours into the CRM's form.
func (c codec) encode(v galena.Value) (crm.Encoded, error) {
	if v.Empty() {
		return crm.Encoded{}, nil
	}
	var raw any
	switch c.Type {
	case typeInt, typeNumber, typeMoney, typeMicros:
		return c.encodeNumber(v)
	case typeEnum:
		their, ok := c.theirs(v.String())
		if !ok {
			return c.refuse("has a word that the map does not know")
		}
		raw = their
	case typeDate:
		t, ok := moment(v)
		if !ok {
			return c.refuse("is no date")
		}
		raw = c.date(t)
	case typeBool:
		b := v.Bool
		if v.Type != galena.TypeBool {
			return c.refuse("is neither yes nor no")
		}
		if raw = any(b); b && c.Yes != nil {
			raw = c.Yes
		} else if !b && c.No != nil {
			raw = c.No
		}
	case typeList:
		words := v.Set
		if v.Type != galena.TypeSet {
			words = []string{v.String()}
		}
		if raw = any(strings.Join(words, c.Join)); c.Join == "" {
			list := make([]any, len(words))
			for i, w := range words {
				list[i] = w
			}
			raw = list
		}
	default:
		s := v.String()
		if c.MaxLen > 0 && len([]rune(s)) > c.MaxLen {
			s = strings.TrimSpace(string([]rune(s)[:c.MaxLen]))
		}
		if raw = s; c.Type == typeDomain && c.Format != "" {
			raw = strings.ReplaceAll(c.Format, "{value}", s)
		}
	}
	return crm.Encoded{Raw: raw, Norm: c.norm(raw)}, nil
}

// encodeNumber refuses a range: half of it would be invented.
func (c codec) encodeNumber(v galena.Value) (crm.Encoded, error) {
	var x float64
	switch {
	case v.Type == galena.TypeNumber && v.Exact():
		x = float64(v.Lo)
	case v.Type == galena.TypeScore:
		x = float64(v.Lo) / 10
	default:
		f, err := strconv.ParseFloat(v.String(), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return c.refuse("is no single number")
		}
		x = f
	}
	switch c.Type {
	case typeMicros:
		x *= 1e6
	case typeMoney:
		x *= float64(max(c.Unit, 1))
	case typeInt:
		x = math.Round(x)
	}
	var raw any = json.Number(strconv.FormatFloat(x, 'f', -1, 64))
	if c.Quoted {
		raw = strconv.FormatFloat(x, 'f', -1, 64)
	}
	if c.Currency != "" {
		raw = object{"amount": raw, "currency": usd}
	}
	return crm.Encoded{Raw: raw, Norm: c.norm(raw)}, nil
}

// theirs is the CRM's word for ours.
func (c codec) theirs(ours string) (any, bool) {
	if c.Map == nil {
		return ours, true
	}
	for k, v := range c.Map {
		if galena.Slug(k) == galena.Slug(ours) {
			return v, true
		}
	}
	return nil, false
}

// read takes the value out of a record.
func (c codec) read(rec any) crm.Value {
	raw := c.at.get(rec)
	v := crm.Value{Encoded: crm.Encoded{Raw: raw}}
	said := word(raw) // of a list and of an object nothing
	if said == "" && !says(raw) || said != "" && slices.ContainsFunc(c.Blank, func(b any) bool { return word(b) == said }) {
		v.Blank = true
		return v
	}
	if c.Currency != "" {
		v.Raw = object{"amount": raw, "currency": c.money.get(rec)}
	}
	v.Raw = c.listed(v.Raw)
	v.Norm = c.compared(v.Raw)
	v.Blank = v.Norm == ""
	if _, ok := v.Raw.(string); ok {
		v.Text = c.Type == typeText || c.Type == typeEnum && c.Map == nil
	}
	return v
}

// listed is a value as a list, where the field is one: some CRMs answer a single item bare.
func (c codec) listed(raw any) any {
	if _, many := raw.([]any); many || c.Type != typeList || c.Join != "" {
		return raw
	}
	return []any{raw}
}

// placeholder is what a word of the file that stands for nothing is compared by.
func (c codec) placeholder(s string) string {
	if c.Currency != "" {
		return c.compared(object{"amount": s, "currency": usd})
	}
	return c.compared(c.listed(s))
}

// compared is what a value is compared by, in our form or not. Words where a telephone
// number belongs are somebody's all the same, and no blank.
func (c codec) compared(raw any) string {
	worded := slices.Contains([]string{typeText, typeEnum, typeList, typeUser}, c.Type) // a label may be the value
	if s := c.norm(raw); s != "" || !filled(raw, worded) {
		return s
	}
	if s := word(raw); s != "" {
		return "other:" + fold(s)
	}
	b, _ := json.Marshal(raw) //nolint:errchkjson // it was JSON
	return "other:" + fold(string(b))
}

// beside are the keys that only tell of the value beside them.
var beside = []string{"label", "type", "currency"}

// filled says that a value holds anything at all. A flag is nobody's word; a label is
// one where words are kept, whatever is empty beside it.
func filled(raw any, worded bool) bool {
	switch x := raw.(type) {
	case object:
		told, alone := false, true
		for k, v := range x {
			_, flag := v.(bool)
			switch {
			case slices.Contains(beside, strings.ToLower(k)):
				told = told || filled(v, worded)
			case filled(v, worded):
				return true
			case k != "id" && !flag: // an option may have nothing but its label
				alone = false
			}
		}
		return told && (alone || worded)
	case []any:
		return slices.ContainsFunc(x, func(it any) bool { return filled(it, worded) })
	case bool:
		return false
	default:
		return word(raw) != ""
	}
}

// write puts a value into a body, at the path that fields are set below.
func (c codec) write(body any, under path, raw any) any {
	if m, ok := raw.(object); ok && c.Currency != "" {
		body = slices.Concat(under, c.money).set(body, m["currency"])
		raw = m["amount"]
	}
	for at, v := range c.With {
		body = slices.Concat(under, lead(at)).set(body, v)
	}
	return slices.Concat(under, c.to).set(body, raw)
}

// norm is what two spellings of one value have in common.
func (c codec) norm(raw any) string {
	if m, ok := raw.(object); ok && c.Currency != "" {
		s := c.number(m["amount"])
		if s == "" || slices.ContainsFunc(c.Placeholders, func(p string) bool { return c.number(p) == s }) {
			return s // what stands for nothing does so in any currency
		}
		return s + " " + strings.ToUpper(word(m["currency"]))
	}
	switch c.Type {
	case typeInt, typeNumber, typeMoney, typeMicros:
		return c.number(raw)
	case typeEnum:
		for ours, theirs := range c.Map {
			if strings.EqualFold(word(theirs), word(raw)) {
				return galena.Slug(ours)
			}
		}
		return fold(word(raw))
	case typeDomain:
		return host(word(raw))
	case typePhone:
		return phone(word(raw))
	case typeDate:
		return day(raw)
	case typeBool:
		return c.truth(raw)
	case typeList:
		return c.words(raw)
	default:
		return fold(word(raw))
	}
}

// number is an amount in the CRM's unit, however it is written.
func (codec) number(raw any) string {
	s := word(raw)
	x, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return fold(s)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func (c codec) truth(raw any) string {
	switch s := word(raw); {
	case c.Yes != nil && strings.EqualFold(s, word(c.Yes)):
		return "true"
	case c.No != nil && strings.EqualFold(s, word(c.No)):
		return "false"
	default:
		return fold(s)
	}
}

func (c codec) words(raw any) string {
	var list []string
	if items, ok := raw.([]any); ok {
		for _, it := range items {
			list = append(list, galena.Slug(word(it)))
		}
	} else {
		for s := range strings.SplitSeq(word(raw), strings.TrimSpace(c.Join)) {
			list = append(list, galena.Slug(s))
		}
	}
	slices.Sort(list)
	return strings.Join(slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" }), ",")
}

// date writes a day in the CRM's form.
func (c codec) date(t time.Time) any {
	switch c.Format {
	case "datetime":
		return t.Format(time.RFC3339)
	case "unix":
		return json.Number(strconv.FormatInt(t.Unix(), 10))
	case "unix_ms":
		return json.Number(strconv.FormatInt(t.UnixMilli(), 10))
	default:
		return t.Format(time.DateOnly)
	}
}

// moment reads a day or an instant of ours.
func moment(v galena.Value) (time.Time, bool) {
	if v.Type == galena.TypeDate {
		return time.Unix(v.Lo*86400, 0).UTC(), true
	}
	t, err := time.Parse(time.RFC3339, v.String())
	return t.UTC(), err == nil
}

// day is the day of a date in any of the forms.
func day(raw any) string {
	s := word(raw)
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.DateOnly)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return fold(s)
	case n > 1e11:
		return time.UnixMilli(n).UTC().Format(time.DateOnly)
	default:
		return time.Unix(n, 0).UTC().Format(time.DateOnly)
	}
}

func fold(s string) string { return strings.ToLower(norm.NFC.String(strings.TrimSpace(s))) }

// host is a domain without what surrounds it in a CRM.
func host(s string) string {
	s = fold(s)
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		s = u.Hostname()
	} else {
		s, _, _ = strings.Cut(s, "/")
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "www."), ".")
	if a, err := idna.Lookup.ToASCII(s); err == nil {
		return a
	}
	return s
}

func phone(s string) string {
	plus := strings.HasPrefix(s, "+") || strings.HasPrefix(s, "00")
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	if plus {
		return "+" + strings.TrimPrefix(digits, "00")
	}
	return digits
}

package galena

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// OpenEnd is the upper bound of an interval that has none ("10,001+").
const OpenEnd = math.MaxInt64

// Value is one value of one field. Which members count depends on the field's
// type: Lo and Hi for numbers, dates and scores (equal when exact), Text for
// text, enums and countries, Set and Closed for sets, Bool for booleans.
type Value struct {
	Type   FieldType
	Lo, Hi int64
	Text   string
	Set    []string // sorted, unique slugs
	Closed bool     // the set lists everything there is: a missing element is absent
	Bool   bool
	Raw    string // as received, where that says more ("51-200")
}

// Number is an exact number.
func Number(n int64) Value { return Value{Type: TypeNumber, Lo: n, Hi: n} }

// Interval is a number known to lie in lo..hi, both ends included.
func Interval(lo, hi int64, raw string) Value {
	return Value{Type: TypeNumber, Lo: lo, Hi: hi, Raw: raw}
}

// TextValue is free text as written.
func TextValue(s string) Value {
	return Value{Type: TypeText, Text: strings.TrimSpace(strings.ToValidUTF8(s, "\ufffd"))}
}

// EnumValue is a slug.
func EnumValue(s string) Value { return Value{Type: TypeEnum, Text: Slug(s)} }

// CountryValue is an alpha-2 code.
func CountryValue(s string) Value { return Value{Type: TypeCountry, Text: Country(s)} }

// BoolValue is yes or no.
func BoolValue(b bool) Value { return Value{Type: TypeBool, Bool: b} }

// SetValue is a set of slugs; closed says that nothing else is in it.
func SetValue(items []string, closed bool) Value {
	set := make([]string, 0, len(items))
	for _, it := range items {
		if s := Slug(it); s != "" {
			set = append(set, s)
		}
	}
	slices.Sort(set)
	return Value{Type: TypeSet, Set: slices.Compact(set), Closed: closed}
}

// DateValue is a calendar day.
func DateValue(t time.Time) Value {
	d := t.UTC().Unix() / 86400
	return Value{Type: TypeDate, Lo: d, Hi: d}
}

// Exact says that the value is one point, not an interval.
func (v Value) Exact() bool { return v.Lo == v.Hi }

// Empty says that the value carries nothing: such an answer leaves a field unknown.
func (v Value) Empty() bool {
	switch v.Type {
	case TypeText, TypeEnum, TypeCountry:
		return v.Text == ""
	case TypeSet:
		return len(v.Set) == 0 && !v.Closed
	case "":
		return true
	default:
		return false
	}
}

// Equal compares what counts for the type; Raw never counts.
func (v Value) Equal(w Value) bool {
	return v.Type == w.Type && v.Lo == w.Lo && v.Hi == w.Hi && v.Text == w.Text &&
		v.Bool == w.Bool && v.Closed == w.Closed && slices.Equal(v.Set, w.Set)
}

// String prints the value as explanation rows show it: numbers as decimal
// integers, intervals as received, sets sorted and joined by a comma.
func (v Value) String() string {
	switch v.Type {
	case TypeNumber:
		if v.Exact() {
			return strconv.FormatInt(v.Lo, 10)
		}
		if v.Raw != "" {
			return v.Raw
		}
		if v.Hi == OpenEnd {
			return strconv.FormatInt(v.Lo, 10) + "+"
		}
		return fmt.Sprintf("%d-%d", v.Lo, v.Hi)
	case TypeScore:
		return Tenths(v.Lo).String()
	case TypeDate:
		return time.Unix(v.Lo*86400, 0).UTC().Format(time.DateOnly)
	case TypeSet:
		return strings.Join(v.Set, ",")
	case TypeBool:
		return strconv.FormatBool(v.Bool)
	default:
		return v.Text
	}
}

// Plain is the value as a JSON caller expects it: a number, "51-200", a string,
// a list, true. It is what APIs and webhooks show.
func (v Value) Plain() any {
	switch v.Type {
	case TypeNumber:
		if v.Exact() {
			return v.Lo
		}
		return v.String()
	case TypeSet:
		return v.Set
	case TypeBool:
		return v.Bool
	default:
		return v.String()
	}
}

// wireValue is how a Value is stored: short, and readable in a database shell.
type wireValue struct {
	Type   FieldType `json:"t"`
	Lo     *int64    `json:"lo,omitempty"`
	Hi     *int64    `json:"hi,omitempty"`
	Text   string    `json:"s,omitempty"`
	Set    []string  `json:"set,omitempty"`
	Closed bool      `json:"closed,omitempty"`
	Bool   bool      `json:"b,omitempty"`
	Raw    string    `json:"raw,omitempty"`
}

func (w wireValue) value() Value {
	v := Value{Type: w.Type, Text: w.Text, Set: w.Set, Closed: w.Closed, Bool: w.Bool, Raw: w.Raw}
	if w.Lo != nil {
		v.Lo, v.Hi = *w.Lo, *w.Lo
	}
	if w.Hi != nil {
		v.Hi = *w.Hi
	}
	return v
}

// MarshalJSON writes the stored form.
func (v Value) MarshalJSON() ([]byte, error) {
	w := JSONWriter{B: make([]byte, 0, 64+len(v.Text)+len(v.Raw))}
	v.writeJSON(&w, "")
	return w.B, w.Err
}

// writeJSON writes a name and a wireValue, piece by piece: decisions and answers hold dozens.
func (v Value) writeJSON(w *JSONWriter, name string) {
	w.Raw(name)
	w.Text(`{"t":`, string(v.Type))
	if v.Type == TypeNumber || v.Type == TypeDate || v.Type == TypeScore {
		w.Int(`,"lo":`, v.Lo)
		if v.Hi != v.Lo {
			w.Int(`,"hi":`, v.Hi)
		}
	}
	w.Filled(`,"s":`, v.Text)
	if len(v.Set) > 0 {
		w.Texts(`,"set":`, v.Set)
	}
	if v.Closed {
		w.Raw(`,"closed":true`)
	}
	if v.Bool {
		w.Raw(`,"b":true`)
	}
	w.Filled(`,"raw":`, v.Raw)
	w.Raw("}")
}

// UnmarshalJSON reads the stored form.
func (v *Value) UnmarshalJSON(b []byte) error {
	if own, ok := readValue(string(b)); ok {
		*v = own
		return nil
	}
	var w wireValue
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*v = w.value()
	return nil
}

// readValue reads what writeJSON wrote; false when anything is otherwise.
func readValue(s string) (Value, bool) {
	r := reader{s}
	v, ok := r.value()
	return v, ok && r.left == "" && utf8.ValidString(s)
}

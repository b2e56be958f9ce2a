package galena

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseValue reads a loosely typed answer (as encoding/json or a YAML reader
// delivers it) into a Value of the field's type. A nil or empty answer gives an
// empty Value and no error: it leaves the field unknown. Sets are open unless
// the caller closes them.
func ParseValue(f Field, raw any) (Value, error) {
	if raw == nil {
		return Value{}, nil
	}
	switch f.Type {
	case TypeNumber:
		return parseNumberValue(f, raw)
	case TypeSet:
		items, err := parseList(raw)
		if err != nil {
			return Value{}, fmt.Errorf("%s must be a list of words, is %T", f.Name, raw)
		}
		return SetValue(items, false), nil
	case TypeBool:
		b, err := strconv.ParseBool(fmt.Sprint(raw))
		if err != nil {
			return Value{}, fmt.Errorf("%s must be true or false", f.Name)
		}
		return BoolValue(b), nil
	case TypeDate:
		t, err := parseDay(fmt.Sprint(raw))
		if err != nil {
			return Value{}, fmt.Errorf("%s must be a date such as 2026-11-21", f.Name)
		}
		return DateValue(t), nil
	}
	s, ok := scalar(raw)
	if !ok {
		return Value{}, fmt.Errorf("%s must be text, is %T", f.Name, raw)
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return Value{}, nil
	}
	switch f.Type {
	case TypeEnum:
		return EnumValue(s), nil
	case TypeCountry:
		return CountryValue(s), nil
	default:
		return TextValue(s), nil
	}
}

func parseNumberValue(f Field, raw any) (Value, error) {
	s, ok := scalar(raw)
	if !ok {
		return Value{}, fmt.Errorf("%s must be a number or a range such as 51-200, is %T", f.Name, raw)
	}
	if strings.TrimSpace(s) == "" {
		return Value{}, nil
	}
	lo, hi, err := ParseInterval(s)
	if err != nil {
		return Value{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	v := Interval(lo, hi, "")
	if lo != hi {
		v.Raw = strings.TrimSpace(s)
	}
	return v, nil
}

func scalar(raw any) (string, bool) {
	switch x := raw.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	case int, int64, uint64, int32, bool:
		return fmt.Sprint(x), true
	default:
		return "", false
	}
}

func parseList(raw any) ([]string, error) {
	switch x := raw.(type) {
	case []string:
		return x, nil
	case string:
		return strings.Split(x, ","), nil
	case []any:
		out := make([]string, 0, len(x))
		for _, it := range x {
			s, ok := scalar(it)
			if !ok {
				return nil, fmt.Errorf("element is %T", it)
			}
			out = append(out, s)
		}
		return out, nil
	default:
		return nil, fmt.Errorf("is %T", raw)
	}
}

func parseDay(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a date: %q", s)
}

// intervalWords turns the ways vendors write a range into the signs the parser knows.
var intervalWords = strings.NewReplacer(
	",", "", "\u00a0", "", "us$", "", "usd", "", "$", "", "employees", "", "employee", "",
	"\u2013", "-", "\u2014", "-", " to ", "-", "over", ">", "under", "<",
	"more than", ">", "less than", "<", "million", "m", "billion", "b", "thousand", "k", "mm", "m", "bn", "b",
)

// ParseInterval reads a number or a range as vendors write them: "420",
// "51-200", "501-1,000", "10,001+", "$10M-$25M", "over-10k", "<50". An open
// upper end is OpenEnd. Amounts in a currency other than the dollar are refused.
func ParseInterval(s string) (lo, hi int64, err error) {
	t := strings.ReplaceAll(intervalWords.Replace(strings.ToLower(s)), " ", "")
	bad := fmt.Errorf("%q is not a number or a range such as 51-200", s)
	switch {
	case strings.HasSuffix(t, "+"):
		lo, err = parseAmount(strings.TrimSuffix(t, "+"))
		hi = OpenEnd
	case strings.HasPrefix(t, ">"):
		lo, err = parseAmount(strings.TrimLeft(t, ">=-"))
		hi = OpenEnd
	case strings.HasPrefix(t, "<"):
		hi, err = parseAmount(strings.TrimLeft(t, "<=-"))
	default:
		lo, hi, err = parseSpan(t)
	}
	if err != nil || lo < 0 || hi < lo {
		return 0, 0, bad
	}
	return lo, hi, nil
}

func parseSpan(t string) (lo, hi int64, err error) {
	left, right, isRange := strings.Cut(t, "-")
	if !isRange {
		lo, err = parseAmount(t)
		return lo, lo, err
	}
	if left == "" {
		return 0, 0, fmt.Errorf("%q has no lower end", t)
	}
	if hi, err = parseAmount(right); err != nil {
		return 0, 0, err
	}
	// "10-50m" means 10m-50m, but "500-1k" means 500-1000: the unit is shared
	// only where the range stays a range.
	if last := right[len(right)-1]; strings.IndexByte("kmb", last) >= 0 && strings.IndexByte("kmb", left[len(left)-1]) < 0 {
		if shared, e := parseAmount(left + string(last)); e == nil && shared <= hi {
			return shared, hi, nil
		}
	}
	lo, err = parseAmount(left)
	return lo, hi, err
}

func parseAmount(s string) (int64, error) {
	unit := 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k':
			unit = 1e3
		case 'm':
			unit = 1e6
		case 'b':
			unit = 1e9
		}
		if unit != 1 {
			s = s[:n-1]
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x*unit) > 1e17 {
		return 0, fmt.Errorf("%q is not an amount", s)
	}
	return int64(math.Round(x * unit)), nil
}

package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/galenahq/galena"
)

// points always has one decimal, so that columns line up.
func points(t galena.Tenths) string { return strconv.FormatFloat(float64(t)/10, 'f', 1, 64) }

// signed shows that a row adds or takes.
func signed(t galena.Tenths) string {
	switch {
	case t > 0:
		return "+" + points(t)
	case t < 0:
		return "−" + points(-t)
	default:
		return "0"
	}
}

// short drops a decimal that says nothing: "0", "9.1".
func short(t galena.Tenths) string { return strings.Replace(t.String(), "-", "−", 1) }

func percent(x float64) string { return strconv.Itoa(int(math.Round(x*100))) + " %" }

// tenthPercent keeps a decimal, for shares that are near 0.
func tenthPercent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) }

func cents(c float64) string {
	return strconv.FormatFloat(math.Round(c*100)/100, 'f', -1, 64) + " ¢"
}

// credit prints millionths of a lead: "+0.40".
func credit(millionths int64) string {
	return strings.Replace(fmt.Sprintf("%+.2f", float64(millionths)/1e6), "-", "−", 1)
}

// ago says how old something is, in the largest unit that is not zero.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return ""
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return count(int64(d/time.Second), "s")
	case d < time.Hour:
		return count(int64(d/time.Minute), "min")
	case d < 24*time.Hour:
		return count(int64(d/time.Hour), "h")
	default:
		return days(int(d / (24 * time.Hour)))
	}
}

func count(n int64, unit string) string { return strconv.FormatInt(n, 10) + " " + unit }

// days prints the age of a value.
func days(n int) string {
	switch {
	case n <= 0:
		return "today"
	case n == 1:
		return "1 day"
	case n < 60:
		return strconv.Itoa(n) + " days"
	case n < 730:
		return strconv.Itoa(n/30) + " months"
	default:
		return strconv.Itoa(n/365) + " years"
	}
}

func age(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return days(int(now.Sub(t) / (24 * time.Hour)))
}

// moment is a time for people; stamp is the same for machines.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04 UTC")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// within prints how long a clock gives: "5 min", "4 h".
func within(d time.Duration) string {
	switch {
	case d < time.Minute:
		return count(int64(d/time.Second), "s")
	case d < time.Hour:
		return count(int64(d.Round(time.Minute)/time.Minute), "min")
	default:
		return strconv.FormatFloat(math.Round(d.Hours()*10)/10, 'f', -1, 64) + " h"
	}
}

// shownValue prints a value as people write it.
func shownValue(field string, v galena.Value) string {
	switch {
	case v.Type == galena.TypeNumber && v.Exact() && strings.HasSuffix(field, "_usd"):
		return "$" + thousands(v.Lo)
	case v.Type == galena.TypeNumber && v.Exact() && !strings.HasSuffix(field, "_year"):
		return thousands(v.Lo)
	case v.Type == galena.TypeSet:
		return strings.Join(v.Set, ", ")
	case v.Type == galena.TypeBool && v.Bool:
		return "yes"
	case v.Type == galena.TypeBool:
		return "no"
	default:
		return v.String()
	}
}

// shownText prints a value that has been printed before, in an explanation row.
func shownText(field, text string) string {
	f, _ := galena.LookupField(field)
	switch f.Type {
	case galena.TypeSet:
		return strings.ReplaceAll(text, ",", ", ")
	case galena.TypeNumber:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return shownValue(field, galena.Number(n))
		}
	}
	return text
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// whatever prints what a form sent in a field of its own.
func whatever(v any) string {
	s, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		s = string(b)
	}
	return clip(s, 500)
}

// clip bounds what one value may take of the page.
func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes]) + "…"
	}
	return s
}

// link returns the address if a browser may follow it: http or https, a host,
// no user name in front of it and nothing invisible in it. All else is text.
func link(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return ""
	}
	return u.String()
}

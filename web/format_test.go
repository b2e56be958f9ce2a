package web

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

func TestNumbersReadWell(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		points(850): "85.0", points(-91): "-9.1", signed(218): "+21.8", signed(-91): "−9.1", signed(0): "0", short(0): "0", short(91): "9.1",
		percent(0.894): "89 %", cents(5): "5 ¢", cents(2.5): "2.5 ¢", credit(-400_000): "−0.40",
		thousands(90000000): "90,000,000", thousands(-1234): "-1,234", thousands(999): "999",
		shownValue("company.annual_revenue_usd", galena.Number(90000000)): "$90,000,000", shownValue("company.founded_year", galena.Number(1999)): "1999",
		shownValue("company.employee_count", galena.Interval(51, 200, "51-200")): "51-200", shownText("company.technologies", "a,b"): "a, b", shownText("lead.job_title", "VP, Sales"): "VP, Sales",
		shownText("company.employee_count", "4200"): "4,200", fieldLabel("lead.fields.équipe"): "Équipe", within(90 * time.Minute): "1.5 h", within(5 * time.Minute): "5 min",
	} {
		if got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
}

func TestAgesReadWell(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-time.Second: "just now", 7 * time.Second: "7 s", 3 * time.Minute: "3 min", 5 * time.Hour: "5 h",
		25 * time.Hour: "1 day", 45 * 24 * time.Hour: "45 days", 100 * 24 * time.Hour: "3 months", 800 * 24 * time.Hour: "2 years"} {
		if got := ago(noon.Add(-d), noon); got != want {
			t.Errorf("%v ago reads %q, want %q", d, got, want)
		}
	}
	if ago(time.Time{}, noon) != "" || moment(time.Time{}) != "" || stamp(time.Time{}) != "" || age(time.Time{}, noon) != "" {
		t.Error("no time reads as something")
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	all := "killed_worker syntax local_too_long address_too_long single_label public_suffix bot_suspect mixed_script_domain idn reserved_domain suppressed trimmed lowercased trailing_dot plus_tag " +
		"subdomain_of:acme.example own_domain competitor disposable freemail company_from_website:acme.example shared_domain role_address did_you_mean:acme.example null_mx undeliverable duplicate_of:7"
	for _, c := range codesOf(strings.Fields(all)) {
		if c.Words == "" || strings.Contains(c.Words, "…") {
			t.Errorf("%s reads %q", c.Code, c.Words)
		}
	}
}

// TestBarsStayInside draws any row that scoring could make.
func TestBarsStayInside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		row := func() galena.Row {
			lo, hi := galena.Tenths(rapid.Int64Range(-1000, 1000).Draw(t, "lo")), galena.Tenths(rapid.Int64Range(-1000, 1000).Draw(t, "hi"))
			lo, hi = min(lo, hi), max(lo, hi)
			at := galena.Tenths(rapid.Int64Range(int64(lo), int64(hi)).Draw(t, "points"))
			return galena.Row{Lo: lo, Hi: hi, Points: at, Max: max(hi, 0)}
		}
		rows := []galena.Row{row(), row(), row()}
		in := scaleOf(rows)
		for _, r := range rows {
			b := in.rowBar(r)
			for _, p := range [][2]string{{b.Left, b.Width}, {b.From, b.Filled}, {b.Zero, b.Track}, {b.Mark, "0%"}} {
				if x, w := percentOf(t, p[0]), percentOf(t, p[1]); x < 0 || w < 0 || x+w > 100.2 {
					t.Fatalf("%+v draws from %v, %v wide", r, p[0], p[1])
				}
			}
			if r.Lo < 0 && r.Hi > 0 && b.Filled != "0.0%" {
				t.Fatalf("%+v shows %s as certain", r, b.Filled)
			}
		}
	})
}

func percentOf(t *rapid.T, s string) float64 {
	x, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		t.Fatalf("%q is no share", s)
	}
	return x
}

package scoring

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// Explain renders a decision for people, from its rows only:
//
//	Tier A - 85.0 (between 81.4 and 95.9; 89 % of the score is certain)
//	 +22.7 Industry: fintech (core vertical)      alpha-firmo, today
//	  +3.6 Revenue: unknown (0 to 9.1)
//	Stopped buying data: no answer can change tier A. Spent 5 cents of 15.
func Explain(d galena.Decision) string {
	var b strings.Builder
	b.WriteString(headline(d) + "\n")
	rows := slices.Clone(d.Rows)
	slices.SortStableFunc(rows, func(x, y galena.Row) int {
		return cmp.Compare(max(y.Points, -y.Points), max(x.Points, -x.Points))
	})
	width := 0
	texts := make([]string, len(rows))
	for i, r := range rows {
		texts[i] = rowText(r)
		width = max(width, len([]rune(texts[i])))
	}
	for i, r := range rows {
		line := fmt.Sprintf("%6s %-*s", signed(r.Points), width, texts[i])
		if from := provenance(r); from != "" {
			line += "  " + from
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteString(stopText(d))
	return b.String()
}

func headline(d galena.Decision) string {
	if d.Tier == "" {
		return "Not decided"
	}
	s := fmt.Sprintf("Tier %s - %.1f (between %.1f and %.1f; %.0f %% of the score is certain)",
		d.Tier, float64(d.Score.Score)/10, float64(d.Lo)/10, float64(d.Hi)/10, 100*d.Coverage)
	if d.Disqualified != nil {
		s += fmt.Sprintf("\nDisqualified by %s: %s, to %s", d.Disqualified.ID, d.Disqualified.Reason, d.Disqualified.Sink)
		for _, x := range d.Disqualifiers {
			if x.Result == galena.UnknownTruth && !d.Settled && x.ID != d.Disqualified.ID {
				s += "\nStill open: " + x.ID
			}
		}
	}
	return s
}

func rowText(r galena.Row) string {
	room := fmt.Sprintf("%s to %s", r.Lo, r.Hi)
	what := r.Value
	switch r.State {
	case galena.Unknown:
		if r.Label != "" {
			room = r.Label + ", " + room
		}
		return fmt.Sprintf("%s: unknown (%s)", title(r.Criterion), room)
	case galena.Absent:
		what = "none"
	}
	if r.Lo == r.Hi {
		return fmt.Sprintf("%s: %s", title(r.Criterion), withLabel(what, r.Label))
	}
	if r.AtLeast != "" {
		room = "at least '" + r.AtLeast + "'"
	}
	if r.Label != "" && r.Label != r.Value {
		room = r.Label + ", " + room
	}
	return fmt.Sprintf("%s: %s (%s)", title(r.Criterion), what, room)
}

// provenance prints "alpha-firmo, today".
func provenance(r galena.Row) string {
	switch {
	case r.Source == "" || r.AgeDays == nil:
		return r.Source
	case *r.AgeDays == 0:
		return r.Source + ", today"
	case *r.AgeDays == 1:
		return r.Source + ", yesterday"
	default:
		return fmt.Sprintf("%s, %d days ago", r.Source, *r.AgeDays)
	}
}

// stopText says why the buying ended and what it cost.
func stopText(d galena.Decision) string {
	var why string
	switch d.Stop {
	case "":
		return ""
	case galena.StopSettled:
		why = "no answer can change tier " + d.Tier
	case galena.StopDisqualified:
		why = "the lead is disqualified"
	case galena.StopExhausted:
		why = "nobody is left to ask"
	case galena.StopDegraded:
		why = "some vendors did not answer"
	case galena.StopBudget:
		why = "the budget is used up"
	case galena.StopDeadline:
		why = "time is up"
	case galena.StopNoCompanyDomain:
		why = "the address names no company"
	default:
		why = string(d.Stop)
	}
	if !d.Settled {
		why += " (provisional)"
	}
	cents, unit := strconv.FormatFloat(d.Cents, 'f', -1, 64), "cents"
	if d.Cents == 1 {
		unit = "cent"
	}
	spent := cents + " " + unit
	if d.LimitCents > 0 {
		spent += " of " + strconv.FormatFloat(d.LimitCents, 'f', -1, 64)
	}
	return fmt.Sprintf("Stopped buying data: %s. Spent %s.\n", why, spent)
}

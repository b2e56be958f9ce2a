package web

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/galenahq/galena"
)

// tryRow is one routing rule with its answer and what it saw.
type tryRow struct {
	Rule, Result, Class string
	Values              []string
	Chosen              bool
}

// candidateRow is one rep who was considered.
type candidateRow struct {
	Rep, Pool, Why, Before, After string
	Eligible, Chosen              bool
}

// whyView answers "why this rep?".
type whyView struct {
	Owner      ownerView
	Rule       string
	Pool       string
	Territory  string
	Accept     string // "within 5 min, by 23 Nov 2026, 14:35 UTC"
	Touch      string
	Tries      []tryRow
	Candidates []candidateRow
}

func whyOf(d *galena.Decision) *whyView {
	v := &whyView{Owner: ownerOf(d.To), Rule: d.Rule, Pool: d.Assignment.Pool, Territory: d.Territory,
		Accept: deadline(d.Assignment.AcceptBy, d.DecidedAt), Touch: deadline(d.Assignment.TouchBy, d.DecidedAt)}
	for _, t := range d.Tries {
		row := tryRow{Rule: t.Rule, Result: t.Result.String(), Class: strings.ToLower(t.Result.String()), Chosen: t.Rule == d.Rule}
		for _, k := range sortedKeys(t.Values) {
			row.Values = append(row.Values, k+" = "+t.Values[k])
		}
		v.Tries = append(v.Tries, row)
	}
	for _, c := range d.Candidates {
		v.Candidates = append(v.Candidates, candidateRow{Rep: c.Rep, Pool: c.Pool, Why: c.Why, Before: credit(c.Before), After: credit(c.After),
			Eligible: c.Eligible, Chosen: c.Rep == d.Owner && (d.Assignment.Pool == "" || c.Pool == d.Assignment.Pool)})
	}
	return v
}

// deadline says how long a rep has, and until when.
func deadline(by, from time.Time) string {
	if by.IsZero() {
		return ""
	}
	return "within " + within(by.Sub(from)) + ", by " + moment(by)
}

// stepRow is one provider that was asked.
type stepRow struct {
	Provider, Outcome, Class, Cents, Added, Why, Took string
}

// stepsView is the waterfall: who was asked, what it brought, why it ended.
type stepsView struct {
	Rows        []stepRow
	Stop, Total string
}

func stepsOf(d *galena.Decision) *stepsView {
	v := &stepsView{Stop: strings.Replace(stopWords[d.Stop], "…", d.Tier, 1), Total: spentOf(d)}
	for _, c := range d.Steps {
		row := stepRow{Provider: c.Provider, Cents: cents(c.Cents), Why: c.Why}
		row.Outcome, row.Class = outcomeOf(c.Outcome)
		if c.MS > 0 {
			row.Took = count(c.MS, "ms")
		}
		added := make([]string, 0, len(c.Added))
		for _, f := range c.Added {
			added = append(added, lowerFirst(fieldLabel(f)))
		}
		slices.Sort(added)
		row.Added = strings.Join(added, ", ")
		v.Rows = append(v.Rows, row)
	}
	return v
}

// spentOf sums the calls up in a sentence.
func spentOf(d *galena.Decision) string {
	switch {
	case d.Calls == 0:
		return "Nobody was asked and nothing was spent."
	case d.Cents == 0:
		return "Nothing was spent."
	case math.Abs(d.Cents-1) < 0.005:
		return "Spent 1 cent."
	default:
		return "Spent " + strings.TrimSuffix(cents(d.Cents), " ¢") + " cents."
	}
}

func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// span is a time that the scorecard can be seen over.
type span struct {
	Word, Query string
	On          bool
	length      time.Duration
}

// spans are the choices; the first is what is shown unasked.
func spans(r *http.Request) (all []span, length time.Duration) {
	all = []span{{Word: "24 hours", Query: "24h", length: 24 * time.Hour}, {Word: "30 days", Query: "30d", length: 30 * 24 * time.Hour}}
	on := 0
	for i, s := range all {
		if s.Query == r.URL.Query().Get("over") {
			on = i
		}
	}
	all[on].On = true
	return all, all[on].length
}

// scoreRow is one line of the scorecard.
type scoreRow struct {
	ID, Calls, Matched, P95, Cents, PerUseful, Misses, Unused string
	Contradicted, With                                        string
	Fields                                                    []fieldShare
}

// fieldShare is how often a provider has a field.
type fieldShare struct{ Name, Share string }

// scorecard is how the providers fared over a time.
type scorecard struct {
	Spans []span
	Over  string
	Rows  []scoreRow
}

// scores reads the scorecard; nothing on the page hangs on how others fared.
func (s *server) scores(r *http.Request) (scorecard, error) {
	all, length := spans(r)
	out := scorecard{Spans: all}
	for _, x := range all {
		if x.On {
			out.Over = x.Word
		}
	}
	since := s.Now().Add(-length)
	found, err := s.Store.Scorecard(r.Context(), since)
	if err != nil {
		return out, err
	}
	pairs, err := s.Store.DisagreementsByProvider(r.Context(), since)
	if err != nil {
		return out, err
	}
	for _, x := range found {
		out.Rows = append(out.Rows, scoreRowOf(x, pairs))
	}
	return out, nil
}

func scoreRowOf(x galena.Scores, pairs []galena.Disagreement) scoreRow {
	row := scoreRow{ID: x.Provider, Calls: thousands(int64(x.Calls)), Matched: "–", P95: thousands(x.P95.Milliseconds()) + " ms",
		Cents: cents(galena.CentsOf(x.CostMicros)), PerUseful: "–", Misses: cents(galena.CentsOf(x.MissMicros)), Unused: cents(galena.CentsOf(x.UnusedMicros))}
	if rate, ok := x.HitRate(); ok {
		row.Matched = percent(rate)
	}
	if c, ok := x.CentsPerUseful(); ok {
		row.PerUseful = cents(c)
	}
	for _, f := range x.Fields {
		if share, ok := x.Coverage(f); ok {
			row.Fields = append(row.Fields, fieldShare{fieldLabel(f.Field), percent(share)})
		}
	}
	by, total := galena.Against(x.Provider, pairs)
	with := make([]string, 0, len(by))
	for _, other := range slices.Sorted(maps.Keys(by)) {
		with = append(with, other+": "+strconv.Itoa(by[other]))
	}
	row.Contradicted, row.With = strconv.Itoa(total), strings.Join(with, ", ")
	return row
}

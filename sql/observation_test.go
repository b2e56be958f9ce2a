package sql_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// Whatever a vendor said stays as it was said, an answer a row, and what a
// decision rests on only grows. A registry's words stand by themselves.
func TestAnAnswerIsLoggedWhole(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, now := context.Background(), time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
			s := open(t, func() time.Time { return now })
			word := func(id, field string, class galena.SourceClass) galena.Observation {
				return galena.Observation{ID: id, Entity: "acme.test", Field: field, Value: galena.TextValue("it's \"x\"\n"), Source: "alpha", Class: class,
					Ref: "a.b", Method: "api", Confidence: 0.5, ObservedAt: now, FetchedAt: now, RequestID: "r1"}
			}
			answer := []galena.Observation{word("o1", "company.name", galena.ClassProvider), word("o2", "company.city", galena.ClassProvider)}
			answer[0].CostMicros = 20_000
			registry := word("o3", "company.name", galena.ClassRegistry)
			said := []galena.Observation{answer[1], answer[0], answer[1], registry}
			for _, used := range [][]int{{}, {0}, {1, 2}, {}} {
				again := append([]galena.Observation(nil), said...)
				for _, i := range used {
					again[i].Used = true
				}
				if err := s.SaveCompany(ctx, galena.Company{}, galena.Refs(again)); err != nil {
					t.Fatal(err)
				}
			}
			for query, want := range map[string]string{
				"SELECT CAST(count(*) AS text) FROM answer_log":                                                              "1",
				"SELECT fields FROM answer_log":                                                                              `["company.name","company.city"]`,
				"SELECT provider || ' ' || domain || ' ' || CAST(cost_micros AS text) FROM answer_log":                       "alpha acme.test 20000",
				"SELECT CAST(count(*) AS text) || ' ' || min(id) FROM observations":                                          "1 o3",
				"SELECT CASE WHEN used LIKE '%company.city%' AND used LIKE '%company.name%' THEN 'both' END FROM answer_log": "both",
			} {
				if got, err := s.Text(ctx, query); got != want || err != nil {
					t.Errorf("%s: %q, %v; want %q", query, got, err, want)
				}
			}
			kept, err := s.Text(ctx, "SELECT observations FROM answer_log")
			if err != nil {
				t.Fatal(err)
			}
			read, err := galena.ReadAnswer(kept)
			if err != nil || !reflect.DeepEqual(read, answer) {
				t.Errorf("%s, %v\nreads as %+v, want %+v", kept, err, read, answer)
			}
		})
	}
}

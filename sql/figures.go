package sql

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

// Scorecard says how each provider that was called since the given time has
// fared, by provider.
func (s *Store) Scorecard(ctx context.Context, since time.Time) ([]galena.Scores, error) {
	const op = "sql.scorecard"
	a := args{"since": micros(since)}
	found, err := list[struct {
		Provider   string `db:"provider"`
		Calls      int    `db:"calls"`
		Hits       int    `db:"hits"`
		Misses     int    `db:"misses"`
		CostMicros int64  `db:"cost_micros"`
		MissMicros int64  `db:"miss_micros"`
		P95        int64  `db:"p95_us"`
		Useful     int    `db:"useful"`
		UsedMicros int64  `db:"used_micros"`
	}](ctx, s.reader(), "provider-figures", a)
	if err != nil {
		return nil, fault(op, err)
	}
	out, place := make([]galena.Scores, len(found)), map[string]int{}
	for i, r := range found {
		place[r.Provider] = i
		out[i] = galena.Scores{Provider: r.Provider, Calls: r.Calls, Hits: r.Hits, Misses: r.Misses, CostMicros: r.CostMicros,
			MissMicros: r.MissMicros, UnusedMicros: max(0, r.CostMicros-r.MissMicros-r.UsedMicros),
			P95: time.Duration(r.P95) * time.Microsecond, Useful: r.Useful}
	}
	covered, err := list[struct {
		Source  string `db:"source"`
		Field   string `db:"field"`
		Answers int    `db:"answers"`
	}](ctx, s.reader(), "provider-coverage", a)
	for _, r := range covered {
		if i, ok := place[r.Source]; ok {
			out[i].Fields = append(out[i].Fields, galena.FieldCount{Field: r.Field, Answers: r.Answers})
		}
	}
	return out, fault(op, err)
}

package sql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/galenahq/galena/sql/sqltest"
)

// BenchmarkScorecard reads 30 days with 100,000 calls and as many values, before
// and after the days that are over were counted, and counts one such month.
func BenchmarkScorecard(b *testing.B) {
	for name, open := range engines(b) {
		b.Run(name, func(b *testing.B) { benchmarkScorecard(b, open) })
	}
}

func benchmarkScorecard(b *testing.B, open sqltest.Open) {
	ctx, now := context.Background(), time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	s := open(b, func() time.Time { return now })
	at := fmt.Sprintf("%d - i * CAST(25900000 AS bigint)", now.UnixMicro())
	for part := range 20 { // no statement may take long
		many := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT ", part*5000, part*5000+4999)
		err := errors.Join(s.Exec(ctx, "INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at) "+many+
			`'call' || CAST(i AS text), 'p' || CAST(i % 5 AS text), 'c' || CAST(i AS text) || '.test',
			CASE WHEN i % 4 = 0 THEN 'not_found' ELSE 'hit' END, 30000, (i * 7919) % 2000000, `+at+" FROM n"),
			s.Exec(ctx, `INSERT INTO answer_log (request_id, provider, domain, fetched_at, cost_micros, fields, used, observations) `+many+`
			'call' || CAST((i * 7919) % 100003 AS text), 'p' || CAST(i % 5 AS text), 'c' || CAST(i AS text) || '.test', `+at+`, 30000,
			'["company.field' || CAST(i % 7 AS text) || '","company.name","company.industry","company.phone","company.city"]',
			CASE WHEN i % 3 = 0 THEN '{"company.name":true,"company.industry":true}' ELSE '{}' END, '[]' FROM n`))
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Exec(ctx, "ANALYZE provider_calls; ANALYZE answer_log"); err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Scorecard(ctx, now.Add(-30*24*time.Hour)); err != nil || len(got) != 5 {
				b.Fatal(got, err)
			}
		}
	}
	b.Run("uncounted", read)
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if err := errors.Join(s.Exec(ctx, "DELETE FROM provider_days"), s.CountDays(ctx)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("counted", read)
}

package merging

import (
	"fmt"
	"testing"

	"github.com/galenahq/galena"
)

// BenchmarkWeigh is what a lead pays for two vendors who know the same fields and
// agree on most: its facts and its conflicts, weighed once for both, and once each.
func BenchmarkWeigh(b *testing.B) {
	var obs []*galena.Observation
	for v, vendor := range []string{"hunter", "clearbit"} {
		for i, field := range []string{"company.name", "company.industry", "company.hq_country", "company.hq_city", "company.type",
			"company.founded_year", "company.employee_count", "company.phone", "company.linkedin_url"} {
			o := &galena.Observation{ID: fmt.Sprintf("%s-%d", vendor, i), Entity: "acme.test", Field: field, Source: vendor,
				Class: galena.ClassProvider, Value: galena.TextValue(field), Confidence: 1, ObservedAt: now, FetchedAt: now}
			switch field {
			case "company.employee_count":
				o.Value = galena.Number(int64(400 + 200*v))
			case "company.founded_year":
				o.Value = galena.Number(2011)
			}
			obs = append(obs, o)
		}
	}
	p, err := New(Config{}, map[string]float64{"hunter": 0.8, "clearbit": 0.8})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Once", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w := p.Weigh(obs, now)
			_, _ = w.Facts(), w.Conflicts(Lens{})
		}
	})
	b.Run("Each", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = p.Merge(obs, now), p.Conflicts(obs, now, Lens{})
		}
	})
}

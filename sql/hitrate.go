package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// Outcomes reads a page of what became of decided leads with a company, the
// latest first, from before the given lead on; "" = from the latest.
func (s *Store) Outcomes(ctx context.Context, before string, limit int) ([]galena.Outcome, error) {
	const op = "sql.outcomes"
	found, err := list[struct {
		ID      string `db:"id"`
		Domain  string `db:"domain"`
		Sampled string `db:"sampled"`
		decisionText
	}](ctx, s.reader(), "outcomes", args{"before": before, "limit": limit})
	if err != nil {
		return nil, fault(op, err)
	}
	out := make([]galena.Outcome, len(found))
	for i, r := range found {
		d, err := r.decision()
		if err != nil {
			return nil, fault(op, err)
		}
		sampled, err := parse[[]galena.Call](r.Sampled)
		if err != nil {
			return nil, fault(op, err)
		}
		out[i] = galena.Outcome{LeadID: r.ID, Domain: r.Domain, Segment: d.Segment,
			Settled: d.Stop == galena.StopSettled && d.Settled, Steps: d.Steps, Audited: r.Sampled != "", Sampled: sampled}
	}
	return out, nil
}

// FreezeHitRates keeps the rates of a day for good, unless another process was faster.
func (s *Store) FreezeHitRates(ctx context.Context, h galena.HitRates) error {
	const op = "sql.freeze_hit_rates"
	tallies, err := text(h.Tallies)
	if err != nil {
		return fault(op, err)
	}
	_, err = s.do(ctx, op, "freeze-hit-rates", args{"day": h.Day, "companies": h.Companies, "tallies": tallies,
		"counted_at": micros(s.now())})
	return err
}

// HitRates reads the newest rates of the day or before it; NotFound while there are none.
func (s *Store) HitRates(ctx context.Context, day string) (galena.HitRates, error) {
	const op = "sql.hit_rates"
	r, err := one[struct {
		Day       string `db:"day"`
		Companies int    `db:"companies"`
		Tallies   string `db:"tallies"`
		CountedAt int64  `db:"counted_at"`
	}](ctx, s.reader(), "hit-rates", args{"day": day})
	if err != nil {
		return galena.HitRates{}, fault(op, err)
	}
	tallies, err := parse[map[string]map[string]galena.Tally](r.Tallies)
	return galena.HitRates{Day: r.Day, Companies: r.Companies, Tallies: tallies, CountedAt: at(r.CountedAt)}, fault(op, err)
}

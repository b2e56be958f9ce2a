package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// Portfolio reads what was known of the latest decided leads, at most so many;
// nothing while fewer than the least are decided.
func (s *Store) Portfolio(ctx context.Context, least, most int) ([]galena.Past, error) {
	const op = "sql.portfolio"
	n, err := one[int](ctx, s.reader(), "portfolio-size", args{"most": least})
	if err != nil || n < least {
		return nil, fault(op, err)
	}
	found, err := list[decisionText](ctx, s.reader(), "portfolio", args{"limit": most})
	if err != nil {
		return nil, fault(op, err)
	}
	out := make([]galena.Past, len(found))
	for i, stored := range found {
		d, err := stored.decision()
		if err != nil {
			return nil, fault(op, err)
		}
		out[i] = galena.Past{Facts: d.Facts, At: d.DecidedAt.Add(-d.Took)}
	}
	return out, nil
}

// Means reads the portfolio means of a profile; NotFound while there are none.
func (s *Store) Means(ctx context.Context, profile string) (galena.Means, error) {
	const op = "sql.means"
	r, err := one[struct {
		Leads    int    `db:"leads"`
		Means    string `db:"means"`
		FrozenAt int64  `db:"frozen_at"`
	}](ctx, s.reader(), "means", args{"profile": profile})
	if err != nil {
		return galena.Means{}, fault(op, err)
	}
	values, err := parse[map[string]int64](r.Means)
	return galena.Means{Profile: profile, Leads: r.Leads, Values: values, FrozenAt: at(r.FrozenAt)}, fault(op, err)
}

// FreezeMeans keeps the means of a profile for good and returns those that stand:
// another process may have been faster.
func (s *Store) FreezeMeans(ctx context.Context, m galena.Means) (galena.Means, error) {
	const op = "sql.freeze_means"
	values, err := text(m.Values)
	if err != nil {
		return galena.Means{}, fault(op, err)
	}
	if _, err := s.do(ctx, op, "freeze-means", args{"profile": m.Profile, "leads": m.Leads, "means": values,
		"frozen_at": micros(s.now())}); err != nil {
		return galena.Means{}, err
	}
	return s.Means(ctx, m.Profile)
}

package worker

import (
	"context"
	"slices"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
)

// Portfolio is the part of the store that keeps what all decided leads say together.
type Portfolio interface {
	Means(ctx context.Context, profile string) (galena.Means, error)
	Portfolio(ctx context.Context, least, most int, fields []string) ([]galena.Past, error)
	FreezeMeans(ctx context.Context, m galena.Means) (galena.Means, error)
}

// WithPortfolio is the same set with the portfolio means of its profile. Whoever
// comes first when enough leads are decided counts and freezes them; everybody else
// takes the frozen ones. It is the set itself while there are none.
func (r *Rules) WithPortfolio(ctx context.Context, p Portfolio) (*Rules, error) {
	i := slices.IndexFunc(r.Refs, func(c galena.ConfigRef) bool { return c.Kind == "ICP" })
	if i < 0 || r.hasMeans() {
		return r, nil
	}
	m, err := p.Means(ctx, r.Refs[i].Hash)
	if galena.KindOf(err) == galena.NotFound {
		m, err = r.freeze(ctx, p, r.Refs[i].Hash)
	}
	if err != nil || m.Leads == 0 {
		return r, err
	}
	return r.withMeans(m, r.Refs[i]), nil
}

// freeze counts the means; they are of no lead while too few are decided.
func (r *Rules) freeze(ctx context.Context, p Portfolio, profile string) (galena.Means, error) {
	past, err := p.Portfolio(ctx, scoring.PortfolioLeast, scoring.PortfolioMost, r.ICP.Fields())
	if err != nil || len(past) == 0 {
		return galena.Means{}, err
	}
	return p.FreezeMeans(ctx, galena.Means{Profile: profile, Leads: len(past), Values: r.ICP.Means(past)})
}

// withMeans names the means among the files, so that each decision says with what
// numbers it was made: one without them was made with the prior.
func (r *Rules) withMeans(m galena.Means, icp galena.ConfigRef) *Rules {
	out := *r
	out.ICP = r.ICP.WithMeans(m.Values)
	out.Refs = append(slices.Clone(r.Refs), m.Ref(icp))
	return &out
}

func (r *Rules) hasMeans() bool {
	return slices.ContainsFunc(r.Refs, func(c galena.ConfigRef) bool { return c.Kind == galena.KindMeans })
}

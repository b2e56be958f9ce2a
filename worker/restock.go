package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
	"github.com/galenahq/galena/scoring"
)

// Shelf is the part of the store that knows what is going stale.
type Shelf interface {
	StaleCompanies(ctx context.Context, topTier string, since time.Time, limit int) ([]galena.StaleCompany, error)
	PlanRefreshes(ctx context.Context, wishes []galena.Refresh) error
	HandOutRefresh(ctx context.Context) (bool, error)
}

const (
	planEvery    = time.Minute
	handOutEvery = 5 * time.Second
	planBatch    = 500
)

// Restocker keeps the data of decided leads fresh: it finds companies that go
// stale without a lead that would ask for them, and hands refreshes out, those
// with the most effect on decisions first and no more than the budget allows.
type Restocker struct {
	Shelf     Shelf
	Profile   func() (*scoring.Profile, error)                       // of the files in force
	PerMinute func() int                                             // 0 = none
	Allow     func(ctx context.Context, perMinute int) (bool, error) // for all processes together
	Wake      func()
	Now       func() time.Time
	Log       *slog.Logger
}

// Jobs are the two halves, as the scheduler runs them.
func (r *Restocker) Jobs() []Job {
	return []Job{{Name: "plan refreshes", Every: planEvery, Do: r.Plan},
		{Name: "hand out refreshes", Every: handOutEvery, Do: func(ctx context.Context) error {
			_, err := r.HandOut(ctx)
			return err
		}}}
}

// Plan wishes for the companies with stale answers on which a decision of the
// last 90 days rests. A company that is planned already is not found again.
func (r *Restocker) Plan(ctx context.Context) error {
	if r.PerMinute() <= 0 {
		return nil
	}
	profile, err := r.Profile()
	if err != nil {
		return err
	}
	now := r.Now()
	stale, err := r.Shelf.StaleCompanies(ctx, profile.Tiers()[0], now.Add(-recent), planBatch)
	if err != nil {
		return err
	}
	wishes := make([]galena.Refresh, len(stale))
	for i, c := range stale {
		wishes[i] = planning.Refresh(profile, c, now)
	}
	return r.Shelf.PlanRefreshes(ctx, wishes)
}

// HandOut turns due wishes into steps while the budget lasts, and says how many.
func (r *Restocker) HandOut(ctx context.Context) (n int, err error) {
	limit := r.PerMinute()
	for limit > 0 {
		ok, err := r.Allow(ctx, limit)
		if err != nil || !ok {
			return n, err
		}
		if ok, err = r.Shelf.HandOutRefresh(ctx); err != nil || !ok {
			return n, err
		}
		if n++; n == 1 {
			defer r.Wake()
		}
	}
	return n, nil
}

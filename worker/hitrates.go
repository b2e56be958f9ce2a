package worker

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
)

// HitRates is the part of the store that keeps what vendors were seen to know.
type HitRates interface {
	// HitRates are the newest of a day or before it; NotFound when there are none.
	HitRates(ctx context.Context, day string) (galena.HitRates, error)
}

// WithHitRates is the same set with the hit rates of the day, and the set itself
// while there are none, or none that are newer.
func (r *Rules) WithHitRates(ctx context.Context, s HitRates, day string) (*Rules, error) {
	if r.Hits != nil && r.Hits.Day == day {
		return r, nil
	}
	h, err := s.HitRates(ctx, day)
	if galena.KindOf(err) == galena.NotFound {
		return r, nil
	}
	if err != nil || h.Companies == 0 || r.Hits != nil && r.Hits.Day == h.Day {
		return r, err
	}
	return r.withHits(h), nil
}

// withHits names the rates among the files, so that each decision says by what
// numbers it was planned.
func (r *Rules) withHits(h galena.HitRates) *Rules {
	out := *r
	out.Hits = &h
	out.Refs = slices.DeleteFunc(slices.Clone(r.Refs), func(c galena.ConfigRef) bool { return c.Kind == galena.KindHitRates })
	out.Refs = append(out.Refs, h.Ref())
	return &out
}

// Outcomes is the part of the store that a count of hit rates reads and writes.
type Outcomes interface {
	HitRates
	Outcomes(ctx context.Context, before string, limit int) ([]galena.Outcome, error)
	FreezeHitRates(ctx context.Context, h galena.HitRates) error
}

const (
	countLook = time.Minute // how soon after midnight
	countPage = 500
	countMost = 20_000 // the latest decided leads: what vendors knew long ago says little
)

// Counter counts once a day what vendors were seen to know. The rates of a day
// are those of its first count: nothing that happens on it changes them.
type Counter struct {
	Store   Outcomes
	Vendors func() []string // of the catalogue in force
	Now     func() time.Time
	Log     *slog.Logger
}

// Job counts once after each midnight in UTC, as the scheduler runs it.
func (c *Counter) Job() Job { return Job{Name: "count hit rates", Every: countLook, Do: c.Count} }

// Count keeps the rates of the day, unless somebody has. A company counts once,
// by its latest lead.
func (c *Counter) Count(ctx context.Context) error {
	day := Day(c.Now())
	last, err := c.Store.HitRates(ctx, day)
	if galena.KindOf(err) != galena.NotFound && (err != nil || last.Day == day) {
		return err
	}
	h, seen, before := galena.HitRates{Day: day}, map[string]bool{}, ""
	for range countMost / countPage {
		page, err := c.Store.Outcomes(ctx, before, countPage)
		if err != nil {
			return err
		}
		for _, o := range page {
			before = o.LeadID
			if !seen[o.Domain] {
				seen[o.Domain] = true
				planning.Count(&h, o, c.Vendors())
			}
		}
		if len(page) < countPage {
			break
		}
	}
	planning.Thin(&h)
	if err := c.Store.FreezeHitRates(ctx, h); err != nil {
		return err
	}
	c.Log.InfoContext(ctx, "hit rates counted", "day", day, "companies", h.Companies)
	return nil
}

// Day is the day whose hit rates are in force.
func Day(now time.Time) string { return now.UTC().Format(time.DateOnly) }

package sql

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// refreshEpoch is the epoch of every refresh: a company has one step, which is
// handed out again for each.
const refreshEpoch = 1

// planRefresh keeps one wish per company: the higher score and the sooner time.
func (s *Store) planRefresh(ctx context.Context, tx conn, r galena.Refresh) error {
	return tx.later(ctx, "plan-refresh", args{"domain": r.Domain, "score": r.Score, "due_at": micros(r.DueAt),
		"now": micros(s.now())}, nil)
}

// PlanRefreshes keeps the wishes of companies that no lead came for.
func (s *Store) PlanRefreshes(ctx context.Context, wishes []galena.Refresh) error {
	if len(wishes) == 0 {
		return nil
	}
	return s.inTx(ctx, "sql.plan_refreshes", func(tx conn) error {
		for _, r := range wishes {
			if err := s.planRefresh(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// HandOutRefresh turns the due wish with the highest score into a step on the
// bulk queue. False: none is due. A company that is being refreshed already,
// or whose refresh was put aside, is taken off the list and counts as handed out.
func (s *Store) HandOutRefresh(ctx context.Context) (bool, error) {
	found := false
	err := s.inTx(ctx, "sql.hand_out_refresh", func(tx conn) error {
		found = false
		now := micros(s.now())
		domain, err := one[string](ctx, tx, "take-refresh", args{"now": now})
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		a := args{"kind": galena.StepRefresh, "id": domain, "epoch": refreshEpoch, "queue": QueueBulk, "now": now}
		run, err := one[int](ctx, tx, "hand-refresh", a)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.handOver(ctx, tx, []stepRow{{Kind: galena.StepRefresh, ID: domain, Epoch: refreshEpoch, Run: run, Queue: QueueBulk}})
	})
	return found, err
}

// StaleCompanies lists companies with stale answers on which a decision since
// the given time rests, those first that are nearest to knowing nothing. What is
// planned, under way or put aside is left out.
func (s *Store) StaleCompanies(ctx context.Context, topTier string, since time.Time, limit int) ([]galena.StaleCompany, error) {
	found, err := list[struct {
		Domain    string `db:"domain"`
		Tier      string `db:"tier"`
		Lo        int64  `db:"lo"`
		Hi        int64  `db:"hi"`
		FetchedAt int64  `db:"fetched_at"`
		FreshTill int64  `db:"fresh_until"`
		ExpiresAt int64  `db:"expires_at"`
	}](ctx, s.reader(), "stale-companies", args{"kind": galena.StepRefresh, "top": topTier,
		"since": micros(since), "now": micros(s.now()), "limit": limit})
	out := make([]galena.StaleCompany, len(found))
	for i, r := range found {
		out[i] = galena.StaleCompany{Domain: r.Domain, Tier: r.Tier, Lo: galena.Tenths(r.Lo), Hi: galena.Tenths(r.Hi),
			FetchedAt: at(r.FetchedAt), FreshTill: at(r.FreshTill), ExpiresAt: at(r.ExpiresAt)}
	}
	return out, fault("sql.stale_companies", err)
}

// Holding reads what is held of a company, and whether a decision since the
// given time put it into the highest tier.
func (s *Store) Holding(ctx context.Context, domain, topTier string, since time.Time) (galena.Holding, error) {
	const op = "sql.holding"
	var h galena.Holding
	top, err := one[bool](ctx, s.reader(), "has-tier", args{"domain": domain, "tier": topTier, "since": micros(since)})
	if err != nil {
		return h, fault(op, err)
	}
	held, err := list[answerRow](ctx, s.reader(), "answers-of", args{"domain": domain})
	if err != nil {
		return h, fault(op, err)
	}
	h.TopTier = top
	var errs []error
	for _, r := range held {
		a, err := r.answer()
		h.Answers, errs = append(h.Answers, a), append(errs, err)
	}
	_, domains, err := companyOf(ctx, s.reader(), domain)
	if err != nil {
		return h, fault(op, err)
	}
	standing, err := s.standing(ctx, append(domains, domain))
	for _, of := range standing {
		h.Standing = append(h.Standing, of...)
	}
	slices.SortFunc(h.Standing, inTime)
	return h, fault(op, errors.Join(append(errs, err)...))
}

// Refreshed writes what a refresh brought and ends its step. A run that lost its
// step gets Conflict with Op "fence" and writes nothing.
func (s *Store) Refreshed(ctx context.Context, st galena.Step, c galena.Company, learnt []*galena.Observation) error {
	return s.inTx(ctx, "sql.refreshed", func(tx conn) error {
		_, err := endStep(ctx, tx, st, ending{state: "done"})
		if missing(err) {
			return lostFence()
		}
		if err != nil {
			return err
		}
		return s.learnFacts(ctx, tx, markedOf(learnt), nil, c)
	})
}

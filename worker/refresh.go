package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
)

const (
	// recent is how long a decision keeps its company's data worth refreshing.
	recent = 90 * 24 * time.Hour
	// refreshRetry is how long a refresh waits for a provider that fails. What
	// is held is still used, so there is no hurry; once it has expired the
	// refresh finds nothing to do and ends.
	refreshRetry = time.Hour
	// unsoldRest is how long a company is left alone whose stale answers nobody can
	// buy anew: their vendor was switched off, costs too much or lacks what it must be told.
	unsoldRest = 24 * time.Hour
)

// Market is the waterfall, as a refresh needs it.
type Market interface {
	Offers() []galena.Offer
	AskFresh(ctx context.Context, provider, domain string, known galena.Facts) (galena.Answer, galena.Call, error)
}

// Holdings is the part of the store that a refresh reads and writes.
type Holdings interface {
	Holding(ctx context.Context, domain, topTier string, since time.Time) (galena.Holding, error)
	Refreshed(ctx context.Context, s galena.Step, c galena.Company, learnt []*galena.Observation) error
	PlanRefreshes(ctx context.Context, wishes []galena.Refresh) error
}

// refresh is the wish that a decision leaves behind when it rests on stale
// answers; nil when it does not.
func (r *run) refresh(v view) *galena.Refresh {
	top := v.score.Tier == topTier(r.rules)
	c := galena.StaleCompany{Domain: r.memory.CompanyDomain(), Tier: v.score.Tier, Lo: v.score.Lo, Hi: v.score.Hi}
	for _, a := range r.held {
		if r.began.Before(a.StaleAt(top)) {
			continue
		}
		if c.FetchedAt.IsZero() || a.FetchedAt.Before(c.FetchedAt) {
			c.FetchedAt, c.FreshTill, c.ExpiresAt = a.FetchedAt, a.FreshUntil, a.ExpiresAt
		}
	}
	if c.FetchedAt.IsZero() {
		return nil
	}
	wish := planning.Refresh(r.rules.ICP, c, r.began)
	return &wish
}

func topTier(r *Rules) string { return r.ICP.Tiers()[0] }

// Refresher asks again for what is stale of a company, and merges its record anew.
type Refresher struct {
	Steps    Steps
	Holdings Holdings
	Rules    func() *Rules
	Now      func() time.Time
	Chance   func() float64
	Metrics  *Metrics
	Log      *slog.Logger
	leases   *leases
}

// HandleRefreshes lets the server run refreshes.
func (s *Server) HandleRefreshes(r *Refresher) {
	r.leases = s.leases
	s.mux.Handle(galena.StepRefresh, s.handler(galena.StepRefresh, r.Process))
}

// Process runs one hand-out of one refresh. As in Pipeline.Process an error
// means that the store could not be told.
func (r *Refresher) Process(ctx context.Context, s galena.Step) error {
	asked := time.Now()
	ok, err := r.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if err != nil || !ok {
		return err
	}
	defer r.leases.hold(s, asked)()
	outcome, err := r.refresh(ctx, s)
	if isFenceLost(err) {
		return nil
	}
	if err != nil {
		r.Metrics.refreshes.WithLabelValues("parked").Inc()
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		kind := galena.KindOf(err)
		r.Log.InfoContext(ctx, "refresh waits", "kind", kind, "error", noteOf(err))
		return r.Steps.Park(write, s, r.Now().Add(jitter(refreshRetry, r.Chance())), kind, noteOf(err))
	}
	r.Metrics.refreshes.WithLabelValues(outcome).Inc()
	return nil
}

// refresh buys what is stale now, which may be less than when it was planned:
// somebody else's refresh, or a lead after the expiry, may have been sooner.
func (r *Refresher) refresh(ctx context.Context, s galena.Step) (outcome string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = galena.Errorf(galena.Internal, "worker.refresh", "panic: %.100s", fmt.Sprint(p))
		}
	}()
	rules, now := r.Rules(), r.Now()
	defer rules.done()
	h, err := r.Holdings.Holding(ctx, s.ID, topTier(rules), now.Add(-recent))
	if err != nil {
		return "", err
	}
	answers, asked, unsold, err := r.renew(ctx, s.ID, h, rules)
	if err != nil {
		return "", err
	}
	if asked == 0 && unsold {
		// It would be found again at the next look, and take the turn of another for ever.
		if err := r.Holdings.PlanRefreshes(ctx, []galena.Refresh{{Domain: s.ID, DueAt: now.Add(unsoldRest)}}); err != nil {
			return "", err
		}
	}
	learnt := current(answers, now)
	facts := companyFacts(rules.Merging.Merge(append(learnt, galena.Refs(h.Standing)...), r.Now()))
	company := galena.Company{Domain: s.ID, Facts: facts, UpdatedAt: r.Now()}
	outcome = "done"
	if asked == 0 {
		outcome = "nothing"
		if len(learnt) == 0 {
			company = galena.Company{} // nothing is held any more: the record stays as it is
		}
	}
	return outcome, r.Holdings.Refreshed(ctx, s, company, learnt)
}

// current is what the answers that have not expired say.
func current(answers []galena.Answer, now time.Time) (out []*galena.Observation) {
	for _, a := range answers {
		if a.Kind == "" && now.Before(a.ExpiresAt) {
			out = append(out, galena.Refs(a.Observations)...)
		}
	}
	return out
}

// renew replaces the stale hits by what their vendors say now, within the budget
// of one lead. Of several that fail the first error is told, after all were asked.
// Unsold: something is stale that nobody can be asked for.
func (r *Refresher) renew(ctx context.Context, domain string, h galena.Holding, rules *Rules) (answers []galena.Answer, asked int, unsold bool, err error) {
	market, now, left := rules.Market, r.Now(), rules.LimitMicros
	known := rules.Merging.Merge(append(current(h.Answers, now), galena.Refs(h.Standing)...), now)
	sure := known.Believing(rules.ICP.MinConfidence())
	prices := map[string]galena.Offer{}
	for _, o := range market.Offers() {
		prices[o.Provider] = o
	}
	for _, a := range h.Answers {
		stale := a.Kind == "" && !now.Before(a.StaleAt(h.TopTier)) && now.Before(a.ExpiresAt)
		offer := prices[a.Provider]
		off := !offer.Available && !offer.Away || !offer.Informed(sure)
		if !stale || off || offer.Dearest() > left && offer.Dearest() > 0 {
			answers = append(answers, a)
			unsold = unsold || stale
			continue
		}
		fresh, call, failed := r.ask(ctx, market, offer, domain, known)
		if failed != nil {
			r.Log.DebugContext(ctx, "not refreshed", "provider", a.Provider, "outcome", call.Outcome)
			answers = append(answers, a)
			if err == nil {
				err = failed
			}
			continue
		}
		asked++
		left -= fresh.CostMicros
		answers = append(answers, fresh)
	}
	return answers, asked, unsold, err
}

// ask leaves a vendor alone that is paused or behind an open breaker.
func (r *Refresher) ask(ctx context.Context, market Market, o galena.Offer, domain string, known galena.Facts) (galena.Answer, galena.Call, error) {
	if !o.Available {
		return galena.Answer{}, galena.Call{}, galena.Errorf(galena.Pending, o.Provider+".refresh", "not asked at the moment")
	}
	return market.AskFresh(ctx, o.Provider, domain, known)
}

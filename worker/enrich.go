package worker

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// run is one lead on its way through the pipeline.
type run struct {
	p        *Pipeline
	rules    *Rules
	memory   galena.Memory
	began    time.Time
	fixed    galena.Facts         // lead.* and match.*: they do not change while we ask
	observed []galena.Observation // of the company: what was known, then what was bought
	bought   []galena.Observation
	steps    []galena.Call
	asked    map[string]bool
	failed   bool // some provider erred: the answer may come later
	spent    int64
	stop     galena.Stop
}

func newRun(p *Pipeline, rules *Rules, m galena.Memory) *run {
	r := &run{p: p, rules: rules, memory: m, began: p.Now(), observed: m.Observations, asked: map[string]bool{}}
	r.fixed = leadFacts(m.Lead)
	maps.Copy(r.fixed, matchFacts(m, rules.Routing.NamedRep(m.Lead.Domain), r.began))
	return r
}

// view is everything known at one moment, and what follows from it.
type view struct {
	facts   galena.Facts
	score   scoring.Result
	input   routing.Input
	outcome routing.Outcome
}

// look merges, scores and matches the rules. final says that nobody is left to ask.
func (r *run) look(final bool) view {
	facts := r.rules.Merging.Merge(r.observed, r.began)
	maps.Copy(facts, r.fixed)
	v := view{facts: facts, score: r.rules.ICP.Score(facts, r.began, final)}
	v.input = routing.Input{Score: v.score.Score, Reachable: v.score.Reachable, Facts: facts, Now: r.began, Final: final}
	v.outcome = r.rules.Routing.Match(v.input)
	return v
}

// enrich asks providers, one after the other, until no answer can change the
// decision, or budget, deadline or providers end it.
func (r *run) enrich(ctx context.Context) error {
	if r.rules.Deadline >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.rules.Deadline)
		defer cancel()
	}
	for {
		next := planning.Plan(r.state(r.look(false)))
		if next.Provider == "" {
			r.stop = next.Stop
			return nil
		}
		r.ask(ctx, next)
		// Our own stop is nobody's answer: the step goes back as it was.
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return galena.Errorf(galena.Unavailable, "worker.enrich", "stopped while asking")
		}
	}
}

func (r *run) state(v view) planning.State {
	left := time.Duration(-1)
	if r.rules.Deadline >= 0 {
		left = max(0, r.rules.Deadline-r.p.Now().Sub(r.began))
	}
	lead := r.memory.Lead
	return planning.State{
		Result: v.score, RouteOpen: v.outcome.Open, RouteSettled: v.outcome.Settled, Facts: v.facts,
		Offers: r.p.Enricher.Offers(), Asked: r.asked, Failed: r.failed,
		SpentMicros: r.spent, LimitMicros: r.rules.LimitMicros, TimeLeft: left,
		HasDomain: lead.Domain != "", Spendable: lead.Spendable,
		AlwaysCollect: r.rules.AlwaysCollect, Now: r.began,
	}
}

// ask puts one question and keeps what came back. A provider's error is never
// the lead's: it is a step like any other.
func (r *run) ask(ctx context.Context, next planning.Next) {
	r.asked[next.Provider] = true
	answer, call, err := r.p.Enricher.Ask(ctx, next.Provider, r.memory.Lead.Domain)
	if err != nil && galena.KindOf(err) != galena.NotFound {
		r.failed = true
		r.p.Log.DebugContext(ctx, "provider failed", "provider", next.Provider, "kind", galena.KindOf(err), "error", err)
	}
	call.Why = next.Why
	r.steps = append(r.steps, call)
	r.spent += int64(math.Round(call.Cents * 10_000))
	r.observed = append(slices.Clip(r.observed), answer.Observations...)
	r.bought = append(r.bought, answer.Observations...)
}

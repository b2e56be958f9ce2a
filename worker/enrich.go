package worker

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// run is one lead on its way through the pipeline.
type run struct {
	p          *Pipeline
	rules      *Rules
	memory     galena.Memory
	began      time.Time
	fixed      galena.Facts          // lead.* and match.*: they do not change while we ask
	observed   []*galena.Observation // of the company: what was known, then what was bought
	facts      galena.Facts          // all that is known, made of the first so many observations
	profile    *profile              // the same, before the fixed ones were added
	merged     int
	disputed   []galena.Dispute // as of the first so many observations; of none there are none
	disputedAt int
	held       []galena.Answer // hits that were paid for before
	steps      []galena.Call
	asked      map[string]bool
	tried      map[string]bool // contested fields for which one more provider was asked
	refused    map[string]bool // providers for whom a budget of the day has no room
	failed     bool            // some provider erred: the answer may come later
	spent      int64
	resumed    bool            // a second look at a decision
	before     int64           // spent on the lead before this look
	paid       map[string]bool // vendors that an earlier decision paid
	missed     map[string]miss // vendors that erred or are away
	person     bool            // somebody asked: false for a company that is looked at by itself
	told       func(galena.Call)
	deadline   time.Duration // negative = none
	stop       galena.Stop
	segment    galena.Segment // as it was before anybody was asked
}

func newRun(p *Pipeline, rules *Rules, m galena.Memory) *run {
	r := &run{p: p, rules: rules, memory: m, began: p.Now(), observed: galena.Refs(m.Observations), deadline: rules.Deadline,
		asked: map[string]bool{}, tried: map[string]bool{}, refused: map[string]bool{}, paid: map[string]bool{},
		missed: map[string]miss{}, person: true}
	r.fixed = leadFacts(m.Lead)
	if d := m.CompanyDomain(); d != m.Lead.Domain {
		r.fixed["company.domain"] = galena.KnownFact("company.domain", galena.TextValue(d), "alias", r.began)
	}
	matchFacts(r.fixed, m, namedRep(rules.Routing.NamedRep, m), r.began)
	return r
}

// carry goes on where the run before had to start over: who was asked is not asked
// again, and neither the limit nor the deadline begins anew.
func (r *run) carry(before *run) {
	if before == nil {
		return
	}
	if r.deadline >= 0 {
		r.deadline = max(0, before.deadline-r.began.Sub(before.began))
	}
	r.before, r.spent = before.before, before.spent
	if r.memory.CompanyDomain() != before.memory.CompanyDomain() {
		r.before, r.spent = before.before+before.spent, 0 // what was heard is of another
		return
	}
	r.observed = append(r.observed, before.bought()...)
	r.held, r.steps, r.segment = before.held, before.steps, before.segment
	r.asked, r.tried, r.refused, r.failed, r.missed = before.asked, before.tried, before.refused, before.failed, before.missed
}

// bought is what vendors said of the company, to this run.
func (r *run) bought() []*galena.Observation { return r.observed[len(r.memory.Observations):] }

// view is everything known at one moment, and what follows from it.
type view struct {
	facts   galena.Facts
	score   scoring.Result
	input   routing.Input
	outcome routing.Outcome
}

// look merges, scores and matches the rules. final says that nobody is left to
// ask; only then is the score put into words.
func (r *run) look(final bool) view {
	facts := r.known()
	if final {
		return r.judge(facts, r.rules.ICP.Score(facts, r.began, true), true)
	}
	return r.judge(facts, r.rules.ICP.Glance(facts, r.began, false), false)
}

// judge routes by facts that hold the fixed ones already, and by their score.
func (r *run) judge(facts galena.Facts, score scoring.Result, final bool) view {
	v := view{facts: facts, score: score}
	v.input = routing.Input{Score: v.score.Score, Reachable: v.score.Reachable, Moving: v.score.Moving,
		Facts: v.facts, Now: r.began, Final: final}
	v.outcome = r.rules.Routing.Match(v.input)
	return v
}

// known is the lead's and the company's facts together. They are merged again
// only when an answer has come since: the last look, which decides, mostly sees
// what the look before it saw.
func (r *run) known() galena.Facts {
	if r.facts == nil || len(r.observed) != r.merged {
		r.profile, r.merged = r.p.profiles.of(r.rules, r.observed, r.began), len(r.observed)
		r.facts = make(galena.Facts, len(r.profile.facts)+len(r.fixed))
		maps.Copy(r.facts, r.profile.facts)
		maps.Copy(r.facts, r.fixed)
	}
	return r.facts
}

// enrich asks providers until no answer can change the decision, or budget,
// deadline or providers end it: one after the other, and several at once when
// they will be asked anyway or there is no time left for that.
func (r *run) enrich(ctx context.Context) error {
	if r.deadline >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.deadline)
		defer cancel()
	}
	if len(r.steps) == 0 {
		r.segment = planning.Segment(r.known())
	}
	for {
		state := r.state(r.look(false))
		next, beside := planning.Ask(state)
		if next.Provider == "" {
			next = r.thirdOpinion(state, next)
		}
		if next.Provider == "" {
			r.stop = next.Stop
			r.missing(next.Unavailable)
			return nil
		}
		r.ask(ctx, next, beside...)
		// Our own stop is nobody's answer: the step goes back as it was.
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return galena.Errorf(galena.Unavailable, "worker.enrich", "stopped while asking")
		}
	}
}

// missing notes the vendors that would help and are away.
func (r *run) missing(unavailable []string) {
	for _, o := range r.rules.Enricher.Offers() {
		if slices.Contains(unavailable, o.Provider) {
			r.missed[o.Provider] = miss{back: o.BackAt}
		}
	}
}

func (r *run) state(v view) planning.State {
	left := time.Duration(-1)
	if r.deadline >= 0 {
		left = max(0, r.deadline-r.p.Now().Sub(r.began))
	}
	lead := r.memory.Lead
	return planning.State{
		Result: v.score, RouteOpen: v.outcome.Open, RouteSettled: v.outcome.Settled, Facts: v.facts,
		Offers: r.offers(), Asked: r.asked, Paid: r.paid, Refused: r.refused, Failed: r.failed,
		SpentMicros: r.before + r.spent, LimitMicros: r.rules.LimitMicros, TimeLeft: left,
		HasDomain: r.memory.CompanyDomain() != "", Spendable: lead.Spendable,
		MinConfidence: r.rules.ICP.MinConfidence(), AlwaysCollect: r.rules.AlwaysCollect, NoLead: !r.person, Now: r.began,
	}
}

// offers are what can be bought, with the hit rates that are in force.
func (r *run) offers() []galena.Offer {
	offers := r.rules.Enricher.Offers()
	if r.rules.Hits == nil {
		return offers
	}
	return planning.Learned(offers, r.rules.Hits, r.segment)
}

// reply is what came back from one vendor.
type reply struct {
	planning.Next
	answer galena.Answer
	call   galena.Call
	err    error
}

// ask puts a question to one vendor, and at the same time those beside it, and
// keeps what came back. Replies count in the order of the catalogue, whichever
// came first: a decision must not hang on the network's mood.
func (r *run) ask(ctx context.Context, next planning.Next, beside ...planning.Next) {
	replies := []reply{{Next: next}}
	if len(beside) > 0 {
		for _, n := range beside {
			replies = append(replies, reply{Next: n})
		}
		offers := r.rules.Enricher.Offers()
		place := func(p string) int {
			return slices.IndexFunc(offers, func(o galena.Offer) bool { return o.Provider == p })
		}
		slices.SortFunc(replies, func(a, b reply) int { return place(a.Provider) - place(b.Provider) })
	}
	known := r.known() // here, and not in several goroutines
	var all errgroup.Group
	for i := range replies {
		put := func() error {
			x := &replies[i]
			x.answer, x.call, x.err = r.rules.Enricher.Ask(ctx, x.Provider, r.memory.CompanyDomain(), known)
			return nil // a vendor's error is no reason to give up the others
		}
		if i == len(replies)-1 {
			_ = put() // the last needs no goroutine of its own
			break
		}
		all.Go(put)
	}
	_ = all.Wait()
	for _, x := range replies {
		r.take(ctx, x)
	}
}

// take keeps one reply. A provider's error is never the lead's: it is a step like
// any other. A call that no budget had room for was none.
func (r *run) take(ctx context.Context, x reply) {
	if e, ok := errors.AsType[*galena.Error](x.err); ok && e.Cause == galena.CauseBudget {
		r.refused[x.Provider] = true
		r.p.Log.DebugContext(ctx, "no budget", "provider", x.Provider, "error", x.err)
		return
	}
	r.asked[x.Provider] = true
	if kind := galena.KindOf(x.err); x.err != nil && kind != galena.NotFound {
		if kind != galena.WrongSubject { // it would say the same again, and want to be paid for it
			r.failed = true
			r.missed[x.Provider] = r.missOf(x.err)
		}
		r.p.Log.DebugContext(ctx, "provider failed", "provider", x.Provider, "kind", kind, "error", x.err)
	}
	if r.resumed && x.call.Outcome == "cached" && !r.paid[x.Provider] {
		r.before += x.answer.CostMicros // bought by an earlier look, or for a colleague: the limit is the careful reading
	}
	x.call.Why = x.Why
	r.steps = append(r.steps, x.call)
	if r.told != nil {
		r.told(x.call)
	}
	if x.call.Outcome == "cached" && x.answer.Kind == "" {
		r.held = append(r.held, x.answer)
	}
	r.spent += int64(math.Round(x.call.Cents * 10_000))
	r.observed = append(r.observed, galena.Refs(x.answer.Observations)...)
}

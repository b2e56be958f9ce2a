package worker

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/planning"
)

// Audits is the part of the store that an audit reads and writes.
type Audits interface {
	Record(ctx context.Context, leadID string) (galena.Record, error)
	SaveAudit(ctx context.Context, s galena.Step, r galena.RegretAudit, learnt []*galena.Observation) error
}

// audited says whether this decision is one of the few that are held against
// everything that can be bought (SEMANTICS 4.2). Only a decision that stopped
// early because nothing could change it any more can be regretted, and only when
// there was somebody left to ask.
func (r *run) audited(v view) bool {
	lead := r.memory.Lead
	unasked := func(o galena.Offer) bool { return !r.asked[o.Provider] && (o.Available || o.Away) }
	return r.stop == galena.StopSettled && v.score.Settled && v.outcome.Settled && lead.Domain != "" && lead.Spendable &&
		sampled(lead.ID, r.rules.AuditShare) && slices.ContainsFunc(r.rules.Enricher.Offers(), unasked)
}

// sampled is the same for a lead every time, and true for the share of all.
func sampled(leadID string, share float64) bool {
	sum := sha256.Sum256([]byte(leadID))
	return float64(binary.BigEndian.Uint64(sum[:8]))/math.MaxUint64 < share
}

// Auditor buys what a decision did without and compares. It never changes the
// decision; what it bought is held for the next lead, and is in the ledger.
type Auditor struct {
	Pipeline *Pipeline
	Audits   Audits
}

// HandleAudits lets the server run audits.
func (s *Server) HandleAudits(a *Auditor) {
	s.mux.Handle(galena.StepAudit, s.handler(galena.StepAudit, a.Process))
}

// Process runs one hand-out of one audit. As in Pipeline.Process an error means
// that the store could not be told.
func (a *Auditor) Process(ctx context.Context, s galena.Step) error {
	p := a.Pipeline
	asked := time.Now()
	ok, err := p.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if err != nil || !ok {
		return err
	}
	defer p.leases.hold(s, asked)()
	log := p.Log.With("lead", s.ID, "epoch", s.Epoch, "run", s.Run)
	decidedAt, err := a.audit(ctx, s, log)
	if err == nil || isFenceLost(err) {
		return nil
	}
	if decidedAt.IsZero() {
		decidedAt = p.unread(s, err)
	}
	return settle(ctx, p.Steps, s, fate{err: err, age: p.Now().Sub(decidedAt), chance: p.Chance(), now: p.Now(), log: log})
}

// audit says when the lead was decided, zero where it could not be read.
func (a *Auditor) audit(ctx context.Context, s galena.Step, log *slog.Logger) (decidedAt time.Time, err error) {
	p := a.Pipeline
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.audit", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	record, err := a.Audits.Record(ctx, s.ID)
	if err != nil {
		return decidedAt, err
	}
	d := record.Decision
	if d == nil || d.Epoch != s.Epoch {
		return decidedAt, p.Steps.Finish(ctx, s) // it has moved on: nothing to compare with
	}
	decidedAt = d.DecidedAt
	memory, err := p.Leads.Memory(ctx, s.ID)
	if err != nil {
		return decidedAt, err
	}
	rules := p.Rules()
	defer rules.done()
	r := recall(p, rules, memory, *d)
	if err := r.enrich(ctx); err != nil {
		return decidedAt, err
	}
	if err := r.buyTheRest(ctx); err != nil {
		return decidedAt, err
	}
	found := r.compare(*d)
	log.DebugContext(ctx, "decision audited", "changed", found.Changed, "calls", found.Calls, "before", found.TierBefore, "after", found.TierAfter)
	return decidedAt, a.Audits.SaveAudit(ctx, s, found, r.bought())
}

// recall is the run that led to the decision, as of then: its time, what it knew
// of the person, and what it had spent. Who owns the account is as it was, or
// the decision's own assignment would look like a change.
func recall(p *Pipeline, rules *Rules, m galena.Memory, d galena.Decision) *run {
	r := newRun(p, rules, m)
	r.resume(d)
	r.began, r.fixed = d.DecidedAt, galena.Facts{}
	for name, f := range d.Facts {
		if !strings.HasPrefix(name, "company.") || name == "company.domain" {
			r.fixed[name] = f
		}
	}
	return r
}

// buyTheRest asks everybody whom the decision did without, in the order of the
// catalogue, within the budget of the lead. Not only for unknown fields: a later
// vendor may correct a value that was taken early.
func (r *run) buyTheRest(ctx context.Context) error {
	for _, o := range r.rules.Enricher.Offers() {
		known := r.known().Believing(r.rules.ICP.MinConfidence())
		dear := o.Dearest() > 0 && r.before+r.spent+o.Dearest() > r.rules.LimitMicros
		if r.asked[o.Provider] || dear || !o.Informed(known) || o.OnlyIf.Eval(known, r.began) != galena.True {
			continue
		}
		if !o.Available {
			r.failed = r.failed || o.Away // one that is switched off has nothing to say
			continue
		}
		r.ask(ctx, planning.Next{Provider: o.Provider, Why: "audit of an early stop"})
		if ctx.Err() != nil {
			return galena.Errorf(galena.Unavailable, "worker.audit", "stopped while asking")
		}
	}
	if r.failed {
		return galena.Errorf(galena.Unavailable, "worker.audit", "a provider failed: what it says is not known yet")
	}
	return nil
}

// compare decides again, on everything, and says whether it makes a difference.
// Which rep of a pool would take the lead is none: that turns with every lead.
func (r *run) compare(d galena.Decision) galena.RegretAudit {
	v := r.look(true)
	out := galena.RegretAudit{LeadID: d.LeadID, Epoch: d.Epoch, Changed: !r.same(v, d), CostMicros: r.spent,
		TierBefore: d.Tier, TierAfter: v.score.Tier, RuleBefore: d.Rule, RuleAfter: v.outcome.Rule, At: r.p.Now()}
	for _, c := range r.steps {
		if !r.paid[c.Provider] {
			out.Calls++
			out.Steps = append(out.Steps, c)
		}
	}
	return out
}

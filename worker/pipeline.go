package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// Steps is the part of the store that owns the unit of retry. Every write is
// fenced by the step's epoch and run.
type Steps interface {
	Begin(ctx context.Context, kind, id string, epoch, run int) (bool, error)
	Renew(ctx context.Context, steps []galena.Step) error
	Park(ctx context.Context, s galena.Step, due time.Time, kind galena.Kind, note string) error
	Fail(ctx context.Context, s galena.Step, kind galena.Kind, note string) error
	Finish(ctx context.Context, s galena.Step) error
}

// Leads is the part of the store that the pipeline reads and writes. Start is
// Begin with Memory, and says how often the step was tried since somebody handed it
// out by hand; 0 = it is not ours. An error beside tries is one of Memory.
type Leads interface {
	Start(ctx context.Context, s galena.Step) (m galena.Memory, tries int, err error)
	Memory(ctx context.Context, leadID string) (galena.Memory, error)
	Rule(ctx context.Context, r galena.Ruling) (galena.Decision, error)
	Hold(ctx context.Context, s galena.Step, l galena.Lead, told []galena.Delivery) error
}

// Screener looks at a lead once more before money is spent on it: a lead that
// it holds waits for a person.
type Screener interface {
	Screen(ctx context.Context, l galena.Lead) (held galena.Lead, hold bool)
}

// Enricher is the waterfall, as the pipeline needs it.
type Enricher interface {
	Offers() []galena.Offer
	Ask(ctx context.Context, provider, domain string, known galena.Facts) (galena.Answer, galena.Call, error)
}

// Announcer says what must be told, and to whom: of the first decision, of one
// that gave the lead to somebody else, and of a conflict on which one hangs.
type Announcer interface {
	Announce(r galena.Record) ([]galena.Delivery, error)
	Rerouted(r galena.Record) ([]galena.Delivery, error)
	Quarantined(l galena.Lead) ([]galena.Delivery, error)
	Disputed(l galena.Lead, d galena.Dispute) ([]galena.Delivery, error)
}

// Pipeline decides one lead, and completes a decision that was made on too little.
type Pipeline struct {
	Steps       Steps
	Leads       Leads
	Completions Completions
	Mover       Mover
	Screener    Screener // nil = the gate has the last word
	Announce    Announcer
	Rules       func() *Rules // the set in force; read once per lead
	Wake        func()        // nudges the relay after a commit
	Decided     func(context.Context, galena.Record)
	Now         func() time.Time
	Chance      func() float64 // 0..1, for jitter
	// FirstLook is how long a decision made on too little waits before it is
	// looked at again: 0 = half a minute, negative = it never is (a scenario).
	FirstLook time.Duration
	Metrics   *Metrics
	Log       *slog.Logger
	leases    *leases
	profiles  profiles
}

// Process runs one hand-out of one lead. It returns an error only when the
// store could not even be told, which leaves the step to asynq's retry and to
// the sweep.
func (p *Pipeline) Process(ctx context.Context, s galena.Step) error {
	asked := time.Now()
	memory, tries, err := p.Leads.Start(ctx, s)
	if tries == 0 {
		return err // or an older hand-out, or one that came twice
	}
	defer p.leases.hold(s, asked)()
	log := p.Log.With("lead", s.ID, "epoch", s.Epoch, "run", s.Run)
	began := p.unread(s, err)
	if err == nil {
		began, err = memory.Lead.CreatedAt, p.decide(ctx, s, memory, log)
	}
	if err == nil {
		return nil
	}
	return settle(ctx, p.Steps, s, fate{err: err, age: p.Now().Sub(began), tries: tries, chance: p.Chance(), now: p.Now(), log: log})
}

// unread is since when a lead waits that was not read. Its id says when it was made:
// one that nobody can read waits longer and longer, and is put aside in the end. Where
// the store was away there is nothing wrong with the lead.
func (p *Pipeline) unread(s galena.Step, err error) time.Time {
	id, malformed := uuid.Parse(s.ID)
	if err == nil || malformed != nil || id.Version() != 7 || galena.KindOf(err) == galena.Unavailable {
		return p.Now()
	}
	return time.Unix(id.Time().UnixTime())
}

// decide is the pipeline in the order of the figure. A panic in it is an error
// of this lead and of no other.
func (p *Pipeline) decide(ctx context.Context, s galena.Step, memory galena.Memory, log *slog.Logger) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.decide", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	rules := p.Rules()
	defer rules.done()
	var before *run
	for range ownerRaces {
		if done, err := p.screen(ctx, s, memory.Lead, log); done {
			return err
		}
		run := newRun(p, rules, memory)
		run.carry(before)
		if err := run.enrich(ctx); err != nil {
			return err
		}
		record, err := run.rule(ctx, s)
		if isOwnerRace(err) { // a colleague's lead just took the account: follow it
			if memory, err = p.Leads.Memory(ctx, s.ID); err != nil {
				return err
			}
			before = run
			continue
		}
		if isFenceLost(err) {
			log.DebugContext(ctx, "run is stale, nothing written")
			return nil
		}
		if err != nil {
			return err
		}
		p.told(ctx, record, log)
		run.answered(ctx, log)
		return nil
	}
	return galena.Errorf(galena.Conflict, "worker.decide", "the account changed hands %d times", ownerRaces)
}

// ownerRaces bounds how often one run starts over because the account's owner
// appeared between reading and writing. The answers are held, so it costs nothing.
const ownerRaces = 3

func isOwnerRace(err error) bool { return conflictOp(err) == "owner" }
func isFenceLost(err error) bool { return conflictOp(err) == "fence" }

func conflictOp(err error) string {
	if e, ok := errors.AsType[*galena.Error](err); ok && e.Kind == galena.Conflict {
		return e.Op
	}
	return ""
}

// told does what follows a commit: wake the relay, count, tell whoever watches.
func (p *Pipeline) told(ctx context.Context, r galena.Record, log *slog.Logger) {
	p.Wake()
	d := r.Decision
	p.Metrics.decided(*d, p.Now().Sub(r.Lead.CreatedAt))
	log.DebugContext(ctx, "lead decided", "tier", d.Tier, "stop", d.Stop, "rule", d.Rule, "calls", d.Calls)
	if p.Decided != nil {
		p.Decided(ctx, r)
	}
}

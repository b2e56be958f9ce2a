package worker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Completions is the part of the store that looks at decided leads again.
type Completions interface {
	Record(ctx context.Context, leadID string) (galena.Record, error)
	Note(ctx context.Context, s galena.Step, n galena.Notice, l galena.Lesson) error
	// Awaken hands out the waiting looks at a company's leads, unless the
	// provider's call about it is still under way.
	Awaken(ctx context.Context, provider, domain string) (int, error)
}

// Mover gives a decided lead to somebody else.
type Mover interface {
	Move(ctx context.Context, m galena.Move) (galena.Decision, error)
}

const (
	firstLook = 30 * time.Second // a hiccup is over by then
	lastWait  = 10 * time.Minute // so that a vendor's return is noticed in good time
)

// later says when a decision is looked at again: after a wait that grows with
// its age, and not before the vendors that were missed want to be asked. A
// decision that waits for nobody has no such time.
func (r *run) later(settled bool, decided time.Time) time.Time {
	first := r.p.FirstLook
	if first == 0 {
		first = firstLook
	}
	now := r.p.Now()
	age := now.Sub(decided)
	late := r.stop == galena.StopDegraded || r.stop == galena.StopDeadline
	if settled || !late || first < 0 || age >= maxAge {
		return time.Time{}
	}
	wait := max(age, 0) + first
	if r.crowded() {
		wait = first
	}
	due := now.Add(min(jitter(wait, r.p.Chance()), lastWait))
	if back := r.back(); back.After(due) {
		due = back
	}
	if end := decided.Add(maxAge); due.After(end) {
		return end
	}
	return due
}

// miss is a vendor that did not answer: when it may be asked again (zero = it
// did not say), and whether it is well and only has too many callers, or answers later.
type miss struct {
	back    time.Time
	busy    bool
	pending bool
}

func (r *run) missOf(err error) miss {
	m := miss{busy: galena.KindOf(err) == galena.RateLimited, pending: galena.KindOf(err) == galena.Pending}
	if wait := galena.RetryAfterOf(err); wait > 0 {
		m.back = r.p.Now().Add(wait)
	}
	return m
}

// back is when the first of the vendors that were missed may be asked again,
// zero when one of them did not say.
func (r *run) back() time.Time {
	var first time.Time
	for _, m := range r.missed {
		if m.back.IsZero() {
			return m.back
		}
		if first.IsZero() || m.back.Before(first) {
			first = m.back
		}
	}
	return first
}

// crowded says that some vendor is well and only had no turn left. After an
// outage that is where most of those who waited find themselves: their wait must
// not grow, or the last of them would wait for hours.
func (r *run) crowded() bool {
	for _, m := range r.missed {
		if m.busy {
			return true
		}
	}
	return false
}

// Complete looks again at a decision that was made on too little: what was paid
// is held, so only those who could not answer are asked. As in Process an error
// means that the store could not be told.
func (p *Pipeline) Complete(ctx context.Context, s galena.Step) error {
	asked := time.Now()
	ok, err := p.Steps.Begin(ctx, s.Kind, s.ID, s.Epoch, s.Run)
	if err != nil || !ok {
		return err
	}
	defer p.leases.hold(s, asked)()
	log := p.Log.With("lead", s.ID, "epoch", s.Epoch, "run", s.Run, "step", s.Kind)
	decided, err := p.complete(ctx, s, log)
	if err == nil {
		return nil
	}
	if isFenceLost(err) {
		log.DebugContext(ctx, "run is stale, nothing written")
		return nil
	}
	if decided.IsZero() {
		decided = p.unread(s, err)
	}
	age := p.Now().Sub(decided)
	age = min(age, max(maxAge, age-maxAge)) // the last look comes after a day, and has one more
	return settle(ctx, p.Steps, s, fate{err: err, age: age, chance: p.Chance(), now: p.Now(), log: log})
}

// complete says when the lead was decided, zero where it could not be read.
func (p *Pipeline) complete(ctx context.Context, s galena.Step, log *slog.Logger) (decided time.Time, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "worker.complete", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	rules := p.Rules()
	defer rules.done()
	var before *run
	for range ownerRaces {
		record, err := p.Completions.Record(ctx, s.ID)
		if err != nil {
			return decided, err
		}
		d := record.Decision
		// Whoever decides it will read what has been said; and what a rep gave back for
		// good is worth no money.
		if d == nil || d.Epoch != s.Epoch && d.To == rejected {
			return decided, p.Steps.Finish(ctx, s)
		}
		memory, err := p.Leads.Memory(ctx, s.ID)
		if err != nil {
			return decided, err
		}
		decided = memory.Lead.DecidedAt
		r := newRun(p, rules, memory)
		r.resume(*d)
		r.carry(before)
		if err := r.enrich(ctx); err != nil {
			return decided, err
		}
		err = r.conclude(ctx, s, *d, log)
		if isOwnerRace(err) {
			before = r
			continue // look again with the new owner
		}
		return decided, err
	}
	return decided, galena.Errorf(galena.Conflict, "worker.complete", "the account changed hands %d times", ownerRaces)
}

// resume continues where a decision stopped: nobody waits for the answer any
// more, and what the lead has paid counts towards its limit, once. Who told of another
// company would do so again, and want to be paid for it.
func (r *run) resume(d galena.Decision) {
	r.resumed, r.deadline = true, -1
	r.before = int64(math.Round(d.Cents * 10_000))
	for _, c := range d.Steps {
		switch {
		case !strings.HasPrefix(c.Outcome, "error:"):
			r.paid[c.Provider] = true
		case c.Outcome == "error:"+string(galena.WrongSubject):
			r.asked[c.Provider] = true
		}
	}
}

// conclude ends a look: the vendors are still away, nothing changes, the lead
// moves, or it stays with a notice.
func (r *run) conclude(ctx context.Context, s galena.Step, old galena.Decision, log *slog.Logger) error {
	v := r.look(true)
	settled := v.score.Settled && v.outcome.Settled
	if due := r.later(settled, r.memory.Lead.DecidedAt); !due.IsZero() {
		r.p.Metrics.completed("waiting")
		away := strings.Join(slices.Sorted(maps.Keys(r.missed)), ", ")
		log.DebugContext(ctx, "completion waits", "away", away, "due", due)
		if err := r.p.Steps.Park(ctx, s, due, galena.Pending, "waits for "+away); err != nil {
			return err
		}
		r.answered(ctx, log)
		return nil
	}
	n := r.notice(v, old)
	if n.Kind == galena.NoticeToday && old.Epoch == s.Epoch && r.p.Now().Sub(old.DecidedAt) <= r.rules.Routing.SettleWindow() {
		err := r.move(ctx, s, v, old)
		if conflictOp(err) != "moved" {
			return err
		}
		log.DebugContext(ctx, "lead stays", "reason", noteOf(err)) // a person was faster
	}
	if err := r.p.Completions.Note(ctx, s, n, r.lesson(v, r.company(v), old.Epoch)); err != nil {
		return err
	}
	r.p.Metrics.completed(n.Kind)
	r.p.Wake() // a conflict may have been opened, of which somebody is told
	return nil
}

// answered looks whether a vendor that answers later did so while the lead was
// decided. The step of the second look is stored by now: either we see the answer,
// or whoever took it saw the step and handed it out.
func (r *run) answered(ctx context.Context, log *slog.Logger) {
	for provider, m := range r.missed {
		if !m.pending {
			continue
		}
		n, err := r.p.Completions.Awaken(ctx, provider, r.memory.CompanyDomain())
		if err != nil {
			log.DebugContext(ctx, "not seen whether an answer came", "provider", provider, "error", err)
		}
		if n > 0 {
			r.p.Wake()
		}
	}
}

// notice says what is known now, and whether the decision would be another one.
func (r *run) notice(v view, old galena.Decision) galena.Notice {
	n := galena.Notice{Epoch: old.Epoch, Kind: galena.NoticeUnchanged, At: r.p.Now().UTC(), Tier: v.score.Tier, Score: v.score.Score.Score,
		Lo: v.score.Lo, Hi: v.score.Hi, Rule: v.outcome.Rule, Stop: r.stop, Cents: galena.CentsOf(r.spent), Calls: len(r.steps),
		Text: fmt.Sprintf("completed: unchanged, score %s (%s to %s)", v.score.Score.Score, v.score.Lo, v.score.Hi)}
	if r.same(v, old) {
		return n
	}
	n.Kind, n.Text = galena.NoticeToday, "today this lead would be tier "+v.score.Tier
	if d := v.score.Disqualified; d != nil {
		n.Text = "today this lead would be disqualified: " + d.Reason
	}
	if v.outcome.Territory != "" {
		n.Text += " / " + v.outcome.Territory
	}
	return n
}

// same says that a new decision would be the old one: the same tier, and the
// same destination. Who of a pool takes the lead is the rotation's turn and no
// difference.
func (r *run) same(v view, old galena.Decision) bool {
	if v.score.Tier != old.Tier || v.outcome.Rule != old.Rule || disqualifier(v.score.Score) != disqualifier(old.Score) {
		return false
	}
	then, before := v.outcome, v.input
	then.Territory, before.Score, before.Facts = old.Territory, old.Score, old.Facts
	return r.rules.Routing.Destination(v.outcome, v.input) == r.rules.Routing.Destination(then, before)
}

func disqualifier(s galena.Score) string {
	if s.Disqualified == nil {
		return ""
	}
	return s.Disqualified.ID
}

// move decides the lead anew: the one rerouting that a decision made on too
// little is allowed.
func (r *run) move(ctx context.Context, s galena.Step, v view, old galena.Decision) error {
	lead, company := r.memory.Lead, r.company(v)
	pools, reps := r.rules.Routing.Locks(v.outcome, v.input)
	_, err := r.p.Mover.Move(ctx, galena.Move{
		Step: s, LeadID: lead.ID, From: old.Epoch, Reason: "settled", Actor: "galena", Refund: true, Untouched: true,
		Pools: pools, Reps: reps, Lesson: r.lesson(v, company, old.Epoch+1),
		// Whoever held the lead for these minutes may get it again: nobody gave it back.
		Settle: func(old galena.Decision, _ galena.Held, roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			a, candidates, changed := r.rules.Routing.Assign(v.outcome, v.input, roster, lead.ID, old.Epoch+1, galena.Held{})
			d := r.decision(v, a, candidates)
			deliveries, err := r.p.Announce.Rerouted(galena.Record{Lead: lead, Company: company, Decision: &d})
			return d, deliveries, changed, err
		},
	})
	if err == nil {
		r.p.Metrics.completed("rerouted")
		r.p.Wake()
	}
	return err
}

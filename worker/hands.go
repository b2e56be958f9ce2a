package worker

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/routing"
)

// Holders is the part of the store that knows who has a lead.
type Holders interface {
	Record(ctx context.Context, leadID string) (galena.Record, error)
	Standing(ctx context.Context, leadID string) (galena.Standing, error)
	Take(ctx context.Context, act galena.Act) (galena.Standing, []galena.TimerKind, error)
	Move(ctx context.Context, m galena.Move) (galena.Decision, error)
}

// Crier says what must be told of a lead that changes hands, and to whom.
type Crier interface {
	Rerouted(r galena.Record) ([]galena.Delivery, error)
	Breached(l galena.Lead, t galena.Timer, to, page string) ([]galena.Delivery, error)
}

// Hands is what becomes of a lead after it was assigned: reps accept it, touch
// it and hand it back, people give it to others, and clocks run out. Every move
// is the next decision of the lead.
//
//	accept, touch ───────────────► Take ─┐
//	hand-back, reassign ─► reroute ► Move ├─ one wins, under the lead's lock
//	clock: nudge … breach ► reroute ► Move ┘
type Hands struct {
	Store   Holders
	Tell    Crier
	Router  func() (*routing.Router, []galena.ConfigRef) // the rules in force
	Wake    func()
	Now     func() time.Time
	Metrics *SLAMetrics
	Log     *slog.Logger
}

// Standing is who has the lead, who had it before, and its clocks.
func (h *Hands) Standing(ctx context.Context, leadID string) (galena.Standing, error) {
	return h.Store.Standing(ctx, leadID)
}

// Take notes that a rep accepts or touches the lead. Whoever does not have it
// is told who does: Conflict with Op "moved".
func (h *Hands) Take(ctx context.Context, act galena.Act) (galena.Standing, error) {
	st, met, err := h.Store.Take(ctx, act)
	if err != nil {
		return st, err
	}
	for _, kind := range met {
		h.Metrics.count(kind, "met")
	}
	return st, nil
}

// HandBack takes the lead from its rep for one of HandBackReasons. Spam and
// duplicates end there; other leads go on to somebody who has not had them.
// Only who has no capacity pays for the turn. Said twice, it is done once.
func (h *Hands) HandBack(ctx context.Context, act galena.Act) (galena.Standing, error) {
	if !slices.Contains(galena.HandBackReasons(), act.Reason) {
		return galena.Standing{}, galena.Errorf(galena.Invalid, "worker.hand_back", "no such reason")
	}
	reason := galena.MoveHandBack(act.Reason)
	return h.act(ctx, act, reason, func(rec galena.Record, hold galena.Hold) (galena.Move, error) {
		if hold.Rep == "" || act.Rep != "" && act.Rep != hold.Rep {
			return galena.Move{}, notTheirs(hold)
		}
		if act.Reason == galena.HandBackSpam || act.Reason == galena.HandBackDuplicate {
			return h.closing(rec), nil
		}
		m := h.rerouting(rec, nil)
		m.Refund = act.Reason == galena.HandBackTerritory
		return m, nil
	})
}

// Reassign gives the lead to the rep or the pool that a person names.
func (h *Hands) Reassign(ctx context.Context, act galena.Act) (galena.Standing, error) {
	return h.act(ctx, act, galena.MoveReassign, func(rec galena.Record, _ galena.Hold) (galena.Move, error) {
		return h.giving(rec, act.To)
	})
}

// act moves the lead for a person, unless it was done before.
func (h *Hands) act(ctx context.Context, act galena.Act, reason string, plan func(galena.Record, galena.Hold) (galena.Move, error)) (galena.Standing, error) {
	rec, err := h.Store.Record(ctx, act.LeadID)
	if err != nil {
		return galena.Standing{}, err
	}
	st, err := h.Store.Standing(ctx, act.LeadID)
	if err != nil {
		return st, err
	}
	hold, ok := st.Current()
	switch {
	case !ok || rec.Decision == nil:
		return st, galena.Errorf(galena.Conflict, "moved", "the lead is not decided yet")
	case done(act, reason, st, hold):
		return st, nil
	case act.Epoch != 0 && act.Epoch != hold.Epoch:
		return st, notTheirs(hold)
	}
	m, err := plan(rec, hold)
	if err != nil {
		return st, err
	}
	m.LeadID, m.From, m.Reason, m.Actor, m.Note = act.LeadID, hold.Epoch, reason, act.Actor, act.Note
	if _, err := h.Store.Move(ctx, m); err != nil {
		return st, err
	}
	if given, ok := strings.CutPrefix(reason, galena.MoveHandBack("")); ok {
		h.Metrics.handBacks.WithLabelValues(given).Inc()
	}
	h.Wake()
	return h.Store.Standing(ctx, act.LeadID)
}

// done says that what is asked for is how things stand.
func done(act galena.Act, reason string, st galena.Standing, hold galena.Hold) bool {
	if reason == galena.MoveReassign {
		return act.To == hold.Rep && hold.Rep != ""
	}
	for _, past := range st.Holds[:len(st.Holds)-1] {
		same := act.Epoch == past.Epoch || act.Epoch == 0 && act.Rep != "" && act.Rep != hold.Rep
		if same && past.Reason == reason && (act.Rep == "" || act.Rep == past.Rep) {
			return true
		}
	}
	return false
}

func notTheirs(hold galena.Hold) error {
	return galena.Errorf(galena.Conflict, "moved", "moved to %s at %s", hold.To, hold.AssignedAt.UTC().Format("15:04:05")+" UTC")
}

// rerouting plans the move to whoever the rules name next. Besides is told with it.
func (h *Hands) rerouting(rec galena.Record, besides func(to galena.Assignment) ([]galena.Delivery, error)) galena.Move {
	router, refs := h.Router()
	o, in := rematch(router, *rec.Decision, h.Now())
	m := galena.Move{}
	m.Pools, m.Reps = router.Locks(o, in)
	m.Settle = func(old galena.Decision, past galena.Held, roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		a, candidates, changed := router.Assign(o, in, roster, old.LeadID, old.Epoch+1, past)
		next := succeed(old, o, a, candidates, refs)
		told, err := h.tell(rec, next)
		if err == nil && besides != nil {
			var more []galena.Delivery
			more, err = besides(a)
			told = append(told, more...)
		}
		return next, told, changed, err
	}
	return m
}

// giving plans the move to the rep or the pool that a person named.
func (h *Hands) giving(rec galena.Record, to string) (m galena.Move, err error) {
	router, refs := h.Router()
	o, in := rematch(router, *rec.Decision, h.Now())
	if m.Pools, m.Reps, err = router.GiveLocks(to); err != nil {
		return m, err
	}
	m.Settle = func(old galena.Decision, past galena.Held, roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		a, candidates, changed, err := router.Give(o, in, roster, old.LeadID, old.Epoch+1, past.Reps, to)
		if err != nil {
			return galena.Decision{}, nil, roster, err
		}
		next := succeed(old, o, a, candidates, refs)
		told, err := h.tell(rec, next)
		return next, told, changed, err
	}
	return m, nil
}

// rejected is where a lead ends that should never have come.
const rejected = "sink:reject"

// closing plans the end of a lead that is spam or a duplicate.
func (h *Hands) closing(rec galena.Record) galena.Move {
	return galena.Move{Refund: true, Settle: func(old galena.Decision, _ galena.Held, roster galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		next := old
		next.Assignment = galena.Assignment{LeadID: old.LeadID, Epoch: old.Epoch + 1, Rule: old.Rule, To: rejected, AssignedAt: h.Now()}
		next.Epoch, next.To, next.Owner, next.Candidates, next.DecidedAt, next.Took = old.Epoch+1, rejected, "", nil, h.Now(), 0
		told, err := h.tell(rec, next)
		return next, told, roster, err
	}}
}

func (h *Hands) tell(rec galena.Record, next galena.Decision) ([]galena.Delivery, error) {
	return h.Tell.Rerouted(galena.Record{Lead: rec.Lead, Company: rec.Company, Decision: &next})
}

// rematch tries the rules in force on what the decision knew.
func rematch(router *routing.Router, d galena.Decision, now time.Time) (routing.Outcome, routing.Input) {
	in := routing.Input{Score: d.Score, Reachable: []string{d.Tier}, Facts: d.Facts, Now: now, Final: true}
	return router.Match(in), in
}

// succeed is the next decision: the same lead, score and price in other hands.
func succeed(old galena.Decision, o routing.Outcome, a galena.Assignment, candidates []galena.Candidate, refs []galena.ConfigRef) galena.Decision {
	next := old
	next.Epoch, next.Assignment, next.To, next.Owner, next.Candidates = a.Epoch, a, a.To, a.Rep, candidates
	next.Rule, next.Territory, next.Tries, next.DecidedAt, next.Took = o.Rule, o.Territory, o.Tries, a.AssignedAt, 0
	next.Configs = slices.Clone(old.Configs)
	for _, ref := range refs {
		if i := slices.IndexFunc(next.Configs, func(c galena.ConfigRef) bool { return c.Kind == ref.Kind }); i >= 0 && ref.Kind == "Routing" {
			next.Configs[i] = ref
		}
	}
	return next
}

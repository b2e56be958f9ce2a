package sql

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Rule writes everything that one run decided, in one transaction: what was
// learnt, the conflicts, the rotation, the assignment, the owners, the decision and
// what is to be told of it. Settle is called under the locks of the pools and reps; it may
// be called again when Postgres ends the transaction in favour of another one.
//
// Runs that end at the same time share the transaction: each pool is locked once
// and the leads are settled one after the other, in the order of their arrival.
//
// A run that lost its step gets Conflict with Op "fence" and writes nothing. An
// epoch that was decided before returns that decision. A company that another
// rep took meanwhile is Conflict with Op "owner": decide again, with the owner.
func (s *Store) Rule(ctx context.Context, r galena.Ruling) (galena.Decision, error) {
	d, err := s.rulings.do(ctx, &r)
	return d, fault("sql.rule", err)
}

// rule writes the rulings of a group.
func (s *Store) rule(ctx context.Context, all []*galena.Ruling) (out []outcome[galena.Decision], err error) {
	words := make([][]marked, len(all))
	for i := range all {
		words[i] = s.recent.fresh(&all[i].Lesson)
	}
	var ours []*ruled
	err = s.inTx(ctx, "sql.rule", func(tx conn) error {
		out = make([]outcome[galena.Decision], len(all))
		companies := make([]galena.Company, len(all))
		for i, r := range all {
			companies[i] = r.Company
		}
		var digests []factsRow // asked on the way to the fence
		if err := s.digests(ctx, tx, &digests, companies...); err != nil {
			return err
		}
		held, err := s.endRuled(ctx, tx, all)
		if err != nil {
			return err
		}
		ours = nil
		for i, r := range all {
			if held[r.Step] {
				held[r.Step] = false // the same run twice in a group: the second finds the first's decision
				ours = append(ours, &ruled{Ruling: r, place: i, words: words[i]})
			}
		}
		if err := s.settleAll(ctx, tx, &digests, ours); err != nil {
			return err
		}
		for _, r := range ours {
			out[r.place].value = r.d
		}
		return s.decidedBefore(ctx, tx, all, ours, out)
	})
	if err == nil {
		for _, r := range ours {
			s.recent.wrote(r.words)
		}
	}
	return out, err
}

// ruled is one ruling of a group on its way.
type ruled struct {
	*galena.Ruling
	place int      // in the group
	words []marked // that are to be written
	d     galena.Decision
	told  []galena.Delivery
	moved creditLog
}

// endRuled ends the steps of the runs that hold theirs and whose epoch is not
// decided yet, and says which. It is the fence: the rows are locked until the
// transaction ends, and are as before when it fails.
func (s *Store) endRuled(ctx context.Context, tx conn, all []*galena.Ruling) (map[galena.Step]bool, error) {
	keys := make([]stepKey, len(all))
	for i, r := range all {
		keys[i] = stepKey{r.Step.Kind, r.Step.ID, r.Step.Epoch, r.Step.Run, r.Lead.ID}
	}
	a, err := table(tx, sortedKeys(keys))
	if err != nil {
		return nil, err
	}
	ended, err := list[stepKey](ctx, tx, "end-ruled-steps", a)
	if err != nil {
		return nil, err
	}
	held := map[galena.Step]bool{}
	for _, r := range all {
		held[r.Step] = slices.ContainsFunc(ended, func(k stepKey) bool {
			return k.Kind == r.Step.Kind && k.ID == r.Step.ID && k.Epoch == r.Step.Epoch
		})
	}
	return held, nil
}

// fence locks the step; false: this run does not hold it, or the epoch is decided.
func (s *Store) fence(ctx context.Context, tx conn, st galena.Step, leadID string) (bool, error) {
	a := runArgs(st.Kind, st.ID, st.Epoch, st.Run)
	a["lease"], a["lead_id"] = micros(s.now().Add(lease)), leadID
	n, err := tx.exec(ctx, "fence-step", a)
	return n == 1, err
}

// decidedBefore answers those whose run holds nothing: with the decision of the
// epoch, whose step it finishes should it have been brought back, or with the
// loss of the fence.
func (s *Store) decidedBefore(ctx context.Context, tx conn, all []*galena.Ruling, ours []*ruled, out []outcome[galena.Decision]) error {
	for i, r := range all {
		if slices.ContainsFunc(ours, func(o *ruled) bool { return o.place == i }) {
			continue
		}
		stored, err := one[decisionText](ctx, tx, "stored-decision", args{"lead_id": r.Lead.ID, "epoch": r.Step.Epoch})
		if missing(err) {
			out[i].err = lostFence()
			continue
		}
		if err != nil {
			return err
		}
		if _, err := endStep(ctx, tx, r.Step, ending{state: "done"}); err != nil && !missing(err) {
			return err
		}
		if out[i].value, err = stored.decision(); err != nil {
			return err
		}
	}
	return nil
}

// settleAll decides under the locks and writes what was decided.
func (s *Store) settleAll(ctx context.Context, tx conn, held *[]factsRow, all []*ruled) error {
	if len(all) == 0 {
		return nil
	}
	lessons := make([]galena.Lesson, len(all))
	var words []marked
	var pools, reps []string
	for i, r := range all {
		lessons[i], words = r.Lesson, append(words, r.words...)
		pools, reps = append(pools, r.Pools...), append(reps, r.Reps...)
	}
	opened, err := s.learn(ctx, tx, words, held, lessons...)
	if err != nil {
		return err
	}
	roster, err := s.lockRoster(ctx, tx, pools, reps, len(all))
	if err != nil {
		return err
	}
	before := roster.Roster
	for i, r := range all {
		if r.moved, err = r.settle(roster); err != nil {
			return err
		}
		r.told = append(r.told, opened[i]...)
	}
	return s.writeRulings(ctx, tx, all, before, roster.Roster)
}

// settle decides one lead on the roster that those before it left, and leaves it
// to those after it.
func (r *ruled) settle(roster *lockedRoster) (creditLog, error) {
	d, told, after, err := r.Settle(copyRoster(roster.Roster))
	if err != nil {
		return nil, err
	}
	d.LeadID, d.Epoch = r.Lead.ID, r.Step.Epoch
	r.d, r.told = d, slices.Clip(told)
	return roster.serve(after, d.Assignment), nil
}

// learn writes what needs no pool lock before any is taken, so that the locks
// are held for a shorter time, and returns what must be told of each lesson. words
// are those of the lessons that are not known to be there, held is as in learnFacts.
func (s *Store) learn(ctx context.Context, tx conn, words []marked, held *[]factsRow, lessons ...galena.Lesson) ([][]galena.Delivery, error) {
	companies := make([]galena.Company, len(lessons))
	for i, l := range lessons {
		companies[i] = l.Company
	}
	if err := s.learnFacts(ctx, tx, words, held, companies...); err != nil {
		return nil, err
	}
	return s.writeConflicts(ctx, tx, lessons)
}

// writeRulings writes what was decided: the rotation, the owners, the decisions
// with what follows from them.
func (s *Store) writeRulings(ctx context.Context, tx conn, all []*ruled, before, after galena.Roster) error {
	decisions := make([]galena.Decision, len(all))
	moved := make([]creditLog, len(all))
	var told []tidings
	var todo []stepRow
	for i, r := range all {
		decisions[i], moved[i] = r.d, r.moved
		told = append(told, tidings{r.Lead.ID, r.d.Epoch, r.told})
		if r.Audit {
			todo = append(todo, stepRow{Kind: galena.StepAudit, ID: r.Lead.ID, LeadID: r.Lead.ID, Epoch: r.d.Epoch, Run: 1, Queue: QueueBulk})
		}
	}
	if err := writeRoster(ctx, tx, before, after, decisions...); err != nil {
		return err
	}
	if err := insertAssignments(ctx, tx, decisions, moved); err != nil {
		return err
	}
	if err := s.holdAll(ctx, tx, all); err != nil {
		return err
	}
	if err := s.insertDecisions(ctx, tx, decisions); err != nil {
		return err
	}
	if err := s.decideLeads(ctx, tx, decisions); err != nil {
		return err
	}
	if err := s.startClocks(ctx, tx, decisions...); err != nil {
		return err
	}
	told2, err := s.insertDeliveries(ctx, tx, told...)
	if err != nil {
		return err
	}
	if err := s.lookLater(ctx, tx, all); err != nil {
		return err
	}
	return s.insertSteps(ctx, tx, append(todo, told2...))
}

// decideLeads marks the leads decided. One whose later epoch has begun has lost
// its fence.
func (s *Store) decideLeads(ctx context.Context, tx conn, decisions []galena.Decision) error {
	type row struct {
		ID    string `db:"id" json:"id"`
		Epoch int    `db:"epoch" json:"epoch"`
		At    int64  `db:"at" json:"at"`
	}
	list := make([]row, len(decisions))
	for i, d := range decisions {
		list[i] = row{d.LeadID, d.Epoch, micros(s.decidedAt(d))}
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	return tx.later(ctx, "decide-leads", a, func(changed int64) error {
		if int(changed) < len(list) {
			return lostFence()
		}
		return nil
	})
}

func (s *Store) decidedAt(d galena.Decision) time.Time {
	if d.DecidedAt.IsZero() {
		return s.now()
	}
	return d.DecidedAt
}

// lookLater plans what comes after the decisions that rest on old or too little data.
func (s *Store) lookLater(ctx context.Context, tx conn, all []*ruled) error {
	for _, r := range all {
		if r.Refresh != nil {
			if err := s.planRefresh(ctx, tx, *r.Refresh); err != nil {
				return err
			}
		}
		if !r.Later.IsZero() {
			if err := insertCompletion(ctx, tx, r.d, r.Later); err != nil {
				return err
			}
		}
	}
	return nil
}

type holderRow struct {
	Key    string `db:"email_key" json:"email_key"`
	Rep    string `db:"rep" json:"rep"`
	LeadID string `db:"lead_id" json:"lead_id"`
}

// holdAll makes each rep the holder of the person, and the owner of the company
// when the assignment says so.
func (s *Store) holdAll(ctx context.Context, tx conn, all []*ruled) error {
	last := map[string]holderRow{}
	for _, r := range all {
		if rep := r.d.Assignment.Rep; rep != "" && r.Lead.Key != "" {
			last[r.Lead.Key] = holderRow{r.Lead.Key, rep, r.Lead.ID}
		}
	}
	if len(last) > 0 {
		list := slices.SortedFunc(maps.Values(last), func(a, b holderRow) int { return cmp.Compare(a.Key, b.Key) })
		a, err := table(tx, list)
		if err != nil {
			return err
		}
		a["source"], a["now"] = "assignment", micros(s.now())
		if err := tx.later(ctx, "hold-persons", a, nil); err != nil {
			return err
		}
	}
	for _, r := range all {
		if err := s.ownCompany(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) ownCompany(ctx context.Context, tx conn, r *ruled) error {
	rep := r.d.Assignment.Rep
	if rep == "" || !r.d.Assignment.OwnCompany || r.Company.Domain == "" {
		return nil
	}
	a := args{"rep": rep, "source": "assignment", "lead_id": r.Lead.ID, "now": micros(s.now()),
		"email_key": r.Lead.Key, "domain": r.Company.Domain}
	n, err := tx.exec(ctx, "own-company", a)
	if err != nil || n == 1 {
		return err
	}
	owner, err := one[ownersRow](ctx, tx, "owners", a)
	if err == nil && owner.Company != "" && owner.Company != rep {
		return galena.Errorf(galena.Conflict, "owner", "another rep became the owner of the company meanwhile")
	}
	return err
}

type assignedRow struct {
	LeadID     string `db:"lead_id" json:"lead_id"`
	Epoch      int    `db:"epoch" json:"epoch"`
	Rep        string `db:"rep" json:"rep"`
	Pool       string `db:"pool" json:"pool"`
	Rule       string `db:"rule" json:"rule"`
	Target     string `db:"target" json:"target"`
	Status     string `db:"status" json:"status"`
	Counts     bool   `db:"counts" json:"counts"`
	Seq        int64  `db:"seq" json:"seq"`
	Day        string `db:"day" json:"day"`
	Credits    string `db:"credits" json:"credits"`
	AcceptBy   int64  `db:"accept_by" json:"accept_by"`
	TouchBy    int64  `db:"touch_by" json:"touch_by"`
	AssignedAt int64  `db:"assigned_at" json:"assigned_at"`
}

func insertAssignments(ctx context.Context, tx conn, decisions []galena.Decision, moved []creditLog) error {
	list := make([]assignedRow, len(decisions))
	for i, d := range decisions {
		credits, err := text(moved[i])
		if err != nil {
			return err
		}
		a := d.Assignment
		status := "open"
		if a.Rep == "" {
			status = "closed" // a sink or a queue holds it: no rep's open lead
		}
		list[i] = assignedRow{d.LeadID, d.Epoch, a.Rep, a.Pool, a.Rule, a.To, status, a.Counts, a.Seq, a.Day, credits,
			micros(a.AcceptBy), micros(a.TouchBy), micros(a.AssignedAt)}
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	return tx.later(ctx, "insert-assignments", a, nil)
}

type decisionRow struct {
	LeadID      string  `db:"lead_id" json:"lead_id"`
	Epoch       int     `db:"epoch" json:"epoch"`
	Tier        string  `db:"tier" json:"tier"`
	Score       int64   `db:"score" json:"score"`
	Lo          int64   `db:"lo" json:"lo"`
	Hi          int64   `db:"hi" json:"hi"`
	Coverage    float64 `db:"coverage" json:"coverage"`
	Confidence  float64 `db:"confidence" json:"confidence"`
	Settled     bool    `db:"settled" json:"settled"`
	Provisional bool    `db:"provisional" json:"provisional"`
	Undecided   bool    `db:"undecided" json:"undecided"`
	Stop        string  `db:"stop" json:"stop"`
	Rule        string  `db:"rule" json:"rule"`
	Target      string  `db:"target" json:"target"`
	Owner       string  `db:"owner" json:"owner"`
	Territory   string  `db:"territory" json:"territory"`
	Calls       int     `db:"calls" json:"calls"`
	CostMicros  int64   `db:"cost_micros" json:"cost_micros"`
	TookUS      int64   `db:"took_us" json:"took_us"`
	DecidedAt   int64   `db:"decided_at" json:"decided_at"`
	Sheet       string  `db:"sheet" json:"sheet"`
	Body        string  `db:"body" json:"body"`
}

// insertDecisions writes decisions, and what they share with others of their
// company unless it is there.
func (s *Store) insertDecisions(ctx context.Context, tx conn, decisions []galena.Decision) error {
	list := make([]decisionRow, len(decisions))
	unknown := map[string]string{}
	var said digestible
	for i, d := range decisions {
		names, shared, rest := takeSheet(d)
		hash := shared.hash(names, &said)
		var err error
		if _, ok := unknown[hash]; !ok && !s.sheets.has(hash) {
			if unknown[hash], err = shared.text(names); err != nil {
				return err
			}
		}
		body, err := rest.text()
		if err != nil {
			return err
		}
		list[i] = decisionRow{d.LeadID, d.Epoch, d.Tier, int64(d.Score.Score), int64(d.Lo), int64(d.Hi), d.Coverage, d.Confidence,
			d.Settled, d.Provisional, d.Undecided, string(d.Stop), d.Rule, d.To, d.Owner, d.Territory, d.Calls,
			int64(math.Round(d.Cents * 10_000)), d.Took.Microseconds(), micros(d.DecidedAt), hash, body}
	}
	if err := s.insertSheets(ctx, tx, unknown); err != nil {
		return err
	}
	tx.after(func() { s.sheets.add(slices.Collect(maps.Keys(unknown))) })
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	return tx.later(ctx, "insert-decisions", a, nil)
}

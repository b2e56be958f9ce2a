package sql

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Move makes the next decision of a lead and closes the assignment before it,
// in one transaction. The lead's row is locked first, so that of all who accept,
// touch or move a lead at the same instant one wins and the others are told.
//
// A step whose run is lost gets Conflict with Op "fence". Conflict with Op
// "moved" says in its text who has the lead, since when; then nothing is written.
func (s *Store) Move(ctx context.Context, m galena.Move) (galena.Decision, error) {
	var out galena.Decision
	err := s.inTx(ctx, "sql.move", func(tx conn) error {
		lead, err := s.lockLead(ctx, tx, m.LeadID)
		if err != nil {
			return err
		}
		if err := s.holdStep(ctx, tx, m.Step); err != nil {
			return err
		}
		trail, err := trail(ctx, tx, m.LeadID)
		if err != nil {
			return err
		}
		if err := movable(m, lead, trail); err != nil {
			return err
		}
		if err := s.stopClocks(ctx, tx, m, trail[len(trail)-1]); err != nil {
			return err
		}
		learnt, err := s.learn(ctx, tx, markedLesson(m.Lesson), nil, m.Lesson)
		if err != nil {
			return err
		}
		out, err = s.move(ctx, tx, m, lead, trail, learnt[0])
		return err
	})
	if err != nil {
		return galena.Decision{}, err
	}
	return out, nil
}

// lockedLead is what a lead's lock protects.
type lockedLead struct {
	Epoch  int    `db:"epoch"`
	Status string `db:"status"`
	Key    string `db:"email_key"`
	Domain string `db:"domain"`
}

func (s *Store) lockLead(ctx context.Context, tx conn, id string) (lockedLead, error) {
	return one[lockedLead](ctx, tx, "lock-lead", args{"lead_id": id})
}

func (s *Store) holdStep(ctx context.Context, tx conn, st galena.Step) error {
	if st.Kind == "" {
		return nil
	}
	a := runArgs(st.Kind, st.ID, st.Epoch, st.Run)
	a["lease"] = micros(s.now().Add(lease))
	n, err := tx.exec(ctx, "hold-step", a)
	if err == nil && n == 0 {
		return lostFence()
	}
	return err
}

// assignmentRow is one epoch of a lead's way from hand to hand.
type assignmentRow struct {
	LeadID     string `db:"lead_id"`
	Epoch      int    `db:"epoch"`
	Rep        string `db:"rep"`
	Pool       string `db:"pool"`
	Rule       string `db:"rule"`
	To         string `db:"target"`
	Status     string `db:"status"`
	Counts     bool   `db:"counts"`
	Credits    string `db:"credits"`
	AcceptBy   int64  `db:"accept_by"`
	TouchBy    int64  `db:"touch_by"`
	AssignedAt int64  `db:"assigned_at"`
	AcceptedAt int64  `db:"accepted_at"`
	TouchedAt  int64  `db:"touched_at"`
	ClosedAt   int64  `db:"closed_at"`
	Reason     string `db:"close_reason"`
	ClosedBy   string `db:"closed_by"`
	Note       string `db:"close_note"`
}

func trail(ctx context.Context, c conn, leadID string) ([]assignmentRow, error) {
	return list[assignmentRow](ctx, c, "assignments", args{"lead_id": leadID})
}

// movable refuses a move that comes too late, in words for the person who asked.
func movable(m galena.Move, lead lockedLead, trail []assignmentRow) error {
	if lead.Status != string(galena.StatusDecided) || len(trail) == 0 {
		return galena.Errorf(galena.Conflict, "moved", "the lead is not decided yet")
	}
	held := trail[len(trail)-1]
	if lead.Epoch != m.From || held.Epoch != m.From {
		return movedTo(held)
	}
	if m.Untouched && held.AcceptedAt > 0 {
		return acceptedBy(held)
	}
	if m.Untouched && len(trail) > 1 {
		return movedTo(held) // once is all that such a move may happen
	}
	return nil
}

// stopClocks voids the clocks of the epoch that is over. A move that a clock
// asks for is refused when that clock was stopped first.
func (s *Store) stopClocks(ctx context.Context, tx conn, m galena.Move, held assignmentRow) error {
	if m.Step.Kind == galena.StepSLA {
		kind := galena.TimerKind(strings.TrimPrefix(m.Step.ID, m.LeadID+":"))
		was, err := s.stop(ctx, tx, m.LeadID, m.From, kind, galena.TimerBreached)
		if err != nil {
			return err
		}
		if !was {
			return acceptedBy(held)
		}
	}
	for _, kind := range []galena.TimerKind{galena.ClockAccept, galena.ClockTouch, galena.ClockWait} {
		if _, err := s.stop(ctx, tx, m.LeadID, m.From, kind, galena.TimerVoid); err != nil {
			return err
		}
	}
	return nil
}

func acceptedBy(a assignmentRow) error {
	return galena.Errorf(galena.Conflict, "moved", "accepted by %s at %s", a.To, clockTime(a.AcceptedAt))
}

func movedTo(a assignmentRow) error {
	return galena.Errorf(galena.Conflict, "moved", "moved to %s at %s", a.To, clockTime(a.AssignedAt))
}

func clockTime(us int64) string { return at(us).UTC().Format("15:04:05") + " UTC" }

// move runs under the lead's lock. learnt is told besides what Settle says.
func (s *Store) move(ctx context.Context, tx conn, m galena.Move, lead lockedLead, trail []assignmentRow, learnt []galena.Delivery) (d galena.Decision, err error) {
	held := trail[len(trail)-1]
	stored, err := one[decisionText](ctx, tx, "stored-decision", args{"lead_id": m.LeadID, "epoch": m.From})
	if err != nil {
		return d, err
	}
	old, err := stored.decision()
	if err != nil {
		return d, err
	}
	roster, returned, err := s.takeBack(ctx, tx, m, held)
	if err != nil {
		return d, err
	}
	before := roster.Roster
	d, told, after, err := m.Settle(old, past(trail, m.Reason), copyRoster(before))
	if err != nil {
		return d, err
	}
	d.LeadID, d.Epoch = m.LeadID, m.From+1
	d.Assignment.LeadID, d.Assignment.Epoch = d.LeadID, d.Epoch
	if err := s.closeAssignment(ctx, tx, m, returned); err != nil {
		return d, err
	}
	moved := roster.serve(after, d.Assignment)
	if err := writeRoster(ctx, tx, before, roster.Roster, d); err != nil {
		return d, err
	}
	if err := insertAssignments(ctx, tx, []galena.Decision{d}, []creditLog{moved}); err != nil {
		return d, err
	}
	if err := s.passOn(ctx, tx, m, lead, held, d.Assignment); err != nil {
		return d, err
	}
	return d, s.writeMove(ctx, tx, m, d, append(told, learnt...))
}

// past is what became of the lead so far; the last who has it loses it for the reason.
func past(trail []assignmentRow, reason string) galena.Held {
	var out galena.Held
	trail = slices.Clone(trail)
	trail[len(trail)-1].Reason = reason
	for _, a := range trail {
		if a.Rep != "" && !slices.Contains(out.Reps, a.Rep) {
			out.Reps = append(out.Reps, a.Rep)
		}
		if a.Reason == galena.MoveSLA {
			out.Breaches++
		}
	}
	return out
}

// creditLog is what moved in a rotation: pool -> rep -> [before, after].
type creditLog map[string]map[string][2]int64

// takeBack locks the rotation and frees the rep who loses the lead. With a
// refund the turn is undone: the rep gets the lead's 1,000,000 back and nobody
// keeps the share that the turn had credited, so that a pool still sums to zero.
func (s *Store) takeBack(ctx context.Context, tx conn, m galena.Move, held assignmentRow) (*lockedRoster, creditLog, error) {
	turn := creditLog{}
	var err error
	if m.Refund && held.Counts {
		if turn, err = parse[creditLog](held.Credits); err != nil {
			return nil, nil, err
		}
	}
	reps := slices.Clone(m.Reps)
	if held.Rep != "" {
		reps = append(reps, held.Rep)
	}
	roster, err := s.lockRoster(ctx, tx, slices.AppendSeq(slices.Clone(m.Pools), maps.Keys(turn)), reps, 1)
	if err != nil {
		return roster, nil, err
	}
	if held.Rep != "" && held.Status == "open" {
		state := roster.Reps[held.Rep]
		state.Open--
		roster.Reps[held.Rep] = state
		if _, err := tx.exec(ctx, "serve-rep", args{"id": held.Rep, "last_seq": 0, "open_leads": -1}); err != nil {
			return roster, nil, err
		}
	}
	returned, err := undo(ctx, tx, turn, roster.Roster)
	return roster, returned, err
}

// undo takes a turn's credits back, in the roster and in its rows.
func undo(ctx context.Context, tx conn, turn creditLog, roster galena.Roster) (creditLog, error) {
	returned := creditLog{}
	var changed []memberRow
	for _, pool := range slices.Sorted(maps.Keys(turn)) {
		returned[pool] = map[string][2]int64{}
		for _, rep := range slices.Sorted(maps.Keys(turn[pool])) {
			was := roster.Credits[pool][rep]
			is := was - (turn[pool][rep][1] - turn[pool][rep][0])
			roster.Credits[pool][rep] = is
			returned[pool][rep] = [2]int64{was, is}
			changed = append(changed, memberRow{pool, rep, is})
		}
	}
	if len(changed) == 0 {
		return returned, nil
	}
	param, err := rows(changed)
	if err != nil {
		return returned, err
	}
	_, err = tx.exec(ctx, "set-credits", args{"rows": param})
	return returned, err
}

func (s *Store) closeAssignment(ctx context.Context, tx conn, m galena.Move, returned creditLog) error {
	log, err := text(returned)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "close-assignment", args{"lead_id": m.LeadID, "epoch": m.From, "now": micros(s.now()),
		"reason": m.Reason, "actor": m.Actor, "note": m.Note, "returned": log})
	return err
}

// passOn makes the new rep the holder of the person. A duplicate is its rep's word that
// the person has another lead, and leaves them where they are. The account stays with
// its owner, whom colleagues follow; only a person who reassigns the lead takes it
// along, one that this very lead gave away is given anew when the lead's decision
// settles, and an account that nobody owns gets its first owner.
func (s *Store) passOn(ctx context.Context, tx conn, m galena.Move, lead lockedLead, held assignmentRow, a galena.Assignment) error {
	company, domains, err := companyOf(ctx, tx, lead.Domain) // an account is owned by its own name
	if err != nil {
		return err
	}
	p, err := s.lists(map[string][]string{"domains": domains})
	if err != nil {
		return err
	}
	maps.Copy(p, args{"lead_id": m.LeadID, "rep": a.Rep, "from_rep": held.Rep, "source": "assignment",
		"email_key": lead.Key, "domain": company, "now": micros(s.now())})
	if lead.Key != "" && m.Reason != galena.MoveHandBack(galena.HandBackDuplicate) {
		name := "pass-person"
		if a.Rep == "" {
			name = "leave-person"
		}
		if _, err := tx.exec(ctx, name, p); err != nil {
			return err
		}
	}
	if lead.Domain != "" && m.Reason == galena.MoveSettled {
		if _, err := tx.exec(ctx, "leave-company", p); err != nil {
			return err
		}
	}
	if lead.Domain == "" || a.Rep == "" {
		return nil
	}
	if m.Reason == galena.MoveReassign && held.Rep != "" {
		if _, err := tx.exec(ctx, "pass-company", p); err != nil {
			return err
		}
	}
	if !a.OwnCompany {
		return nil
	}
	_, err = tx.exec(ctx, "own-company", p)
	return err
}

// writeMove writes the decision and what must be told of it.
func (s *Store) writeMove(ctx context.Context, tx conn, m galena.Move, d galena.Decision, told []galena.Delivery) error {
	if err := s.insertDecisions(ctx, tx, []galena.Decision{d}); err != nil {
		return err
	}
	n, err := tx.exec(ctx, "move-lead", args{"lead_id": m.LeadID, "epoch": d.Epoch})
	if err != nil {
		return err
	}
	if n == 0 {
		return galena.Errorf(galena.Internal, "sql.move", "the lead changed under its lock")
	}
	if err := s.startClocks(ctx, tx, d); err != nil {
		return err
	}
	todo, err := s.insertDeliveries(ctx, tx, tidings{m.LeadID, d.Epoch, told})
	if err != nil {
		return err
	}
	if err := s.insertSteps(ctx, tx, todo); err != nil || m.Step.Kind == "" {
		return err
	}
	_, err = endStep(ctx, tx, m.Step, ending{state: "done"})
	return err
}

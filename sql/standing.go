package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// Standing reads who has a lead, who had it before, and its clocks. It has no
// holds while the lead is undecided, or unknown.
func (s *Store) Standing(ctx context.Context, leadID string) (galena.Standing, error) {
	out, err := standing(ctx, s.reader(), leadID)
	return out, fault("sql.standing", err)
}

func standing(ctx context.Context, c conn, leadID string) (galena.Standing, error) {
	out := galena.Standing{LeadID: leadID}
	way, err := trail(ctx, c, leadID)
	if err != nil {
		return out, err
	}
	for _, a := range way {
		out.Epoch = a.Epoch
		out.Holds = append(out.Holds, a.hold())
	}
	timers, err := list[timerRow](ctx, c, "timers", args{"lead_id": leadID})
	for _, t := range timers {
		out.Timers = append(out.Timers, t.timer())
	}
	return out, err
}

func (a assignmentRow) hold() galena.Hold {
	return galena.Hold{Epoch: a.Epoch, Rule: a.Rule, Pool: a.Pool, Rep: a.Rep, To: a.To, AssignedAt: at(a.AssignedAt),
		AcceptedAt: at(a.AcceptedAt), TouchedAt: at(a.TouchedAt), ClosedAt: at(a.ClosedAt), Reason: a.Reason,
		ClosedBy: a.ClosedBy, Note: a.Note}
}

// Take notes that the rep has accepted the lead or, with Touch, been in touch
// with the person, and stops the clocks that this meets. It returns those. Doing
// it again changes nothing. Whoever does not have the lead is told who does,
// by Conflict with Op "moved".
func (s *Store) Take(ctx context.Context, act galena.Act) (galena.Standing, []galena.TimerKind, error) {
	var out galena.Standing
	var met []galena.TimerKind
	err := s.inTx(ctx, "sql.take", func(tx conn) error {
		met = nil
		lead, err := s.lockLead(ctx, tx, act.LeadID)
		if err != nil {
			return err
		}
		way, err := trail(ctx, tx, act.LeadID)
		if err != nil {
			return err
		}
		if err := mine(act, lead, way); err != nil {
			return err
		}
		if met, err = s.take(ctx, tx, act, lead.Epoch); err != nil {
			return err
		}
		out, err = standing(ctx, tx, act.LeadID)
		return err
	})
	if err != nil {
		return galena.Standing{}, nil, err
	}
	return out, met, nil
}

// mine refuses whoever does not have the lead.
func mine(act galena.Act, lead lockedLead, way []assignmentRow) error {
	if lead.Status != string(galena.StatusDecided) || len(way) == 0 {
		return galena.Errorf(galena.Conflict, "moved", "the lead is not decided yet")
	}
	held := way[len(way)-1]
	if act.Epoch != 0 && act.Epoch != held.Epoch || held.Rep == "" || act.Rep != "" && act.Rep != held.Rep {
		return movedTo(held)
	}
	return nil
}

func (s *Store) take(ctx context.Context, tx conn, act galena.Act, epoch int) ([]galena.TimerKind, error) {
	a := args{"lead_id": act.LeadID, "epoch": epoch, "now": micros(s.now())}
	stops := []galena.TimerKind{galena.ClockAccept, galena.ClockWait}
	if _, err := tx.exec(ctx, "accept-assignment", a); err != nil {
		return nil, err
	}
	if act.Touch {
		stops = append(stops, galena.ClockTouch)
		if _, err := tx.exec(ctx, "touch-assignment", a); err != nil {
			return nil, err
		}
	}
	var met []galena.TimerKind
	for _, kind := range stops {
		was, err := s.stop(ctx, tx, act.LeadID, epoch, kind, galena.TimerMet)
		if err != nil {
			return nil, err
		}
		if was {
			met = append(met, kind)
		}
	}
	return met, nil
}

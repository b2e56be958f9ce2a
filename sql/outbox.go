package sql

import (
	"cmp"
	"context"
	"slices"

	"github.com/galenahq/galena"
)

// ClaimOutbox takes up to limit steps that are to be put on the queue, oldest
// first. They are ours for 5 seconds; a relay that dies loses nothing. No
// transaction stays open.
func (s *Store) ClaimOutbox(ctx context.Context, limit int) ([]galena.Step, error) {
	const op = "sql.claim_outbox"
	now := s.now()
	var found []stepRow
	err := s.inTx(ctx, op, func(tx conn) (err error) {
		found, err = list[stepRow](ctx, tx, "claim-outbox",
			args{"now": micros(now), "until": micros(now.Add(outboxMark)), "limit": limit})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b stepRow) int { return cmp.Compare(a.Outbox, b.Outbox) })
	return steps(found), nil
}

// PutOutbox leaves steps to the relay that the courier could not bring to the queue.
func (s *Store) PutOutbox(ctx context.Context, left []galena.Step) error {
	if len(left) == 0 {
		return nil
	}
	runs := make([]stepRow, len(left))
	for i, st := range left {
		runs[i] = stepRow{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch, Run: st.Run, Queue: st.Queue}
	}
	return fault("sql.put_outbox", s.toOutbox(ctx, s.writer(), runs))
}

// DropOutbox forgets the outbox rows of steps that are on the queue now.
func (s *Store) DropOutbox(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := rows(ids)
	if err != nil {
		return fault("sql.drop_outbox", err)
	}
	_, err = s.do(ctx, "sql.drop_outbox", "drop-outbox", args{"ids": list})
	return err
}

// Suspects lists up to limit steps that nobody seems to work on: the lease ran
// out, the wait is over, or they were handed to the queue more than 10 seconds
// ago and never begun. Steps that still stand in the outbox are not among them.
// Of those on which two workers died in a row there is one at a time, the next
// when it has ended or after 3 seconds, so that no two of them share a worker,
// and it says how many others died within 5 minutes. Where as many did, workers die
// of something else, and up to the third time nobody waits for his turn.
func (s *Store) Suspects(ctx context.Context, limit int) ([]galena.Step, error) {
	now := s.now()
	found, err := list[stepRow](ctx, s.reader(), "suspects",
		args{"now": micros(now), "lapsed": micros(now.Add(-lease)), "apart": micros(now.Add(-apart)),
			"recent": micros(now.Add(-deathsKept)), "stale": micros(now.Add(-unbegun)), "limit": limit})
	return steps(found), fault("sql.suspects", err)
}

// Rehand hands steps out again: their run rises, and what still carries the old
// one may write no more. It says how many; a step that somebody took, finished
// or handed out meanwhile is left alone. Where a worker died on the step that is
// counted.
func (s *Store) Rehand(ctx context.Context, again []galena.Step) (int, error) {
	const op = "sql.rehand"
	if len(again) == 0 {
		return 0, nil
	}
	wanted, err := stepList(again)
	if err != nil {
		return 0, fault(op, err)
	}
	raised := 0
	err = s.inTx(ctx, op, func(tx conn) error {
		a := args{"rows": wanted, "now": micros(s.now())}
		found, err := list[stepRow](ctx, tx, "rehand-steps", a)
		raised = len(found)
		if err != nil || raised == 0 {
			return err
		}
		for _, r := range found {
			if r.Kills == 0 {
				continue
			}
			if err := s.noteDeath(ctx, tx, r.Worker); err != nil {
				return err
			}
		}
		return s.handOver(ctx, tx, found)
	})
	if err != nil {
		return 0, err
	}
	return raised, nil
}

// Awaken hands out the second looks at leads of a company that wait, unless the
// provider's call about it is still under way; it says how many.
func (s *Store) Awaken(ctx context.Context, provider, domain string) (int, error) {
	waiting, err := list[stepRow](ctx, s.reader(), "waiting-completions",
		args{"kind": galena.StepComplete, "provider": provider, "domain": domain})
	if err != nil {
		return 0, fault("sql.awaken", err)
	}
	return s.Rehand(ctx, steps(waiting))
}

// Backlog says how much waits.
func (s *Store) Backlog(ctx context.Context) (galena.Backlog, error) {
	r, err := one[struct {
		Outbox    int   `db:"outbox"`
		Undecided int   `db:"undecided"`
		Oldest    int64 `db:"oldest"`
	}](ctx, s.reader(), "backlog", args{"kind": galena.StepLead})
	return galena.Backlog{Outbox: r.Outbox, Undecided: r.Undecided, OldestUndecided: at(r.Oldest)}, fault("sql.backlog", err)
}

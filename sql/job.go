package sql

import (
	"context"
	"time"
)

// setBack is by how much the last run of a job must lie ahead to show that the clock was
// put back: more than any transaction takes from reading it to the claim.
const setBack = time.Minute

// ClaimJob gives the current tick of a periodic job to one holder. Ticks are cut
// by the database's clock, so it does not matter what the processes take for the
// time. The tick is the holder's until its end; a holder that dies is replaced
// at the next one. Where that clock was ahead for a while the ticks that it gave out
// then do not count. wait is when to ask again: at the next tick, or soon where an
// earlier run still holds the job.
func (s *Store) ClaimJob(ctx context.Context, name, holder string, every time.Duration) (ours bool, wait time.Duration, err error) {
	err = s.inTx(ctx, "sql.claim_job", func(tx conn) error {
		now, err := one[int64](ctx, tx, "instant", args{})
		if err != nil {
			return err
		}
		tick := now - now%every.Microseconds()
		wait = time.Duration(tick+every.Microseconds()-now) * time.Microsecond
		n, err := tx.exec(ctx, "claim-job", args{"name": name, "holder": holder, "tick": tick, "now": now,
			"held_until": now + every.Microseconds(), "ahead": now + setBack.Microseconds()})
		if ours = n == 1; ours || err != nil {
			return err
		}
		last, err := one[int64](ctx, tx, "job-tick", args{"name": name})
		if err == nil && last < tick {
			wait = min(wait, every/10)
		}
		return err
	})
	return ours && err == nil, wait, err
}

// ReleaseJob says that the holder's run has ended.
func (s *Store) ReleaseJob(ctx context.Context, name, holder string) error {
	_, err := s.do(ctx, "sql.release_job", "release-job", args{"name": name, "holder": holder})
	return err
}

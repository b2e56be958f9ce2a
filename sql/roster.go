package sql

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// lockedRoster is the rotation under its locks, and the numbers that assignments
// may take.
type lockedRoster struct {
	galena.Roster
	next []int64
}

// lockRoster locks the pools and then the reps, each in the order of their ids,
// and reads what they protect, with numbers for so many leads. Every transaction
// locks in this order, so that no two wait for each other. Rows that are missing
// are made. What the locks protect is read by statements of their own: a
// statement that waited for a lock still sees the other rows as they were before
// it waited.
func (s *Store) lockRoster(ctx context.Context, tx conn, pools, reps []string, leads int) (*lockedRoster, error) {
	roster := &lockedRoster{Roster: galena.Roster{Credits: map[string]map[string]int64{}, Reps: map[string]galena.RepState{}}}
	all := map[string]bool{}
	for _, rep := range reps {
		all[rep] = true
	}
	if pools = sorted(pools); len(pools) > 0 {
		if _, err := lockRows[poolRow](ctx, tx, "pools", pools); err != nil {
			return roster, err
		}
		members, err := credits(ctx, tx, pools)
		if err != nil {
			return roster, err
		}
		for _, pool := range pools {
			roster.Credits[pool] = map[string]int64{}
		}
		for _, m := range members {
			roster.Credits[m.Pool][m.Rep] = m.Credit
			all[m.Rep] = true
		}
	}
	ids := slices.Sorted(maps.Keys(all))
	if len(ids) == 0 {
		return roster, nil
	}
	if err := s.readReps(ctx, tx, ids, roster.Reps); err != nil {
		return roster, err
	}
	var err error
	if roster.next, err = list[int64](ctx, tx, "next-seqs", args{"n": leads}); err == nil {
		roster.NextSeq = roster.next[0]
	}
	return roster, err
}

// serve takes over what Settle made of its copy of the roster, for the lead that
// is settled next, and returns the log of the credits. The reps' counters must
// be right whatever Settle made of them: the lead is counted here.
func (r *lockedRoster) serve(after galena.Roster, a galena.Assignment) creditLog {
	log, now := creditLog{}, copyRoster(r.Roster)
	for pool, members := range after.Credits {
		for rep, is := range members {
			was := r.Credits[pool][rep]
			if was == is {
				continue
			}
			if log[pool] == nil {
				log[pool] = map[string][2]int64{}
			}
			if now.Credits[pool] == nil {
				now.Credits[pool] = map[string]int64{}
			}
			log[pool][rep], now.Credits[pool][rep] = [2]int64{was, is}, is
		}
	}
	used := a.Seq != 0 && a.Seq == r.NextSeq
	for id, changed := range after.Reps {
		used = used || changed.LastSeq == r.NextSeq
		state := now.Reps[id]
		state.LastSeq = max(state.LastSeq, changed.LastSeq)
		now.Reps[id] = state
	}
	if a.Rep != "" {
		state := now.Reps[a.Rep]
		if state.Open++; a.Day != "" {
			if state.Days == nil {
				state.Days = map[string]int{}
			}
			state.Days[a.Day]++
		}
		now.Reps[a.Rep] = state
	}
	if used && len(r.next) > 1 {
		r.next = r.next[1:]
		now.NextSeq = r.next[0]
	}
	r.Roster = now
	return log
}

type poolRow struct {
	ID string `db:"id"`
}

type repRow struct {
	ID      string `db:"id"`
	LastSeq int64  `db:"last_seq"`
	Open    int    `db:"open_leads"`
}

// lockRows runs lock-<what>, makes the missing rows, and locks again.
func lockRows[T any](ctx context.Context, tx conn, what string, ids []string) ([]T, error) {
	param, err := rows(ids)
	if err != nil {
		return nil, err
	}
	found, err := list[T](ctx, tx, "lock-"+what, args{"ids": param})
	if err != nil || len(found) == len(ids) {
		return found, err
	}
	if _, err := tx.exec(ctx, "insert-"+what, args{"ids": param}); err != nil {
		return nil, err
	}
	return list[T](ctx, tx, "lock-"+what, args{"ids": param})
}

type memberRow struct {
	Pool   string `json:"pool" db:"pool"`
	Rep    string `json:"rep" db:"rep"`
	Credit int64  `json:"credit" db:"credit"`
}

func credits(ctx context.Context, tx conn, pools []string) ([]memberRow, error) {
	param, err := rows(pools)
	if err != nil {
		return nil, err
	}
	return list[memberRow](ctx, tx, "credits", args{"ids": param})
}

// readReps locks the reps and reads their counters; days before the day before
// yesterday are over in every time zone.
func (s *Store) readReps(ctx context.Context, tx conn, ids []string, into map[string]galena.RepState) error {
	found, err := lockRows[repRow](ctx, tx, "reps", ids)
	if err != nil {
		return err
	}
	for _, r := range found {
		into[r.ID] = galena.RepState{LastSeq: r.LastSeq, Open: r.Open, Days: map[string]int{}}
	}
	param, err := rows(ids)
	if err != nil {
		return err
	}
	days, err := list[struct {
		Rep      string `db:"rep"`
		Day      string `db:"day"`
		Assigned int    `db:"assigned"`
	}](ctx, tx, "rep-days", args{"ids": param, "since": s.now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)})
	for _, d := range days {
		into[d.Rep].Days[d.Day] = d.Assigned
	}
	return err
}

// copyRoster lets Settle change its roster in place.
func copyRoster(r galena.Roster) galena.Roster {
	out := galena.Roster{Credits: map[string]map[string]int64{}, Reps: map[string]galena.RepState{}, NextSeq: r.NextSeq}
	for pool, members := range r.Credits {
		out.Credits[pool] = maps.Clone(members)
	}
	for id, rep := range r.Reps {
		rep.Days = maps.Clone(rep.Days)
		out.Reps[id] = rep
	}
	return out
}

// writeRoster writes the credits and last numbers that changed, and counts each
// assignment for its rep.
func writeRoster(ctx context.Context, tx conn, before, after galena.Roster, decisions ...galena.Decision) error {
	var changed []memberRow
	for _, pool := range slices.Sorted(maps.Keys(after.Credits)) {
		for _, rep := range slices.Sorted(maps.Keys(after.Credits[pool])) {
			if is := after.Credits[pool][rep]; before.Credits[pool][rep] != is {
				changed = append(changed, memberRow{pool, rep, is})
			}
		}
	}
	if len(changed) > 0 {
		param, err := rows(changed)
		if err != nil {
			return err
		}
		if err := tx.later(ctx, "set-credits", args{"rows": param}, nil); err != nil {
			return err
		}
	}
	return serveReps(ctx, tx, before, after, decisions)
}

// serveReps adds to what stands in the rows.
func serveReps(ctx context.Context, tx conn, before, after galena.Roster, decisions []galena.Decision) error {
	served := map[string]int{}
	days := map[[2]string]int{}
	for rep, state := range after.Reps {
		if state.LastSeq != before.Reps[rep].LastSeq {
			served[rep] = 0
		}
	}
	for _, d := range decisions {
		if a := d.Assignment; a.Rep != "" {
			served[a.Rep]++
			if a.Day != "" {
				days[[2]string{a.Rep, a.Day}]++
			}
		}
	}
	for _, rep := range slices.Sorted(maps.Keys(served)) {
		p := args{"id": rep, "last_seq": after.Reps[rep].LastSeq, "open_leads": served[rep]}
		if err := tx.later(ctx, "serve-rep", p, nil); err != nil {
			return err
		}
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		p := args{"rep": day[0], "day": day[1], "assigned": days[day]}
		if err := tx.later(ctx, "count-day", p, nil); err != nil {
			return err
		}
	}
	return nil
}

func sorted(of []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(of)))
}

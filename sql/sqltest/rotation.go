package sqltest

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/galenahq/galena"
)

const (
	pool = "emea-all"
	day  = "2026-11-23"
	unit = 1_000_000 // one lead, in credit
)

// weights are the shares of the pool's members.
func weights() map[string]int64 {
	return map[string]int64{"ana": 3, "ben": 2, "cho": 2, "dee": 1, "eli": 4}
}

var rotationRules = map[string]func(*bench){
	"RotationIsFairUnderConcurrency":        fairShares,
	"CapsHoldUnderConcurrency":              capsHold,
	"ASequenceNumberIsNeverUsedTwice":       seqUnique,
	"PoolsInAnyOrderDoNotWaitForEachOther":  poolsAnyOrder,
	"TheRosterKnowsMembersNobodyAskedFor":   rosterKnowsMembers,
	"AnAssignmentThatDoesNotCountKeepsSeqs": notCounting,
}

// rotate is a weighted rotation by credits, with caps a day.
func rotate(caps map[string]int) func(galena.Roster, *galena.Decision) galena.Roster {
	return func(r galena.Roster, d *galena.Decision) galena.Roster {
		shares := weights()
		var free []string
		var total int64
		for _, rep := range slices.Sorted(maps.Keys(shares)) {
			if limit, ok := caps[rep]; !ok || r.Reps[rep].Days[day] < limit {
				free = append(free, rep)
				total += shares[rep]
			}
		}
		slices.SortStableFunc(free, func(a, b string) int { return cmp.Compare(r.Reps[a].LastSeq, r.Reps[b].LastSeq) })
		credits, given := r.Credits[pool], int64(0)
		for _, rep := range free {
			credits[rep] += unit * shares[rep] / total
			given += unit * shares[rep] / total
		}
		for i := range unit - given {
			credits[free[i]]++
		}
		winner := free[0]
		for _, rep := range free {
			if credits[rep] > credits[winner] {
				winner = rep
			}
		}
		credits[winner] -= unit
		state := r.Reps[winner]
		state.LastSeq = r.NextSeq
		r.Reps[winner] = state
		a := &d.Assignment
		a.Rep, a.To, a.Pool, a.Counts, a.Seq, a.Day = winner, winner, pool, true, r.NextSeq, day
		return r
	}
}

// assign rules n leads from 16 goroutines and counts who got them.
func (s *bench) assign(n int, caps map[string]int) map[string]int {
	s.Helper()
	rulings := make([]galena.Ruling, n)
	for i := range rulings {
		id := s.begun(person(i))
		rulings[i] = s.ruling(id, rotate(caps))
		rulings[i].Reps = slices.Sorted(maps.Keys(weights()))
	}
	reps := make([]string, n)
	parallel(16, func(worker int) {
		for i := worker; i < n; i += 16 {
			d, err := s.Rule(s.ctx, rulings[i])
			if err != nil {
				s.Error(err)
			}
			reps[i] = d.Owner
		}
	})
	got := map[string]int{}
	for _, rep := range reps {
		got[rep]++
	}
	return got
}

func fairShares(s *bench) {
	got := s.assign(120, nil)
	if want := map[string]int{"ana": 30, "ben": 20, "cho": 20, "dee": 10, "eli": 40}; !reflect.DeepEqual(got, want) {
		s.Errorf("shares %v, want %v", got, want)
	}
	s.credits(got)
}

// credits checks the rotation's books after the given assignments.
func (s *bench) credits(got map[string]int) {
	s.Helper()
	s.roster(func(r galena.Roster) {
		var sum int64
		for _, credit := range r.Credits[pool] {
			sum += credit
		}
		if sum != 0 {
			s.Errorf("credits sum to %d, want 0", sum)
		}
		for rep, n := range got {
			if r.Reps[rep].Open != n || r.Reps[rep].Days[day] != n {
				s.Errorf("%s: %+v, want %d", rep, r.Reps[rep], n)
			}
		}
	})
}

func capsHold(s *bench) {
	got := s.assign(60, map[string]int{"eli": 5, "ana": 7})
	if got["eli"] != 5 || got["ana"] != 7 || got["ben"]+got["cho"]+got["dee"] != 48 {
		s.Errorf("shares %v, want eli 5 and ana 7", got)
	}
	s.credits(got)
}

func seqUnique(s *bench) {
	const n = 24
	rulings := make([]galena.Ruling, n)
	for i := range rulings {
		id := s.begun(person(i))
		rep := string(rune('a' + i)) // pools and reps that share no lock
		rulings[i] = s.ruling(id, func(r galena.Roster, d *galena.Decision) galena.Roster {
			r.Reps[rep] = galena.RepState{LastSeq: r.NextSeq}
			d.Assignment.Rep, d.Assignment.To, d.Assignment.Seq, d.Assignment.Counts = rep, rep, r.NextSeq, true
			return r
		})
		rulings[i].Pools, rulings[i].Reps, rulings[i].Company = []string{"p" + rep}, []string{rep}, galena.Company{}
	}
	seqs := make([]int64, n)
	parallel(n, func(i int) {
		d, err := s.Rule(s.ctx, rulings[i])
		if err != nil {
			s.Error(err)
		}
		seqs[i] = d.Assignment.Seq
	})
	slices.Sort(seqs)
	if len(slices.Compact(seqs)) != n {
		s.Errorf("numbers %v, want %d different ones", seqs, n)
	}
}

func poolsAnyOrder(s *bench) {
	orders := [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a", "b"}}
	rulings := make([]galena.Ruling, 24)
	for i := range rulings {
		rulings[i] = s.ruling(s.begun(person(i)), to([]string{"ana", "ben"}[i%2], false))
		rulings[i].Pools = orders[i%len(orders)]
		rulings[i].Reps = [][]string{{"ana", "ben"}, {"ben", "ana"}}[i%2]
	}
	parallel(len(rulings), func(i int) {
		if _, err := s.Rule(s.ctx, rulings[i]); err != nil {
			s.Error(err)
		}
	})
	s.backlog(48, 0)
}

func rosterKnowsMembers(s *bench) {
	s.assign(1, nil)
	s.roster(func(r galena.Roster) { // asks for ana and ben only
		if len(r.Reps) != 5 || len(r.Credits[pool]) != 5 || r.NextSeq < 2 {
			s.Errorf("roster %+v, want all five members", r)
		}
	})
}

func notCounting(s *bench) {
	_, err := s.Rule(s.ctx, s.ruling(s.begun(person(1)), to("ana", false)))
	s.ok(err)
	s.roster(func(r galena.Roster) {
		if ana := r.Reps["ana"]; ana.LastSeq != 0 || ana.Open != 1 || len(r.Credits[pool]) != 0 {
			s.Errorf("ana %+v, credits %v", ana, r.Credits)
		}
	})
}

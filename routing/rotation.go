package routing

import (
	"cmp"
	"maps"
	"slices"

	"github.com/galenahq/galena"
)

// oneLead is a lead in the unit of credit: millionths.
const oneLead = 1_000_000

// accrue credits one lead to the eligible members of a pool, by weight. Credit
// is what a rep is owed; whoever gets the lead pays for it, so that the credits
// of a pool always sum to zero. Whoever is not eligible is frozen: an absence is
// neither punished nor made up for by a flood. It returns the members in the
// order that breaks ties, longest without a lead first.
func accrue(credits map[string]int64, weights map[string]int, eligible []string, reps map[string]galena.RepState) []string {
	order := slices.Clone(eligible)
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(reps[a].LastSeq, reps[b].LastSeq), cmp.Compare(a, b))
	})
	total := int64(0)
	for _, id := range order {
		total += int64(weights[id])
	}
	left := int64(oneLead)
	for _, id := range order {
		share := oneLead * int64(weights[id]) / total
		credits[id] += share
		left -= share
	}
	for _, id := range order[:left] { // fewer than there are members
		credits[id]++
	}
	return order
}

// owed is the member who is owed most.
func owed(credits map[string]int64, order []string) string {
	winner := order[0]
	for _, id := range order[1:] {
		if credits[id] > credits[winner] {
			winner = id
		}
	}
	return winner
}

// copyRoster copies what an assignment may change.
func copyRoster(in galena.Roster) galena.Roster {
	out := galena.Roster{Credits: map[string]map[string]int64{}, Reps: map[string]galena.RepState{}, NextSeq: max(1, in.NextSeq)}
	for pool, credits := range in.Credits {
		out.Credits[pool] = maps.Clone(credits)
	}
	for id, s := range in.Reps {
		s.Days = maps.Clone(s.Days)
		out.Reps[id] = s
	}
	return out
}

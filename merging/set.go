package merging

import (
	"slices"

	"github.com/galenahq/galena"
)

// contest is an element on which sources disagree.
type contest struct {
	element  string
	in       bool
	pro      int64
	con      int64
	witness  vote // the heaviest for it
	opponent vote // the heaviest against it
}

// decideSet unites sets. Each element is a question of its own, with its own
// class, weights and hysteresis: who lists it votes for it, who claims to list
// everything and does not, votes against it. Who lists only what was seen has
// no vote on the rest.
func decideSet(votes []vote) verdict {
	if len(votes) == 1 {
		return soleSet(votes[0])
	}
	out := verdict{state: galena.Partial, group: group{value: union(votes)}}
	kept := out.value.Set[:0:0]
	var witnesses, closers []vote
	for _, v := range votes {
		if v.closed {
			out.value.Closed, out.state = true, galena.Known
			closers = append(closers, v)
		}
	}
	spoken := speakers(votes)
	for _, e := range out.value.Set {
		c := ballot(e, spoken(e))
		if c.in {
			kept = append(kept, e)
			witnesses = append(witnesses, c.witness)
		}
		if c.pro > 0 && c.con > 0 {
			out.contested = append(out.contested, c)
		}
	}
	out.value.Set = kept
	if len(witnesses) == 0 {
		witnesses = closers
		out.state = galena.Known
		if !slices.ContainsFunc(closers, func(v vote) bool { return !v.Absent }) {
			out.state = galena.Absent
		}
	}
	out.lead = slices.MinFunc(highest(witnesses), heavier)
	return out
}

// soleSet is a set of which one source speaks: there is nothing to decide.
func soleSet(v vote) verdict {
	out := verdict{state: galena.Partial, group: group{value: union([]vote{v}), lead: v}}
	out.value.Closed = v.closed
	switch {
	case v.Absent && len(out.value.Set) == 0:
		out.state = galena.Absent
	case v.closed:
		out.state = galena.Known
	}
	return out
}

// union is every element that some vote lists.
func union(votes []vote) galena.Value {
	all := []string{}
	for i := range votes {
		all = append(all, votes[i].Value.Set...)
	}
	slices.Sort(all)
	return galena.Value{Type: galena.TypeSet, Set: slices.Compact(all)}
}

// lists says that an element is in the vote's set, which is sorted (galena.Value).
func (v vote) lists(e string) bool {
	_, ok := slices.BinarySearch(v.Value.Set, e)
	return ok
}

// speakers finds the votes on an element, in their order: those that list it or claim
// to list everything. To look for each element in each vote would take the square of
// what strangers may say.
func speakers(votes []vote) func(element string) []vote {
	places := map[string][]int{}
	var closed []int
	for i, v := range votes {
		if v.closed {
			closed = append(closed, i)
			continue
		}
		for _, e := range v.Value.Set {
			places[e] = append(places[e], i)
		}
	}
	return func(element string) []vote {
		at := slices.Concat(closed, places[element])
		slices.Sort(at)
		out := make([]vote, len(at))
		for i, place := range at {
			out[i] = votes[place]
		}
		return out
	}
}

// ballot decides one element by the votes on it.
func ballot(e string, speak []vote) contest {
	var live []vote
	c := contest{element: e}
	for i, v := range highest(speak) {
		live = cast(live, v)
		var yes, no []vote
		c.pro, c.con = 0, 0
		for _, l := range live {
			if l.lists(e) {
				yes, c.pro = append(yes, l), c.pro+l.weight
			} else {
				no, c.con = append(no, l), c.con+l.weight
			}
		}
		switch {
		case i == 0 || len(yes) == 0 || len(no) == 0:
			c.in = len(yes) > 0
		case c.in:
			c.in = !outweighs(c.con, c.pro)
		default:
			c.in = outweighs(c.pro, c.con)
		}
		c.witness, c.opponent = heaviest(yes), heaviest(no)
	}
	return c
}

func heaviest(votes []vote) vote {
	if len(votes) == 0 {
		return vote{}
	}
	return slices.MinFunc(votes, heavier)
}

package merging

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// group is a set of compatible votes that pool their weights.
type group struct {
	value   galena.Value
	absent  bool
	lead    vote // whose observation the fact names
	weight  int64
	members []vote
}

// heavier orders votes for the lead of a group: weight, then newest, then id.
func heavier(a, b vote) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), b.ObservedAt.Compare(a.ObservedAt),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Source, b.Source))
}

// groups lists the groups of live votes, the strongest first. Between equals
// the narrower value comes first, then the newer.
func groups(live []vote) []group {
	byKey := map[string][]vote{}
	var numbers []vote
	for _, v := range live {
		if !v.Absent && v.Value.Type == galena.TypeNumber {
			numbers = append(numbers, v)
		} else {
			byKey[v.key] = append(byKey[v.key], v)
		}
	}
	out := append(windows(numbers), overlaps(numbers)...)
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		same := byKey[key]
		lead := slices.MinFunc(same, heavier)
		out = append(out, pool(lead.Value, lead, same))
	}
	slices.SortFunc(out, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.value.Hi-a.value.Lo, b.value.Hi-b.value.Lo),
			heavier(a.lead, b.lead), cmp.Compare(a.value.Lo, b.value.Lo))
	})
	return out
}

func pool(value galena.Value, lead vote, members []vote) group {
	g := group{value: value, absent: lead.Absent, lead: lead, members: members}
	for _, m := range members {
		g.weight += m.weight
	}
	return g
}

// absent is the key of a value that is known to be none; no other has a NUL.
const absent = "\x00"

// keyOf folds a value to the form in which it is compared.
func keyOf(o *galena.Observation) string {
	if o.Absent {
		return absent
	}
	s := o.Value.String()
	switch o.Value.Type {
	case galena.TypeEnum:
		s = galena.Slug(s)
	case galena.TypeCountry:
		s = galena.Country(s)
	default:
		s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	}
	return s
}

// near says that the larger of two exact numbers, b, is within a factor of 1.25.
func near(a, b int64) bool { return a == b || a > 0 && b-a <= a/4 }

// windows are the groups around exact numbers: each longest run of sorted
// values within 1.25, with the intervals that hold the value of its heaviest.
func windows(numbers []vote) []group {
	var exact []vote
	for _, v := range numbers {
		if v.Value.Exact() {
			exact = append(exact, v)
		}
	}
	slices.SortFunc(exact, func(a, b vote) int {
		return cmp.Or(cmp.Compare(a.Value.Lo, b.Value.Lo), heavier(a, b))
	})
	var out []group
	for i, end := 0, 0; i < len(exact); i++ {
		j := max(i, end)
		for j < len(exact) && near(exact[i].Value.Lo, exact[j].Value.Lo) {
			j++
		}
		if i > 0 && j == end {
			continue // inside the window before
		}
		end = j
		members := slices.Clone(exact[i:end])
		lead := slices.MinFunc(members, heavier)
		for _, v := range numbers {
			if !v.Value.Exact() && holds(v.Value, lead.Value.Lo) {
				members = append(members, v)
			}
		}
		out = append(out, pool(lead.Value, lead, members))
	}
	return out
}

func holds(v galena.Value, n int64) bool { return v.Lo <= n && n <= v.Hi }

// overlaps are the groups of intervals that share a point; what they share survives.
func overlaps(numbers []vote) []group {
	var out []group
	for _, at := range numbers {
		if at.Value.Exact() {
			continue
		}
		var members []vote
		both := galena.Interval(at.Value.Lo, at.Value.Hi, "")
		for _, v := range numbers {
			if !v.Value.Exact() && holds(v.Value, at.Value.Lo) {
				members = append(members, v)
				both.Lo, both.Hi = max(both.Lo, v.Value.Lo), min(both.Hi, v.Value.Hi)
			}
		}
		lead := slices.MinFunc(members, func(a, b vote) int {
			return cmp.Or(cmp.Compare(a.Value.Hi-a.Value.Lo, b.Value.Hi-b.Value.Lo), heavier(a, b))
		})
		if lead.Value.Equal(both) {
			both = lead.Value
		}
		out = append(out, pool(both, lead, members))
	}
	return out
}

// compatible says that two values of one field do not contradict each other.
func compatible(a, b group) bool {
	switch {
	case a.absent || b.absent:
		return a.absent == b.absent
	case a.value.Type != galena.TypeNumber || b.value.Type != galena.TypeNumber:
		return a.lead.key == b.lead.key
	case a.value.Exact() && b.value.Exact():
		return near(min(a.value.Lo, b.value.Lo), max(a.value.Lo, b.value.Lo))
	default:
		return a.value.Lo <= b.value.Hi && b.value.Lo <= a.value.Hi
	}
}

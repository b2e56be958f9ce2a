package routing

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// lintClosures warns of clocks that the holidays of a rule's pool defeat; doc.go
// says when that is so.
func (b *builder) lintClosures(path, pool string, s SLA) {
	for _, c := range []struct {
		key string
		d   time.Duration
	}{{".accept", s.Accept}, {".first_touch", s.FirstTouch}} {
		for _, id := range b.everywhere(pool) {
			team := b.team(id)
			for i := range team {
				team[i].off = nil // a person's time off is no closure
			}
			if why, hint := defeated(team, id, s.Clock == clockWorking, c.d); why != "" {
				f := galena.Faultf(path+c.key, "W12", "%s", why)
				f.Hint = hint
				b.faults = append(b.faults, f)
				break
			}
		}
	}
}

// defeated says how the holidays of a team defeat a clock, "" when they do not.
func defeated(team []rep, pool string, working bool, d time.Duration) (why, hint string) {
	switch {
	case d <= 0 || len(team) == 0:
		return "", ""
	case working && !slices.ContainsFunc(team, func(r rep) bool { return r.fits(d) }):
		return "is more than anybody in pool " + pool + " works between two holidays", ""
	case working || d <= longestShift(team):
		return "", ""
	}
	shut := longestClosure(team)
	if d >= shut.to.Sub(shut.from) {
		return "", ""
	}
	return fmt.Sprintf("may run out while nobody in pool %s works, from %s to %s", pool,
		shut.from.UTC().Format(time.RFC3339), shut.to.UTC().Format(time.RFC3339)), "clock: " + clockWorking + " stops meanwhile"
}

// closed lists the beginnings of the listed holidays, in order.
func (s schedule) closed() []time.Time {
	var out []time.Time
	for _, d := range slices.Sorted(maps.Keys(s.holidays)) {
		if t, err := time.ParseInLocation(time.DateOnly, d, s.loc); err == nil {
			out = append(out, t)
		}
	}
	return out
}

// fits says that so much work lies between two listed holidays, the last of
// which is followed by the first a year later.
func (s schedule) fits(d time.Duration) bool {
	days := s.closed()
	if len(days) == 0 {
		return true
	}
	days = append(days, days[0].AddDate(1, 0, 0))
	for i, end := range days[1:] {
		start := days[i].AddDate(0, 0, 1)
		if d > end.Sub(start) {
			continue
		}
		if t, ok := s.after(start, d); ok && !t.After(end) {
			return true
		}
	}
	return false
}

// longestShift is the longest block of hours that somebody works.
func longestShift(team []rep) time.Duration {
	longest := 0
	for _, r := range team {
		for day := range time.Weekday(7) {
			for _, b := range r.blocks(day) {
				longest = max(longest, b.to-b.from)
			}
		}
	}
	return time.Duration(longest) * time.Minute
}

// longestClosure is the longest stretch without work that holds a listed
// holiday, with the nights and weekends around it.
func longestClosure(team []rep) span {
	var longest span
	for _, r := range team {
		for _, day := range r.closed() {
			if c := closureAt(team, day.Add(12*time.Hour)); c.to.Sub(c.from) > longest.to.Sub(longest.from) {
				longest = c
			}
		}
	}
	return longest
}

// reach is how far before a holiday the end of the work is sought.
const reach = 30 * 24 * time.Hour

// closureAt is the stretch around t in which nobody works, empty when somebody
// works at t or nobody ever does again.
func closureAt(team []rep, t time.Time) span {
	shut := span{from: t.Add(-reach)}
	for _, r := range team {
		opens, ok := r.next(t)
		if !ok {
			continue
		}
		for w, _ := r.next(shut.from); w.from.Before(t) && shut.from.Before(w.to); w, _ = r.next(w.to) {
			shut.from = w.to
		}
		if shut.to.IsZero() || opens.from.Before(shut.to) {
			shut.to = opens.from
		}
	}
	if shut.to.IsZero() || !shut.from.Before(shut.to) {
		return span{}
	}
	return shut
}

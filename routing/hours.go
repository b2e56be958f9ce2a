package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the same zones wherever the binary runs
)

// horizon bounds the search for working time: a rep away for longer has none.
const horizon = 400 * 24 * time.Hour

// minuteLayout is how absences are written, in the rep's local time.
const minuteLayout = "2006-01-02T15:04"

// block is one stretch of work in minutes after local midnight, end excluded.
type block struct{ from, to int }

// span is a stretch of real time, end excluded.
type span struct{ from, to time.Time }

// schedule is when a rep works. Blocks are wall-clock time: on the day a clock
// is put forward a block across the gap is an hour shorter, on the day it is
// put back an hour longer.
type schedule struct {
	loc      *time.Location
	always   bool // no hours were given
	week     [7][]block
	holidays map[string]bool // local days
	off      []span          // sorted
}

// day is the rep's local day.
func (s schedule) day(t time.Time) string { return t.In(s.loc).Format(time.DateOnly) }

// away says why the rep does not work at t, "" when they do.
func (s schedule) away(t time.Time) string {
	local := t.In(s.loc)
	minute := local.Hour()*60 + local.Minute()
	in := func(b block) bool { return b.from <= minute && minute < b.to }
	if !slices.ContainsFunc(s.blocks(local.Weekday()), in) {
		return "outside working hours"
	}
	if s.holidays[local.Format(time.DateOnly)] {
		return "holiday"
	}
	for _, o := range s.off {
		if !t.Before(o.from) && t.Before(o.to) {
			return "time off"
		}
	}
	return ""
}

func (s schedule) blocks(d time.Weekday) []block {
	if s.always {
		return []block{{0, 24 * 60}}
	}
	return s.week[d]
}

// next finds the first stretch of work that ends after t, cut to begin no
// earlier than t. It walks stretches of constant zone offset, so that wall
// clock and real time agree inside each.
func (s schedule) next(t time.Time) (span, bool) {
	for limit := t.Add(horizon); t.Before(limit); {
		local := t.In(s.loc)
		_, offset := local.Zone()
		_, zoneEnd := local.ZoneBounds()
		found, later := s.inDay(t, local, int64(offset), zoneEnd)
		if found.from.Before(found.to) {
			return found, true
		}
		t = later
	}
	return span{}, false
}

// inDay looks for work in what is left of t's local day under one offset; when
// there is none, it says where to go on.
func (s schedule) inDay(t, local time.Time, offset int64, zoneEnd time.Time) (found span, later time.Time) {
	wall := t.Unix() + offset
	midnight := wall - ((wall%86400)+86400)%86400 - offset
	later = time.Unix(midnight+86400, 0)
	if !zoneEnd.IsZero() && zoneEnd.Before(later) {
		later = zoneEnd
	}
	if s.holidays[local.Format(time.DateOnly)] {
		return span{}, later
	}
	for _, b := range s.blocks(local.Weekday()) {
		w := span{time.Unix(midnight+int64(b.from)*60, 0), time.Unix(midnight+int64(b.to)*60, 0)}
		if w.from.Before(t) {
			w.from = t
		}
		if w.to.After(later) {
			w.to = later
		}
		if w = s.withoutTimeOff(w); w.from.Before(w.to) {
			return w, later
		}
	}
	return span{}, later
}

// withoutTimeOff keeps the first part of w that no absence covers.
func (s schedule) withoutTimeOff(w span) span {
	for _, o := range s.off {
		switch {
		case !o.from.Before(w.to) || !w.from.Before(o.to):
		case w.from.Before(o.from):
			w.to = o.from
		default:
			w.from = o.to
		}
	}
	return w
}

// after is the instant at which d of working time has passed since t.
func (s schedule) after(t time.Time, d time.Duration) (time.Time, bool) {
	for d > 0 {
		w, ok := s.next(t)
		if !ok {
			return time.Time{}, false
		}
		length := w.to.Sub(w.from)
		if d <= length {
			return w.from.Add(d), true
		}
		d -= length
		t = w.to
	}
	return t, true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseDays reads "mon" or "mon-fri"; a range may run over the week's end.
func parseDays(s string) ([]int, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if from < 0 || to < 0 {
		return nil, fmt.Errorf("%q is not a day or a range of days such as mon-fri", s)
	}
	days := []int{from}
	for d := from; d != to; {
		d = (d + 1) % 7
		days = append(days, d)
	}
	return days, nil
}

// parseBlock reads "09:00-18:00"; the end may be 24:00.
func parseBlock(s string) (block, error) {
	bad := fmt.Errorf("%q is not a block of hours such as 09:00-18:00", s)
	first, last, ok := strings.Cut(s, "-")
	from, err := parseMinute(first)
	if !ok || err != nil {
		return block{}, bad
	}
	to, err := parseMinute(last)
	if err != nil {
		return block{}, bad
	}
	if from >= to {
		return block{}, fmt.Errorf("%q ends before it begins; split it at midnight", s)
	}
	return block{from, to}, nil
}

func parseMinute(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	n := int(hour*60 + minute)
	if !ok || len(h) != 2 || len(m) != 2 || err1 != nil || err2 != nil || minute > 59 || n > 24*60 {
		return 0, fmt.Errorf("%q is not a time", s)
	}
	return n, nil
}

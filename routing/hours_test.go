package routing

import (
	"math/rand/v2"
	"testing"
	"time"
)

// inZone is the schedule of a rep with these hours.
func inZone(t testing.TB, tz string, hours map[string][]string) schedule {
	t.Helper()
	b := &builder{Router: &Router{}}
	s := b.schedule("rep", Rep{TZ: tz, Hours: hours})
	if len(b.faults) > 0 {
		t.Fatal(join(b.faults))
	}
	return s
}

func TestTheDayOfTheChangeHasTheRightWorkingTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, tz, day, hours string
		want                 time.Duration
	}{
		{"SpringForwardLosesAnHour", "Europe/Berlin", "2026-03-29", "01:00-05:00", 3 * time.Hour},
		{"FallBackGainsAnHour", "Europe/Berlin", "2026-10-25", "01:00-05:00", 5 * time.Hour},
		{"ABlockInsideTheGapIsNoTime", "America/New_York", "2026-03-08", "02:15-02:45", 0},
		{"ABlockInsideTheFoldHappensTwice", "America/New_York", "2026-11-01", "01:15-01:45", time.Hour},
		{"HalfAnHourInLordHowe", "Australia/Lord_Howe", "2026-04-05", "00:00-24:00", 24*time.Hour + 30*time.Minute},
		{"AMidnightThatDoesNotExist", "Africa/Cairo", "2026-04-24", "00:00-24:00", 23 * time.Hour},
		{"AnOrdinaryDay", "America/Sao_Paulo", "2026-11-23", "09:00-18:00", 9 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := inZone(t, c.tz, map[string][]string{"mon-sun": {c.hours}})
			var got time.Duration
			day, _ := time.Parse(time.DateOnly, c.day)
			for at := day.Add(-24 * time.Hour); ; {
				w, ok := s.next(at)
				if !ok || s.day(w.from) > c.day {
					break
				}
				if s.day(w.from) == c.day {
					got += w.to.Sub(w.from)
				}
				at = w.to
			}
			if got != c.want {
				t.Errorf("got %s of working time, want %s", got, c.want)
			}
		})
	}
}

func TestWorkingTimeAgreesWithTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Cairo", "UTC"}
	for range 300 { // each walks days minute by minute
		b := &builder{Router: &Router{cfg: Config{Calendars: map[string]Calendar{"c": {Holidays: []string{"2026-03-27", "2026-10-26"}}}}}}
		s := b.schedule("rep", Rep{TZ: zones[rand.IntN(len(zones))], Calendar: "c",
			Hours:   map[string][]string{"mon-fri": {"00:30-03:15", "08:00-12:00", "13:00-24:00"}, "sun": {"01:00-04:00"}},
			TimeOff: []TimeOff{{"2026-03-30T10:15", "2026-03-31T09:00"}, {"2026-10-23T08:00", "2026-10-23T08:20"}}})
		base := time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC)
		if rand.IntN(2) == 0 {
			base = time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)
		}
		from := base.Add(time.Duration(rand.IntN(7*24*60)) * time.Minute)
		want := time.Duration(1+rand.IntN(20*60)) * time.Minute
		due, ok := s.after(from, want)
		if !ok {
			t.Fatal("no working time within the horizon")
		}
		var got time.Duration
		for at := from; at.Before(due); at = at.Add(time.Minute) {
			if s.away(at) == "" {
				got += time.Minute
			}
		}
		if got != want {
			t.Fatalf("%s from %s: got %s of open minutes until the due time, want %s", s.loc, from, got, want)
		}
		if s.away(due.Add(-time.Minute)) != "" {
			t.Fatal("the last minute before the due time must be worked")
		}
	}
}

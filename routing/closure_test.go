package routing

import (
	"strings"
	"testing"
	"time"
)

// TestAClockIsToldWhenHolidaysDefeatIt: Christmas Day of 2026 is a Friday; Carla
// (Berlin) and Dylan (London) share a pool, Carla alone is the seniors'.
func TestAClockIsToldWhenHolidaysDefeatIt(t *testing.T) {
	t.Parallel()
	const closed = `spec.rules[5].sla.first_touch: W12 may run out while nobody in pool emea-all works, from 2026-12-24T17:30:00Z to 2026-12-28T08:00:00Z`
	wall := func(d time.Duration) func(*Config) {
		return func(c *Config) { c.Rules[5].SLA.Clock, c.Rules[5].SLA.FirstTouch = "", d }
	}
	working := func(d time.Duration) func(*Config) { return func(c *Config) { c.Rules[5].SLA.FirstTouch = d } }
	for name, c := range map[string]struct {
		want   string
		change func(*Config)
	}{
		"WithinAShift":       {"", wall(8 * time.Hour)},
		"OverClosingTime":    {closed, wall(24 * time.Hour)},
		"JustUnderAClosure":  {closed, wall(86*time.Hour + 29*time.Minute)},
		"AsLongAsTheClosure": {"", wall(86*time.Hour + 30*time.Minute)},
		"SomebodyAlwaysWorks": {"", func(c *Config) {
			wall(24 * time.Hour)(c)
			c.Rules[5].To.Pool, c.Reps[2].Hours, c.Reps[2].Calendar = "emea-all", nil, ""
		}},
		"NoHolidayIsListed": {"", func(c *Config) {
			wall(24 * time.Hour)(c)
			c.Calendars = map[string]Calendar{"us": {}, "de": {}, "gb": {}, "br": {}}
		}},
		"WorkBetweenHolidays": {"", working(40 * time.Hour)},
		"MoreThanAYearHas":    {`spec.rules[5].sla.first_touch: W12 is more than anybody in pool emea-all works between two holidays`, working(2500 * time.Hour)},
		"AMonthlyHoliday": {`spec.rules[5].sla.first_touch: W12 is more than anybody in pool emea-all works`, func(c *Config) {
			working(200 * time.Hour)(c)
			monthly := Calendar{Holidays: []string{"2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15", "2026-05-15", "2026-06-15",
				"2026-07-15", "2026-08-15", "2026-09-15", "2026-10-15", "2026-11-15", "2026-12-15"}}
			c.Calendars["de"], c.Calendars["gb"] = monthly, monthly
		}},
		"AFewNeighbouringHolidays": {"", func(c *Config) {
			christmas := Calendar{Holidays: []string{"2026-12-25", "2026-12-26"}}
			c.Calendars["de"], c.Calendars["gb"] = christmas, christmas
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := example(t)
			c.change(&cfg)
			got := errText(cfg.Validate())
			if got != "" && c.want == "" || !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

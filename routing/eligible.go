package routing

import (
	"fmt"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

func (r rep) active() bool { return r.Active == nil || *r.Active }

// ask is one lead as eligibility sees it.
type ask struct {
	now      time.Time
	language string   // "" = not known: any rep will do
	skills   []string // all are needed
	earlier  []string // reps who held this lead before
}

// refusal says why the rep cannot take the lead at any hour today, "" when they
// can. Caps are checked here, so that no way of assigning breaks them.
func (r rep) refusal(a ask, s galena.RepState) string {
	day := r.day(a.now)
	lacked := slices.IndexFunc(a.skills, func(s string) bool { return !slices.Contains(r.skilled, s) })
	switch {
	case !r.active():
		return "not active"
	case r.MaxOpen != nil && s.Open >= *r.MaxOpen:
		return fmt.Sprintf("%d of %d open leads", s.Open, *r.MaxOpen)
	case r.MaxPerDay != nil && s.Days[day] >= *r.MaxPerDay:
		return fmt.Sprintf("%d of %d leads on %s", s.Days[day], *r.MaxPerDay, day)
	case a.language != "" && len(r.speaks) > 0 && !slices.Contains(r.speaks, a.language):
		return "does not speak " + a.language
	case lacked >= 0:
		return "lacks the skill " + a.skills[lacked]
	case slices.Contains(a.earlier, r.ID):
		return "held this lead before"
	case r.Paused:
		return "paused by the manager"
	default:
		return ""
	}
}

// ineligible is the first condition that fails now, "" when all hold.
func (r rep) ineligible(a ask, s galena.RepState) string {
	if why := r.refusal(a, s); why != "" {
		return why
	}
	return r.away(a.now)
}

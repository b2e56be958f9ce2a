package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestTheDefaultsAndTheExampleAreClean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{"defaults": Defaults(), "example": example(t)} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDefaultsRouteWithoutReps(t *testing.T) {
	t.Parallel()
	r, err := New(Defaults())
	if err != nil {
		t.Fatal(err)
	}
	for tier, want := range map[string]string{"A": "queue:hot-leads", "B": "queue:sales", "C": "sink:nurture", "D": "sink:archive", "E": "queue:unrouted"} {
		in := input(tier).final()
		if a, _, _ := r.Assign(r.Match(in), in, galena.Roster{}, "l", 1, galena.Held{}); a.To != want {
			t.Errorf("tier %s goes to %s, want %s", tier, a.To, want)
		}
	}
}

func TestValidateTellsEachFault(t *testing.T) {
	t.Parallel()
	when := func(field string, o galena.Operators) *Condition { return &Condition{Field: field, Operators: o} }
	for name, c := range map[string]struct {
		want   string
		change func(*Config)
	}{
		"UnknownPool":       {`spec.rules[6].to.pool: E11 undefined pool "triag" (did you mean "triage"?)`, func(c *Config) { c.Rules[6].To.Pool = "triag" }},
		"EachTerritory":     {`spec.rules[4].to.pool: E11 undefined pool "latam-senior"`, func(c *Config) { c.Pools[4].ID = "x" }},
		"NoTerritory":       {`spec.rules[4].to.pool: E11 {territory} needs spec.territories`, func(c *Config) { c.Territories = nil }},
		"UnknownRep":        {`spec.pools[0].members.erni: E11 undefined rep "erni"`, func(c *Config) { c.Pools[0].Members = map[string]int{"erni": 1} }},
		"EmptyPool":         {`spec.pools[0].members: E17 pool amer-senior has no members`, func(c *Config) { c.Pools[0].Members = nil }},
		"Weight":            {`spec.pools[0].members.erin.walsh: E09`, func(c *Config) { c.Pools[0].Members = map[string]int{"erin.walsh": 0} }},
		"NobodyActive":      {`spec.pools[0].members: W10`, func(c *Config) { no := false; c.Reps[0].Active = &no }},
		"TwoReps":           {`spec.reps[1].id: E03 id "erin.walsh" is used twice`, func(c *Config) { c.Reps[1].ID = "erin.walsh" }},
		"TwoRules":          {`spec.rules[1].id: E03 id "disqualified" is used twice`, func(c *Config) { c.Rules[1].ID = "disqualified" }},
		"Zone":              {`spec.reps[0].tz: E19 "America/Gotham" is not a time zone`, func(c *Config) { c.Reps[0].TZ = "America/Gotham" }},
		"Calendar":          {`spec.reps[0].calendar: E11 undefined calendar "uk"`, func(c *Config) { c.Reps[0].Calendar = "uk" }},
		"Holiday":           {`spec.calendars.us.holidays[0]: E02`, func(c *Config) { c.Calendars["us"].Holidays[0] = "26.11.2026" }},
		"Days":              {`spec.reps[0].hours.mon-fry: E02`, func(c *Config) { c.Reps[0].Hours = map[string][]string{"mon-fry": {"09:00-18:00"}} }},
		"Hours":             {`spec.reps[0].hours.mon[0]: E02 "9-18" is not a block of hours`, func(c *Config) { c.Reps[0].Hours = map[string][]string{"mon": {"9-18"}} }},
		"Night":             {`E02 "22:00-06:00" ends before it begins`, func(c *Config) { c.Reps[0].Hours = map[string][]string{"mon": {"22:00-06:00"}} }},
		"TwiceTheSameHours": {`spec.reps[0].hours.mon-fri[0]: E07 09:00-18:00 overlaps other hours on mon`, func(c *Config) { c.Reps[0].Hours["mon"] = []string{"10:00-11:00"} }},
		"TimeOff":           {`spec.reps[3].time_off[0]: E06`, func(c *Config) { c.Reps[3].TimeOff[0].To = "2026-12-20T00:00" }},
		"Territories":       {`spec.territories[1].countries[0]: E18 GB is already in territory emea`, func(c *Config) { c.Territories[1].Countries[0] = "UK" }},
		"Named":             {`spec.named_accounts[0].rep: E11 undefined rep "nobody"`, func(c *Config) { c.NamedAccounts[0].Rep = "nobody" }},
		"Skill": {`spec.rules[4].to.skills[1]: E11 undefined skill "tendres" (did you mean "tenders"?)`, func(c *Config) {
			c.Reps[0].Skills, c.Rules[4].To.Skills = []string{"Tenders"}, []string{"tenders", "tendres"}
		}},
		"SkillsOfNobody": {`spec.rules[4].to.skills: W10 nobody in pool latam-senior has all the skills`, func(c *Config) {
			for _, i := range []int{0, 2} {
				c.Reps[i].Skills = []string{"tenders"}
			}
			c.Rules[4].To.Skills = []string{"tenders"}
		}},
		"SkillOfASink":      {`spec.rules[8].to.skills: E02 needs a pool or rep_from`, func(c *Config) { c.Reps[0].Skills = []string{"x"}; c.Rules[8].To.Skills = []string{"x"} }},
		"SkillWithoutName":  {`spec.reps[0].skills[0]: E02 must not be empty`, func(c *Config) { c.Reps[0].Skills = []string{" "} }},
		"Sink":              {`spec.rules[8].to.sink: E11 undefined sink "nurtur" (did you mean "nurture"?)`, func(c *Config) { c.Rules[8].To.Sink = "nurtur" }},
		"TwoTargets":        {`spec.rules[8].to: E02 must name exactly one`, func(c *Config) { c.Rules[8].To.Queue = "q" }},
		"Coverage":          {`spec.rules[8].when.field: E04 unknown field "decision.coverage"`, func(c *Config) { c.Rules[8].When = when("decision.coverage", galena.Operators{Gte: 1}) }},
		"OperatorUnknown":   {`spec.rules[8].when.unknown: E05`, func(c *Config) { yes := true; c.Rules[8].When = when("lead.form", galena.Operators{Unknown: &yes}) }},
		"SLA":               {`spec.rules[4].sla.first_touch: E06`, func(c *Config) { c.Rules[4].SLA.FirstTouch = time.Minute }},
		"Clock":             {`spec.rules[4].sla.clock: E11`, func(c *Config) { c.Rules[4].SLA.Clock = "moon" }},
		"Fallback":          {`spec.fallback.queue: E02`, func(c *Config) { c.Fallback.Queue = "" }},
		"OffHours":          {`spec.off_hours.A: E11 undefined policy "sleep"`, func(c *Config) { c.OffHours["A"] = "sleep" }},
		"Fairness":          {`spec.rules[6].count_for_fairness: W03`, func(c *Config) { no := false; c.Rules[6].CountForFairness = &no }},
		"DeadAfterAll":      {`spec.rules[1]: W09 rule same-person-open-lead is never reached: rule disqualified takes`, func(c *Config) { c.Rules[0].When = nil }},
		"DeadByConjunction": {`spec.rules[4]: W09 rule tier-a is never reached: rule named-account takes`, func(c *Config) { c.Rules[3].When = when("decision.tier", galena.Operators{In: []any{"A", "B"}}) }},
		"DeadBySplit": {`spec.rules[9]: W09 rule tier-d is never reached: earlier rules take each`, func(c *Config) {
			c.Rules[7].When, c.Rules[9].When = when("decision.tier", galena.Operators{Eq: "D"}), when("decision.tier", galena.Operators{In: []any{"C", "D"}})
		}},
		"DeadByRange": {`spec.rules[1]: W09`, func(c *Config) {
			c.Rules[0].When = when("decision.score", galena.Operators{Gte: 70})
			c.Rules[1].When = when("decision.score", galena.Operators{Range: []any{80, 90}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := example(t)
			c.change(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			_, err = New(cfg)
			if warning := strings.Contains(c.want, ": W"); warning == strings.Contains(errText(err), c.want) {
				t.Errorf("New says %v", err)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

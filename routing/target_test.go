package routing

import (
	"slices"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// office hours of the example: everybody but Los Angeles works on monday.
var (
	mondayNight   = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)  // nobody works
	saturday      = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) // nobody works
	mondayMorning = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)  // only Europe works
	thanksgiving  = time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC) // a holiday in the US
)

func lead(tier, hq string, now time.Time) Input {
	in := input(tier).with("company.hq_country", country(hq)).with("company.domain", galena.TextValue("acme.example")).final()
	in.Now, in.Score.Settled = now, true
	return in
}

func full(n int) galena.RepState { return galena.RepState{Open: n} }

func TestAssign(t *testing.T) {
	t.Parallel()
	owned := func(in Input, rep string) Input { return in.with("match.account_owner", galena.TextValue(rep)) }
	// wants makes every rule to a person want skills that only Dylan and Ana have.
	wants := func(skills ...string) func(*Config) {
		return func(c *Config) {
			c.Reps[3].Skills, c.Reps[4].Skills = []string{"tenders", "public_sector"}, []string{"Tenders", "public-sector"}
			for i := 2; i < 8; i++ {
				c.Rules[i].To.Skills = skills
			}
		}
	}
	for _, c := range []struct {
		name   string
		in     Input
		change func(*Config)
		roster galena.Roster
		past   galena.Held
		to     string
		pool   string
		accept string // hours and minutes after now, "" = not checked
		wait   time.Duration
		owns   bool
	}{
		{name: "TheSeniorTakesTierA", in: lead("A", "US", monday), to: "erin.walsh", pool: "amer-senior", accept: "5m", owns: true},
		{name: "OverflowWhenTheSeniorIsFull", in: lead("A", "GB", monday), to: "dylan.okafor", pool: "emea-all", owns: true,
			roster: galena.Roster{Reps: map[string]galena.RepState{"carla.meyer": full(40)}}},
		{name: "ALanguageNobodyElseSpeaks", in: lead("B", "BR", monday).with("lead.language", galena.EnumValue("es-CL")),
			to: "ana.souza", pool: "latam-all", owns: true},
		{name: "ASkillNobodyElseHas", in: lead("B", "BR", monday), change: wants("Public Sector", "tenders"), to: "ana.souza", pool: "latam-all", owns: true},
		{name: "ALeadFollowsTheSunToTheSkill", in: lead("A", "US", monday), change: wants("tenders"), to: "dylan.okafor", pool: "emea-all", owns: true},
		{name: "AnOwnerWithoutTheSkillLosesItToTheTerritory", in: owned(lead("A", "DE", monday), "carla.meyer"), to: "dylan.okafor", pool: "emea-all", change: wants("tenders")},
		{name: "NobodyWithTheSkillFallsBack", in: lead("B", "US", monday), change: wants("tenders"), to: "queue:unrouted"},
		{name: "TierAFollowsTheSun", in: lead("A", "US", mondayMorning), to: "carla.meyer", pool: "emea-all", owns: true,
			roster: galena.Roster{Reps: map[string]galena.RepState{"dylan.okafor": full(30)}}},
		{name: "TierBWaitsForTheNextOpening", in: lead("B", "US", mondayMorning), to: "erin.walsh", pool: "amer-all", accept: "5h30m", owns: true},
		{name: "TheNextOpeningSkipsAHoliday", in: lead("B", "US", thanksgiving), to: "erin.walsh", pool: "amer-all", accept: "23h30m", owns: true},
		{name: "TheNextOpeningTakesNobodyWhoIsFull", in: lead("B", "US", saturday), to: "frank.ito", pool: "amer-all", owns: true,
			roster: galena.Roster{Reps: map[string]galena.RepState{"erin.walsh": full(40)}}},
		{name: "NobodyAtNightFallsBack", in: lead("A", "US", mondayNight), to: "queue:unrouted"},
		{name: "EverybodyFullFallsBack", in: lead("B", "BR", monday), to: "queue:unrouted",
			roster: galena.Roster{Reps: map[string]galena.RepState{"ana.souza": full(40), "bruno.lima": full(30)}}},
		{name: "TheOwnerTakesTheirAccount", in: owned(lead("A", "US", monday), "frank.ito"), to: "frank.ito", wait: 30 * time.Minute},
		{name: "AnOwnerAtTheCapLosesItToTheTerritory", in: owned(lead("A", "DE", monday), "carla.meyer"), to: "dylan.okafor", pool: "emea-all",
			roster: galena.Roster{Reps: map[string]galena.RepState{"carla.meyer": full(40)}}},
		{name: "AnUnknownOwnerLosesItToTheTerritory", in: owned(lead("A", "DE", monday), "gone"), to: "dylan.okafor", pool: "emea-all"},
		{name: "AnOwnerWhoLeftIsReplacedByTheirManager", in: owned(lead("A", "DE", monday), "dylan.okafor"), to: "ana.souza",
			change: func(c *Config) { no := false; c.Reps[3].Active, c.Reps[3].Manager = &no, "ana.souza" }},
		{name: "WhoeverHeldItBeforeDoesNotGetItAgain", in: owned(lead("A", "DE", monday), "carla.meyer"), to: "dylan.okafor", pool: "emea-all",
			past: galena.Held{Reps: []string{"carla.meyer"}}},
		{name: "APersonsOpenLeadWaitsForItsRep", in: lead("A", "US", mondayNight).with("match.open_lead_owner", galena.TextValue("ana.souza")), to: "ana.souza"},
		{name: "ABreachReassignsInThePool", in: lead("A", "GB", monday), to: "dylan.okafor", pool: "emea-all", past: galena.Held{Reps: []string{"carla.meyer"}, Breaches: 1}, owns: true},
		{name: "AfterTheLastMoveTheQueueTakesIt", in: lead("A", "GB", monday), to: "queue:hot-desk", past: galena.Held{Breaches: 3}},
		{name: "WhenNobodyIsLeftToMoveToTheQueueTakesIt", in: lead("B", "GB", monday), to: "queue:sdr-queue", past: galena.Held{Reps: []string{"carla.meyer", "dylan.okafor"}, Breaches: 1}},
		{name: "ASinkNeedsNobody", in: lead("D", "GB", monday), to: "sink:archive"},
		{name: "NoRuleAtAllFallsBack", in: lead("Z", "GB", monday), to: "queue:unrouted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := example(t)
			if c.change != nil {
				c.change(&cfg)
			}
			r, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			o := r.Match(c.in)
			a, candidates, next := r.Assign(o, c.in, c.roster, "l", 2, c.past)
			if a.To != c.to || a.Pool != c.pool || a.OwnCompany != c.owns {
				t.Errorf("got %s from pool %q owning %v, want %s from %q owning %v; %+v", a.To, a.Pool, a.OwnCompany, c.to, c.pool, c.owns, candidates)
			}
			if c.accept != "" && a.AcceptBy.Sub(c.in.Now) != duration(t, c.accept) {
				t.Errorf("accept within %s, want %s", a.AcceptBy.Sub(c.in.Now), c.accept)
			}
			if c.wait > 0 && a.WaitUntil.Sub(c.in.Now) != c.wait {
				t.Errorf("waits until %s, want %s from now", a.WaitUntil, c.wait)
			}
			checkLocks(t, r, o, c.in, a, candidates, next, c.roster)
		})
	}
}

// checkLocks proves that nothing outside the locks was read or changed.
func checkLocks(t *testing.T, r *Router, o Outcome, in Input, a galena.Assignment, cs []galena.Candidate, next, before galena.Roster) {
	t.Helper()
	pools, reps := r.Locks(o, in)
	for _, c := range cs {
		if _, known := r.reps[c.Rep]; known && !slices.Contains(reps, c.Rep) || c.Pool != "" && !slices.Contains(pools, c.Pool) {
			t.Errorf("%s of %q was considered without a lock (%v, %v)", c.Rep, c.Pool, pools, reps)
		}
	}
	if !slices.IsSorted(pools) || !slices.IsSorted(reps) {
		t.Errorf("locks are not sorted: %v %v", pools, reps)
	}
	if a.Rep != "" && next.Reps[a.Rep].Open != before.Reps[a.Rep].Open+1 {
		t.Errorf("%s has %d open leads, want one more", a.Rep, next.Reps[a.Rep].Open)
	}
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestARepIsRefusedForAReason(t *testing.T) {
	t.Parallel()
	no, one := false, 1
	base := Rep{ID: "x", TZ: "Europe/Berlin", Hours: map[string][]string{"mon": {"09:00-17:30"}}, Languages: []string{"de"}}
	for _, c := range []struct {
		want   string
		change func(*Rep, *ask, *galena.RepState)
	}{
		{"", func(*Rep, *ask, *galena.RepState) {}},
		{"not active", func(r *Rep, _ *ask, _ *galena.RepState) { r.Active = &no }},
		{"paused by the manager", func(r *Rep, _ *ask, _ *galena.RepState) { r.Paused = true }},
		{"1 of 1 open leads", func(r *Rep, _ *ask, s *galena.RepState) { r.MaxOpen, s.Open = &one, 1 }},
		{"1 of 1 leads on 2026-11-23", func(r *Rep, _ *ask, s *galena.RepState) {
			r.MaxPerDay, s.Days = &one, map[string]int{"2026-11-23": 1}
		}},
		{"does not speak fr", func(_ *Rep, a *ask, _ *galena.RepState) { a.language = "fr" }},
		{"lacks the skill tenders", func(r *Rep, a *ask, _ *galena.RepState) {
			r.Skills, a.skills = []string{"Fintech"}, []string{"fintech", "tenders"}
		}},
		{"held this lead before", func(_ *Rep, a *ask, _ *galena.RepState) { a.earlier = []string{"x"} }},
		{"outside working hours", func(_ *Rep, a *ask, _ *galena.RepState) { a.now = monday.Add(2 * time.Hour) }},
		{"time off", func(r *Rep, _ *ask, _ *galena.RepState) {
			r.TimeOff = []TimeOff{{From: "2026-11-23T15:30", To: "2026-11-23T15:31"}}
		}},
		{"holiday", func(r *Rep, _ *ask, _ *galena.RepState) { r.Calendar = "c" }},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			r, a, s := base, ask{now: monday}, galena.RepState{}
			c.change(&r, &a, &s)
			b := &builder{Router: &Router{cfg: Config{Reps: []Rep{r}, Calendars: map[string]Calendar{"c": {Holidays: []string{"2026-11-23"}}}}, reps: map[string]rep{}}}
			b.addReps()
			if got := b.reps["x"].ineligible(a, s); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnOwnersLeadThatCountsIsPaidForInTheTerritorysPool(t *testing.T) {
	t.Parallel()
	cfg, yes := example(t), true
	cfg.Rules[2].CountForFairness = &yes
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := lead("A", "DE", monday).with("match.account_owner", galena.TextValue("carla.meyer"))
	a, _, next := r.Assign(r.Match(in), in, galena.Roster{}, "l", 1, galena.Held{})
	got := next.Credits["emea-all"]
	if a.Rep != "carla.meyer" || !a.Counts || got["carla.meyer"] != -600_000 || got["dylan.okafor"] != 600_000 {
		t.Errorf("got %s and credits %v, want carla.meyer to pay", a.Rep, got)
	}
}

func TestTheAlarmNamesWhoIsPaged(t *testing.T) {
	t.Parallel()
	r := exampleRouter(t)
	if page, ok := r.Alarm(galena.Assignment{Rule: "tier-a", To: "queue:hot-desk"}); page != "revops-oncall" || !ok {
		t.Errorf("got %q %v, want revops-oncall", page, ok)
	}
	if page, ok := r.Alarm(galena.Assignment{Rule: "tier-b", To: "queue:unrouted"}); page != "" || !ok {
		t.Errorf("got %q %v, want the alert of the fallback", page, ok)
	}
	if _, ok := r.Alarm(galena.Assignment{Rule: "tier-a", To: "erin.walsh"}); ok {
		t.Error("a rep who has the lead is no alarm")
	}
}

func TestWhoIsPagedAtTheEndOfTheLineIsSoInTheFallbacksQueue(t *testing.T) {
	t.Parallel()
	cfg := example(t)
	i := slices.IndexFunc(cfg.Rules, func(r Rule) bool { return r.ID == "tier-a" })
	cfg.Rules[i].SLA.OnBreach.Then.Queue, cfg.Fallback.Alert = "", false
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := lead("A", "GB", monday)
	a, _, _ := r.Assign(r.Match(in), in, galena.Roster{}, "l", 4, galena.Held{Breaches: 3})
	if page, ok := r.Alarm(a); a.To != "queue:unrouted" || page != "revops-oncall" || !ok {
		t.Errorf("%s pages %q %v, want revops-oncall", a.To, page, ok)
	}
}

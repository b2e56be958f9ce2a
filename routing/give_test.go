package routing

import (
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// givers is two pools of reps, one of whom is out, one full and one gone.
func givers(t *testing.T) *Router {
	t.Helper()
	none, gone := 0, false
	r, err := New(Config{
		Reps: []Rep{{ID: "ana"}, {ID: "ben", Hours: map[string][]string{"sun": {"09:00-10:00"}}}, {ID: "cho", Paused: true},
			{ID: "dee", MaxOpen: &none}, {ID: "eli", Active: &gone}},
		Pools: []Pool{{ID: "all", Members: map[string]int{"ana": 1, "ben": 1}}, {ID: "full", Members: map[string]int{"dee": 1}}},
		Rules: []Rule{{ID: "everyone", To: Target{Pool: "all"}, SLA: &SLA{Accept: 10 * time.Minute, FirstTouch: time.Hour,
			OnBreach: &Breach{Action: actionReassign, To: "all", Max: 1}}}},
		Fallback: Fallback{Queue: "unrouted"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAPersonsWordOutweighsHoursButNoCap(t *testing.T) {
	t.Parallel()
	r := givers(t)
	in := Input{Score: galena.Score{Tier: "A"}, Facts: galena.Facts{}, Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Final: true}
	roster := galena.Roster{Credits: map[string]map[string]int64{}, Reps: map[string]galena.RepState{}, NextSeq: 5}
	for _, tc := range []struct {
		to      string
		earlier []string
		rep     string
		kind    galena.Kind
	}{
		{to: "ana", earlier: []string{"ana"}, rep: "ana"},
		{to: "ben", rep: "ben"}, // out of hours
		{to: "cho", rep: "cho"}, // paused
		{to: "dee", kind: galena.Conflict},
		{to: "eli", kind: galena.Conflict},
		{to: "zoe", kind: galena.Invalid},
		{to: "pool:all", rep: "ana"},
		{to: "pool:all", earlier: []string{"ana"}, rep: "ben"}, // works next
		{to: "pool:all", earlier: []string{"ana", "ben"}, kind: galena.Conflict},
		{to: "pool:full", kind: galena.Conflict},
	} {
		a, _, after, err := r.Give(r.Match(in), in, roster, "l1", 2, tc.earlier, tc.to)
		if galena.KindOf(err) != tc.kind || tc.kind == "" && a.Rep != tc.rep {
			t.Errorf("to %s after %v: %q, %v; want %q, kind %q", tc.to, tc.earlier, a.Rep, err, tc.rep, tc.kind)
		}
		if err == nil && (a.AcceptBy.IsZero() || after.Reps[a.Rep].Open != 1 || a.Epoch != 2) {
			t.Errorf("to %s: %+v", tc.to, a)
		}
	}
	if len(roster.Credits) != 0 || len(roster.Reps) != 0 {
		t.Errorf("the caller's roster was changed: %+v", roster)
	}
}

func TestWhatGivingLocksIsWhatItReads(t *testing.T) {
	t.Parallel()
	r := givers(t)
	if pools, reps, err := r.GiveLocks("pool:all"); err != nil || len(pools) != 1 || len(reps) != 2 {
		t.Errorf("pool: %v %v %v", pools, reps, err)
	}
	if pools, reps, err := r.GiveLocks("cho"); err != nil || len(pools) != 0 || len(reps) != 1 {
		t.Errorf("rep: %v %v %v", pools, reps, err)
	}
	for _, to := range []string{"", "zoe", "pool:", "pool:zoe", "queue:x"} {
		if _, _, err := r.GiveLocks(to); galena.KindOf(err) != galena.Invalid {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestHalfOfTheTimeIsHalfOfTheWorkingTime(t *testing.T) {
	t.Parallel()
	r := givers(t)
	s := &SLA{Accept: 40 * time.Minute, Clock: clockWorking}
	var a galena.Assignment
	saturday := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s.due(&a, r.reps["ben"], saturday) // works on Sundays from nine to ten
	sunday := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	if !a.AcceptHalf.Equal(sunday.Add(20*time.Minute)) || !a.AcceptBy.Equal(sunday.Add(40*time.Minute)) || a.Clock != clockWorking {
		t.Errorf("assignment %+v", a)
	}
	if !a.TouchBy.IsZero() || !a.TouchHalf.IsZero() {
		t.Errorf("a clock that was not asked for: %+v", a)
	}
	in := Input{Final: true, Now: saturday}
	if !r.Match(in).MovesOn() || (Outcome{}).MovesOn() {
		t.Error("only a rule with on_breach moves leads on")
	}
}

package worker

import (
	"context"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestAHandBackGoesOnOrEndsByItsReason(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reason, to string
		refund     bool
	}{
		{galena.HandBackSpam, "sink:reject", true},
		{galena.HandBackDuplicate, "sink:reject", true},
		{galena.HandBackTerritory, "ben", true},
		{galena.HandBackCapacity, "ben", false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Parallel()
			f, w := newFloor(t, spec(upToTwice()))
			act := galena.Act{LeadID: someLead, Rep: "ana", Actor: "ana", Reason: tc.reason, Note: "so it is"}
			for range 2 { // said twice, done once
				if _, err := w.Hands.HandBack(context.Background(), act); err != nil {
					t.Fatal(err)
				}
			}
			if len(f.moves) != 1 || f.rec.Decision.To != tc.to || f.rec.Decision.Epoch != 2 {
				t.Fatalf("%d moves, now with %s", len(f.moves), f.rec.Decision.To)
			}
			m := f.moves[0]
			if m.Refund != tc.refund || m.Reason != "hand_back:"+tc.reason || m.Note != "so it is" || m.From != 1 {
				t.Errorf("move %+v", m)
			}
			if n := f.counted(t, tc.reason); n != 1 {
				t.Errorf("counted %v, want one", n)
			}
			if len(f.told) != 1 || f.told[0].Event != galena.EventRerouted {
				t.Errorf("told %+v", f.told)
			}
		})
	}
}

// What is given back goes on to somebody who has not had it, where a breach moves no
// lead either, and uses up none of a breach's moves.
func TestAHandBackIsNoBreach(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		most int
		want []string
	}{{"NoneMoves", 0, []string{"ben", "queue:hot-desk"}}, {"OneMoves", 1, []string{"ben", "cho", "queue:hot-desk"}}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			breach := upToTwice()
			breach.Max = tc.most
			f, w := newFloor(t, spec(breach))
			if _, err := w.Hands.HandBack(context.Background(), galena.Act{LeadID: someLead, Rep: "ana", Reason: galena.HandBackCapacity}); err != nil {
				t.Fatal(err)
			}
			for i, want := range tc.want {
				if f.rec.Decision.To != want {
					t.Fatalf("after %d breaches it is with %s, want %s", i, f.rec.Decision.To, want)
				}
				f.tick(t, w, galena.ClockAccept, 4*time.Minute)
			}
		})
	}
}

func TestOnlyTheHolderHandsALeadBack(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	for _, act := range []galena.Act{{Rep: "ben", Reason: galena.HandBackSpam}, {Rep: "ana", Epoch: 7, Reason: galena.HandBackSpam}} {
		act.LeadID = someLead
		_, err := w.Hands.HandBack(context.Background(), act)
		if conflictOp(err) != "moved" {
			t.Errorf("%+v: %v, want conflict moved", act, err)
		}
	}
	_, err := w.Hands.HandBack(context.Background(), galena.Act{LeadID: someLead, Rep: "ana", Reason: "boring"})
	if galena.KindOf(err) != galena.Invalid || len(f.moves) != 0 {
		t.Errorf("an unknown reason: %v, %d moves", err, len(f.moves))
	}
}

func TestAPersonGivesALeadToARepOrAPool(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	for i, tc := range []struct{ to, owner string }{{"cho", "cho"}, {"cho", "cho"}, {"pool:all", "ben"}, {"ana", "ana"}} {
		if _, err := w.Hands.Reassign(context.Background(), galena.Act{LeadID: someLead, To: tc.to, Actor: "boss"}); err != nil {
			t.Fatal(err)
		}
		if got := f.rec.Decision; got.Owner != tc.owner || got.Assignment.AcceptBy.IsZero() {
			t.Errorf("%d: to %s: %s has it, want %s with clocks", i, tc.to, got.Owner, tc.owner)
		}
	}
	if len(f.moves) != 3 {
		t.Errorf("%d moves, want 3: giving it to who has it is none", len(f.moves))
	}
	for _, to := range []string{"nobody", "pool:nowhere", ""} {
		if _, err := w.Hands.Reassign(context.Background(), galena.Act{LeadID: someLead, To: to}); galena.KindOf(err) != galena.Invalid {
			t.Errorf("to %q: %v", to, err)
		}
	}
}

func TestACapOutweighsAPersonsWord(t *testing.T) {
	t.Parallel()
	none := 0
	c := spec(upToTwice())
	c.Reps[1].MaxOpen = &none
	_, w := newFloor(t, c)
	_, err := w.Hands.Reassign(context.Background(), galena.Act{LeadID: someLead, To: "ben"})
	if galena.KindOf(err) != galena.Conflict || conflictOp(err) == "moved" {
		t.Errorf("error %v, want a conflict that names the cap", err)
	}
}

func TestWhyNotSaysWhoseTurnItWas(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	d := *f.rec.Decision
	d.Candidates = []galena.Candidate{{Rep: "ana", Pool: "all", Eligible: true, Before: 700_000},
		{Rep: "ben", Pool: "all", Eligible: true, Before: -200_000}, {Rep: "cho", Pool: "all", Why: "time off"}}
	f.rec.Decision = &d
	for rep, want := range map[string]galena.WhyNot{
		"ana": {Has: true, Eligible: true, Why: "ana has the lead"},
		"ben": {Eligible: true, Why: "it was the turn of ana: owed 0.70 leads before, ben -0.20"},
		"cho": {Why: "time off"},
	} {
		got, err := w.Hands.WhyNot(context.Background(), someLead, rep)
		if err != nil || got.Has != want.Has || got.Eligible != want.Eligible || got.Why != want.Why {
			t.Errorf("%s: %+v, %v; want %+v", rep, got, err, want)
		}
	}
	if _, err := w.Hands.WhyNot(context.Background(), someLead, "nobody"); galena.KindOf(err) != galena.NotFound {
		t.Errorf("a stranger: %v", err)
	}
}

func TestWhatARepMeetsIsCounted(t *testing.T) {
	t.Parallel()
	f, w := newFloor(t, spec(upToTwice()))
	if _, err := w.Hands.Take(context.Background(), galena.Act{LeadID: someLead}); err != nil {
		t.Fatal(err)
	}
	if n := f.counted(t, "accept", "met"); n != 1 {
		t.Errorf("%v met, want 1", n)
	}
}

func TestTheTaskOfAClockNamesLeadEpochAndClock(t *testing.T) {
	t.Parallel()
	s := galena.Step{Kind: galena.StepSLA, ID: someLead + ":accept", Epoch: 2, Run: 3}
	if got, want := taskID(s), "sla:due:"+someLead+":2:accept:3"; got != want {
		t.Errorf("task id %q, want %q", got, want)
	}
	b, err := encodePayload(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodePayload(galena.StepSLA, b)
	if err != nil || len(back) != 1 || back[0].ID != s.ID || back[0].Epoch != 2 || back[0].Run != 3 {
		t.Errorf("read back %+v, %v", back, err)
	}
}

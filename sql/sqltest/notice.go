package sqltest

import (
	"reflect"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

var noticeRules = map[string]func(*bench){
	"ACompletionWaitsWithItsDecision":   completionWaits,
	"ADecisionWithoutLaterHasNone":      noCompletion,
	"ALeadHasOneCompletion":             oneCompletion,
	"ANoticeEndsItsStep":                noticeEnds,
	"AStaleRunNotesNothing":             staleNote,
	"WaitingForVendorsBurnsNoAttempts":  waitingIsFree,
	"WhatComesLateIsLearnt":             learnsLate,
	"WhatComesLateMovesWithTheLead":     movesLate,
	"OwnLeadDoesNotSpeakForTheCompany":  ownLeadIsSilent,
	"ASettledMoveTakesTheAccountAlong":  settledAccount,
	"ASettledMoveEndsTheCompletion":     settledMove,
	"ACompletionIsNotTheLeadsOwnStep":   completionIsNoLead,
	"ALookThatWasTooEarlyIsHadLater":    earlyLook,
	"ALookThatTheDecisionMetIsHadLater": metLook,
	"ALookThatIsHandedOutWaitsAnew":     handedLook,
	"ALookThatEndedHasKilledNobody":     endedKillsNobody,
}

// earlyLook plans a look at a lead that is under way, which comes before its decision
// and finds nothing to do.
func earlyLook(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	id := s.begun(person(2))
	r := s.ruling(id, to("ana", false))
	s.resolve(d)
	s.clock.pass(11 * time.Second)
	early := 0
	for _, st := range s.completions() {
		_, err := s.Rehand(s.ctx, []galena.Step{st})
		s.ok(err)
		st.Run++
		ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run)
		s.ok(err)
		s.ok(s.Finish(s.ctx, st))
		if ok && st.ID == id {
			early++
		}
	}
	r.Later = s.clock.now().Add(30 * time.Second) // a vendor was away
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	s.clock.pass(time.Minute)
	late := slices.DeleteFunc(s.completions(), func(st galena.Step) bool { return st.ID != id })
	if early != 1 || len(late) != 1 {
		s.Fatalf("%d looks before the decision and %d after it, want one each", early, len(late))
	}
	_, err = s.Rehand(s.ctx, late)
	s.ok(err)
	if ok, err := s.Begin(s.ctx, late[0].Kind, id, late[0].Epoch, late[0].Run+1); !ok || err != nil {
		s.Errorf("it does not begin: %v, %v", ok, err)
	}
}

// metLook is earlyLook where the decision is written between what the look reads (no
// decision yet) and its end.
func metLook(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	id := s.begun(person(2))
	r := s.ruling(id, to("ana", false))
	s.resolve(d)
	s.clock.pass(11 * time.Second)
	var early galena.Step
	for _, st := range s.completions() {
		if st.ID == id {
			_, err := s.Rehand(s.ctx, []galena.Step{st})
			s.ok(err)
			early = st
			early.Run++
			ok, err := s.Begin(s.ctx, early.Kind, early.ID, early.Epoch, early.Run)
			s.ok(err)
			rec, err := s.Record(s.ctx, id)
			s.ok(err)
			if !ok || rec.Decision != nil {
				s.Fatal("the look comes too late for this test")
			}
		}
	}
	r.Later = s.clock.now().Add(30 * time.Second) // a vendor was away
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	if err := s.Finish(s.ctx, early); err != nil && galena.KindOf(err) != galena.Conflict { // nothing to do, it read
		s.Fatal(err)
	}
	s.clock.pass(time.Minute)
	late := slices.DeleteFunc(s.completions(), func(st galena.Step) bool { return st.ID != id })
	if len(late) != 1 {
		s.Fatalf("%d looks after the decision, want one", len(late))
	}
	_, err = s.Rehand(s.ctx, late)
	s.ok(err)
	if ok, err := s.Begin(s.ctx, late[0].Kind, id, late[0].Epoch, late[0].Run+1); !ok || err != nil {
		s.Errorf("it does not begin: %v, %v", ok, err)
	}
}

// handedLook hands an early look out before the decision is written: whoever takes it
// may read before that is committed, and find nothing to do.
func handedLook(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	id := s.begun(person(2))
	r := s.ruling(id, to("ana", false))
	s.resolve(d)
	s.clock.pass(11 * time.Second)
	early := slices.DeleteFunc(s.completions(), func(st galena.Step) bool { return st.ID != id })
	s.rehand(early, 1)
	r.Later = s.clock.now().Add(30 * time.Second) // a vendor was away
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	if ok, err := s.Begin(s.ctx, galena.StepComplete, id, early[0].Epoch, early[0].Run+1); ok || err != nil {
		s.Errorf("the early look begins: %v, %v", ok, err)
	}
	s.clock.pass(time.Minute)
	if late := slices.DeleteFunc(s.completions(), func(st galena.Step) bool { return st.ID != id }); len(late) != 1 {
		s.Errorf("%d looks after the decision, want one", len(late))
	}
}

// endedKillsNobody ends a look well on which a worker had died before; the next look
// at the lead begins without that death.
func endedKillsNobody(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	id := s.begun(person(2))
	r := s.ruling(id, to("ana", false))
	s.resolve(d)
	s.clock.pass(11 * time.Second)
	for _, st := range s.completions() {
		s.rehand([]galena.Step{st}, 1)
	}
	st := s.kill(galena.StepComplete, id, 2, 1)
	s.rehand([]galena.Step{st}, 1)
	st.Run++
	ok, err := s.Begin(s.ctx, st.Kind, id, st.Epoch, st.Run)
	s.ok(err)
	if !ok {
		s.Fatal("not begun")
	}
	s.ok(s.Finish(s.ctx, st))
	// the lead's own worker died with it, too; whoever takes it over rules
	lost := slices.DeleteFunc(s.suspected(), func(st galena.Step) bool { return st.ID != id || st.Kind != galena.StepLead })
	s.rehand(lost, 1)
	if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, 2); err != nil || !ok {
		s.Fatal("not begun", err)
	}
	r.Step.Run = 2
	r.Later = s.clock.now().Add(30 * time.Second)
	_, err = s.Rule(s.ctx, r)
	s.ok(err)
	s.clock.pass(time.Hour)
	again := slices.DeleteFunc(s.completions(), func(st galena.Step) bool { return st.ID != id })
	if len(again) != 1 {
		s.Fatalf("%d looks, want one", len(again))
	}
	s.rehand(again, 1)
	s.kill(galena.StepComplete, id, again[0].Run+1, 1) // the first death since it ended well
}

func (s *bench) suspected() []galena.Step {
	all, err := s.Suspects(s.ctx, 100)
	s.ok(err)
	return all
}

// completed rules a lead whose completion is due after the wait.
func (s *bench) completed(wait time.Duration) string {
	s.Helper()
	id := s.begun(person(1))
	r := s.ruling(id, to("ana", true))
	r.Later = s.clock.now().Add(wait)
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	return id
}

// completions are the suspects of kind lead:complete, now.
func (s *bench) completions() []galena.Step {
	s.Helper()
	all, err := s.Suspects(s.ctx, 100)
	s.ok(err)
	var out []galena.Step
	for _, st := range all {
		if st.Kind == galena.StepComplete {
			out = append(out, st)
		}
	}
	return out
}

// rehanded is the completion as the worker begins it.
func (s *bench) rehanded() galena.Step {
	s.Helper()
	due := s.completions()
	if len(due) != 1 {
		s.Fatalf("completions %+v, want one that is due", due)
	}
	n, err := s.Rehand(s.ctx, due)
	s.ok(err)
	st := due[0]
	st.Run++
	ok, err := s.Begin(s.ctx, st.Kind, st.ID, st.Epoch, st.Run)
	s.ok(err)
	if n != 1 || !ok {
		s.Fatalf("handed out %d, began %v", n, ok)
	}
	return st
}

func completionWaits(s *bench) {
	id := s.completed(30 * time.Second)
	if got := s.completions(); len(got) != 0 {
		s.Fatalf("due at once: %+v", got)
	}
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	for _, st := range claimed {
		if st.Kind == galena.StepComplete {
			s.Errorf("handed out with its decision: %+v", st)
		}
	}
	s.clock.pass(30 * time.Second)
	got := s.completions()
	if len(got) != 1 || got[0].ID != id || got[0].Epoch != 1 || got[0].Queue != sql.QueueBulk || !got[0].Lost {
		s.Errorf("due %+v, want the completion of %s on the queue %s", got, id, sql.QueueBulk)
	}
}

func noCompletion(s *bench) {
	id := s.begun(person(1))
	_, err := s.Rule(s.ctx, s.ruling(id, nil))
	s.ok(err)
	s.clock.pass(48 * time.Hour)
	if got := s.completions(); len(got) != 0 {
		s.Errorf("completions %+v, want none", got)
	}
}

// A run that lost its answer rules again and is given the first decision: the
// completion is the first one's.
func oneCompletion(s *bench) {
	id := s.begun(person(1))
	r := s.ruling(id, nil)
	r.Later = s.clock.now().Add(time.Minute)
	for range 3 {
		_, err := s.Rule(s.ctx, r)
		s.ok(err)
	}
	s.clock.pass(time.Hour)
	if got := s.completions(); len(got) != 1 {
		s.Errorf("completions %+v, want one", got)
	}
}

func noticeEnds(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	st := s.rehanded()
	want := galena.Notice{Epoch: 1, Kind: galena.NoticeToday, At: s.clock.now(), Text: "today this lead would be tier A / emea",
		Tier: "A", Score: 912, Lo: 900, Hi: 945, Rule: "tier-a", Stop: galena.StopSettled, Cents: 8, Calls: 2}
	s.ok(s.Note(s.ctx, st, want, galena.Lesson{}))
	r, err := s.Record(s.ctx, id)
	s.ok(err)
	if !reflect.DeepEqual(r.Notices, []galena.Notice{want}) {
		s.Errorf("notices %+v, want %+v", r.Notices, want)
	}
	s.refused(s.Note(s.ctx, st, want, galena.Lesson{}), galena.Conflict, "fence")
	s.clock.pass(time.Hour)
	if got := s.completions(); len(got) != 0 {
		s.Errorf("a finished completion is handed out again: %+v", got)
	}
}

func staleNote(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	st := s.rehanded()
	st.Run--
	s.refused(s.Note(s.ctx, st, galena.Notice{Epoch: 1, Kind: galena.NoticeUnchanged, At: s.clock.now()}, galena.Lesson{}), galena.Conflict, "fence")
	r, err := s.Record(s.ctx, id)
	s.ok(err)
	if len(r.Notices) != 0 {
		s.Errorf("notices %+v, want none", r.Notices)
	}
}

func waitingIsFree(s *bench) {
	s.completed(time.Minute)
	for range 3 {
		s.clock.pass(time.Minute)
		s.ok(s.Park(s.ctx, s.rehanded(), s.clock.now().Add(time.Minute), galena.Pending, "waits for alpha"))
	}
	s.clock.pass(time.Minute)
	if got := s.completions(); len(got) != 1 || got[0].Attempts != 0 {
		s.Errorf("completions %+v, want one without attempts", got)
	}
}

func learnsLate(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	st := s.rehanded()
	l := s.opening(id, dispute(headcount, galena.SeverityDecision, id)).Lesson
	l.Company.Facts = galena.Facts{"company.industry": galena.KnownFact("company.industry", galena.EnumValue("fintech"), "beta", s.clock.now())}
	stale := st
	stale.Run--
	n := galena.Notice{Epoch: 1, Kind: galena.NoticeUnchanged, At: s.clock.now()}
	s.refused(s.Note(s.ctx, stale, n, l), galena.Conflict, "fence")
	if all, err := s.Conflicts(s.ctx, galena.ConflictFilter{}); err != nil || len(all) != 0 {
		s.Fatalf("a stale run opened %+v, %v", all, err)
	}
	s.ok(s.Note(s.ctx, st, n, l))
	got, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if got.Facts.Get("company.industry").Value.Text != "fintech" || got.Owner != "ana" {
		s.Errorf("company %+v", got)
	}
	if d := s.only(galena.ConflictFilter{Status: galena.ConflictOpen}); d.LeadID != id || d.Severity != galena.SeverityDecision {
		s.Errorf("conflict %+v", d)
	}
	s.told(headcount)
}

// A lead that moves because of what came late brings its conflicts along, once.
func movesLate(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	m := s.settled(s.rehanded(), to("ben", false))
	m.Lesson = s.opening(id, dispute(headcount, galena.SeverityDecision, id)).Lesson
	stale := m
	stale.Step.Run--
	_, err := s.Move(s.ctx, stale)
	s.refused(err, galena.Conflict, "fence")
	if all, err := s.Conflicts(s.ctx, galena.ConflictFilter{}); err != nil || len(all) != 0 {
		s.Fatalf("a stale run opened %+v, %v", all, err)
	}
	_, err = s.Move(s.ctx, m)
	s.ok(err)
	s.only(galena.ConflictFilter{Status: galena.ConflictOpen, Severity: galena.SeverityDecision})
	s.told(headcount)
}

// The account that a lead brought to its first rep must not look like a reason
// to give this lead to that rep.
func ownLeadIsSilent(s *bench) {
	id := s.completed(time.Minute)
	m, err := s.Memory(s.ctx, id)
	s.ok(err)
	if m.AccountOwner != "" || m.OpenLeadOwner != "" {
		s.Errorf("own lead: account %q, person %q, want nobody", m.AccountOwner, m.OpenLeadOwner)
	}
	other := s.accept(person(2)).ID
	if m, err = s.Memory(s.ctx, other); err != nil || m.AccountOwner != "ana" {
		s.Errorf("a colleague's lead: account %q, %v, want ana", m.AccountOwner, err)
	}
}

// A completion that is due does not bring the lead's own step back.
func completionIsNoLead(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	s.rehanded()
	for run := 1; run <= 2; run++ {
		if ok, err := s.Begin(s.ctx, galena.StepLead, id, 1, run); ok || err != nil {
			s.Errorf("the decided lead began again: %v, %v", ok, err)
		}
	}
}

// settled is the move by which a completion puts its decision right.
func (s *bench) settled(st galena.Step, settle func(galena.Roster, *galena.Decision) galena.Roster) galena.Move {
	m := s.move(st.ID, st.Epoch, "settled", settle)
	m.Step, m.Refund, m.Untouched = st, true, true
	return m
}

func settledMove(s *bench) {
	id := s.completed(time.Minute)
	s.clock.pass(time.Minute)
	st := s.rehanded()
	d, err := s.Move(s.ctx, s.settled(st, to("ben", false)))
	s.ok(err)
	if d.Epoch != 2 || d.Owner != "ben" {
		s.Errorf("epoch %d of %s, want 2 of ben", d.Epoch, d.Owner)
	}
	_, err = s.Move(s.ctx, s.settled(st, to("ana", false)))
	s.refused(err, galena.Conflict, "fence")
	s.clock.pass(48 * time.Hour)
	if got := s.completions(); len(got) != 0 {
		s.Errorf("lead %s is completed again: %+v", id, got)
	}
}

func settledAccount(s *bench) {
	s.completed(time.Minute)
	s.clock.pass(time.Minute)
	_, err := s.Move(s.ctx, s.settled(s.rehanded(), to("ben", true)))
	s.ok(err)
	if c, err := s.Company(s.ctx, "acme.test"); err != nil || c.Owner != "ben" {
		s.Errorf("account of %q, %v, want ben's: ana had it from this lead alone", c.Owner, err)
	}
}

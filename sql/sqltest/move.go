package sqltest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/galenahq/galena"
)

var moveRules = map[string]func(*bench){
	"AMoveIsTheNextDecision":                      moveWrites,
	"AMoverIsToldWhoHadItAndHowOftenTheyWereLate": movePast,
	"ALostRunMovesNothing":                        moveFence,
	"ALateMoverIsToldWhoHasIt":                    moveLate,
	"OfManyMoversOneWins":                         moveRace,
	"AMoveGivesTheTurnBack":                       moveRefund,
	"HandingBackKeepsTheBooksUnderCrossfire":      moveCrossfire,
	"AnUndecidedLeadIsNotMoved":                   moveUndecided,
	"TheAccountFollowsOnlyAPersonsWord":           moveAccount,
	"TheAccountOfAnAliasFollowsToo":               moveAlias,
	"AnAccountThatBecameAnAliasFollowsToo":        moveLinked,
	"AnAccountUnderAnotherAliasFollowsToo":        moveSibling,
	"AnAccountWhoseNameChangedFollowsToo":         moveRenamed,
	"ThePersonFollowsTheLead":                     movePerson,
	"ADuplicateLeavesItsPersonWhereTheyAre":       moveDuplicate,
	"ThePersonFollowsTheLeadThatWasDoubled":       moveDoubled,
	"AFaultInTheMoverLeavesTheLeadWhereItWas":     moveFault,
}

// decided rules a lead of a person of their own for ana or by the rotation.
func (s *bench) decided(i int, settle func(galena.Roster, *galena.Decision) galena.Roster) string {
	s.Helper()
	id := s.begun(person(i))
	_, err := s.Rule(s.ctx, s.ruling(id, settle))
	s.ok(err)
	return id
}

// move asks for the lead's next epoch; settle is as in ruling.
func (s *bench) move(id string, from int, reason string, settle func(galena.Roster, *galena.Decision) galena.Roster) galena.Move {
	now := s.clock.now()
	return galena.Move{LeadID: id, From: from, Reason: reason, Actor: "galena", Reps: []string{"ana", "ben"},
		Settle: func(old galena.Decision, _ galena.Held, r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			d := old
			d.DecidedAt = now
			d.Assignment = galena.Assignment{Rule: old.Rule, To: "queue:triage", AssignedAt: now}
			if settle != nil {
				r = settle(r, &d)
			}
			d.To, d.Owner = d.Assignment.To, d.Assignment.Rep
			return d, []galena.Delivery{{Event: galena.EventRerouted, Target: "default", Body: body(id)}}, r, nil
		}}
}

func moveWrites(s *bench) {
	id := s.decided(1, to("ana", true))
	s.clock.pass(5 * time.Minute)
	m := s.move(id, 1, "sla", to("ben", false))
	settle := m.Settle
	m.Settle = func(old galena.Decision, past galena.Held, r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		if old.Epoch != 1 || old.Owner != "ana" || !slices.Equal(past.Reps, []string{"ana"}) || past.Breaches != 1 || r.Reps["ana"].Open != 0 {
			s.Errorf("settled on epoch %d of %s, past %+v, ana with %d open", old.Epoch, old.Owner, past, r.Reps["ana"].Open)
		}
		return settle(old, past, r)
	}
	d, err := s.Move(s.ctx, m)
	s.ok(err)
	got, err := s.Record(s.ctx, id)
	s.ok(err)
	if d.Epoch != 2 || d.Assignment.Epoch != 2 || got.Lead.Epoch != 2 || got.Decision == nil || !reflect.DeepEqual(*got.Decision, d) {
		s.Errorf("epoch %d, lead %+v", d.Epoch, got.Lead)
	}
	if got.Lead.Status != galena.StatusDecided || got.Lead.DecidedAt.Equal(s.clock.now()) {
		s.Errorf("lead %s, decided %s: the first decision's time stays", got.Lead.Status, got.Lead.DecidedAt)
	}
	s.backlog(3, 0) // the lead's step, lead.routed, lead.rerouted
	s.roster(func(r galena.Roster) {
		if r.Reps["ana"].Open != 0 || r.Reps["ben"].Open != 1 {
			s.Errorf("open leads %+v", r.Reps)
		}
	})
}

func movePast(s *bench) {
	id := s.decided(1, to("ana", true))
	for i, tt := range []struct {
		reason, to string
		want       galena.Held
	}{
		{galena.MoveWait, "ben", galena.Held{Reps: []string{"ana"}}},
		{galena.MoveSLA, "ana", galena.Held{Reps: []string{"ana", "ben"}, Breaches: 1}},
		{galena.MoveReassign, "", galena.Held{Reps: []string{"ana", "ben"}, Breaches: 1}},
		{galena.MoveSLA, "ben", galena.Held{Reps: []string{"ana", "ben"}, Breaches: 2}},
	} {
		m := s.move(id, i+1, tt.reason, nil)
		if tt.to != "" {
			m = s.move(id, i+1, tt.reason, to(tt.to, false))
		}
		settle := m.Settle
		m.Settle = func(old galena.Decision, past galena.Held, r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
			if !reflect.DeepEqual(past, tt.want) {
				s.Errorf("%s: the mover is told %+v, want %+v", tt.reason, past, tt.want)
			}
			return settle(old, past, r)
		}
		_, err := s.Move(s.ctx, m)
		s.ok(err)
	}
}

func moveFence(s *bench) {
	id := s.decided(1, to("ana", false))
	m := s.move(id, 1, "sla", to("ben", false))
	m.Step = run(id, 1) // done with the decision
	_, err := s.Move(s.ctx, m)
	s.refused(err, galena.Conflict, "fence")
	s.heldBy(id, 1, "ana")
}

// heldBy checks who has the lead, and by which decision.
func (s *bench) heldBy(id string, epoch int, rep string) {
	s.Helper()
	got, err := s.Record(s.ctx, id)
	s.ok(err)
	if got.Lead.Epoch != epoch || got.Decision == nil || got.Decision.Owner != rep {
		s.Errorf("epoch %d with %+v, want %d with %s", got.Lead.Epoch, got.Decision, epoch, rep)
	}
}

func moveLate(s *bench) {
	id := s.decided(1, to("ana", false))
	s.clock.pass(5*time.Hour + 5*time.Minute)
	_, err := s.Move(s.ctx, s.move(id, 1, "sla", to("ben", false)))
	s.ok(err)
	_, err = s.Move(s.ctx, s.move(id, 1, "reassign", to("ana", false)))
	s.refused(err, galena.Conflict, "moved")
	if !strings.Contains(err.Error(), "moved to ben at 14:05:00") {
		s.Errorf("told %q", err)
	}
	s.heldBy(id, 2, "ben")
	_, err = s.Move(s.ctx, s.move("nobody", 1, "sla", nil))
	s.refused(err, galena.NotFound, "")
}

func moveRace(s *bench) {
	id := s.decided(1, to("ana", false))
	moves := make([]galena.Move, 32)
	for i := range moves {
		moves[i] = s.move(id, 1, "sla", to("ben", false))
	}
	var won atomic.Int32
	parallel(len(moves), func(i int) {
		if _, err := s.Move(s.ctx, moves[i]); err == nil {
			won.Add(1)
		} else {
			s.conflict(err, "moved")
		}
	})
	if won.Load() != 1 {
		s.Errorf("%d moves won, want 1", won.Load())
	}
	s.heldBy(id, 2, "ben")
	s.roster(func(r galena.Roster) {
		if r.Reps["ana"].Open != 0 || r.Reps["ben"].Open != 1 {
			s.Errorf("open leads %+v", r.Reps)
		}
	})
}

// conflict checks a refusal in a goroutine, which must not stop the test.
func (s *bench) conflict(err error, op string) {
	s.Helper()
	if e, ok := errors.AsType[*galena.Error](err); !ok || e.Kind != galena.Conflict || e.Op != op {
		s.Errorf("error %v, want conflict %s", err, op)
	}
}

func moveRefund(s *bench) {
	first := s.decided(1, rotate(nil)) // to eli, who has the largest share
	s.heldBy(first, 1, "eli")
	m := s.move(first, 1, "hand_back:spam", nil)
	m.Refund = true
	_, err := s.Move(s.ctx, m)
	s.ok(err)
	s.roster(func(r galena.Roster) {
		for rep, credit := range r.Credits[pool] {
			if credit != 0 {
				s.Errorf("%s is owed %d after the turn was undone", rep, credit)
			}
		}
		if r.Reps["eli"].Open != 0 || r.Reps["eli"].LastSeq == 0 {
			s.Errorf("eli %+v: free again, and served last all the same", r.Reps["eli"])
		}
	})
	s.clock.pass(time.Second)
	kept := s.move(s.decided(2, rotate(nil)), 1, "sla", nil)
	_, err = s.Move(s.ctx, kept)
	s.ok(err)
	s.roster(func(r galena.Roster) {
		var sum, owed int64
		for _, credit := range r.Credits[pool] {
			sum, owed = sum+credit, max(owed, credit)
		}
		if sum != 0 || owed == 0 {
			s.Errorf("credits %v: who let a clock run out pays for the turn", r.Credits[pool])
		}
	})
}

// moveCrossfire assigns, hands back and gives on at once; the books must balance.
func moveCrossfire(s *bench) {
	const n = 24
	ids := make([]string, n)
	for i := range ids {
		ids[i] = s.decided(i, rotate(nil))
	}
	moves, rulings := make([]galena.Move, n), make([]galena.Ruling, n)
	for i, id := range ids {
		moves[i] = s.move(id, 1, "hand_back:wrong_territory", rotate(nil))
		moves[i].Refund, moves[i].Pools = true, []string{pool}
		moves[i].Reps = []string{"ana", "ben", "cho", "dee", "eli"}
		rulings[i] = s.ruling(s.begun(person(n+i)), rotate(nil))
		rulings[i].Reps = moves[i].Reps
	}
	parallel(2*n, func(i int) {
		var err error
		if i%2 == 0 {
			_, err = s.Move(s.ctx, moves[i/2])
		} else {
			_, err = s.Rule(s.ctx, rulings[i/2])
		}
		if err != nil {
			s.Error(err)
		}
	})
	s.roster(func(r galena.Roster) {
		var sum int64
		open := 0
		for rep, credit := range r.Credits[pool] {
			sum, open = sum+credit, open+r.Reps[rep].Open
		}
		if sum != 0 || open != 2*n {
			s.Errorf("credits sum to %d and %d leads are open, want 0 and %d", sum, open, 2*n)
		}
	})
}

func moveUndecided(s *bench) {
	id := s.begun(person(1))
	_, err := s.Move(s.ctx, s.move(id, 1, "sla", to("ben", false)))
	s.refused(err, galena.Conflict, "moved")
	s.nothingDecided(id)
}

func moveAccount(s *bench) {
	id := s.decided(1, to("ana", true))
	for i, tt := range []struct{ reason, to, owner string }{{"sla", "ben", "ana"}, {"reassign", "cho", "ana"},
		{"hand_back:no_capacity", "ana", "ana"}, {"reassign", "ben", "ben"}} {
		_, err := s.Move(s.ctx, s.move(id, i+1, tt.reason, to(tt.to, true)))
		s.ok(err)
		c, err := s.Company(s.ctx, "acme.test")
		s.ok(err)
		if c.Owner != tt.owner {
			s.Errorf("%s to %s: the account is %s's, want %s", tt.reason, tt.to, c.Owner, tt.owner)
		}
	}
}

func moveAlias(s *bench) {
	s.link("acme.de", "acme.com", "alias")
	id := s.begun(at("acme.de"))
	r := s.ruling(id, to("ana", true))
	r.Company.Domain = "acme.com"
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	for i, tt := range []struct{ reason, to string }{{galena.MoveSettled, "ben"}, {galena.MoveReassign, "ana"}} {
		_, err := s.Move(s.ctx, s.move(id, i+1, tt.reason, to(tt.to, true)))
		s.ok(err)
		c, err := s.Company(s.ctx, "acme.com")
		s.ok(err)
		if c.Owner != tt.to || s.memoryAt("acme.com").AccountOwner != tt.to {
			s.Errorf("%s to %s: the account is %s's", tt.reason, tt.to, c.Owner)
		}
	}
}

func moveLinked(s *bench) {
	for _, tt := range []struct{ domain, reason, owner string }{
		{"acme", galena.MoveReassign, "ben"},
		{"globex", galena.MoveSettled, ""}, // a settled decision gives it away anew, or not
	} {
		id := s.begun(at(tt.domain + ".de"))
		r := s.ruling(id, to("ana", true))
		r.Company.Domain = tt.domain + ".de"
		_, err := s.Rule(s.ctx, r)
		s.ok(err)
		s.link(tt.domain+".de", tt.domain+".com", "alias")
		_, err = s.Move(s.ctx, s.move(id, 1, tt.reason, to("ben", false)))
		s.ok(err)
		c, err := s.Company(s.ctx, tt.domain+".com")
		if galena.KindOf(err) != galena.NotFound {
			s.ok(err)
		}
		if is := s.memoryAt(tt.domain + ".com").AccountOwner; c.Owner != tt.owner || is != tt.owner {
			s.Errorf("%s: the account is %q's, and %q's for the next lead, want %q", tt.reason, c.Owner, is, tt.owner)
		}
	}
}

// moveSibling gives the account away with a lead of acme.de, links that to acme.com, and
// moves a lead of acme.com, which came to the owner of the account.
func moveSibling(s *bench) {
	r := s.ruling(s.begun(at("acme.de")), to("ana", true))
	r.Company.Domain = "acme.de"
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	s.link("acme.de", "acme.com", "alias")
	id := s.begun(at("acme.com"))
	if m, err := s.Memory(s.ctx, id); err != nil || m.AccountOwner != "ana" {
		s.Fatalf("the account is %q's: %v", m.AccountOwner, err)
	}
	r = s.ruling(id, to("ana", false))
	r.Company.Domain = "acme.com"
	_, err = s.Rule(s.ctx, r)
	s.ok(err)
	_, err = s.Move(s.ctx, s.move(id, 1, galena.MoveReassign, to("ben", false)))
	s.ok(err)
	c, err := s.Company(s.ctx, "acme.com")
	s.ok(err)
	if is := s.memoryAt("acme.de").AccountOwner; c.Owner != "ben" || is != "ben" {
		s.Errorf("the account is %q's, and %q's for the next lead, want ben's", c.Owner, is)
	}
}

// moveRenamed gives the account away as acme.com's with a lead of acme.de, and links
// acme.com to acme.eu afterwards: the account stands under neither name of the move.
func moveRenamed(s *bench) {
	for _, tt := range []struct{ word, reason, owner string }{
		{"acme", galena.MoveReassign, "ben"},
		{"globex", galena.MoveSettled, ""},
	} {
		de, com, eu := tt.word+".de", tt.word+".com", tt.word+".eu"
		s.link(de, com, "alias")
		id := s.begun(at(de))
		r := s.ruling(id, to("ana", true))
		r.Company.Domain = com
		_, err := s.Rule(s.ctx, r)
		s.ok(err)
		s.link(com, eu, "alias")
		_, err = s.Move(s.ctx, s.move(id, 1, tt.reason, to("ben", false)))
		s.ok(err)
		if is := s.memoryAt(eu).AccountOwner; is != tt.owner {
			s.Errorf("%s: the account is %q's for the next lead, want %q", tt.reason, is, tt.owner)
		}
	}
}

func movePerson(s *bench) {
	id := s.decided(1, to("ana", false))
	other := s.accept(submission("ana1@acme.test", "trial")).ID
	holds := func(rep string) {
		s.Helper()
		m, err := s.Memory(s.ctx, other)
		s.ok(err)
		if m.OpenLeadOwner != rep {
			s.Errorf("the person is held by %q, want %q", m.OpenLeadOwner, rep)
		}
	}
	holds("ana")
	_, err := s.Move(s.ctx, s.move(id, 1, "sla", to("ben", false)))
	s.ok(err)
	holds("ben")
	_, err = s.Move(s.ctx, s.move(id, 2, "sla", nil))
	s.ok(err)
	holds("")
	s.ok(s.SetOpenLead(s.ctx, "ana1@acme.test", "zoe"))
	_, err = s.Move(s.ctx, s.move(id, 3, "reassign", to("ana", false)))
	s.ok(err)
	holds("zoe") // by another lead, so the CRM says
}

// moveDuplicate gives a person's second lead to the rep who has their first, who gives
// it back: the first is still theirs, and so is a third.
func moveDuplicate(s *bench) {
	for i, first := range []func(i int){
		func(i int) { s.decided(i, to("ana", false)) },
		func(i int) { s.ok(s.SetOpenLead(s.ctx, person(i).Lead.Key, "ana")) },
	} {
		first(i)
		s.clock.pass(25 * time.Hour)
		_, err := s.Move(s.ctx, s.move(s.decided(i, to("ana", false)), 1, galena.MoveHandBack(galena.HandBackDuplicate), nil))
		s.ok(err)
		s.clock.pass(25 * time.Hour)
		m, err := s.Memory(s.ctx, s.accept(person(i)).ID)
		s.ok(err)
		if m.OpenLeadOwner != "ana" {
			s.Errorf("the person is held by %q, want ana", m.OpenLeadOwner)
		}
	}
}

// moveDoubled gives a person's second lead back as a duplicate of the first, which then
// goes on to somebody else, and to nobody.
func moveDoubled(s *bench) {
	first := s.decided(1, to("ana", false))
	s.clock.pass(25 * time.Hour)
	_, err := s.Move(s.ctx, s.move(s.decided(1, to("ana", false)), 1, galena.MoveHandBack(galena.HandBackDuplicate), nil))
	s.ok(err)
	s.clock.pass(25 * time.Hour)
	third := s.accept(person(1)).ID
	for i, rep := range []string{"ben", ""} {
		settle := to(rep, false)
		if rep == "" {
			settle = nil
		}
		_, err := s.Move(s.ctx, s.move(first, i+1, "sla", settle))
		s.ok(err)
		m, err := s.Memory(s.ctx, third)
		s.ok(err)
		if m.OpenLeadOwner != rep {
			s.Errorf("the person is held by %q, want %q, who has their lead", m.OpenLeadOwner, rep)
		}
	}
}

func moveFault(s *bench) {
	id := s.decided(1, rotate(nil))
	m := s.move(id, 1, "sla", nil)
	m.Refund = true
	m.Settle = func(galena.Decision, galena.Held, galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
		return galena.Decision{}, nil, galena.Roster{}, galena.Errorf(galena.Internal, "route", "no way")
	}
	_, err := s.Move(s.ctx, m)
	s.refused(err, galena.Internal, "route")
	s.heldBy(id, 1, "eli")
	s.roster(func(r galena.Roster) {
		if r.Reps["eli"].Open != 1 || r.Credits[pool]["eli"] >= 0 {
			s.Errorf("eli %+v, credits %v", r.Reps["eli"], r.Credits[pool])
		}
	})
}

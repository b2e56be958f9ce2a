package sqltest

import (
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

var conflictRules = map[string]func(*bench){
	"ARulingOpensAConflictAndTellsOfItOnce": conflictOpens,
	"TwoConflictsOfALeadAreToldEach":        conflictsToldEach,
	"ALaterConflictUpdatesTheOpenOne":       conflictUpdated,
	"AnInfoConflictThatGrowsIsTold":         conflictGrows,
	"AgreementClosesAConflict":              conflictCloses,
	"AConflictMayOpenAnew":                  conflictReopens,
	"AStaleRunOpensNoConflict":              conflictFenced,
	"ParallelLeadsOpenOneConflict":          conflictsAtOnce,
	"APersonResolvesAConflict":              conflictResolved,
	"AConflictIsResolvedOnce":               conflictResolvedOnce,
	"AResolutionLetsLeadsBeLookedAtAgain":   resolutionLooks,
	"APersonsWordLetsLeadsBeLookedAtAgain":  wordLooks,
	"AWordIsNotMissedByALeadUnderWay":       wordUnderWay,
	"ALookUnderWayBeginsAnew":               resolutionFences,
	"ALeadSettlesOnce":                      settlesOnce,
	"DisagreementsAreCountedByPair":         disagreements,
	"ConflictsThatDecideComeFirst":          conflictsListed,
}

const headcount = "company.employee_count"

// dispute is a conflict of two sources, as the pipeline finds it.
func dispute(field string, severity galena.Severity, lead string) galena.Dispute {
	side := func(source string, n int64, tier string) galena.Claim {
		return galena.Claim{Value: galena.Number(n), Source: source, Class: galena.ClassProvider, ObservationID: "o-" + source,
			Confidence: 0.97, ObservedAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Tier: tier, Rule: "tier-" + strings.ToLower(tier)}
	}
	d := galena.Dispute{Entity: "acme.test", Field: field, Margin: 0.17, Severity: severity, Status: galena.ConflictOpen,
		LeadID: lead, Epoch: 1, Candidates: []galena.Claim{side("beta", 460, "B"), side("alpha", 45, "C")}}
	d.Chosen = d.Candidates[0]
	return d
}

// opening is a ruling with conflicts, told of to one target.
func (s *bench) opening(id string, conflicts ...galena.Dispute) galena.Ruling {
	s.Helper()
	r := s.ruling(id, nil)
	r.Conflicts = conflicts
	r.Opened = func(d galena.Dispute) ([]galena.Delivery, error) {
		return []galena.Delivery{{Event: galena.EventConflict, Target: "default", Key: galena.EventConflict + ":" + d.ID, Body: body(d.Field)}}, nil
	}
	return r
}

// contested accepts a lead, opens the conflict with its ruling and reads it.
func (s *bench) contested(person int, severity galena.Severity) galena.Dispute {
	s.Helper()
	id := s.begun(submission("p"+string(rune('a'+person))+"@acme.test", "demo"))
	_, err := s.Rule(s.ctx, s.opening(id, dispute(headcount, severity, id)))
	s.ok(err)
	return s.only(galena.ConflictFilter{Status: galena.ConflictOpen})
}

func (s *bench) only(f galena.ConflictFilter) galena.Dispute {
	s.Helper()
	found, err := s.Conflicts(s.ctx, f)
	s.ok(err)
	if len(found) != 1 {
		s.Fatalf("%d conflicts, want one: %+v", len(found), found)
	}
	return found[0]
}

// events lists what waits to be told, by body.
func (s *bench) events() []string {
	s.Helper()
	claimed, err := s.ClaimOutbox(s.ctx, 100)
	s.ok(err)
	var out []string
	for _, step := range claimed {
		if step.Kind != galena.StepDeliver {
			continue
		}
		d, err := s.Delivery(s.ctx, step.ID)
		s.ok(err)
		if d.Event == galena.EventConflict {
			out = append(out, strings.Trim(string(d.Body), `"`))
		}
	}
	slices.Sort(out)
	return out
}

func (s *bench) told(want ...string) {
	s.Helper()
	if got := s.events(); !slices.Equal(got, want) {
		s.Errorf("told of %v, want %v", got, want)
	}
}

func conflictOpens(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	if d.ID == "" || d.Entity != "acme.test" || d.Margin != 0.17 || d.Epoch != 1 || d.Severity != galena.SeverityDecision ||
		!d.OpenedAt.Equal(s.clock.now()) || len(d.Candidates) != 2 || d.Chosen.Source != "beta" || d.Candidates[1].Value.Lo != 45 {
		s.Errorf("conflict %+v", d)
	}
	again, err := s.Conflict(s.ctx, d.ID)
	s.ok(err)
	if again.ID != d.ID || !again.Candidates[1].ObservedAt.Equal(d.Candidates[1].ObservedAt) {
		s.Errorf("read by its id: %+v", again)
	}
	s.told(headcount)
	m, err := s.Memory(s.ctx, s.accept(submission("zoe@acme.test", "demo")).ID)
	s.ok(err)
	if len(m.Disputes) != 1 || m.Disputes[0].ID != d.ID {
		s.Errorf("remembered %+v, want the open one", m.Disputes)
	}
}

func conflictsToldEach(s *bench) {
	id := s.begun(person(1))
	const country = "company.hq_country"
	_, err := s.Rule(s.ctx, s.opening(id, dispute(headcount, galena.SeverityDecision, id), dispute(country, galena.SeverityDecision, id)))
	s.ok(err)
	s.told(headcount, country)
}

func conflictUpdated(s *bench) {
	first := s.contested(1, galena.SeverityDecision)
	s.clock.pass(time.Minute)
	second := s.contested(2, galena.SeverityDecision)
	if second.ID != first.ID || second.LeadID == first.LeadID || !second.OpenedAt.Equal(first.OpenedAt) || !second.UpdatedAt.After(first.UpdatedAt) {
		s.Errorf("second %+v, want the first brought up to date: %+v", second, first)
	}
	s.told(headcount)
}

func conflictGrows(s *bench) {
	s.contested(1, galena.SeverityInfo)
	s.told()
	s.clock.pass(time.Minute)
	s.contested(2, galena.SeverityDecision)
	s.told(headcount)
}

// closed is the conflict as a later lead finds it to be over.
func (s *bench) closed(d galena.Dispute) galena.Dispute {
	s.Helper()
	id := s.begun(submission("closer@acme.test", s.clock.now().String()))
	d.Status, d.ResolvedBy = galena.ConflictResolved, galena.ResolvedByAgreement
	_, err := s.Rule(s.ctx, s.opening(id, d))
	s.ok(err)
	got, err := s.Conflict(s.ctx, d.ID)
	s.ok(err)
	return got
}

func conflictCloses(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	if got := s.closed(d); got.Status != galena.ConflictResolved || got.ResolvedBy != galena.ResolvedByAgreement {
		s.Errorf("%+v, want it resolved by agreement", got)
	}
	if open, err := s.Conflicts(s.ctx, galena.ConflictFilter{Status: galena.ConflictOpen}); err != nil || len(open) != 0 {
		s.Errorf("open %+v, %v; want none", open, err)
	}
}

func conflictReopens(s *bench) {
	first := s.contested(1, galena.SeverityDecision)
	s.closed(first)
	s.clock.pass(time.Minute)
	second := s.contested(2, galena.SeverityDecision)
	if second.ID == first.ID {
		s.Error("the closed conflict opened again, want a new one")
	}
	s.told(headcount, headcount)
}

func conflictFenced(s *bench) {
	id := s.begun(person(1))
	r := s.opening(id, dispute(headcount, galena.SeverityDecision, id))
	r.Step.Run = 7
	_, err := s.Rule(s.ctx, r)
	s.refused(err, galena.Conflict, "fence")
	if all, err := s.Conflicts(s.ctx, galena.ConflictFilter{}); err != nil || len(all) != 0 {
		s.Errorf("conflicts %+v, %v; want none", all, err)
	}
}

func conflictsAtOnce(s *bench) {
	const leads = 6
	rulings := make([]galena.Ruling, leads)
	for i := range rulings {
		id := s.begun(person(i))
		rulings[i] = s.opening(id, dispute(headcount, galena.SeverityDecision, id))
	}
	errs := make([]error, leads)
	parallel(leads, func(i int) { _, errs[i] = s.Rule(s.ctx, rulings[i]) })
	for _, err := range errs {
		s.ok(err)
	}
	s.only(galena.ConflictFilter{})
	s.told(headcount)
}

func conflictResolved(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	s.clock.pass(time.Minute)
	got, err := s.ResolveConflict(s.ctx, galena.Resolution{ID: d.ID, Value: galena.Number(45), By: "ana.souza"})
	s.ok(err)
	if got.Status != galena.ConflictResolved || got.ResolvedBy != "ana.souza" {
		s.Errorf("%+v, want it resolved by ana.souza", got)
	}
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if f := c.Facts.Get(headcount); f.Value.Lo != 45 || f.Source != "human:ana.souza" {
		s.Errorf("the company shows %+v, want the person's word", f)
	}
	m, err := s.Memory(s.ctx, s.accept(submission("zoe@acme.test", "demo")).ID)
	s.ok(err)
	if len(m.Observations) != 1 || m.Observations[0].Class != galena.ClassHuman || m.Observations[0].Value.Lo != 45 {
		s.Errorf("remembered %+v, want the person's word", m.Observations)
	}
	trail, err := s.AuditTrail(s.ctx, 10)
	s.ok(err)
	if len(trail) != 1 || trail[0].Action != "conflict.resolve" || trail[0].Actor != "ana.souza" || trail[0].Target != d.ID {
		s.Errorf("audit %+v", trail)
	}
	s.told(headcount)
	// A lead that was on its way meanwhile does not open it again: the word stands.
	id := s.begun(person(2))
	_, err = s.Rule(s.ctx, s.opening(id, dispute(headcount, galena.SeverityDecision, id)))
	s.ok(err)
	if open, err := s.Conflicts(s.ctx, galena.ConflictFilter{Status: galena.ConflictOpen}); err != nil || len(open) != 0 {
		s.Errorf("open %+v, %v; want none", open, err)
	}
	s.told()
}

func conflictResolvedOnce(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	const people = 4
	errs := make([]error, people)
	parallel(people, func(i int) {
		_, errs[i] = s.ResolveConflict(s.ctx, galena.Resolution{ID: d.ID, Value: galena.Number(int64(i)), By: "p"})
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		s.refused(err, galena.Conflict, "resolved")
	}
	if won != 1 {
		s.Errorf("%d people resolved it, want one", won)
	}
	_, err := s.ResolveConflict(s.ctx, galena.Resolution{ID: "none", By: "p"})
	s.refused(err, galena.NotFound, "")
}

func disagreements(s *bench) {
	id := s.begun(person(1))
	three := dispute("company.industry", galena.SeverityInfo, id)
	three.Candidates = append(three.Candidates, galena.Claim{Value: galena.EnumValue("en\x00ergy"), Source: "crawl"}) // Postgres reads no NUL
	_, err := s.Rule(s.ctx, s.opening(id, dispute(headcount, galena.SeverityDecision, id), three))
	s.ok(err)
	got, err := s.DisagreementsByProvider(s.ctx, s.clock.now().Add(-time.Hour))
	s.ok(err)
	want := []galena.Disagreement{{A: "alpha", B: "beta", Info: 1, Decision: 1}, {A: "alpha", B: "crawl", Info: 1}, {A: "beta", B: "crawl", Info: 1}}
	if !slices.Equal(got, want) {
		s.Errorf("got %+v, want %+v", got, want)
	}
}

func conflictsListed(s *bench) {
	id := s.begun(person(1))
	_, err := s.Rule(s.ctx, s.opening(id, dispute("company.name", galena.SeverityInfo, id), dispute(headcount, galena.SeverityDecision, id),
		dispute("company.type", galena.SeverityInfo, id)))
	s.ok(err)
	all, err := s.Conflicts(s.ctx, galena.ConflictFilter{Entity: "acme.test"})
	s.ok(err)
	if len(all) != 3 || all[0].Field != headcount {
		s.Errorf("%+v, want three with the decision first", all)
	}
	s.only(galena.ConflictFilter{Severity: galena.SeverityDecision})
	s.only(galena.ConflictFilter{Limit: 1})
	if none, err := s.Conflicts(s.ctx, galena.ConflictFilter{Entity: "globex.test"}); err != nil || len(none) != 0 {
		s.Errorf("of another company: %+v, %v", none, err)
	}
}

// What a CRM says by itself is read when a lead is decided; what a person says
// there lets those that are decided be looked at again.
func wordLooks(s *bench) {
	id := s.begun(person(1))
	_, err := s.Rule(s.ctx, s.ruling(id, to("ana", false)))
	s.ok(err)
	for _, tc := range []struct {
		class galena.SourceClass
		want  int
	}{{galena.ClassCRM, 0}, {galena.ClassHuman, 1}} {
		now := s.clock.now()
		s.ok(s.AddObservations(s.ctx, []galena.Observation{{ID: "word-" + string(tc.class), Entity: "acme.test", Field: "company.employee_count",
			Value: galena.Number(300), Source: "human:twenty", Class: tc.class, Confidence: 1, ObservedAt: now, FetchedAt: now}}))
		if got := s.completions(); len(got) != tc.want {
			s.Errorf("after a word of class %s %d leads are looked at again, want %d", tc.class, len(got), tc.want)
		}
	}
}

// A lead on which a worker is may have read what was known before the word; one that
// waits for a worker will read it.
func wordUnderWay(s *bench) {
	d := s.contested(1, galena.SeverityDecision)
	id := s.begun(person(2))
	waits := s.accept(person(3)).ID
	r := s.ruling(id, to("ana", false))
	s.resolve(d)
	_, err := s.Rule(s.ctx, r)
	s.ok(err)
	s.clock.pass(11 * time.Second)
	var got []string
	for _, st := range s.completions() {
		got = append(got, st.ID)
	}
	if !slices.Contains(got, id) || slices.Contains(got, waits) {
		s.Errorf("looked at again: %v, want %s among them and not %s", got, id, waits)
	}
}

// resolve is a person's word on the conflict.
func (s *bench) resolve(d galena.Dispute) {
	s.Helper()
	_, err := s.ResolveConflict(s.ctx, galena.Resolution{ID: d.ID, Value: galena.Number(45), By: "ana.souza"})
	s.ok(err)
}

// Of five leads, two are looked at again: one that a rep has, though long since,
// at an alias of the company, and one that a sink took just now. Not one that a
// sink took long ago, one that was handed back, or one of another company.
func resolutionLooks(s *bench) {
	s.link("acme.de", "acme.test", "alias")
	decide := func(in galena.Intake, settle func(galena.Roster, *galena.Decision) galena.Roster) string {
		id := s.begun(in)
		_, err := s.Rule(s.ctx, s.ruling(id, settle))
		s.ok(err)
		return id
	}
	held := decide(at("acme.de"), to("ana", false))
	decide(person(11), nil)
	s.clock.pass(48 * time.Hour)
	back := decide(person(12), to("ana", false))
	_, err := s.Move(s.ctx, s.move(back, 1, galena.MoveHandBack(galena.HandBackSpam), nil))
	s.ok(err)
	decide(at("globex.test"), to("ana", false))
	d := s.contested(1, galena.SeverityDecision)
	s.resolve(d)
	var got []string
	for _, st := range s.completions() {
		if got = append(got, st.ID); st.Epoch != 1 || st.Queue != sql.QueueBulk || !st.DueAt.Equal(s.clock.now()) {
			s.Errorf("step %+v", st)
		}
	}
	want := []string{held, d.LeadID}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("looked at again: %v, want %v", got, want)
	}
}

// A look that read what was known before the person spoke writes nothing; the
// next one replaces the notice of the one before.
func resolutionFences(s *bench) {
	id := s.begun(person(1))
	var disputes []galena.Dispute
	for _, field := range []string{headcount, "company.annual_revenue", "company.founded_year"} {
		disputes = append(disputes, dispute(field, galena.SeverityDecision, id))
	}
	_, err := s.Rule(s.ctx, s.opening(id, disputes...))
	s.ok(err)
	open, err := s.Conflicts(s.ctx, galena.ConflictFilter{})
	s.ok(err)
	n := galena.Notice{Epoch: 1, Kind: galena.NoticeToday, At: s.clock.now(), Text: "today this lead would be tier B"}
	s.resolve(open[0])
	s.ok(s.Note(s.ctx, s.rehanded(), n, galena.Lesson{}))
	s.resolve(open[1])
	late := s.rehanded()
	s.resolve(open[2])
	s.refused(s.Note(s.ctx, late, n, galena.Lesson{}), galena.Conflict, "fence")
	n.Text = "today this lead would be tier C"
	s.ok(s.Note(s.ctx, s.rehanded(), n, galena.Lesson{}))
	r, err := s.Record(s.ctx, id)
	s.ok(err)
	if len(r.Notices) != 1 || r.Notices[0].Text != n.Text {
		s.Errorf("notices %+v, want the last", r.Notices)
	}
}

func settlesOnce(s *bench) {
	s.completed(time.Minute)
	s.clock.pass(time.Minute)
	st := s.rehanded()
	_, err := s.Move(s.ctx, s.settled(st, to("ben", false)))
	s.ok(err)
	again := s.settled(st, to("ana", false))
	again.Step, again.From = galena.Step{}, 2
	_, err = s.Move(s.ctx, again)
	s.refused(err, galena.Conflict, "moved")
}

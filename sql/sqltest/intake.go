package sqltest

import (
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/galenahq/galena"
)

var intakeRules = map[string]func(*bench){
	"AcceptStoresLeadStepAndOutbox":            acceptStores,
	"ALeadReadsBackAsItWasStored":              leadReadsBack,
	"FiftyEqualPostsWithAKeyAreOneLead":        oneKeyOneLead,
	"AKeyWithAnotherBodyIsRefused":             keyOtherBody,
	"KeysArePerToken":                          keysPerToken,
	"AKeyIsForgottenAfterADay":                 keyForgotten,
	"ParallelPostsOfAPersonAreOneLead":         parallelPersons,
	"ARepeatGetsTheFirstIDAndIsReplayed":       repeatGetsFirst,
	"AfterTheTimeARepeatIsANewLead":            repeatLater,
	"ADroppedLeadLeavesOnlyItsKey":             dropLeavesKey,
	"AQuarantinedLeadHasNoStepButItsDelivery":  quarantinedDelivers,
	"TextThatPostgresCannotStoreIsCleaned":     cleansText,
	"NumbersOfAFormStayAsTheyAreWritten":       keepsNumbers,
	"RecallKnowsSuppressedAndKnownDomains":     recalls,
	"AStepIsHandedOutInTheOrderOfItsAccepting": outboxOrder,
	"AFormsWordIsKeptOnceWhileItIsTheLast":     wordsOfForms,
	"WhatIsCommittedGoesToTheCourier":          handsToCourier,
	"AKeptDeliveryIsBegunWithItsDecision":      keptDelivery,
	"WhatWasCommittedUnknownIsNoRepeat":        acceptedUnknown,
}

func withKey(in galena.Intake, token, body string) galena.Intake {
	sum := sha256.Sum256([]byte(body))
	in.Idempotency = &galena.Idempotency{Token: token, Key: "k1", BodyHash: sum[:]}
	return in
}

func acceptStores(s *bench) {
	r := s.accept(person(1))
	if r.ID == "" || r.Status != galena.StatusAccepted || r.Duplicate || r.Warnings == nil {
		s.Errorf("receipt %+v", r)
	}
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if len(claimed) != 1 || claimed[0].ID != r.ID || claimed[0].Run != 1 || claimed[0].Queue != "leads" {
		s.Errorf("outbox %+v, want the step of %s", claimed, r.ID)
	}
	s.backlog(1, 1)
}

func (s *bench) backlog(outbox, undecided int) {
	s.Helper()
	b, err := s.Backlog(s.ctx)
	s.ok(err)
	if b.Outbox != outbox || b.Undecided != undecided || (undecided > 0) != !b.OldestUndecided.IsZero() {
		s.Errorf("backlog %+v, want outbox %d, undecided %d", b, outbox, undecided)
	}
}

func leadReadsBack(s *bench) {
	in := person(1)
	in.Lead.ID, in.Lead.ExternalID, in.Lead.Epoch = "0193-a", "crm-7", 1
	in.Lead.Codes = []string{"trimmed", "role_address"}
	in.Lead.Role = true
	in.Lead.CreatedAt = s.clock.now()
	s.accept(in)
	got, err := s.Record(s.ctx, "0193-a")
	s.ok(err)
	if !reflect.DeepEqual(got.Lead, in.Lead) {
		s.Errorf("lead\n%+v, want\n%+v", got.Lead, in.Lead)
	}
	if got.Decision != nil {
		s.Error("an undecided lead has a decision")
	}
}

func oneKeyOneLead(s *bench) {
	in := withKey(person(1), "t1", "body")
	got := make([]galena.Receipt, 50)
	parallel(50, func(i int) {
		var err error
		if got[i], err = s.Accept(s.ctx, in); err != nil {
			s.Error(err)
		}
	})
	for _, r := range got {
		if !reflect.DeepEqual(r, got[0]) || r.Duplicate {
			s.Fatalf("receipt %+v, want %+v", r, got[0])
		}
	}
	s.backlog(1, 1)
}

func keyOtherBody(s *bench) {
	s.accept(withKey(person(1), "t1", "body"))
	_, err := s.Accept(s.ctx, withKey(person(2), "t1", "other"))
	s.refused(err, galena.Invalid, "idempotency")
	s.backlog(1, 1)
}

func keysPerToken(s *bench) {
	a := s.accept(withKey(person(1), "t1", "body"))
	b := s.accept(withKey(person(2), "t2", "body"))
	if a.ID == b.ID {
		s.Error("two tokens shared a key")
	}
}

func keyForgotten(s *bench) {
	in := person(1)
	in.RepeatWithin = 0
	a := s.accept(withKey(in, "t1", "body"))
	s.clock.pass(25 * time.Hour)
	if b := s.accept(withKey(in, "t1", "other")); a.ID == b.ID {
		s.Error("the key was still held after a day")
	}
	s.clock.pass(25 * time.Hour)
	s.ok(s.Tidy(s.ctx))
}

func parallelPersons(s *bench) {
	ids := make([]galena.Receipt, 20)
	parallel(len(ids), func(i int) {
		var err error
		if ids[i], err = s.Accept(s.ctx, submission("ana@acme.test", "demo")); err != nil {
			s.Error(err)
		}
	})
	firsts := 0
	for _, r := range ids {
		if r.ID != ids[0].ID {
			s.Fatalf("two leads: %s and %s", r.ID, ids[0].ID)
		}
		if !r.Duplicate {
			firsts++
		}
	}
	if firsts != 1 {
		s.Errorf("%d firsts, want 1", firsts)
	}
	s.backlog(1, 1)
}

func repeatGetsFirst(s *bench) {
	first := s.accept(submission("ana@acme.test", "demo"))
	again := withKey(submission("ana@acme.test", "demo"), "t1", "body")
	r := s.accept(again)
	if r.ID != first.ID || !r.Duplicate {
		s.Errorf("receipt %+v, want the first lead %s as a duplicate", r, first.ID)
	}
	if replay := s.accept(again); !reflect.DeepEqual(replay, r) {
		s.Errorf("replay %+v, want %+v", replay, r)
	}
	if other := s.accept(submission("ana@acme.test", "trial")); other.ID == first.ID {
		s.Error("another form is another lead")
	}
}

func repeatLater(s *bench) {
	first := s.accept(submission("ana@acme.test", "demo"))
	s.clock.pass(24*time.Hour - time.Second)
	if r := s.accept(submission("ana@acme.test", "demo")); r.ID != first.ID {
		s.Error("within the time it must be the same lead")
	}
	s.clock.pass(time.Second)
	second := s.accept(submission("ana@acme.test", "demo"))
	if second.ID == first.ID {
		s.Error("after the time it must be a new lead")
	}
	if r := s.accept(submission("ana@acme.test", "demo")); r.ID != second.ID {
		s.Error("a repeat belongs to the newest lead")
	}
}

func dropLeavesKey(s *bench) {
	in := withKey(person(1), "t1", "body")
	in.Forget = true
	r := s.accept(in)
	if _, err := s.Record(s.ctx, r.ID); galena.KindOf(err) != galena.NotFound {
		s.Errorf("record: %v, want not found", err)
	}
	if again := s.accept(in); !reflect.DeepEqual(again, r) || r.Status != galena.StatusAccepted {
		s.Errorf("replay %+v, want %+v", again, r)
	}
	s.backlog(0, 0)
	if later := s.accept(person(1)); later.Duplicate {
		s.Error("a dropped lead was remembered")
	}
}

func quarantinedDelivers(s *bench) {
	in := person(1)
	in.Lead.Status, in.Lead.Verdict = galena.StatusQuarantined, galena.Quarantine
	in.Deliveries = []galena.Delivery{{ID: "d1", Event: galena.EventQuarantined, Target: "default", Body: body("held")}}
	r := s.accept(in)
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if len(claimed) != 1 || claimed[0].Kind != galena.StepDeliver || claimed[0].ID != "d1" || claimed[0].Queue != "deliveries" {
		s.Fatalf("outbox %+v, want the delivery only", claimed)
	}
	d, err := s.Delivery(s.ctx, "d1")
	s.ok(err)
	if want := "lead.quarantined:" + r.ID + ":1"; d.Key != want || d.LeadID != r.ID || string(d.Body) != `"held"` {
		s.Errorf("delivery %+v, want key %s", d, want)
	}
	s.backlog(1, 0)
}

func cleansText(s *bench) {
	in := person(1)
	in.Lead.Name = "Ana\x00 \xff"
	in.Lead.Fields = map[string]any{"a": "x\x00y"}
	in.Observations = []galena.Observation{{Entity: "lead:1", Field: "lead.company", Source: "fo\x00rm",
		Class: galena.ClassForm, Value: galena.TextValue(`back\u0000slash` + "\x00")}}
	r := s.accept(in)
	got, err := s.Record(s.ctx, r.ID)
	s.ok(err)
	if got.Lead.Name != "Ana \ufffd" {
		s.Errorf("name %q", got.Lead.Name)
	}
}

// keepsNumbers: a form may send a number that no float64 is. Its lead is read like
// every other, the number as it was written.
func keepsNumbers(s *bench) {
	in := person(1)
	in.Lead.Fields = map[string]any{"huge": json.Number("1e999"), "exact": json.Number("9007199254740993"),
		"list": []any{json.Number("-1E400"), "x"}}
	in.Lead.Consent = map[string]any{"marketing": true, "version": json.Number("2.50")}
	id := s.accept(in).ID
	m, err := s.Memory(s.ctx, id)
	s.ok(err)
	if !reflect.DeepEqual(m.Lead.Fields, in.Lead.Fields) || !reflect.DeepEqual(m.Lead.Consent, in.Lead.Consent) {
		s.Errorf("read fields %v and consent %v", m.Lead.Fields, m.Lead.Consent)
	}
}

func recalls(s *bench) {
	hit, miss := []byte{1, 2}, []byte{3}
	for _, reason := range []string{"asked", "asked again"} {
		if news, err := s.Suppress(s.ctx, hit, reason); err != nil || news != (reason == "asked") {
			s.Fatalf("%s: news %v, %v", reason, news, err)
		}
	}
	s.ok(s.SetAccountOwner(s.ctx, "owned.test", "ana"))
	s.ok(s.SaveAnswer(s.ctx, galena.Answer{Provider: "alpha", Domain: "held.test"}, galena.LedgerEntry{Provider: "alpha"}))
	s.ok(s.SaveAnswer(s.ctx, galena.Answer{Provider: "alpha", Domain: "missed.test", Kind: galena.NotFound}, galena.LedgerEntry{}))
	tests := []struct {
		hashes     [][]byte
		domain     string
		suppressed bool
		known      bool
	}{
		{[][]byte{miss, hit}, "nobody.test", true, false},
		{[][]byte{miss}, "owned.test", false, true},
		{nil, "held.test", false, true},
		{nil, "missed.test", false, false},
	}
	for _, tt := range tests {
		suppressed, known, err := s.Recall(s.ctx, tt.hashes, tt.domain)
		s.ok(err)
		if suppressed != tt.suppressed || known != tt.known {
			s.Errorf("%s: suppressed %v, known %v", tt.domain, suppressed, known)
		}
	}
	s.clock.pass(time.Second)
	_, err := s.Suppress(s.ctx, miss, "moved")
	s.ok(err)
	began := s.clock.now().Add(-time.Second)
	want := []galena.Suppression{{Digest: "0102", Reason: "asked", At: began}, {Digest: "03", Reason: "moved", At: began.Add(time.Second)}}
	if got, err := s.Suppressions(s.ctx); err != nil || !reflect.DeepEqual(got, want) {
		s.Errorf("the list is %+v, %v", got, err)
	}
	for _, kept := range []bool{true, false} {
		if was, err := s.Unsuppress(s.ctx, hit); err != nil || was != kept {
			s.Errorf("was kept out: %v, %v", was, err)
		}
	}
	if suppressed, _, err := s.Recall(s.ctx, [][]byte{hit}, "nobody.test"); err != nil || suppressed {
		s.Errorf("let in again, and suppressed %v, %v", suppressed, err)
	}
	domains, err := s.KnownDomains(s.ctx)
	s.ok(err)
	if !reflect.DeepEqual(domains, []string{"owned.test"}) {
		s.Errorf("known domains %v", domains)
	}
}

func outboxOrder(s *bench) {
	var want []string
	for i := range 5 {
		want = append(want, s.accept(person(i)).ID)
	}
	claimed, err := s.ClaimOutbox(s.ctx, 3)
	s.ok(err)
	for i, st := range claimed {
		if st.ID != want[i] {
			s.Errorf("%d is %s, want %s", i, st.ID, want[i])
		}
	}
	if len(claimed) != 3 {
		s.Errorf("%d claimed, want 3", len(claimed))
	}
}

// says is a form of that person that states the company's name.
func (s *bench) says(i int, name string) galena.Intake {
	in := person(i)
	in.Lead.CreatedAt = s.clock.now()
	in.Observations = []galena.Observation{{Entity: "acme.test", Field: "company.name", Source: "form", Class: galena.ClassForm,
		Value: galena.TextValue(name), Confidence: 1, ObservedAt: s.clock.now(), FetchedAt: s.clock.now()}}
	return in
}

// wordsOfForms counts the words that were written: of all that forms say of a field the
// last is read.
func wordsOfForms(s *bench) {
	written := map[string]bool{}
	for i, c := range []struct {
		says  string
		later time.Duration
		words int
	}{{"Acme", 0, 1}, {"Acme", time.Minute, 1}, {"ACME Inc", time.Minute, 2}, {"Acme", time.Minute, 3}, {"Acme", 2 * time.Hour, 4}} {
		s.clock.pass(c.later)
		m, err := s.Memory(s.ctx, s.accept(s.says(i, c.says)).ID)
		s.ok(err)
		if len(m.Observations) != 1 || m.Observations[0].Value.Text != c.says {
			s.Errorf("lead %d: forms said %+v, want %q alone", i, m.Observations, c.says)
			continue
		}
		if written[m.Observations[0].ID] = true; len(written) != c.words {
			s.Errorf("lead %d: %d words were written, want %d", i, len(written), c.words)
		}
	}
}

// courier keeps what it is given.
type courier struct {
	mu     sync.Mutex
	ready  bool
	places int
	taken  []galena.Step
}

// Ready implements sql.Courier.
func (c *courier) Ready() bool { return c.ready }

// Keep implements sql.Courier.
func (c *courier) Keep() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places--
	return c.places >= 0
}

// Drop implements sql.Courier.
func (c *courier) Drop(places int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.places += places
}

// Take implements sql.Courier.
func (c *courier) Take(committed []galena.Step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = append(c.taken, committed...)
}

func handsToCourier(s *bench) {
	c := &courier{ready: true}
	s.HandTo(c)
	id := s.accept(person(1)).ID
	if len(c.taken) != 1 || c.taken[0].ID != id || c.taken[0].Run != 1 || c.taken[0].Queue != "leads" {
		s.Errorf("the courier got %+v, want the step of %s", c.taken, id)
	}
	s.backlog(0, 1)

	broken := person(2)
	broken.Lead.ID = id // it exists: the transaction fails
	if _, err := s.Accept(s.ctx, broken); err == nil {
		s.Error("a lead was accepted twice")
	}
	if len(c.taken) != 1 {
		s.Errorf("the courier got what was never committed: %+v", c.taken[1:])
	}

	s.clock.pass(11 * time.Second)
	lost, err := s.Suspects(s.ctx, 10)
	s.ok(err)
	if len(lost) != 1 || lost[0].ID != id {
		s.Errorf("suspects %+v, want the step that a courier took and nobody began", lost)
	}
	n, err := s.Rehand(s.ctx, lost)
	s.ok(err)
	if n != 1 || len(c.taken) != 2 || c.taken[1].Run != 2 {
		s.Errorf("%d handed out again, the courier has %+v", n, c.taken)
	}

	c.ready = false
	late := s.accept(person(3)).ID
	claimed, err := s.ClaimOutbox(s.ctx, 10)
	s.ok(err)
	if len(claimed) != 1 || claimed[0].ID != late || len(c.taken) != 2 {
		s.Errorf("outbox %+v, want what was committed while the courier was not ready", claimed)
	}
	s.ok(s.PutOutbox(s.ctx, c.taken[1:]))
	s.backlog(2, 2)
}

// acceptedUnknown takes a lead in once more as it was, as happens when the outcome
// of the commit is not known: it is the same lead and nobody came twice.
func acceptedUnknown(s *bench) {
	in := person(1)
	in.Lead.ID = "0190b5a0-0000-7000-8000-000000000001"
	first := s.accept(in)
	s.relayed()
	if again := s.accept(in); !reflect.DeepEqual(again, first) || again.Duplicate {
		s.Errorf("%+v, then %+v, want the same and no duplicate", first, again)
	}
	s.backlog(0, 1)
	if repeat := s.accept(person(1)); !repeat.Duplicate || repeat.ID != first.ID {
		s.Errorf("%+v, want a repeat of %s", repeat, first.ID)
	}
}

// keptDelivery tells of a lead with no place and with one: what has it holds a lease
// and is over like any other, what has none is queued.
func keptDelivery(s *bench) {
	c := &courier{ready: true}
	s.HandTo(c)
	id := s.decided(1, nil)
	if queued := c.taken[len(c.taken)-1]; queued.Kind != galena.StepDeliver || !queued.Begun.IsZero() {
		s.Errorf("the courier got %+v, want a delivery that waits", queued)
	}
	c.places, c.taken = 1, nil
	_, err := s.Move(s.ctx, s.move(id, 1, "sla", nil))
	s.ok(err)
	if len(c.taken) != 1 || c.taken[0].Begun.IsZero() || c.places != 0 {
		s.Fatalf("%+v with %d places left, want one begun in the only one", c.taken, c.places)
	}
	kept := c.taken[0]
	if ok, err := s.Begin(s.ctx, kept.Kind, kept.ID, kept.Epoch, kept.Run); ok || err != nil {
		s.Errorf("begun twice: %v, %v", ok, err)
	}
	s.clock.pass(7 * time.Second)
	abandoned := func(st galena.Step) bool { return st.ID == kept.ID && st.Lost && st.Kills == 1 }
	if found, err := s.Suspects(s.ctx, 10); err != nil || !slices.ContainsFunc(found, abandoned) {
		s.Errorf("suspects %+v, %v, want the delivery that nobody holds any more", found, err)
	}
	s.ok(s.Finish(s.ctx, kept))
}

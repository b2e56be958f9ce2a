package crm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// desk is a writer over a CRM in memory, with a clock that is moved.
type desk struct {
	*crm.Writer
	crm    *memory
	ledger *ledger
	mu     sync.Mutex
	at     time.Time
}

func newDesk() *desk {
	d := &desk{at: day, crm: newMemory()}
	d.ledger = newLedger(d.now)
	d.Writer = &crm.Writer{CRM: d.crm, Ledger: d.ledger, Now: d.now}
	return d
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(by)
}

func (d *desk) want(f crm.Field, norm string, mode crm.Mode) crm.Want {
	return crm.Want{Field: f, Encoded: holds(norm).Encoded, Policy: crm.Policy{Mode: mode}, Source: "v", Confidence: 0.9, ObservedAt: d.now()}
}

// job is a company with an industry, and a person of it.
func (d *desk) job(run, industryNow string) crm.Job {
	const domain = "acme.example"
	return crm.Job{Run: run, Kind: galena.CRMRunLead, LeadID: "lead-" + run, Records: []crm.Wanted{
		{Key: crm.Key{Object: crm.Company, Domain: domain},
			Wants: []crm.Want{d.want(crm.Domain, domain, crm.FillEmpty), d.want(industry, industryNow, crm.RefreshIfOurs)}},
		{Key: crm.Key{Object: crm.Person, Email: run + "@" + domain},
			Wants: []crm.Want{d.want(crm.Email, run+"@"+domain, crm.FillEmpty), d.want("lead.job_title", "cto", crm.FillEmpty)},
			Link:  &crm.Want{Policy: crm.Policy{Mode: crm.FillEmpty}, Source: "galena"}},
	}}
}

func write(t *testing.T, d *desk, j crm.Job) []crm.Plan {
	t.Helper()
	plans, err := d.Write(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	return plans
}

func outcome(p crm.Plan, f crm.Field) crm.Outcome {
	for _, d := range p.Decisions {
		if d.Field == f {
			return d.Outcome
		}
	}
	return ""
}

func TestACompanyIsMadeBeforeItsPersonAndLinked(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	if len(d.crm.records) != 2 || d.crm.objects["1"] != crm.Company || d.crm.value("2", crm.Employer) != "1" {
		t.Errorf("records %v", d.crm.records)
	}
}

func TestManyPeopleOfOneCompanyMakeItOnce(t *testing.T) {
	t.Parallel()
	d := newDesk()
	var g sync.WaitGroup
	for i := range 20 {
		g.Go(func() {
			for try := 0; ; try++ {
				_, err := d.Write(context.Background(), d.job(fmt.Sprintf("p%d", i), "retail"))
				if err == nil {
					return
				}
				if galena.KindOf(err) != galena.Pending || try > 20 {
					t.Error(err)
					return
				}
			}
		})
	}
	g.Wait()
	companies := 0
	for _, w := range d.crm.writes {
		if w.Object == crm.Company {
			companies++
		}
	}
	if companies != 1 || len(d.crm.records) != 21 {
		t.Errorf("%d writes to the company and %d records, want 1 and 21", companies, len(d.crm.records))
	}
}

func TestALaterRunWritesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.pass(time.Hour)
	write(t, d, d.job("ana", "retail"))
	if len(d.crm.writes) != 2 {
		t.Fatalf("%d writes of the same, want the 2 of before", len(d.crm.writes))
	}
	write(t, d, d.job("ana", "mining"))
	if last := d.crm.writes[len(d.crm.writes)-1]; len(d.crm.writes) != 3 || len(last.Set) != 1 || d.crm.value("1", industry) != "mining" {
		t.Errorf("writes %d, the last one %v", len(d.crm.writes), last.Set)
	}
}

func TestARepWhoIsFasterKeepsTheirValue(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.pass(time.Hour)
	edits := 0
	d.crm.before = func(c crm.Change) {
		if c.Object == crm.Company && edits == 0 {
			edits++
			d.crm.edit(industry, "fishing")
		}
	}
	plans := write(t, d, d.job("ana", "mining"))
	if got := d.crm.value("1", industry); got != "fishing" || outcome(plans[0], industry) != crm.Conflict {
		t.Errorf("industry %q, %s; want the rep's, and a conflict", got, outcome(plans[0], industry))
	}
	if k := d.ledger.conflicts["1"+string(industry)]; k.Theirs.Norm != "fishing" || k.Ours.Norm != "mining" {
		t.Errorf("conflict %+v", k)
	}
	// Set back to what we once wrote, by the rep: still the rep's.
	d.crm.edit(industry, "retail")
	d.pass(time.Hour)
	write(t, d, d.job("ana", "steel"))
	if got := d.crm.value("1", industry); got != "retail" {
		t.Errorf("industry %q, want the rep's", got)
	}
}

func TestACreateAnsweredByADroppedConnectionIsMadeOnce(t *testing.T) {
	t.Parallel()
	d := newDesk()
	dropped := map[string]bool{}
	d.crm.after = func(c crm.Change, r crm.Result) (crm.Result, error) {
		if email := c.Set[crm.Email].Norm; c.ID == "" && email != "" && !dropped[email] {
			dropped[email] = true
			return r, &galena.Error{Kind: galena.Unavailable, Op: "memory.apply", Err: errors.New("connection closed")}
		}
		return r, nil
	}
	for i := range 200 {
		j := d.job(fmt.Sprintf("p%d", i), "retail")
		if _, err := d.Write(context.Background(), j); galena.KindOf(err) != galena.Unavailable {
			t.Fatalf("try 1: %v", err)
		}
		if _, err := d.Ledger.HoldCRM(context.Background(), galena.CRMClaim{Object: "person", Key: lastKey(d.ledger)}); galena.KindOf(err) != galena.Pending {
			t.Fatalf("the record is free while its create may be under way: %v", err)
		}
		d.pass(11 * time.Second)
		write(t, d, j)
		if ours := d.ledger.run(j.Run); len(ours) < 2 || ours[0].State != galena.CRMDone || !ours[0].Created {
			t.Fatalf("the ledger does not know the record as ours: %+v", ours)
		}
	}
	if len(d.crm.records) != 201 {
		t.Errorf("%d records, want 200 people and their company", len(d.crm.records))
	}
}

func lastKey(l *ledger) string { return l.writes[l.order[len(l.order)-1]].Key }

func TestOneRefusedFieldIsGivenUpAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.crm.refuse["lead.job_title"] = true
	plans := write(t, d, d.job("ana", "retail"))
	if d.crm.value("2", crm.Employer) != "1" || d.crm.value("2", crm.Email) == "" {
		t.Errorf("person %v", d.crm.records["2"])
	}
	if got := outcome(plans[1], "lead.job_title"); got != crm.Invalid {
		t.Errorf("job title: %s, want invalid", got)
	}
}

func TestARecordThatWentAwayIsFoundOnceMore(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	delete(d.crm.records, "1")
	d.pass(time.Hour)
	write(t, d, d.job("ana", "mining"))
	if len(d.crm.records) != 2 || d.crm.value("3", industry) != "mining" {
		t.Errorf("records %v", d.crm.records)
	}
}

func TestALimitLeavesNothingInDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.crm.after = func(_ crm.Change, r crm.Result) (crm.Result, error) {
		return r, &galena.Error{Kind: galena.RateLimited, Op: "memory.apply", RetryAfter: 3 * time.Second}
	}
	_, err := d.Write(context.Background(), d.job("ana", "retail"))
	if galena.KindOf(err) != galena.RateLimited || galena.RetryAfterOf(err) != 3*time.Second || len(d.ledger.run("ana")) != 0 {
		t.Errorf("error %v, in doubt %v", err, d.ledger.run("ana"))
	}
}

func TestAFieldThatCouldNotBeAskedForIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk()
	j := d.job("ana", "retail")
	j.Records[0].Wants[1].Err = galena.Errorf(galena.Unavailable, "memory.encode", "the metadata do not come")
	if _, err := d.Write(context.Background(), j); galena.KindOf(err) != galena.Unavailable || len(d.crm.records) != 0 {
		t.Errorf("error %v, records %v", err, d.crm.records)
	}
	write(t, d, d.job("ana", "retail"))
	if d.crm.value("1", industry) != "retail" {
		t.Error("the field was given up")
	}
}

func TestSeveralRecordsOfOneKeyAreAConflictUntilAPersonMergesThem(t *testing.T) {
	t.Parallel()
	d := newDesk()
	for _, id := range []string{"8", "9"} {
		d.crm.records[id], d.crm.objects[id] = map[crm.Field]crm.Value{crm.Domain: holds("acme.example")}, crm.Company
	}
	plans := write(t, d, d.job("ana", "retail"))
	k, ok := d.ledger.conflicts["domain:acme.example"+galena.CRMWhole]
	if !ok || !plans[0].Disputed() || string(k.Theirs.Raw) != `["8","9"]` && string(k.Theirs.Raw) != `["9","8"]` || k.LeadID != "lead-ana" {
		t.Errorf("conflict %+v of %+v", k, plans[0])
	}
	if len(d.crm.writes) != 1 || d.crm.writes[0].Object != crm.Person {
		t.Errorf("written %+v, want the person alone", d.crm.writes)
	}
	if _, err := d.TakeOurs(t.Context(), "r", k, "ada"); galena.KindOf(err) != galena.Invalid {
		t.Errorf("ours was taken of a record that nobody knows: %v", err)
	}
	delete(d.crm.records, "9")
	write(t, d, d.job("bea", "retail"))
	if d.crm.value("8", industry) != "retail" || !d.ledger.single["domain:acme.example"] {
		t.Errorf("the record that is left holds %q, and the conflict is over: %v", d.crm.value("8", industry), d.ledger.single)
	}
}

func TestARecordThatWasMergedIntoAnotherIsWrittenThere(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.crm.closed["1"] = "deleted"
	d.crm.records["8"], d.crm.objects["8"] = map[crm.Field]crm.Value{crm.Domain: holds("acme.example")}, crm.Company
	d.pass(time.Hour)
	write(t, d, d.job("bea", "retail"))
	if d.crm.value("8", industry) != "retail" || d.crm.value("3", crm.Employer) != "8" {
		t.Errorf("the record that is left holds %q, the person works for %q", d.crm.value("8", industry), d.crm.value("3", crm.Employer))
	}
}

func TestNobodyIsLinkedToACompanyThatAPersonDeleted(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.crm.closed["1"] = "deleted"
	d.pass(time.Hour)
	for i, who := range []string{"bea", "cyd"} { // the second finds what the first learnt
		plans := write(t, d, d.job(who, "mining"))
		id := strconv.Itoa(i + 3)
		if outcome(plans[0], industry) != crm.Unsupported || d.crm.value(id, crm.Email) == "" || d.crm.value(id, crm.Employer) != "" {
			t.Errorf("%s: company %+v, the person works for %q", who, plans[0], d.crm.value(id, crm.Employer))
		}
	}
	if d.crm.value("1", industry) != "retail" {
		t.Errorf("the deleted record holds %q", d.crm.value("1", industry))
	}
}

func TestARunThatOutlivesItsClaimMakesNoSecondRecord(t *testing.T) {
	t.Parallel()
	for _, another := range []bool{true, false} {
		d := newDesk()
		slow := true
		d.crm.looked = func() {
			if !slow {
				return
			}
			slow = false
			d.pass(2 * time.Minute)
			if another {
				write(t, d, d.job("bea", "retail"))
			}
		}
		write(t, d, d.job("ana", "retail"))
		made := 0
		for _, w := range d.crm.writes {
			if w.Object == crm.Company && w.ID == "" {
				made++
			}
		}
		if made != 1 || d.ledger.records["companydomain:acme.example"].RecordID == "" {
			t.Errorf("another run meanwhile: %t; %d companies were made", another, made)
		}
	}
}

func TestACompanyThatIsNeverTakenDoesNotKeepItsPersonOut(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.crm.broken = crm.Company
	j := d.job("ana", "retail")
	_, err := d.Write(t.Context(), j)
	if galena.KindOf(err) != galena.Invalid || len(d.crm.writes) != 1 || d.crm.writes[0].Object != crm.Person {
		t.Errorf("error %v, written %+v; want the person written and the company told", err, d.crm.writes)
	}
}

func TestAPlanWritesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk()
	plans, err := d.Plan(context.Background(), d.job("ana", "retail"))
	if err != nil || outcome(plans[0], industry) != crm.Write || len(d.crm.records) != 0 || len(d.ledger.order) != 0 {
		t.Errorf("plans %v, error %v, records %v", plans, err, d.crm.records)
	}
}

func TestTakeOursIsRefusedWhereTheRepChangedItAgain(t *testing.T) {
	t.Parallel()
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.crm.edit(industry, "fishing")
	d.pass(time.Hour)
	write(t, d, d.job("ana", "mining"))
	k := d.ledger.conflicts["1"+string(industry)]
	d.crm.edit(industry, "steel")
	if p, err := d.TakeOurs(context.Background(), "t1", k, "ada"); err != nil || !p.Disputed() || d.crm.value("1", industry) != "steel" {
		t.Errorf("plan %v, error %v, industry %q", p.Decisions, err, d.crm.value("1", industry))
	}
	d.crm.edit(industry, "fishing")
	if p, err := d.TakeOurs(context.Background(), "t2", k, "ada"); err != nil || p.Disputed() || d.crm.value("1", industry) != "mining" {
		t.Errorf("plan %v, error %v, industry %q", p.Decisions, err, d.crm.value("1", industry))
	}
}

func TestAPersonWhoCorrectsTheSpellingKeepsItWhenARunIsPutBack(t *testing.T) {
	t.Parallel()
	spelt := func(s string) crm.Value {
		return crm.Value{Encoded: crm.Encoded{Raw: s, Norm: strings.ToLower(s)}, Text: true}
	}
	for _, c := range []struct{ stands, after string }{{"RETAIL", "RETAIL"}, {"retail", ""}} {
		d := newDesk()
		write(t, d, d.job("ana", "retail"))
		d.crm.records["1"][industry] = spelt(c.stands)
		plans, err := d.Revert(t.Context(), "v", d.ledger.run("ana"), "ada")
		if raw := d.crm.records["1"][industry].Raw; err != nil || raw != any(c.after) && (c.after != "" || raw != nil) {
			t.Errorf("%q stood there, and now %v: %v, %+v", c.stands, raw, err, plans)
		}
	}
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.crm.records["1"][industry] = spelt("Fishing")
	d.pass(time.Hour)
	write(t, d, d.job("ana", "mining"))
	k := d.ledger.conflicts["1"+string(industry)]
	d.crm.records["1"][industry] = spelt("fishing")
	if p, err := d.TakeOurs(t.Context(), "t1", k, "ada"); err != nil || !p.Disputed() {
		t.Errorf("ours was taken over a spelling that nobody saw: %v, %+v", err, p.Decisions)
	}
	d.crm.records["1"][industry] = spelt("Fishing")
	if p, err := d.TakeOurs(t.Context(), "t2", k, "ada"); err != nil || p.Disputed() || d.crm.value("1", industry) != "mining" {
		t.Errorf("ours was not taken over what they saw: %v, %+v", err, p.Decisions)
	}
}

func TestANumberIsPutBackToItsLastDigit(t *testing.T) {
	t.Parallel()
	const before = "1234567890123456789"
	d := newDesk()
	write(t, d, d.job("ana", "retail"))
	d.crm.records["1"][industry] = crm.Value{Encoded: crm.Encoded{Raw: json.Number(before), Norm: before}}
	j := d.job("bea", "mining")
	j.Records[0].Wants[1].Policy.Mode = crm.Own
	d.pass(time.Hour)
	write(t, d, j)
	if _, err := d.Revert(t.Context(), "v", d.ledger.run("bea"), "ada"); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(d.crm.records["1"][industry].Raw); err != nil || string(got) != before {
		t.Errorf("put back %s, %v; want %s", got, err, before)
	}
}

// Whatever the records, the history, the policies and the edits in between: a
// value that a person wrote last changes by take-ours alone, and revert puts back
// every field that still holds what the run wrote, and no other. A person who sets
// a field back to our very value before we ever saw theirs cannot be told from us,
// so reps here write words of their own.
func TestNoHistoryOverwritesAPersonAndRevertPutsBackWhatIsOurs(t *testing.T) {
	t.Parallel()
	fields := []crm.Field{industry, "company.city", "company.name"}
	modes := rapid.SampledFrom([]crm.Mode{crm.FillEmpty, crm.RefreshIfOurs, crm.Never})
	ours := rapid.SampledFrom([]string{"a", "b", "c"})
	theirs := rapid.SampledFrom([]string{"", "x", "y", "z"})
	which := rapid.SampledFrom(fields)
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk()
		ctx := context.Background()
		person := map[crm.Field]string{} // what a person wrote last
		edit := func(f crm.Field, v string) {
			_, wrote := d.ledger.fields["1"][string(f)]
			d.crm.edit(f, v)
			if person[f] = v; v == "" && !wrote {
				delete(person, f) // a blank that was never ours is there to be filled
			}
		}
		check := func(step string) {
			for f, v := range person {
				if got := d.crm.value("1", f); got != v {
					rt.Fatalf("%s: %s %q of a person became %q", step, f, v, got)
				}
			}
		}
		wanted := func(run string) crm.Job {
			j := crm.Job{Run: run, Kind: galena.CRMRunLead, Records: []crm.Wanted{{Key: crm.Key{Object: crm.Company, Domain: "acme.example"},
				Wants: []crm.Want{d.want(crm.Domain, "acme.example", crm.FillEmpty)}}}}
			for _, f := range fields {
				j.Records[0].Wants = append(j.Records[0].Wants, d.want(f, ours.Draw(rt, "ours"), modes.Draw(rt, "mode")))
			}
			return j
		}
		run := func(name string) {
			_, err := d.Write(ctx, wanted(name))
			if kind := galena.KindOf(err); kind != "" && kind != galena.Unavailable && kind != galena.Conflict && kind != galena.Pending {
				rt.Fatal(err)
			}
		}
		run("r0")
		for i := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			d.pass(11 * time.Minute)
			d.crm.before, d.crm.after = nil, nil
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				edit(which.Draw(rt, "field"), theirs.Draw(rt, "edit"))
			case 1:
				if rapid.Bool().Draw(rt, "rep is faster") {
					f, v := which.Draw(rt, "field"), rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "edit")
					once := false
					d.crm.before = func(crm.Change) {
						if !once {
							once = true
							edit(f, v)
						}
					}
				}
				if rapid.Bool().Draw(rt, "answer is lost") {
					d.crm.after = func(_ crm.Change, r crm.Result) (crm.Result, error) {
						return r, galena.Errorf(galena.Unavailable, "memory.apply", "dropped")
					}
				}
				run(fmt.Sprintf("r%d", i+1))
			case 2:
				f := which.Draw(rt, "field")
				k, ok := d.ledger.conflicts["1"+string(f)]
				if !ok {
					break
				}
				now := d.crm.value("1", f)
				if _, err := d.TakeOurs(ctx, fmt.Sprintf("t%d", i), k, "ada"); err != nil {
					rt.Fatal(err)
				}
				if d.crm.value("1", f) != now {
					delete(person, f)
				}
			case 3:
				writes := d.ledger.run(fmt.Sprintf("r%d", rapid.IntRange(0, i).Draw(rt, "run")))
				want := map[string]string{}
				for _, f := range append(fields, crm.Domain) {
					want[string(f)] = d.crm.value("1", f)
				}
				for _, w := range writes {
					if w.State == galena.CRMDone && want[w.Field] == w.After.Norm && w.Field != string(crm.Domain) {
						want[w.Field] = w.Before.Norm
					}
				}
				if _, err := d.Revert(ctx, fmt.Sprintf("v%d", i), writes, "ada"); err != nil {
					rt.Fatal(err)
				}
				for f, v := range want {
					if got := d.crm.value("1", crm.Field(f)); got != v {
						rt.Fatalf("revert: %s is %q, want %q", f, got, v)
					}
				}
			}
			check(fmt.Sprintf("step %d", i))
		}
	})
}

package crm_test

import (
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

var policies = crm.Policies{
	crm.Company: {crm.Domain: {}, "company.name": {}, industry: {Mode: crm.RefreshIfOurs}, "company.city": {}, crm.EnrichedAt: {Mode: crm.Own}},
	crm.Person: {crm.Email: {}, crm.FirstName: {}, crm.LastName: {}, crm.Owner: {}, crm.Score: {Mode: crm.Own}, crm.Tier: {Mode: crm.Own},
		"lead.job_title": {}, crm.Employer: {}},
}

func decidedLead() galena.Record {
	seen := day.Add(-48 * time.Hour)
	fact := galena.KnownFact(string(industry), galena.EnumValue("retail"), "hunter", seen)
	fact.Confidence = 0.7
	d := &galena.Decision{DecidedAt: day, Assignment: galena.Assignment{Rep: "ana"},
		Facts: galena.Facts{"lead.job_title": galena.KnownFact("lead.job_title", galena.TextValue("CTO"), "form", day)}}
	d.Score.Score, d.Tier = 945, "A"
	return galena.Record{
		Lead: galena.Lead{ID: "l1", Name: "Maria da Silva", CreatedAt: day, Judgement: galena.Judgement{Email: "maria@acme.example"}},
		Company: galena.Company{Domain: "acme.example", Facts: galena.Facts{string(industry): fact,
			"company.city": {Field: "company.city", State: galena.Absent}}},
		Decision: d,
	}
}

func jobOf(t *testing.T, lead, account galena.Record) crm.Job {
	t.Helper()
	j, err := crm.JobOf(newMemory(), policies, "run", lead, account)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func norms(wants []crm.Want) map[crm.Field]string {
	out := map[crm.Field]string{}
	for _, w := range wants {
		out[w.Field] = w.Encoded.Norm
	}
	return out
}

func TestALeadBringsItsCompanyThenItselfAndOnlyWhatIsKnown(t *testing.T) {
	t.Parallel()
	j := jobOf(t, decidedLead(), galena.Record{})
	if len(j.Records) != 2 || j.LeadID != "l1" || j.Run != "run" || j.Records[0].Key.Domain != "acme.example" || j.Records[1].Link == nil {
		t.Fatalf("job %+v", j)
	}
	company, person := norms(j.Records[0].Wants), norms(j.Records[1].Wants)
	if _, blank := company["company.city"]; blank || len(company) != 4 || company[industry] != "retail" || company["company.name"] != "acme.example" {
		t.Errorf("company %v", company)
	}
	if len(person) != 7 || person[crm.FirstName] != "maria" || person[crm.LastName] != "da silva" || person[crm.Owner] != "ana" ||
		person["lead.job_title"] != "cto" || person[crm.Tier] != "a" {
		t.Errorf("person %v", person)
	}
	for _, w := range j.Records[0].Wants {
		if w.Field == industry && (w.Source != "hunter" || w.Confidence != 0.7 || w.Policy.Mode != crm.RefreshIfOurs) {
			t.Errorf("industry %+v: the evidence is lost", w)
		}
	}
}

func TestALeadWithoutCompanyOrDecisionBringsNoneOfThem(t *testing.T) {
	t.Parallel()
	r := decidedLead()
	r.Company = galena.Company{}
	if j := jobOf(t, r, galena.Record{}); len(j.Records) != 1 || j.Records[0].Key.Object != crm.Person || j.Records[0].Link != nil {
		t.Errorf("job %+v, want the person alone", j)
	}
	r.Decision = nil
	if j := jobOf(t, r, galena.Record{}); len(j.Records) != 0 {
		t.Errorf("job %+v of a lead that is not decided", j)
	}
}

func TestACompanyGetsWhatWasDecidedLastOfItsPeople(t *testing.T) {
	t.Parallel()
	first, last := decidedLead(), decidedLead()
	last.Lead.ID, last.Lead.Email = "l2", "joao@acme.example"
	last.Company.Facts = galena.Facts{string(industry): galena.KnownFact(string(industry), galena.EnumValue("mining"), "hunter", day)}
	j := jobOf(t, first, last)
	if company, person := norms(j.Records[0].Wants), j.Records[1].Key; company[industry] != "mining" || person.Email != first.Lead.Email || j.LeadID != "l1" {
		t.Errorf("company %v, person %v of lead %s", company, person, j.LeadID)
	}
}

// forgetful is a CRM that cannot even be asked for its layout.
type forgetful struct {
	*memory
	kind  galena.Kind
	calls int
}

func (f *forgetful) Encode(crm.Object, crm.Field, galena.Value) (crm.Encoded, error) {
	f.calls++
	return crm.Encoded{}, &galena.Error{Kind: f.kind}
}

func TestAValueThatCannotBeAskedAboutIsNotInvalid(t *testing.T) {
	t.Parallel()
	for _, kind := range galena.Kinds() {
		c := &forgetful{memory: newMemory(), kind: kind}
		_, err := crm.JobOf(c, policies, "run", decidedLead(), galena.Record{})
		if own := kind == galena.NotFound || kind == galena.Invalid; own != (err == nil) || !own && (galena.KindOf(err) != kind || c.calls != 1) {
			t.Errorf("%s: error %v after %d values", kind, err, c.calls)
		}
	}
}

package twenty

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

var acme = []crm.Key{{Object: crm.Company, Domain: "acme-robotics.example"}}

const (
	employees crm.Field = "company.employee_count"
	industry  crm.Field = "company.industry"
	revenue   crm.Field = "company.annual_revenue_usd"
	enriched            = "c73b7aae-014c-4dfc-8bde-f369eae6c1d5"
)

func find(t *testing.T, c *CRM, keys []crm.Key, want ...crm.Field) []crm.Found {
	t.Helper()
	found, err := c.Find(t.Context(), keys, want)
	if err != nil || len(found) != len(keys) {
		t.Fatalf("found %d of %d keys: %v", len(found), len(keys), err)
	}
	return found
}

func TestACompanyIsFoundByItsDomain(t *testing.T) {
	t.Parallel()
	c := play(t, "found")
	f := find(t, c, acme, "company.name", revenue, "company.hq_city", "company.hq_country", employees, industry, crm.Owner, crm.Domain)[0]
	if len(f.Records) != 1 || f.Err != nil {
		t.Fatalf("%d records, %v", len(f.Records), f.Err)
	}
	r := f.Records[0]
	if r.ID != "5497ef27-7136-4f49-89ff-9d49d9475344" || r.URL != "https://crm.example/object/company/"+r.ID || r.Version != "2026-11-21T16:37:02.502Z" || r.Closed != "" {
		t.Errorf("the record is %+v", r)
	}
	for f, want := range map[crm.Field]string{"company.name": "acme robotics", revenue: "12500000000000 USD", "company.hq_city": "lyon",
		"company.hq_country": "FR", employees: "", industry: "", crm.Owner: "", crm.Domain: "acme-robotics.example"} {
		if got := r.Fields[f]; got.Norm != want || got.Blank != (want == "") {
			t.Errorf("%s is %q, blank %t; want %q", f, got.Norm, got.Blank, want)
		}
	}
	if last := r.Fields["company.name"].Last; last.By != crm.ByUs || !last.At.Equal(time.Date(2026, 11, 21, 16, 37, 2, 502e6, time.UTC)) {
		t.Errorf("nobody touched what we made, and it is %+v", last)
	}
}

func TestOneDomainInThreeSpellingsIsAmbiguous(t *testing.T) {
	t.Parallel()
	c := play(t, "spellings")
	f := find(t, c, []crm.Key{{Object: crm.Company, Domain: "https://www.Acme-Robotics.example/"}}, crm.Domain)[0]
	if len(f.Records) != 3 {
		t.Errorf("%d records answer, want the three and not the longer name", len(f.Records))
	}
}

func TestADeletedRecordIsFoundClosed(t *testing.T) {
	t.Parallel()
	c := play(t, "deleted")
	if f := find(t, c, acme)[0]; len(f.Records) != 1 || f.Records[0].Closed != "deleted" {
		t.Errorf("found %+v", f)
	}
}

func TestAPersonIsFoundInAnyCase(t *testing.T) {
	t.Parallel()
	c := play(t, "person")
	f := find(t, c, []crm.Key{{Object: crm.Person, Email: "Ada@Enriched.EXAMPLE "}}, crm.FirstName, crm.LastName, crm.Employer, crm.Email)[0]
	if len(f.Records) != 1 {
		t.Fatalf("found %+v", f)
	}
	r := f.Records[0]
	for f, want := range map[crm.Field]string{crm.FirstName: "ada", crm.LastName: "lovelace", crm.Employer: enriched, crm.Email: "ada@enriched.example"} {
		if got := r.Fields[f].Norm; got != want {
			t.Errorf("%s is %q, want %q", f, got, want)
		}
	}
}

func TestAKeyThatNamesNothingIsInvalidAlone(t *testing.T) {
	t.Parallel()
	c := play(t, "found")
	f := find(t, c, append([]crm.Key{{Object: crm.Company, Domain: `a"b.example`}, {Object: "lead", Email: "a@b.example"}}, acme...))
	if galena.KindOf(f[0].Err) != galena.Invalid || galena.KindOf(f[1].Err) != galena.Invalid || len(f[2].Records) != 1 {
		t.Errorf("got %v, %v and %d records", f[0].Err, f[1].Err, len(f[2].Records))
	}
}

func TestSixtyDomainsAreOneCall(t *testing.T) {
	t.Parallel()
	var asked []string
	objects := slurp(t, "objects.json")
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch {
		case r.URL.Path == "/rest/metadata/objects":
			_, _ = io.WriteString(w, objects)
			return
		case strings.Contains(string(b), "NOT_NULL"):
			_, _ = io.WriteString(w, `{"data":{"companies":{"pageInfo":{"hasNextPage":false},"edges":[]}}}`)
		default:
			_, _ = io.WriteString(w, slurp(t, "graph.json"))
		}
		asked = append(asked, r.Method+" "+r.URL.Path)
		if len(asked) == 1 && (!strings.Contains(string(b), `{"domainName":{"primaryLinkUrl":{"ilike":"%/enriched.example%"}}}`) ||
			!strings.Contains(string(b), "node{id createdAt updatedAt deletedAt updatedBy{source workspaceMemberId name} domainName{primaryLinkUrl} employees}")) {
			t.Errorf("asked %s", b)
		}
	}))
	keys := []crm.Key{{Object: crm.Company, Domain: "enriched.example"}}
	for i := range batch - 1 {
		keys = append(keys, crm.Key{Object: crm.Company, Domain: fmt.Sprintf("company-%d.example", i)})
	}
	f := find(t, c, keys, employees)
	if len(f[0].Records) != 1 || f[0].Records[0].Fields[employees].Norm != "2147483648" {
		t.Errorf("found %+v", f[0])
	}
	if !slices.Equal(asked, []string{"POST /graphql", "POST /graphql"}) {
		t.Errorf("asked %v: one call for what is there, one for what was deleted", asked)
	}
}

func encoded(t *testing.T, c *CRM, values map[crm.Field]galena.Value) map[crm.Field]crm.Encoded {
	t.Helper()
	out := map[crm.Field]crm.Encoded{}
	for f, v := range values {
		e, err := c.Encode(crm.Company, f, v)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = e
	}
	return out
}

func apply(t *testing.T, c *CRM, changes ...crm.Change) []crm.Result {
	t.Helper()
	out, err := c.Apply(t.Context(), changes)
	if err != nil || len(out) != len(changes) {
		t.Fatalf("%d results of %d changes: %v", len(out), len(changes), err)
	}
	return out
}

func TestANewCompanyIsMade(t *testing.T) {
	t.Parallel()
	c := play(t, "create")
	r := apply(t, c, crm.Change{Ref: "1", Object: crm.Company, Set: encoded(t, c, map[crm.Field]galena.Value{
		"company.name": galena.TextValue("Acme Robotics"), crm.Domain: galena.TextValue("acme-robotics.example"), revenue: galena.Number(12_500_000),
		"company.hq_city": galena.TextValue("Lyon"), "company.hq_country": galena.CountryValue("FR")})})[0]
	if !r.Created || r.ID != "5497ef27-7136-4f49-89ff-9d49d9475344" || r.URL == "" || r.Err != nil || r.Ref != "1" {
		t.Errorf("got %+v", r)
	}
}

func newcomer(t *testing.T, c *CRM, name, domain string) crm.Change {
	t.Helper()
	values := map[crm.Field]galena.Value{crm.Domain: galena.TextValue(domain)}
	if name != "" {
		values["company.name"] = galena.TextValue(name)
	}
	return crm.Change{Object: crm.Company, Set: encoded(t, c, values)}
}

func TestADuplicateIsAConflictThatNamesTheRecord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"duplicate", "duplicate_deleted"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := play(t, name)
			r := apply(t, c, newcomer(t, c, "", "acme-robotics.example"))[0]
			if galena.KindOf(r.Err) != galena.Conflict || r.ID != "5497ef27-7136-4f49-89ff-9d49d9475344" || r.Created {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestNewCompaniesAreOneCall(t *testing.T) {
	t.Parallel()
	c := play(t, "batch")
	r := apply(t, c, newcomer(t, c, "B1", "b1.example"), newcomer(t, c, "B2", "b2.example"))
	if !r[0].Created || r[0].ID != "b411fb16-3622-4894-8f23-31eed944c184" || !r[1].Created || r[1].ID == r[0].ID {
		t.Errorf("got %+v", r)
	}
}

func TestABatchWithADuplicateIsSentOneByOne(t *testing.T) {
	t.Parallel()
	c := play(t, "batch_duplicate")
	r := apply(t, c, newcomer(t, c, "B3", "b3.example"), newcomer(t, c, "B1 again", "b1.example"))
	if !r[0].Created || r[0].Err != nil || galena.KindOf(r[1].Err) != galena.Conflict || r[1].ID != "b411fb16-3622-4894-8f23-31eed944c184" {
		t.Errorf("got %+v", r)
	}
}

func TestOnlyWhatChangedIsSent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"update", "update_unread"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := play(t, name)
			r := apply(t, c, crm.Change{Object: crm.Company, ID: "5497ef27-7136-4f49-89ff-9d49d9475344",
				Set: encoded(t, c, map[crm.Field]galena.Value{"company.name": galena.TextValue("Acme Robotics SAS")})})[0]
			if r.Err != nil || r.Created || len(r.Lost) > 0 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestADeletedRecordIsGone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"update_deleted", "update_deleted_late"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := play(t, name)
			r := apply(t, c, crm.Change{Object: crm.Company, ID: "7ed352d6-76a7-4ac6-b674-875411cdb15e",
				Set: encoded(t, c, map[crm.Field]galena.Value{"company.name": galena.TextValue("zombie")})})[0]
			if galena.KindOf(r.Err) != galena.NotFound {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// fill is a change of blank fields that a person may be filling too.
func fill(t *testing.T, c *CRM, values map[crm.Field]galena.Value) crm.Change {
	t.Helper()
	ch := crm.Change{Object: crm.Company, ID: enriched, Set: encoded(t, c, values), Seen: map[crm.Field]crm.Value{}}
	for f := range values {
		ch.Seen[f] = crm.Value{Blank: true}
	}
	return ch
}

func TestABlankFieldIsFilledOnTheCondition(t *testing.T) {
	t.Parallel()
	c := play(t, "guarded")
	r := apply(t, c, fill(t, c, map[crm.Field]galena.Value{employees: galena.Number(250)}))[0]
	if r.Err != nil || len(r.Lost) > 0 {
		t.Errorf("got %+v", r)
	}
}

func TestAPersonWhoWasFasterKeepsTheField(t *testing.T) {
	t.Parallel()
	c := play(t, "lost")
	r := apply(t, c, fill(t, c, map[crm.Field]galena.Value{employees: galena.Number(250), industry: galena.TextValue("Robotics")}))[0]
	if r.Err != nil || !slices.Equal(r.Lost, []crm.Field{employees}) {
		t.Errorf("got %+v", r)
	}
}

func TestAFieldThatIsNotTakenIsLeftOut(t *testing.T) {
	t.Parallel()
	c := play(t, "refused")
	ch := crm.Change{Object: crm.Company, ID: enriched, Set: map[crm.Field]crm.Encoded{
		employees: {Raw: 250}, crm.Tier: {Raw: "TIER_Z"}}}
	r := apply(t, c, ch)[0]
	if r.Err != nil || !slices.Equal(r.Refused, []crm.Field{crm.Tier}) || len(ch.Set) != 2 {
		t.Errorf("got %+v, and of the change %v is left", r, ch.Set)
	}
}

func TestAfterAFaultNothingMoreIsSent(t *testing.T) {
	t.Parallel()
	calls := 0
	objects := slurp(t, "objects.json")
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest/metadata/objects" {
			_, _ = io.WriteString(w, objects)
			return
		}
		calls++
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"statusCode":400,"error":"Error","messages":["connect ECONNREFUSED 127.0.0.1:21201"]}`)
	}))
	set := encoded(t, c, map[crm.Field]galena.Value{employees: galena.Number(1)})
	r := apply(t, c, crm.Change{Object: crm.Company, ID: "1", Set: set}, crm.Change{Object: crm.Company, ID: "2", Set: set})
	if galena.KindOf(r[0].Err) != galena.Unavailable || galena.KindOf(r[1].Err) != galena.Unavailable || calls != 1 {
		t.Errorf("%d calls, %v, %v", calls, r[0].Err, r[1].Err)
	}
}

func TestAHangingServerIsAway(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	objects := slurp(t, "objects.json")
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest/metadata/objects" {
			_, _ = io.WriteString(w, objects)
			return
		}
		select {
		case <-r.Context().Done():
		case <-hang:
		}
	}))
	defer close(hang)
	if _, err := c.metadata(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Find(ctx, acme, nil)
	e, _ := err.(*galena.Error) //nolint:errorlint // nothing wraps it
	if e == nil || e.Kind != galena.Unavailable || e.Cause != "timeout" {
		t.Errorf("got %v", err)
	}
}

func TestAMemberIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if got := r.URL.Query().Get("filter"); got != `userEmail[ilike]:"sam@example.com"` && got != `userEmail[ilike]:"joe@example.com"` {
			t.Errorf("asked %s", got)
		}
		members := []any{}
		if strings.Contains(r.URL.RawQuery, "sam") {
			members = append(members, map[string]any{"id": "m1", "userEmail": "Sam@example.com"}, map[string]any{"id": "m2", "userEmail": "samXexample.com"})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"workspaceMembers": members}}); err != nil {
			t.Error(err)
		}
	}))
	for range 2 {
		if id, err := c.Owner(t.Context(), " SAM@example.com"); id != "m1" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
		if _, err := c.Owner(t.Context(), "joe@example.com"); galena.KindOf(err) != galena.NotFound {
			t.Errorf("got %v", err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls for two people", calls)
	}
}

func TestAnAddressIsChecked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"https://api.twenty.com/": "https://api.twenty.com", "https://crm.example/rest/": "https://crm.example",
		"http://10.0.0.5:3000": "http://10.0.0.5:3000", "crm.example": "", "ftp://x.example": "", "https://u:p@crm.example": "", "": ""} {
		c, err := New(Config{URL: in, Key: "k"}, Deps{Client: http.DefaultClient, Now: clock})
		switch {
		case want == "" && galena.KindOf(err) != galena.Invalid:
			t.Errorf("%q gives %v", in, err)
		case want != "" && (err != nil || c.config.URL != want):
			t.Errorf("%q gives %v", in, err)
		}
	}
	if _, err := New(Config{URL: "https://api.twenty.com"}, Deps{Client: http.DefaultClient, Now: clock}); galena.KindOf(err) != galena.Unauthorized {
		t.Errorf("no key is %v", err)
	}
}

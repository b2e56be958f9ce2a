package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
)

// newCRM puts a Twenty-like CRM beside the installation, described by a file. The
// limit, if there is one, is what the file says it stands.
func (s *system) newCRM(calls int, per time.Duration) *crmfake.Server {
	s.t.Helper()
	fake := crmfake.New(crmfake.Twenty, "crm-token", time.Now)
	server := httptest.NewServer(fake)
	s.t.Cleanup(server.Close)
	file, err := os.ReadFile(filepath.Join("..", "..", "crm", "rest", "testdata", "twenty.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(file)
	if calls > 0 {
		fake.Limit(calls, per)
		text = strings.Replace(text, "    limits:\n", fmt.Sprintf("    limits:\n      rate: {calls: %d, per: %s}\n", calls, per), 1)
	}
	s.write("crm.yaml", text)
	s.env = append(s.env, "GALENA_CRM_FAKE_URL="+server.URL, "GALENA_CRM_FAKE_TOKEN=crm-token")
	return fake
}

// newTwenty is the same CRM by the connector of its own, with the limit of a real
// one: a hundred calls at once, then one every 0.6 seconds.
func (s *system) newTwenty() *crmfake.Server {
	s.t.Helper()
	fake := crmfake.New(crmfake.Twenty, "crm-key", time.Now)
	server := httptest.NewServer(fake)
	s.t.Cleanup(server.Close)
	fake.Bucket(100, time.Minute)
	s.write("crm.yaml", "apiVersion: galena/v1\nkind: CRM\nmetadata: {name: ours, version: 1}\nspec: {id: twenty, kind: twenty}\n")
	s.env = append(s.env, "GALENA_CRM_TWENTY_URL="+server.URL, "GALENA_CRM_TWENTY_KEY=crm-key")
	return fake
}

// full says that minutes are real ones: GALENA_CRM=full, half an hour in all.
func full() bool { return os.Getenv("GALENA_CRM") == "full" }

// people posts leads of so many companies, sixteen at a time.
func (s *system) people(from, to, companies int) {
	s.t.Helper()
	var g errgroup.Group
	g.SetLimit(16)
	for i := from; i < to; i++ {
		g.Go(func() error {
			status, body, _ := s.post(testToken, aPerson(i, companies))
			if status != http.StatusAccepted {
				return fmt.Errorf("lead %d: %d %v", i, status, body)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

func aPerson(i, companies int) string {
	return fmt.Sprintf(`{"email":"p%d@c%d.example","first_name":"Pat","last_name":"N%d","job_title":"CTO"}`, i, i%companies, i)
}

// recordsRight says whether each person and each company is there once, filled in
// and linked.
func recordsRight(t *testing.T, fake *crmfake.Server, people, companies int) {
	t.Helper()
	domains := map[string]string{}
	for _, id := range fake.IDs(crm.Company) {
		domain := strings.TrimPrefix(fake.Get(crm.Company, id, crm.Domain), "https://")
		domains[id] = domain
		if got := fake.Get(crm.Company, id, "company.employee_count"); got != "420" {
			t.Errorf("%s has %q people, want the 420 of the vendor", domain, got)
		}
		for _, f := range []crm.Field{"company.name", "company.industry", crm.Score, crm.Tier, crm.Reasons} {
			if fake.Get(crm.Company, id, f) == "" {
				t.Errorf("%s has no %s", domain, f)
			}
		}
	}
	if len(domains) != companies {
		t.Errorf("%d companies, want %d", len(domains), companies)
	}
	seen := map[string]bool{}
	for _, id := range fake.IDs(crm.Person) {
		email := fake.Get(crm.Person, id, crm.Email)
		_, domain, _ := strings.Cut(email, "@")
		if seen[email] {
			t.Errorf("%s was made twice", email)
		}
		seen[email] = true
		if domains[fake.Get(crm.Person, id, crm.Employer)] != domain || fake.Get(crm.Person, id, crm.FirstName) != "Pat" ||
			fake.Get(crm.Person, id, "lead.job_title") != "CTO" {
			t.Errorf("%s is not as the lead says, or not linked to its company", email)
		}
	}
	if len(seen) != people {
		t.Errorf("%d people, want %d", len(seen), people)
	}
}

// calls sums the ledger up: how many calls, of those how many writes, and when the
// last call too many was refused.
func calls(fake *crmfake.Server) (all, writes, refused int) {
	for _, r := range fake.Ledger() {
		all++
		if r.Write && r.Status >= 200 && r.Status < 300 {
			writes++
		}
		if r.Status == http.StatusTooManyRequests || r.Status == http.StatusBadRequest {
			refused++
		}
	}
	return all, writes, refused
}

// The CRM takes a hundred calls a minute; here a minute lasts four seconds, in the
// full form sixty.
func TestACRMGetsEachCompanyOnceAndIsNeverCalledTooOften(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	patience, fake := 2*time.Minute, (*crmfake.Server)(nil)
	if full() {
		patience, fake = 30*time.Minute, s.newTwenty()
	} else {
		fake = s.newCRM(100, 4*time.Second)
	}
	s.start("serve")
	s.ready()
	began := time.Now()
	s.people(0, 500, 40)
	eventually(t, time.Minute, "every lead is routed", func() bool { return len(s.sink.events()) >= 500 })
	routed := time.Since(began)
	eventually(t, patience, "every person is in the CRM", func() bool { return len(fake.IDs(crm.Person)) >= 500 })
	settled(t, fake)
	recordsRight(t, fake, 500, 40)
	all, writes, refused := calls(fake)
	t.Logf("500 leads of 40 companies: routed in %s, in the CRM after %s; %d calls, %.2f a lead, %d writes, %d refused",
		routed.Round(time.Second), time.Since(began).Round(time.Second), all, float64(all)/500, writes, refused)
	if refused > 0 {
		t.Errorf("%d calls came too early", refused)
	}
	if writes > 500+2*40 {
		t.Errorf("%d writes: a company is written again and again", writes)
	}
}

// settled waits until nobody has called for a while.
func settled(t *testing.T, fake *crmfake.Server) {
	t.Helper()
	last, since := -1, time.Now()
	eventually(t, time.Minute, "nothing is left to write", func() bool {
		if n := len(fake.Ledger()); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 3*time.Second
	})
}

// The CRM is away for 15 seconds at ten leads a second, in the full form for five
// minutes.
func TestACRMThatIsAwayHoldsUpNobodyAndGetsEverythingOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	fake := s.newCRM(0, 0)
	s.start("serve")
	s.ready()
	s.people(0, 10, 5)
	eventually(t, 20*time.Second, "the first are in the CRM", func() bool { return len(fake.IDs(crm.Person)) == 10 })
	fake.Down(true)
	posted := map[string]time.Time{}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	leads, patience := 160, 100*time.Second
	if full() {
		leads, patience = 3_010, 5*time.Minute
	}
	for i := 10; i < leads; i++ {
		<-tick.C
		posted[fmt.Sprintf("p%d@c%d.example", i, i%5)] = time.Now()
		if status, body, _ := s.post(testToken, aPerson(i, 5)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v", i, status, body)
		}
	}
	eventually(t, 10*time.Second, "every lead is routed while the CRM is away", func() bool { return len(s.sink.events()) >= leads })
	slowest := time.Duration(0)
	for _, e := range s.sink.events() {
		if email, _ := e.body["email"].(string); !posted[email].IsZero() {
			slowest = max(slowest, e.at.Sub(posted[email]))
		}
	}
	if slowest > 5*time.Second {
		t.Errorf("a webhook came %s after its lead", slowest)
	}
	fake.Down(false)
	back := time.Now()
	eventually(t, patience, "everybody is in the CRM", func() bool { return len(fake.IDs(crm.Person)) >= leads })
	t.Logf("%d leads, %d s without the CRM: slowest webhook %s, all written %s after its return", leads, (leads-10)/10,
		slowest.Round(time.Millisecond), time.Since(back).Round(100*time.Millisecond))
	settled(t, fake)
	recordsRight(t, fake, leads, 5)
}

// Two hundred creates are done and answered by a dropped connection.
func TestACreateThatIsDoneAndNotAnsweredIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	fake := s.newCRM(0, 0)
	fake.Drop(200)
	s.start("serve")
	s.ready()
	s.people(0, 190, 10)
	eventually(t, 3*time.Minute, "every person is in the CRM", func() bool { return len(fake.IDs(crm.Person)) >= 190 })
	eventually(t, 3*time.Minute, "every delivery is done", func() bool {
		return strings.Contains(s.metrics(), `galena_deliveries_total{outcome="ok",target="crm:fake"} 190`)
	})
	dropped := 0
	for _, r := range fake.Ledger() {
		if r.Write && r.Status == 0 {
			dropped++
		}
	}
	t.Logf("%d writes were done and not answered", dropped)
	if dropped != 200 {
		t.Errorf("%d connections were dropped, want 200", dropped)
	}
	recordsRight(t, fake, 190, 10)
}

func TestAPlanShowsEachFieldAndWritesNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	fake := s.newCRM(0, 0)
	served := s.start("serve")
	s.ready()
	_, lead, _ := s.post(testToken, aPerson(1, 1))
	id, _ := lead["id"].(string)
	eventually(t, 20*time.Second, "the lead is in the CRM", func() bool { return len(fake.IDs(crm.Person)) == 1 })
	settled(t, fake)
	served.stop(t)
	plan := func(exit int, want ...string) {
		t.Helper()
		list := filepath.Join(t.TempDir(), "leads.txt")
		if err := os.WriteFile(list, []byte(id+"\n\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"crm", "plan", id}, {"crm", "plan", "--list", list}} {
			cmd := exec.Command("galena", args...)
			cmd.Env = s.env
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != exit {
				t.Errorf("%v ended with %d, want %d:\n%s", args, cmd.ProcessState.ExitCode(), exit, out)
			}
			for _, line := range want {
				if !slices.ContainsFunc(strings.Split(string(out), "\n"), func(l string) bool { return strings.Contains(strings.Join(strings.Fields(l), " "), line) }) {
					t.Errorf("%v says nowhere %q:\n%s", args, line, out)
				}
			}
		}
	}
	_, writes, _ := calls(fake)
	plan(0, "company.employee_count same 420 420 testvendor the CRM holds it already")
	company := fake.IDs(crm.Company)[0]
	fake.Edit(crm.Company, company, "company.employee_count", "300")
	fake.Edit(crm.Company, company, crm.Tier, "")
	plan(exitNo, "company.employee_count conflict 300 420 testvendor", "icp.tier write - TIER_")
	if _, after, _ := calls(fake); after != writes || fake.Get(crm.Company, company, crm.Tier) != "" {
		t.Errorf("%d writes after %d: a plan wrote something", after, writes)
	}
	id = "nobody"
	plan(exitFailed, `no lead has the id "nobody"`)
}

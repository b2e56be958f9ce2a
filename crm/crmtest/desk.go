package crmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
)

// The fields that the suite writes beside those of package crm. A connector must
// map them all; Description is one that the CRM does not have.
const (
	Name        crm.Field = "company.name"
	Employees   crm.Field = "company.employee_count"
	Revenue     crm.Field = "company.annual_revenue_usd"
	Industry    crm.Field = "company.industry"
	Description crm.Field = "company.description"
	Title       crm.Field = "lead.job_title"
)

// now is when everything happens.
var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// RepEmail is the address of the rep "sam.lee" in a CRM that knows its users.
const RepEmail = "sam.lee@galena.example"

// marker is a secret that must not turn up anywhere.
const marker = "marker-7c1f"

// Setup is what a connector is opened with.
type Setup struct {
	URL    string
	Client *http.Client
	Now    func() time.Time
	Secret func(setting string) (string, error)
}

// Open makes the connector.
type Open func(t *testing.T, s Setup) crm.CRM

// desk delivers as a writer does: it remembers what it wrote.
type desk struct {
	t    *testing.T
	fake *crmfake.Server
	url  string
	crm  crm.CRM
	base map[string]map[crm.Field]crm.Base
	open func(url string, client *http.Client) crm.CRM // one more connector

	mu    sync.Mutex
	token string
}

func open(t *testing.T, d crmfake.Dialect, connect Open) *desk {
	t.Helper()
	k := &desk{t: t, base: map[string]map[crm.Field]crm.Base{}, token: marker}
	clock := func() time.Time { return now }
	k.fake = crmfake.New(d, marker, clock)
	k.fake.Add(crmfake.User, map[crm.Field]string{crm.Email: RepEmail, crm.FirstName: "Sam", crm.LastName: "Lee"})
	srv := httptest.NewServer(k.fake)
	t.Cleanup(srv.Close)
	k.open = func(url string, client *http.Client) crm.CRM {
		return connect(t, Setup{URL: url, Client: client, Now: clock, Secret: k.secret})
	}
	k.url, k.crm = srv.URL, k.open(srv.URL, srv.Client())
	return k
}

// secret knows the token, and the client of the token endpoint.
func (k *desk) secret(setting string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch setting {
	case "CLIENT_ID":
		return "client", nil
	case "CLIENT_SECRET":
		return "secret", nil
	case "REFRESH_TOKEN":
		return "refresh", nil
	default:
		return k.token, nil
	}
}

func (k *desk) setToken(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = s
}

// value is one thing that is known.
type value struct {
	galena.Value
	mode crm.Mode
	at   time.Time
}

func number(n int64) value          { return value{Value: galena.Number(n)} }
func words(s string) value          { return value{Value: galena.TextValue(s)} }
func (v value) as(m crm.Mode) value { v.mode = m; return v }
func (v value) seen(at time.Time) value {
	v.at = at
	return v
}

type values map[crm.Field]value

func company(domain string) crm.Key { return crm.Key{Object: crm.Company, Domain: domain} }

// wanted are the fields that the suite reads.
var wanted = map[crm.Object][]crm.Field{
	crm.Company: {crm.Domain, Name, Employees, Revenue, Industry, crm.Owner, crm.Score},
	crm.Person:  {crm.Email, crm.FirstName, crm.Employer, Title},
}

// find looks one key up.
func (k *desk) find(key crm.Key) crm.Found {
	k.t.Helper()
	found, err := k.crm.Find(context.Background(), []crm.Key{key}, wanted[key.Object])
	if err != nil {
		k.safe(err)
		return crm.Found{Err: err}
	}
	if len(found) != 1 {
		k.t.Fatalf("%d answers to one key", len(found))
	}
	k.clean(found)
	k.safe(found[0].Err)
	return found[0]
}

// plan decides over what was found.
func (k *desk) plan(key crm.Key, found crm.Found, known values) crm.Plan {
	k.t.Helper()
	var wants []crm.Want
	for f, v := range known {
		if v.at.IsZero() {
			v.at = now
		}
		e, err := k.crm.Encode(key.Object, f, v.Value)
		k.safe(err)
		mode := v.mode
		if mode == "" {
			mode = crm.FillEmpty
		}
		wants = append(wants, crm.Want{Field: f, Encoded: e, Err: err, Policy: crm.Policy{Mode: mode}, Confidence: 0.9, ObservedAt: v.at})
	}
	var base map[crm.Field]crm.Base
	if len(found.Records) == 1 {
		base = k.base[found.Records[0].ID]
	}
	return crm.Make(key, found, base, wants)
}

// deliver brings what is known into the CRM, once.
func (k *desk) deliver(key crm.Key, known values) (crm.Plan, crm.Result) {
	k.t.Helper()
	found := k.find(key)
	if found.Err != nil {
		return crm.Plan{}, crm.Result{Err: found.Err}
	}
	p := k.plan(key, found, known)
	change, some := p.Change("1")
	if !some {
		return p, crm.Result{}
	}
	return p, k.apply(p, change)
}

// apply sends a change, and remembers what was written.
func (k *desk) apply(p crm.Plan, change crm.Change) crm.Result {
	k.t.Helper()
	results, err := k.crm.Apply(context.Background(), []crm.Change{change})
	k.safe(err)
	if err != nil {
		return crm.Result{Err: err}
	}
	if len(results) != 1 || results[0].Ref != change.Ref {
		k.t.Fatalf("%d results of one change", len(results))
	}
	r := results[0]
	k.clean(p)
	k.clean(results)
	k.safe(r.Err)
	if r.Err != nil {
		return r
	}
	if k.base[r.ID] == nil {
		k.base[r.ID] = map[crm.Field]crm.Base{}
	}
	for _, d := range p.Decisions {
		if d.Outcome == crm.Write && !slices.Contains(r.Lost, d.Field) && !slices.Contains(r.Refused, d.Field) {
			k.base[r.ID][d.Field] = crm.Base{Norm: d.Ours.Norm, RawHash: k.hash(d.Ours.Raw), Confidence: 0.9, ObservedAt: now, WrittenAt: now}
		}
	}
	return r
}

// safe refuses an error that says what nobody may read.
func (k *desk) safe(err error) {
	k.t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{marker, "127.0.0.1", "access-", "@", "http:"} {
		if strings.Contains(err.Error(), secret) {
			k.t.Errorf("an error holds %q", secret)
		}
	}
}

// clean refuses a secret in what is stored and shown: records, plans and results.
func (k *desk) clean(v any) {
	k.t.Helper()
	if text := fmt.Sprintf("%+v", v); strings.Contains(text, marker) || strings.Contains(text, "access-") {
		k.t.Errorf("a secret is in %T", v)
	}
}

// outcome of one field of a plan.
func outcome(p crm.Plan, f crm.Field) crm.Outcome {
	for _, d := range p.Decisions {
		if d.Field == f {
			return d.Outcome
		}
	}
	return ""
}

// writes counts the requests that were meant to change something.
func (k *desk) writes() int {
	n := 0
	for _, r := range k.fake.Ledger() {
		if r.Write {
			n++
		}
	}
	return n
}

// stands compares one field of the CRM.
func (k *desk) stands(o crm.Object, id string, f crm.Field, want string) {
	k.t.Helper()
	if got := k.fake.Get(o, id, f); got != want {
		k.t.Errorf("%s is %q in the CRM, want %q", f, got, want)
	}
}

// kind compares what an error means.
func (k *desk) kind(err error, want galena.Kind) {
	k.t.Helper()
	if got := galena.KindOf(err); got != want {
		k.t.Errorf("the error is %q (%v), want %q", got, err, want)
	}
}

// hash is how a value was written, as the ledger keeps it.
func (k *desk) hash(raw any) string {
	k.t.Helper()
	b, err := json.Marshal(raw)
	if err != nil {
		k.t.Fatal(err)
	}
	return galena.CRMValue{Raw: b}.Hash()
}

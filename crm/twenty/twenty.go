package twenty

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

const (
	batch   = 60 // keys of one look-up, records of one batch
	timeout = 20 * time.Second
	memory  = 10 * time.Minute // how long the layout is believed, and who is who
)

// Config says which workspace, and what differs from the usual there.
type Config struct {
	Name    string // the connector's id; "twenty"
	URL     string // https://api.twenty.com, or where one's own server is
	App     string // where people open it, if that is elsewhere
	Key     string
	KeyName string // what the key is called in Twenty: so that our own writes are known as ours
	// Places puts a field elsewhere than usual: "company.employee_count" at
	// "headcount", "company.hq_city" at "address.addressCity"; "" takes it out.
	Places map[crm.Object]map[crm.Field]string
}

// Deps are what the connector works with. Pace may be nil: then this process
// paces itself.
type Deps struct {
	Client *http.Client // the guarded one
	Pace   Pace
	Now    func() time.Time
}

// CRM is one workspace.
type CRM struct {
	config Config
	deps   Deps

	mu      sync.Mutex
	layout  *layout
	read    time.Time // the layout
	keyName string
	members map[string]member // by e-mail
}

var _ crm.CRM = (*CRM)(nil)

// New makes the connector. It calls nobody.
func New(c Config, d Deps) (*CRM, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, galena.Errorf(galena.Invalid, "twenty", "the URL must be like https://api.twenty.com")
	}
	c.URL = strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/rest")
	switch {
	case c.App != "":
	case u.Host != "api.twenty.com":
		c.App = c.URL
	}
	if c.Name == "" {
		c.Name = "twenty"
	}
	if c.Key == "" {
		return nil, galena.Errorf(galena.Unauthorized, "twenty", "there is no key: make one in Twenty under Settings, APIs & Webhooks")
	}
	if d.Client == nil || d.Now == nil {
		return nil, galena.Errorf(galena.Invalid, "twenty", "a client and a clock are needed")
	}
	if d.Pace == nil {
		d.Pace = NewPace(d.Now)
	}
	return &CRM{config: c, deps: d, keyName: c.KeyName, members: map[string]member{}}, nil
}

// Name implements crm.CRM.
func (c *CRM) Name() string { return c.config.Name }

// Capabilities implements crm.CRM.
func (c *CRM) Capabilities() crm.Capabilities {
	return crm.Capabilities{BatchFind: batch, BatchWrite: batch, Guard: true}
}

// object is what Twenty calls a kind of record.
type object struct{ one, many string }

var objects = map[crm.Object]object{
	crm.Company: {"company", "companies"},
	crm.Person:  {"person", "people"},
}

// objectOf finds the kind of record by Twenty's singular name.
func objectOf(one string) (crm.Object, bool) {
	for o, k := range objects {
		if k.one == one {
			return o, true
		}
	}
	return "", false
}

// title is a name inside another: createCompany.
func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// nobody is an id that no record has.
const nobody = "00000000-0000-4000-8000-000000000000"

// Check says whether the key reads and writes companies and people. It writes
// nothing: a record that does not exist is asked for a change.
func (c *CRM) Check(ctx context.Context) error {
	if _, err := c.metadata(ctx); err != nil {
		return err
	}
	for _, o := range []crm.Object{crm.Company, crm.Person} {
		at := "/rest/" + objects[o].many
		if _, err := c.call(ctx, "twenty.check", http.MethodGet, at, url.Values{"limit": {"1"}}, nil); err != nil {
			return err
		}
		body := map[string]any{"name": "galena"}
		if o == crm.Person {
			body = map[string]any{"jobTitle": "galena"}
		}
		if _, err := c.call(ctx, "twenty.check", http.MethodPatch, at+"/"+nobody, nil, body); galena.KindOf(err) != galena.NotFound && err != nil {
			return err
		}
	}
	return nil
}

// member is what is remembered of a member of the workspace; no id is nobody.
type member struct {
	id    string
	until time.Time
}

// Owner finds the member of the workspace who has this address, whose id an
// owner's field takes.
func (c *CRM) Owner(ctx context.Context, email string) (string, error) {
	const op = "twenty.owner"
	email = strings.ToLower(strings.TrimSpace(email))
	now := c.deps.Now()
	c.mu.Lock()
	m, ok := c.members[email]
	c.mu.Unlock()
	if !ok || !now.Before(m.until) {
		var err error
		if m, err = c.lookUpMember(ctx, op, email); err != nil {
			return "", err
		}
		m.until = now.Add(memory)
		c.mu.Lock()
		c.members[email] = m
		c.mu.Unlock()
	}
	if m.id == "" {
		return "", galena.Errorf(galena.NotFound, op, "the workspace has no such member")
	}
	return m.id, nil
}

func (c *CRM) lookUpMember(ctx context.Context, op, email string) (member, error) {
	quoted, ok := quote(email)
	if !ok || email == "" {
		return member{}, nil
	}
	found, err := c.list(ctx, op, "workspaceMembers", "userEmail[ilike]:"+quoted)
	if err != nil {
		return member{}, err
	}
	for _, r := range found {
		if at, _ := r["userEmail"].(string); strings.EqualFold(strings.TrimSpace(at), email) {
			return member{id: textOf(r["id"])}, nil
		}
	}
	return member{}, nil
}

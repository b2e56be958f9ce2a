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
	// Mapping is the operator's: fields that stand elsewhere than usual, how each
	// is written, and which member of the workspace a rep is.
	Mapping crm.Mapping
}

// Deps are what the connector works with. Limiter paces all processes together;
// without one this process paces itself, and with Pace it does as that says.
// Secret reads a setting anew ("KEY") when the key was refused; nil
// says that there is no other than the one in Config.
type Deps struct {
	Client  *http.Client // the guarded one
	Limiter Limiter
	Pace    Pace
	Secret  func(setting string) (string, error)
	Now     func() time.Time
}

// CRM is one workspace.
type CRM struct {
	config Config
	deps   Deps

	mu      sync.Mutex
	key     string
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
	switch {
	case d.Pace != nil:
	case d.Limiter != nil:
		d.Pace = newSharedPace(d.Limiter, "crm:"+c.Name, d.Now)
	default:
		d.Pace = NewPace(d.Now)
	}
	return &CRM{config: c, deps: d, key: c.Key, keyName: c.KeyName, members: map[string]member{}}, nil
}

// Policies are how the fields of a kind of record are written.
func (c *CRM) Policies(o crm.Object) map[crm.Field]crm.Policy {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	l, err := c.metadata(ctx)
	if err != nil {
		l = &layout{} // words are then compared as texts are
	}
	return c.config.Mapping.Policies(o, c.config.fields(o), func(f crm.Field, word string) string {
		s, ok := l.slots[o][f]
		if !ok {
			return fold(word)
		}
		if s.part != "" && mainPart[s.kind] == s.part {
			return forms[s.form()].norm(s, map[string]any{s.part: word})
		}
		return forms[s.form()].norm(s, word)
	})
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

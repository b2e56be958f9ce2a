package rest

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// What stands where a file says nothing.
const (
	defaultTimeout     = 10 * time.Second
	defaultConcurrency = 4
	defaultAgent       = "galena (+https://github.com/galenahq/galena)"
)

// Deps are what a connector works with. Client is the guarded one; Secret reads
// one setting of this CRM ("TOKEN"), anew at each call. Limiter may be nil: each
// process then paces itself.
type Deps struct {
	Client  *http.Client
	Secret  func(setting string) (string, error)
	Limiter Limiter
	Now     func() time.Time
}

// Connector is a CRM that a file describes.
type Connector struct {
	id      string
	config  Config
	objects map[crm.Object]described
	client  *http.Client
	keys    *keyring
	users   users
	pace    *pacer
	timeout time.Duration
	agent   string
	now     func() time.Time
}

// described is an object with its fields ready to translate.
type described struct {
	Object
	kind   crm.Object
	key    crm.Field
	codecs map[crm.Field]codec
	id     path
	names  []string // of the fields, as the CRM calls them
}

// New builds a connector from a configuration that Validate found right.
func New(id string, c Config, d Deps) (*Connector, error) {
	if d.Client == nil || d.Secret == nil || d.Now == nil {
		return nil, errors.New("a CRM needs a client, its secrets and a clock")
	}
	if err := c.Validate("spec.rest"); err != nil {
		return nil, err
	}
	client := *d.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	out := &Connector{id: id, config: c, client: &client, now: d.Now, timeout: cmp.Or(c.Timeout, defaultTimeout),
		agent: cmp.Or(c.UserAgent, defaultAgent), objects: map[crm.Object]described{},
		users: users{seen: map[string]user{}}}
	if o := c.Owners; o != nil {
		owners := *o
		owners.Lookup.Method = cmp.Or(o.Lookup.Method, http.MethodGet)
		out.config.Owners = &owners
	}
	out.keys = &keyring{Auth: c.Auth, client: &client, secret: d.Secret, now: d.Now, op: id + ".token"}
	out.pace = &pacer{Limits: c.Limits, key: "crm:" + id, shared: d.Limiter, now: d.Now,
		slots: make(chan struct{}, cmp.Or(c.Limits.Concurrency, defaultConcurrency))}
	for name, o := range c.Objects {
		out.objects[crm.Object(name)] = describe(id, crm.Object(name), o)
	}
	return out, nil
}

func describe(id string, kind crm.Object, o Object) described {
	d := described{Object: o, kind: kind, key: keyField(kind), codecs: map[crm.Field]codec{}, id: lead(cmp.Or(o.ID, "id"))}
	for name, f := range o.Fields {
		c := newCodec(id+".encode", crm.Field(name), f)
		d.codecs[c.name] = c
		d.names = append(d.names, c.at.name())
	}
	slices.Sort(d.names)
	d.names = slices.Compact(d.names)
	d.Read.Method = cmp.Or(d.Read.Method, http.MethodGet)
	d.Lookup.Method = cmp.Or(d.Lookup.Method, http.MethodGet)
	d.Create.Method = cmp.Or(d.Create.Method, http.MethodPost)
	d.Update.Method = cmp.Or(d.Update.Method, http.MethodPatch)
	return d
}

// keyField is what records of a kind are found by.
func keyField(o crm.Object) crm.Field {
	if o == crm.Person {
		return crm.Email
	}
	return crm.Domain
}

// Name implements crm.CRM.
func (c *Connector) Name() string { return c.id }

// Capabilities implements crm.CRM. Records are looked up one at a time.
func (c *Connector) Capabilities() crm.Capabilities {
	out := crm.Capabilities{BatchFind: 1, BatchWrite: 1, Guard: len(c.objects) > 0}
	for _, o := range c.objects {
		out.Guard = out.Guard && len(o.Guard) > 0
		if o.Batch != nil {
			out.BatchWrite = max(out.BatchWrite, o.Batch.Size)
		}
	}
	return out
}

// Encode implements crm.CRM.
func (c *Connector) Encode(o crm.Object, f crm.Field, v galena.Value) (crm.Encoded, error) {
	codec, ok := c.objects[o].codecs[f]
	if !ok || codec.Write == crm.Never {
		return crm.Encoded{}, galena.Errorf(galena.NotFound, c.id+".encode", "the configuration has no place for %s", f)
	}
	if codec.Type == typeUser {
		return c.encodeOwner(codec, v.String())
	}
	return codec.encode(v)
}

// Policies are how the fields of an object are written.
func (c *Connector) Policies(o crm.Object) map[crm.Field]crm.Policy {
	out := map[crm.Field]crm.Policy{}
	for f, codec := range c.objects[o].codecs {
		out[f] = codec.Policy(codec.placeholder)
	}
	return out
}

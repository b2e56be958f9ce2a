package rest

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// memory is how long it is believed who is who.
const memory = 10 * time.Minute

// Owners says who a rep is, where the CRM can be asked for its users.
type Owners struct {
	Reps   map[string]string `yaml:"reps"`         // rep of the routing -> e-mail address in the CRM
	Lookup Call              `yaml:"lookup"`       // says {email}; record is counted from each hit
	List   string            `yaml:"list"`         // path of the hits
	Match  string            `yaml:"match"`        // path of what must be the address
	ID     string            `yaml:"id,omitempty"` // path of what an owner's field takes; default id
}

// users remembers who is who; no id is nobody.
type users struct {
	mu   sync.Mutex
	seen map[string]user
}

type user struct {
	id    any
	until time.Time
}

// Owner finds the user of the CRM who has this address, whose id an owner's field
// takes.
func (c *Connector) Owner(ctx context.Context, email string) (string, error) {
	id, err := c.owner(ctx, email)
	return word(id), err
}

func (c *Connector) owner(ctx context.Context, email string) (any, error) {
	op := c.id + ".owner"
	if email = strings.ToLower(strings.TrimSpace(email)); c.config.Owners == nil || email == "" {
		return nil, galena.Errorf(galena.NotFound, op, "the configuration does not say how users are looked up")
	}
	now := c.now()
	c.users.mu.Lock()
	u, ok := c.users.seen[email]
	c.users.mu.Unlock()
	if !ok || !now.Before(u.until) {
		id, err := c.lookUpUser(ctx, op, email)
		if err != nil {
			return nil, err
		}
		u = user{id, now.Add(memory)}
		c.users.mu.Lock()
		c.users.seen[email] = u
		c.users.mu.Unlock()
	}
	if u.id == nil {
		return nil, galena.Errorf(galena.NotFound, op, "the CRM has no such user")
	}
	return u.id, nil
}

func (c *Connector) lookUpUser(ctx context.Context, op, email string) (any, error) {
	o := *c.config.Owners
	doc, err := c.do(ctx, request{Call: o.Lookup, op: op, cost: c.config.Limits.Daily.Search, blanks: blanks{"email": email}})
	if galena.KindOf(err) == galena.NotFound {
		return nil, nil //nolint:nilnil // nobody is an answer, and is remembered
	}
	if err != nil {
		return nil, bare(err)
	}
	hits, ok := lead(o.List).get(doc).([]any)
	if !ok && lead(o.List).get(doc) != nil {
		return nil, galena.Errorf(galena.Malformed, op, "the answer holds no list at %s", o.List)
	}
	for _, hit := range hits {
		raw := lead(o.Lookup.Record).get(hit)
		if strings.EqualFold(word(lead(o.Match).get(raw)), email) {
			return lead(cmp.Or(o.ID, "id")).get(raw), nil
		}
	}
	return nil, nil //nolint:nilnil // as above
}

// encodeOwner puts a rep into the CRM's form: the id of the user whose address the
// file names.
func (c *Connector) encodeOwner(codec codec, rep string) (crm.Encoded, error) {
	email := rep
	if !strings.Contains(rep, "@") {
		if email = c.config.Owners.Reps[rep]; email == "" {
			return codec.refuse("is a rep whom owners.reps does not name")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	id, err := c.owner(ctx, email)
	if galena.KindOf(err) == galena.NotFound {
		return codec.refuse("is a rep whose address no user of the CRM has")
	}
	if err != nil {
		return crm.Encoded{}, err
	}
	return crm.Encoded{Raw: id, Norm: codec.norm(id)}, nil
}

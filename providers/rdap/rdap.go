// Package rdap asks the register of a domain. The list of registers says who
// keeps an ending; many keep back who holds a domain, and some have no service
// at all, so that a miss is the rule for what we want to know.
package rdap

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes the registers. Its address is that of the list of registers.
var Spec = providers.Spec{
	Name: "rdap", Title: "The domain's register (RDAP)", Docs: "https://www.rfc-editor.org/rfc/rfc9083",
	BaseURL: "https://data.iana.org/rdap", Keyless: true,
	P95: 800 * time.Millisecond, Timeout: 2 * time.Second, Trust: 0.5, Class: galena.ClassCrawl,
	Rate: 2, Burst: 4, // not published, and different at every register
	Fields: map[string]float64{
		"company.legal_name": 0.1, "company.hq_country": 0.15, "company.hq_city": 0.05, "company.status": 0.03,
	},
	New: func(s providers.Settings) (providers.Provider, error) {
		return &adapter{settings: s, resting: map[string]time.Time{}}, nil
	},
}

const (
	op = "rdap.enrich"
	// keep is how long the list of registers is good for, and again how long after it
	// could not be had it is asked for anew; meanwhile the old one will do.
	keep  = 24 * time.Hour
	again = time.Hour
	// rest is how long a register is left alone that does not say for how long.
	rest = time.Second
)

// closed is a register that lets nobody in, or not us: there is no key that it could
// have refused, and the others are asked all the same.
var closed = map[int]galena.Kind{http.StatusUnauthorized: galena.NotFound, http.StatusForbidden: galena.NotFound}

// adapter remembers the list of registers: it is long and changes rarely. Each
// register has a quota of its own.
type adapter struct {
	settings providers.Settings

	mu        sync.Mutex
	registers map[string]string // ending -> address
	until     time.Time
	resting   map[string]time.Time // address -> until when it asked us to wait
}

// Enrich asks the register of one domain.
func (a *adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	registers, err := a.list(ctx)
	if err != nil {
		return providers.Record{}, err
	}
	at := ""
	for ending := q.Domain; at == "" && ending != ""; {
		_, ending, _ = strings.Cut(ending, ".")
		at = registers[ending]
	}
	if at == "" {
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "the domain's register has no such service")
	}
	o, err := a.ask(ctx, at, q.Domain)
	if err != nil {
		return providers.Record{}, err
	}
	if err := providers.CheckSubject(op, q.Domain, o.Text("ldhName"), nil); err != nil {
		return providers.Record{}, err
	}
	return read(o, a.settings.Now()), nil
}

// ask asks one register, unless it asked us to wait: that holds for its endings only.
func (a *adapter) ask(ctx context.Context, at, domain string) (providers.Object, error) {
	a.mu.Lock()
	wait := a.resting[at].Sub(a.settings.Now())
	a.mu.Unlock()
	if wait > 0 {
		return nil, providers.OfCompany(&galena.Error{Kind: galena.RateLimited, Op: op, RetryAfter: wait,
			Err: errors.New("the domain's register asked us to wait")})
	}
	s := a.settings
	s.BaseURL = at
	o, err := providers.GetJSON(ctx, s, providers.Request{
		Op: op, Path: "/domain/" + url.PathEscape(domain), Header: map[string]string{"Accept": "application/rdap+json"},
		Means: closed,
	})
	if galena.KindOf(err) == galena.RateLimited {
		a.mu.Lock()
		a.resting[at] = a.settings.Now().Add(max(galena.RetryAfterOf(err), rest))
		a.mu.Unlock()
		err = providers.OfCompany(err)
	}
	return o, err
}

// list is the address of every register, fetched once a day.
func (a *adapter) list(ctx context.Context) (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.settings.Now().Before(a.until) {
		return a.registers, nil
	}
	registers, err := a.fetch(ctx)
	switch {
	case err == nil:
		a.registers, a.until = registers, a.settings.Now().Add(keep)
	case a.registers == nil:
		return nil, err
	default:
		a.until = a.settings.Now().Add(again)
	}
	return a.registers, nil
}

func (a *adapter) fetch(ctx context.Context) (map[string]string, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{Op: op, Path: "/dns.json"})
	if err != nil {
		return nil, err
	}
	services, ok := o["services"].([]any)
	if !ok || len(services) == 0 {
		return nil, galena.Errorf(galena.Malformed, op, "the list of registers has no services")
	}
	registers := map[string]string{}
	for _, service := range services {
		pair, _ := service.([]any)
		if len(pair) != 2 {
			continue
		}
		// A pair of lists: endings, addresses.
		o := providers.Object{"endings": pair[0], "addresses": pair[1]}
		for _, address := range o.Texts("addresses") {
			for _, ending := range o.Texts("endings") {
				if u, err := url.Parse(address); err == nil && u.Host != "" && (registers[ending] == "" || u.Scheme == "https") {
					registers[ending] = address
				}
			}
		}
	}
	return registers, nil
}

// read takes who holds the domain, where the register tells, and whether the
// domain is still one. What it tells is of the time it was last changed.
func read(o providers.Object, now time.Time) providers.Record {
	var r providers.Record
	holder := card(o)
	if !private(holder.org) {
		r.Add("company.legal_name", galena.TextValue(holder.org), "registrant.org")
		r.Add("company.hq_country", providers.CountryOf(holder.country), "registrant.adr")
		r.Add("company.hq_city", galena.TextValue(providers.Name(holder.city)), "registrant.adr")
	}
	for _, status := range o.Texts("status") {
		// Gone from the DNS and about to be deleted: nobody lives here any more.
		if galena.Slug(status) == "redemption-period" || galena.Slug(status) == "pending-delete" {
			r.Add("company.status", galena.EnumValue("dead"), "status")
			break
		}
	}
	for _, event := range o.Objects("events") {
		if event.Text("eventAction") == "last changed" {
			r.Vouch(0, providers.When(event.Text("eventDate"), now))
		}
	}
	return r
}

// privacy are words by which registers and registrars say that they do not tell.
var privacy = []string{"redacted", "privacy", "private", "protected", "withheld", "not disclosed", "proxy", "whois", "gdpr", "masked", "data protected"}

func private(org string) bool {
	org = strings.ToLower(org)
	for _, word := range privacy {
		if strings.Contains(org, word) {
			return true
		}
	}
	return org == ""
}

// holder is what a contact card tells of the registrant.
type holder struct{ org, city, country string }

// card reads the registrant's jCard (RFC 7095): a list of properties, each a
// list of name, parameters, type and value.
func card(o providers.Object) (h holder) {
	for _, e := range o.Objects("entities") {
		roles := strings.Join(e.Texts("roles"), " ")
		vcard, _ := e["vcardArray"].([]any)
		if !strings.Contains(roles, "registrant") || len(vcard) != 2 {
			continue
		}
		properties, _ := vcard[1].([]any)
		for _, it := range properties {
			p, _ := it.([]any)
			if len(p) < 4 {
				continue
			}
			named := providers.Object{"name": p[0], "value": p[3]}
			params, _ := p[1].(providers.Object)
			switch strings.ToLower(named.Text("name")) {
			case "org":
				h.org = named.Text("value")
			case "adr":
				h.address(p[3], params)
			}
		}
	}
	return h
}

// address reads the seven parts of an address; its country may stand beside
// them as a code (RFC 8605).
func (h *holder) address(value any, params providers.Object) {
	parts, _ := value.([]any)
	if len(parts) == 7 {
		o := providers.Object{"city": parts[3], "country": parts[6]}
		h.city, h.country = o.Text("city"), o.Text("country")
	}
	if cc := params.Text("cc"); cc != "" {
		h.country = cc
	}
}

package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func (s *shelf) CompanyNames(_ context.Context, domain string) (galena.CompanyNames, error) {
	return galena.CompanyNames{Domain: domain, Aliases: s.links}, s.err
}

func (s *shelf) LinkDomain(ctx context.Context, l galena.DomainLink) (galena.CompanyNames, error) {
	if l.Domain == "taken.example" {
		return galena.CompanyNames{}, galena.Errorf(galena.Conflict, "linked", "taken.example leads to globex.example already")
	}
	s.links = append(s.links, l)
	return s.CompanyNames(ctx, l.Company)
}

func (s *shelf) UnlinkDomain(ctx context.Context, domain, company, by string) (galena.CompanyNames, error) {
	if company == "globex.example" {
		return galena.CompanyNames{}, galena.Errorf(galena.Conflict, "linked", "%s leads elsewhere", domain)
	}
	s.trail, s.links = append(s.trail, galena.AuditEntry{Actor: by, Target: domain}), nil
	return s.CompanyNames(ctx, domain)
}

func TestADomainIsLinkedToACompanyAndBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin := auth(d.token(galena.ScopeConfigWrite))
	w := d.call(http.MethodPut, "/v1/companies/ACME.example/aliases/Acme.test.", `{"kind":"regional"}`, admin, jsonType)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"domain":"acme.example","aliases":[{"domain":"acme.test","kind":"regional"}]}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if l := d.shelf.links[0]; l.By != d.shelf.tokens[0].ID {
		t.Errorf("linked by %q, want the token", l.By)
	}
	d.decided()
	if w = d.call(http.MethodGet, "/v1/companies/acme.example", "", auth(bootstrap)); !strings.Contains(w.Body.String(), `"aliases":[{"domain":"acme.test","kind":"regional"}]`) {
		t.Errorf("the company shows %s", w.Body)
	}
	w = d.call(http.MethodDelete, "/v1/companies/acme.example/aliases/ACME.test", "", admin)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"domain":"acme.test","aliases":[]}` || d.shelf.trail[0].Actor != d.shelf.tokens[0].ID {
		t.Errorf("%d %s, trail %+v", w.Code, w.Body, d.shelf.trail)
	}
}

// A link is kept by the form that the domain name system knows; who wrote it by another
// takes it back, and finds the company, by that too.
func TestADomainIsFoundInWhateverAlphabetItIsWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin := auth(d.token(galena.ScopeConfigWrite))
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		d.call(method, "/v1/companies/acme.example/aliases/B%C3%9Ccher.test", "", admin)
	}
	if len(d.shelf.trail) != 1 || d.shelf.trail[0].Target != "xn--bcher-kva.test" {
		t.Errorf("taken back: %+v", d.shelf.trail)
	}
	d.decided()
	d.shelf.leads[0].Company.Domain = "xn--bcher-kva.test"
	if w := d.call(http.MethodGet, "/v1/companies/b%C3%BCcher.test", "", auth(bootstrap)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestALinkIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, path, body, says string
		code                           int
	}{
		{"to itself", "PUT", "acme.example/aliases/ACME.example", "", "is the company itself", 422},
		{"of free mail", "PUT", "acme.example/aliases/gmail.com", "", "mailboxes for many", 422},
		{"to free mail", "PUT", "gmail.com/aliases/acme.test", "", "mailboxes for many", 422},
		{"of a public suffix", "PUT", "acme.example/aliases/co.uk", "", "suffix", 422},
		{"of a tenant's host", "PUT", "acme.example/aliases/eu.acme.co.uk", "", "is a host of acme.co.uk", 422},
		{"of no domain", "PUT", "acme.example/aliases/acme", "", "is no domain", 422},
		{"of a reserved name", "PUT", "acme.example/aliases/acme.localhost", "", "reserved", 422},
		{"as something else", "PUT", "acme.example/aliases/acme.test", `{"kind":"account"}`, "must be one of", 422},
		{"with broken JSON", "PUT", "acme.example/aliases/acme.test", `{`, "", 400},
		{"that leads elsewhere", "PUT", "acme.example/aliases/taken.example", "", "leads to globex.example already", 409},
		{"of another company, undone", "DELETE", "globex.example/aliases/acme.test", "", "leads elsewhere", 409},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w := d.call(tc.method, "/v1/companies/"+tc.path, tc.body, auth(d.token(galena.ScopeConfigWrite)), jsonType)
			problemIn(t, w)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) || len(d.shelf.links) != 0 {
				t.Errorf("%d %s, links %v; want %d and %q", w.Code, w.Body, d.shelf.links, tc.code, tc.says)
			}
		})
	}
}

package sql

import (
	"context"
	"slices"

	"github.com/galenahq/galena"
)

// kindAccount is the kind of a domain that a company is kept by.
const kindAccount = "account"

type domainRow struct {
	Company string `db:"company_domain"`
	Domain  string `db:"domain"`
	Kind    string `db:"kind"`
}

// companyOf finds the company that a domain belongs to, and every domain that it
// is known by. A domain of which nothing is known is a company by itself.
func companyOf(ctx context.Context, c conn, domain string) (company string, domains []string, err error) {
	names, err := namesOf(ctx, c, domain)
	domains = []string{names.Domain}
	for _, a := range names.Aliases {
		domains = append(domains, a.Domain)
	}
	return names.Domain, domains, err
}

func namesOf(ctx context.Context, c conn, domain string) (galena.CompanyNames, error) {
	found, err := list[domainRow](ctx, c, "company-domains", args{"domain": domain})
	if err != nil || len(found) == 0 {
		return galena.CompanyNames{Domain: domain}, err
	}
	out := galena.CompanyNames{Domain: found[0].Company}
	for _, r := range found {
		if r.Domain != r.Company {
			out.Aliases = append(out.Aliases, galena.DomainLink{Domain: r.Domain, Company: r.Company, Kind: r.Kind})
		}
	}
	return out, nil
}

// CompanyNames lists the domains of the company that a domain belongs to. One of
// which nothing is known is the only domain of a company.
func (s *Store) CompanyNames(ctx context.Context, domain string) (galena.CompanyNames, error) {
	names, err := namesOf(ctx, s.reader(), domain)
	return names, fault("sql.company_names", err)
}

// LinkDomain makes a domain, and those that lead to it, lead to a company. It is
// a link and a line in the audit trail and moves nothing. Said twice, it is done
// once. A domain that leads elsewhere already, or in a circle, is Conflict with
// Op "linked".
func (s *Store) LinkDomain(ctx context.Context, l galena.DomainLink) (galena.CompanyNames, error) {
	const op = "sql.link_domain"
	if l.Domain == "" || l.Company == "" || l.Domain == l.Company || !slices.Contains(galena.LinkKinds(), l.Kind) {
		return galena.CompanyNames{}, galena.Errorf(galena.Invalid, op, "two domains and a kind are needed")
	}
	return s.linking(ctx, op, func(tx conn) (string, error) {
		before, err := namesOf(ctx, tx, l.Domain)
		if err != nil {
			return "", err
		}
		company, _, err := companyOf(ctx, tx, l.Company)
		if err != nil {
			return "", err
		}
		if l.Company = company; slices.Contains(before.Aliases, galena.DomainLink{Domain: l.Domain, Company: company, Kind: l.Kind}) {
			return company, nil
		}
		switch {
		case company == l.Domain:
			return "", galena.Errorf(galena.Conflict, "linked", "the company is kept by %s: what leads to it cannot be what it leads to", company)
		case before.Domain != l.Domain && before.Domain != company:
			return "", galena.Errorf(galena.Conflict, "linked", "%s leads to %s already", l.Domain, before.Domain)
		}
		return company, s.link(ctx, tx, l, before.Domain)
	})
}

// UnlinkDomain makes a domain a company by itself again; company "" = whichever
// it leads to. What is a company by itself stays one. A domain that leads to
// another company is Conflict with Op "linked".
func (s *Store) UnlinkDomain(ctx context.Context, domain, company, by string) (galena.CompanyNames, error) {
	return s.linking(ctx, "sql.unlink_domain", func(tx conn) (string, error) {
		before, _, err := companyOf(ctx, tx, domain)
		if err != nil || before == domain {
			return domain, err
		}
		if company != "" {
			if company, _, err = companyOf(ctx, tx, company); err != nil {
				return "", err
			}
			if company != before {
				return "", galena.Errorf(galena.Conflict, "linked", "%s leads to %s", domain, before)
			}
		}
		return domain, s.link(ctx, tx, galena.DomainLink{Domain: domain, Company: domain, Kind: kindAccount, By: by}, before)
	})
}

// linking runs a change of links while nobody else changes any, and reads the
// company as it is then: two links at once could make a chain or a circle.
func (s *Store) linking(ctx context.Context, op string, do func(tx conn) (company string, err error)) (names galena.CompanyNames, err error) {
	err = s.inTx(ctx, op, func(tx conn) error {
		if _, err := tx.exec(ctx, "lock-links", args{}); err != nil {
			return err
		}
		company, err := do(tx)
		if err == nil {
			names, err = namesOf(ctx, tx, company)
		}
		return err
	})
	return names, err
}

// link writes the link, lets what led to the domain follow it, and notes each
// domain that leads elsewhere now.
func (s *Store) link(ctx context.Context, tx conn, l galena.DomainLink, before string) error {
	if _, err := tx.exec(ctx, "insert-account", args{"domain": l.Company}); err != nil {
		return err
	}
	a := args{"domain": l.Domain, "company": l.Company, "kind": l.Kind}
	if _, err := tx.exec(ctx, "link-domain", a); err != nil {
		return err
	}
	if err := s.noteLink(ctx, tx, l, before); err != nil || l.Company == l.Domain {
		return err
	}
	followed, err := list[string](ctx, tx, "follow-domain", a)
	for i := 0; i < len(followed) && err == nil; i++ {
		err = s.noteLink(ctx, tx, galena.DomainLink{Domain: followed[i], Company: l.Company, Kind: l.Kind, By: l.By}, l.Domain)
	}
	return err
}

func (s *Store) noteLink(ctx context.Context, tx conn, l galena.DomainLink, before string) error {
	id, err := newID()
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "insert-audit", args{"id": id, "at": micros(s.now()), "actor": l.By, "action": "company.link",
		"target": l.Domain, "detail": l.Kind + " of " + l.Company + ", before of " + before})
	return err
}

package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// kindAccount is the kind of a domain that a company is kept by.
const kindAccount = "account"

// companyOf finds the company that a domain belongs to, and every domain that it
// is known by. A domain of which nothing is known is a company by itself.
func companyOf(ctx context.Context, c conn, domain string) (company string, domains []string, err error) {
	found, err := list[struct {
		Company string `db:"company_domain"`
		Domain  string `db:"domain"`
	}](ctx, c, "company-domains", args{"domain": domain})
	if err != nil || len(found) == 0 {
		return domain, []string{domain}, err
	}
	for _, r := range found {
		domains = append(domains, r.Domain)
	}
	return found[0].Company, domains, nil
}

// SetCompanyDomain makes one domain lead to a company, so that who writes from
// there belongs to it: its answers, its owner, its named account. kind says why
// ("alias", "redirect", "brand"). It is a link and a line in the audit trail and
// moves nothing: linking the domain to itself undoes it.
func (s *Store) SetCompanyDomain(ctx context.Context, domain, companyDomain, kind string) error {
	const op = "sql.set_company_domain"
	if domain == "" || companyDomain == "" || kind == "" {
		return galena.Errorf(galena.Invalid, op, "a domain, a company and a kind are needed")
	}
	return s.inTx(ctx, op, func(tx conn) error {
		before, _, err := companyOf(ctx, tx, domain)
		if err != nil {
			return err
		}
		company := companyDomain
		if domain == companyDomain {
			kind = kindAccount
		} else if company, _, err = companyOf(ctx, tx, companyDomain); err != nil {
			return err
		}
		if company == domain && companyDomain != domain {
			return galena.Errorf(galena.Invalid, op, "%s leads to %s already: link that one to itself first", companyDomain, domain)
		}
		moved, err := link(ctx, tx, domain, company, kind)
		for i := 0; i < len(moved) && err == nil; i++ {
			was := before
			if i > 0 {
				was = domain
			}
			err = s.noteLink(ctx, tx, moved[i], kind+" of "+company+", before of "+was)
		}
		return err
	})
}

// link returns the domains that lead elsewhere now, the linked one first.
func link(ctx context.Context, tx conn, domain, company, kind string) ([]string, error) {
	if _, err := tx.exec(ctx, "insert-account", args{"domain": company}); err != nil {
		return nil, err
	}
	a := args{"domain": domain, "company": company, "kind": kind}
	if _, err := tx.exec(ctx, "link-domain", a); err != nil || company == domain {
		return []string{domain}, err
	}
	followed, err := list[string](ctx, tx, "follow-domain", a)
	return append([]string{domain}, followed...), err
}

func (s *Store) noteLink(ctx context.Context, tx conn, domain, detail string) error {
	id, err := newID()
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "insert-audit", args{"id": id, "at": micros(s.now()), "actor": "galena",
		"action": "company.link", "target": domain, "detail": detail})
	return err
}

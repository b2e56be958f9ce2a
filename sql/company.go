package sql

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// AddObservations appends what a CRM, a registry or a person says. A company
// that a CRM or a person speaks of is an account from then on, and a person's word
// lets the leads of the company be looked at again.
func (s *Store) AddObservations(ctx context.Context, obs []galena.Observation) error {
	return s.inTx(ctx, "sql.add_observations", func(tx conn) error {
		accounts, spoken := map[string]bool{}, map[string]bool{}
		for _, o := range obs {
			stated := o.Class == galena.ClassCRM || o.Class == galena.ClassHuman || o.Class == galena.ClassHumanLocked
			if stated && o.Entity != "" && !strings.Contains(o.Entity, ":") {
				accounts[o.Entity] = true
				if o.Class != galena.ClassCRM {
					spoken[o.Entity] = true
				}
			}
		}
		for _, domain := range slices.Sorted(maps.Keys(accounts)) {
			if _, err := tx.exec(ctx, "insert-account", args{"domain": domain}); err != nil {
				return err
			}
		}
		if err := insertObservations(ctx, tx, markedOf(galena.Refs(obs))); err != nil {
			return err
		}
		for _, domain := range slices.Sorted(maps.Keys(spoken)) {
			if err := s.lookAgain(ctx, tx, domain); err != nil {
				return err
			}
		}
		return nil
	})
}

// KnownPerson says whether somebody is a lead, by their canonical e-mail.
func (s *Store) KnownPerson(ctx context.Context, key string) (bool, error) {
	known, err := one[bool](ctx, s.reader(), "known-person", args{"email_key": key})
	return known, fault("sql.known_person", err)
}

// SetAccountOwner keeps who owns an account by the CRM's word, by any domain of
// its; rep "" = nobody.
func (s *Store) SetAccountOwner(ctx context.Context, domain, rep string) error {
	return s.inTx(ctx, "sql.set_account_owner", func(tx conn) error {
		a := args{"domain": domain, "rep": rep, "now": micros(s.now())}
		if _, err := tx.exec(ctx, "insert-account", a); err != nil {
			return err
		}
		company, domains, err := companyOf(ctx, tx, domain)
		if err != nil {
			return err
		}
		if rep != "" {
			a["domain"] = company
			_, err := tx.exec(ctx, "set-account-owner", a)
			return err
		}
		for _, a["domain"] = range domains {
			if _, err := tx.exec(ctx, "unset-account-owner", a); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetOpenLead keeps who holds an open lead of the person by the CRM's word;
// rep "" = nobody.
func (s *Store) SetOpenLead(ctx context.Context, emailKey, rep string) error {
	a := args{"email_key": emailKey, "rep": rep, "source": "crm", "lead_id": "", "now": micros(s.now())}
	name := "hold-person"
	if rep == "" {
		name = "release-person"
	}
	_, err := s.do(ctx, "sql.set_open_lead", name, a)
	return err
}

// KnownDomains lists the accounts by every domain they are known by.
func (s *Store) KnownDomains(ctx context.Context) ([]string, error) {
	domains, err := list[string](ctx, s.reader(), "known-domains", args{})
	return domains, fault("sql.known_domains", err)
}

// Company reads one company; NotFound when nobody of it was ever decided on and
// it is no account.
func (s *Store) Company(ctx context.Context, domain string) (galena.Company, error) {
	r, err := one[companyRow](ctx, s.reader(), "company", args{"domain": domain})
	if err != nil {
		return galena.Company{}, fault("sql.company", err)
	}
	c, err := r.company()
	return c, fault("sql.company", err)
}

// SaveCompany keeps what was learnt of a company without a lead.
func (s *Store) SaveCompany(ctx context.Context, c galena.Company, learnt []*galena.Observation) error {
	return s.inTx(ctx, "sql.save_company", func(tx conn) error { return s.learnFacts(ctx, tx, markedOf(learnt), nil, c) })
}

type companyRow struct {
	Domain    string `db:"domain"`
	Facts     string `db:"facts"`
	Owner     string `db:"rep"`
	UpdatedAt int64  `db:"updated_at"`
}

func (r companyRow) company() (galena.Company, error) {
	facts, err := parse[galena.Facts](r.Facts)
	return galena.Company{Domain: r.Domain, Facts: facts, Owner: r.Owner, UpdatedAt: at(r.UpdatedAt)}, err
}

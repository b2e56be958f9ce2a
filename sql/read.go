package sql

import (
	"cmp"
	"context"
	"errors"

	"github.com/galenahq/galena"
)

// The size of a page of leads.
const (
	pageDefault = 50
	pageLimit   = 1000
)

// recordRow is a lead with what was decided of it and its company.
type recordRow struct {
	leadRow
	Body             string `db:"body"`
	Facts            string `db:"facts"`
	CompanyOwner     string `db:"company_owner"`
	CompanyUpdatedAt int64  `db:"company_updated_at"`
	CompanyDomain    string `db:"company_domain"`
}

func (r recordRow) record() (galena.Record, error) {
	l, err1 := r.lead()
	c, err2 := companyRow{Domain: r.CompanyDomain, Facts: r.Facts, Owner: r.CompanyOwner, UpdatedAt: r.CompanyUpdatedAt}.company()
	out := galena.Record{Lead: l, Company: c}
	if r.Body == "" {
		return out, errors.Join(err1, err2)
	}
	d, err3 := parse[galena.Decision](r.Body)
	out.Decision = &d
	return out, errors.Join(err1, err2, err3)
}

// Record reads one lead with its current decision and the remarks on it; NotFound when there is none.
func (s *Store) Record(ctx context.Context, leadID string) (galena.Record, error) {
	const op = "sql.record"
	r, err := one[recordRow](ctx, s.reader(), "record", args{"id": leadID})
	if err != nil {
		return galena.Record{}, fault(op, err)
	}
	out, err := r.record()
	if err == nil {
		out.Notices, err = notices(ctx, s.reader(), leadID)
	}
	return out, fault(op, err)
}

// Records reads a page of leads, newest first: 50 when the filter names no
// limit, 1,000 at most.
func (s *Store) Records(ctx context.Context, f galena.LeadFilter) ([]galena.Record, error) {
	const op = "sql.records"
	limit := pageDefault
	if f.Limit > 0 {
		limit = min(f.Limit, pageLimit)
	}
	found, err := list[recordRow](ctx, s.reader(), "records", args{"status": string(f.Status), "tier": f.Tier,
		"owner": f.Owner, "back": f.Back, "closed": galena.MoveHandBack(f.Back), "before": f.Before, "limit": limit})
	if err != nil {
		return nil, fault(op, err)
	}
	out := make([]galena.Record, len(found))
	for i, r := range found {
		if out[i], err = r.record(); err != nil {
			return nil, fault(op, err)
		}
	}
	return out, nil
}

// ownersRow is who holds a person and who owns a company.
type ownersRow struct {
	Person  string `db:"person"`
	Company string `db:"company"`
}

// Memory reads what is known when the work on a lead begins: the lead, what the
// CRM, a person, a registry or the form said of the company by any of its
// domains, what is contested, and who holds the person and the company.
func (s *Store) Memory(ctx context.Context, leadID string) (galena.Memory, error) {
	const op = "sql.memory"
	row, err := one[leadRow](ctx, s.reader(), "lead", args{"id": leadID})
	if err != nil {
		return galena.Memory{}, fault(op, err)
	}
	l, err := row.lead()
	if err != nil {
		return galena.Memory{}, fault(op, err)
	}
	m, err := memory(ctx, s.reader(), l)
	return m, fault(op, err)
}

// CompanyMemory reads the same of a company that no lead came from, by any domain
// of its: Lead has nothing but that, and may be enriched.
func (s *Store) CompanyMemory(ctx context.Context, domain string) (galena.Memory, error) {
	m, err := memory(ctx, s.reader(), galena.Lead{Judgement: galena.Judgement{Domain: domain, Spendable: true}})
	return m, fault("sql.company_memory", err)
}

func memory(ctx context.Context, c conn, l galena.Lead) (m galena.Memory, err error) {
	m.Lead = l
	if m.Company, m.Domains, err = companyOf(ctx, c, l.Domain); err != nil {
		return m, err
	}
	if m.Observations, err = observations(ctx, c, l, m.Company); err != nil {
		return m, err
	}
	if m.Disputes, err = disputes(list[conflictRow](ctx, c, "open-conflicts", args{"entity": m.Company})); err != nil {
		return m, err
	}
	owners := args{"email_key": l.Key, "lead_id": cmp.Or(l.ID, "none"), "domain": m.Company}
	held, err := one[ownersRow](ctx, c, "owners", owners) // a CRM's word comes without a lead, and counts
	m.OpenLeadOwner, m.AccountOwner = held.Person, held.Company
	return m, err
}

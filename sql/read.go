package sql

import (
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
	decisionText
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
	d, err3 := r.decision()
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

// LatestRecord reads the lead of a company that was decided last, without the
// remarks on it; NotFound when none is decided.
func (s *Store) LatestRecord(ctx context.Context, company string) (galena.Record, error) {
	const op = "sql.latest_record"
	r, err := one[recordRow](ctx, s.reader(), "latest-record", args{"company": company})
	if err != nil {
		return galena.Record{}, fault(op, err)
	}
	out, err := r.record()
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

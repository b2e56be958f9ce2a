package sql

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/galenahq/galena"
)

// Memory reads what is known when the work on a lead begins: the lead, what the
// CRM, a person, a registry or the form said of the company by any of its
// domains, what is contested, and who holds the person and the company. Leads
// that begin at the same time share the reading.
func (s *Store) Memory(ctx context.Context, leadID string) (galena.Memory, error) {
	m, err := s.memories.do(ctx, leadID)
	return m, fault("sql.memory", err)
}

// memory reads what is known of the leads of a group, a table at a time.
func (s *Store) memory(ctx context.Context, ids []string) ([]outcome[galena.Memory], error) {
	const op = "sql.memory"
	rows, err := within[leadRow](ctx, s, "leads-named", map[string][]string{"ids": ids})
	if err != nil {
		return nil, fault(op, err)
	}
	known := map[string]galena.Memory{}
	for _, r := range rows {
		l, err := r.lead()
		if err != nil {
			return nil, fault(op, err)
		}
		known[l.ID] = galena.Memory{Lead: l}
	}
	if err := s.fill(ctx, known); err != nil {
		return nil, fault(op, err)
	}
	return each(ids, known), nil
}

// CompanyMemory reads the same of a company that no lead came from, by any domain
// of its: Lead has nothing but that, and may be enriched.
func (s *Store) CompanyMemory(ctx context.Context, domain string) (galena.Memory, error) {
	const none = "none" // a CRM's word comes without a lead, and counts
	known := map[string]galena.Memory{none: {Lead: galena.Lead{Judgement: galena.Judgement{Domain: domain, Spendable: true}}}}
	err := s.fill(ctx, known)
	return known[none], fault("sql.company_memory", err)
}

// fill reads what is known beside the leads themselves.
func (s *Store) fill(ctx context.Context, known map[string]galena.Memory) error {
	if err := s.readNames(ctx, known); err != nil {
		return err
	}
	var of, companies, persons, domains []string
	for _, m := range known {
		of, companies = append(of, entities(m)...), append(companies, m.Company)
		persons, domains = append(persons, m.Lead.Key), append(domains, m.Domains...)
	}
	var said []observationRow
	var open []conflictRow
	var owners []holder
	if err := s.together(ctx,
		finding(s, &said, "standing-observations", map[string][]string{"entities": sorted(of)}),
		finding(s, &open, "open-conflicts", map[string][]string{"companies": sorted(companies)}),
		finding(s, &owners, "holders", map[string][]string{"persons": persons, "domains": sorted(domains)}),
	); err != nil {
		return err
	}
	err1 := fillStanding(known, said)
	err2 := s.fillDisputes(known, open)
	fillOwners(known, owners)
	return errors.Join(err1, err2)
}

// readNames finds the company that each lead's domain belongs to, with every
// domain that it is known by. One of which nothing is known is a company by itself.
func (s *Store) readNames(ctx context.Context, known map[string]galena.Memory) error {
	var domains []string
	for _, m := range known {
		domains = append(domains, m.Lead.Domain)
	}
	found, err := within[struct {
		Asked string `db:"asked"`
		domainRow
	}](ctx, s, "names-of-companies", map[string][]string{"domains": domains})
	if err != nil {
		return err
	}
	names := map[string][]string{}
	for _, r := range found {
		if names[r.Asked] == nil {
			names[r.Asked] = []string{r.Company}
		}
		if r.Domain != r.Company {
			names[r.Asked] = append(names[r.Asked], r.Domain)
		}
	}
	for id, m := range known {
		m.Company, m.Domains = m.Lead.Domain, []string{m.Lead.Domain}
		if of := names[m.Lead.Domain]; of != nil {
			m.Company, m.Domains = of[0], of
		}
		known[id] = m
	}
	return nil
}

// entities are what observations may count for a lead: itself, its person, and its
// company by any of its domains.
func entities(m galena.Memory) []string {
	out := []string{"lead:" + m.Lead.ID}
	if m.Lead.Key != "" {
		out = append(out, galena.PersonEntity(m.Lead.Key))
	}
	if m.Lead.Domain != "" {
		out = append(append(out, m.Lead.Domain), m.Domains...)
	}
	return sorted(out)
}

// fillStanding adds what counts from the start, in (observed_at, id) order.
func fillStanding(known map[string]galena.Memory, said []observationRow) error {
	standing, err := byEntity(said)
	if err != nil {
		return err
	}
	for id, m := range known {
		for _, entity := range entities(m) {
			m.Observations = append(m.Observations, standing[entity]...)
		}
		slices.SortFunc(m.Observations, inTime)
		known[id] = m
	}
	return nil
}

// inTime is the order in which observations are folded.
func inTime(a, b galena.Observation) int {
	return cmp.Or(a.ObservedAt.Compare(b.ObservedAt), cmp.Compare(a.ID, b.ID))
}

// standing reads everything but what vendors said, which enters a decision only
// through the plan.
func (s *Store) standing(ctx context.Context, of []string) (map[string][]galena.Observation, error) {
	found, err := within[observationRow](ctx, s, "standing-observations", map[string][]string{"entities": sorted(of)})
	if err != nil {
		return nil, err
	}
	return byEntity(found)
}

func byEntity(found []observationRow) (map[string][]galena.Observation, error) {
	out := map[string][]galena.Observation{}
	errs := make([]error, len(found))
	for i, r := range found {
		var o galena.Observation
		o, errs[i] = r.observation()
		out[o.Entity] = append(out[o.Entity], o)
	}
	return out, errors.Join(errs...)
}

// fillDisputes adds the open conflicts of the companies.
func (s *Store) fillDisputes(known map[string]galena.Memory, open []conflictRow) error {
	of := map[string][]galena.Dispute{}
	for _, r := range open {
		d, err := s.disputed.dispute(r)
		if err != nil {
			return err
		}
		of[d.Entity] = append(of[d.Entity], d)
	}
	for id, m := range known {
		m.Disputes = slices.Clone(of[m.Company])
		known[id] = m
	}
	return nil
}

// holder is whoever holds a person, or owns a company by the word of a lead.
type holder struct {
	Person    bool   `db:"person"`
	Key       string `db:"key"` // the person's, or the company's domain
	Rep       string `db:"rep"`
	LeadID    string `db:"lead_id"`
	CreatedAt int64  `db:"created_at"`
}

// fillOwners adds who holds another open lead of each person, and who owns each
// company. A company that came to its owner with this very lead does not speak
// for it. The owner of an alias owns the company while it has none itself.
func fillOwners(known map[string]galena.Memory, found []holder) {
	for id, m := range known {
		var owner holder
		for _, h := range found {
			switch {
			case h.LeadID == id:
			case h.Person && h.Key == m.Lead.Key:
				m.OpenLeadOwner = h.Rep
			case !h.Person && slices.Contains(m.Domains, h.Key) && (owner.Key == "" || h.before(owner, m.Company)):
				owner = h
			}
		}
		m.AccountOwner = owner.Rep
		known[id] = m
	}
}

// before says whose word counts: the company's own domain, then the oldest.
func (h holder) before(other holder, company string) bool {
	if own := h.Key == company; own != (other.Key == company) {
		return own
	}
	return cmp.Or(cmp.Compare(h.CreatedAt, other.CreatedAt), cmp.Compare(h.Key, other.Key)) < 0
}

// ownersRow is who holds a person and who owns a company.
type ownersRow struct {
	Person  string `db:"person"`
	Company string `db:"company"`
}

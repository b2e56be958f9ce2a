package sql

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/galenahq/galena"
)

// Memory reads what is known of a lead: the lead, what the CRM, a person, a
// registry or the form said of the company by any of its domains, what is
// contested, and who holds the person and the company. Leads that are read at
// the same time share the reading.
func (s *Store) Memory(ctx context.Context, leadID string) (galena.Memory, error) {
	m, err := s.memories.do(ctx, leadID)
	return m, fault("sql.memory", err)
}

// memory reads what is known of the leads of a group.
func (s *Store) memory(ctx context.Context, ids []string) ([]outcome[galena.Memory], error) {
	var r leadReading
	if err := s.together(ctx, s.leadsNamed(&r, ids)...); err != nil {
		return nil, fault("sql.memory", err)
	}
	known, err := s.remember(ctx, r)
	if err != nil {
		return nil, fault("sql.memory", err)
	}
	return each(ids, known), nil
}

// Start begins the step of a lead as Begin does and reads its Memory on the way.
// tries is how often it was begun since it was written or a person handed it out; 0:
// the step is not ours. An error beside tries is one of the reading.
func (s *Store) Start(ctx context.Context, st galena.Step) (m galena.Memory, tries int, err error) {
	got, err := s.starts.do(ctx, stepKey{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch, Run: st.Run})
	if err != nil {
		return m, 0, fault("sql.start", err)
	}
	return got.memory, got.tries, fault("sql.memory", got.err)
}

// started is how often a step was begun, and then what is known or why nothing is.
type started struct {
	tries  int // 0 = not now
	memory galena.Memory
	err    error
}

// start begins the steps of a group and reads what is known of their leads.
func (s *Store) start(ctx context.Context, all []stepKey) ([]outcome[started], error) {
	ids := make([]string, len(all))
	for i, k := range all {
		ids[i] = k.ID
	}
	var begun []begunRow
	var r leadReading
	begin, err := s.beginning(all, &begun)
	if err == nil {
		err = s.together(ctx, append([]inquiry{begin}, s.leadsNamed(&r, ids)...)...)
	}
	if err != nil && (len(begun) == 0 || s.dialect == dialectPostgres) { // where all of it is one transaction
		return nil, fault("sql.start", err)
	}
	var known map[string]galena.Memory
	if err == nil {
		known, err = s.remember(ctx, r)
	}
	out := make([]outcome[started], len(all))
	for _, k := range begun {
		got := &out[slices.Index(all, k.stepKey)].value
		m, found := known[k.ID]
		switch got.tries = k.Attempts; {
		case err == nil && found:
			got.memory = m
		case err != nil && galena.KindOf(fault("sql.memory", err)) == galena.Unavailable:
			got.err = err
		default:
			got.memory, got.err = s.Memory(ctx, k.ID) // a fault of another must not keep what is ours
		}
	}
	return out, nil
}

// CompanyMemory reads the same of a company that no lead came from, by any domain
// of its: Lead has nothing but that, and may be enriched.
func (s *Store) CompanyMemory(ctx context.Context, domain string) (galena.Memory, error) {
	// A CRM's word comes without a lead and without a domain, and counts.
	known := map[string]galena.Memory{domain: {Lead: galena.Lead{Judgement: galena.Judgement{Domain: domain, Spendable: true}}}}
	names, err := within[nameRow](ctx, s, "names-of-companies", map[string][]string{"domains": {domain}})
	if err == nil {
		place(known, names)
		err = s.fill(ctx, known)
	}
	return known[domain], fault("sql.company_memory", err)
}

// leadReading is leads as they were read, with the names of their companies.
type leadReading struct {
	leads []leadRow
	names []nameRow
}

// nameRow is a domain of the company that somebody asked for.
type nameRow struct {
	Asked string `db:"asked"`
	domainRow
}

func (s *Store) leadsNamed(r *leadReading, ids []string) []inquiry {
	return []inquiry{
		finding(s, &r.leads, "leads-named", map[string][]string{"ids": ids}),
		finding(s, &r.names, "names-of-leads", map[string][]string{"ids": ids}),
	}
}

// remember reads what is known beside the leads.
func (s *Store) remember(ctx context.Context, r leadReading) (map[string]galena.Memory, error) {
	known := make(map[string]galena.Memory, len(r.leads))
	for _, row := range r.leads {
		l, err := row.lead()
		if err != nil {
			return nil, err
		}
		known[l.ID] = galena.Memory{Lead: l}
	}
	place(known, r.names)
	return known, s.fill(ctx, known)
}

// place says which company each lead's domain belongs to, with every domain that
// it is known by. One of which nothing is known is a company by itself.
func place(known map[string]galena.Memory, names []nameRow) {
	of := map[string][]string{}
	for _, r := range names {
		if of[r.Asked] == nil {
			of[r.Asked] = []string{r.Company}
		}
		if r.Domain != r.Company {
			of[r.Asked] = append(of[r.Asked], r.Domain)
		}
	}
	for asked, m := range known {
		m.Company, m.Domains = m.Lead.Domain, []string{m.Lead.Domain}
		if domains := of[asked]; domains != nil {
			m.Company, m.Domains = domains[0], domains
		}
		known[asked] = m
	}
}

// fill reads what is known beside the leads and their companies' names.
func (s *Store) fill(ctx context.Context, known map[string]galena.Memory) error {
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

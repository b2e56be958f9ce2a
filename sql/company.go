package sql

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

type observationRow struct {
	ID         string  `json:"id" db:"id"`
	Entity     string  `json:"entity" db:"entity"`
	Field      string  `json:"field" db:"field"`
	Value      string  `json:"value" db:"value"`
	Absent     bool    `json:"absent" db:"absent"`
	Source     string  `json:"source" db:"source"`
	Class      string  `json:"class" db:"class"`
	Ref        string  `json:"ref" db:"ref"`
	Method     string  `json:"method" db:"method"`
	Confidence float64 `json:"confidence" db:"confidence"`
	ObservedAt int64   `json:"observed_at" db:"observed_at"`
	FetchedAt  int64   `json:"fetched_at" db:"fetched_at"`
	CostMicros int64   `json:"cost_micros" db:"cost_micros"`
	RequestID  string  `json:"request_id" db:"request_id"`
	RunID      string  `json:"run_id" db:"run_id"`
	Used       bool    `json:"used" db:"used"`
}

func (r observationRow) observation() (galena.Observation, error) {
	v, err := parse[galena.Value](r.Value)
	return galena.Observation{ID: r.ID, Entity: r.Entity, Field: r.Field, Value: v, Absent: r.Absent, Source: r.Source,
		Class: galena.SourceClass(r.Class), Ref: r.Ref, Method: r.Method, Confidence: r.Confidence,
		ObservedAt: at(r.ObservedAt), FetchedAt: at(r.FetchedAt), CostMicros: r.CostMicros,
		RequestID: r.RequestID, RunID: r.RunID}, err
}

// insertObservations appends what is new: what a vendor said goes into the log, an
// answer a row, and every other word is a row of its own. Two leads of one company
// may bring the same held answer at once: sorted, they never wait for each other.
func insertObservations(ctx context.Context, tx conn, obs []galena.Observation) error {
	var answers, words []galena.Observation
	for _, o := range obs {
		if inAnswer(&o) {
			answers = append(answers, o)
		} else {
			words = append(words, o)
		}
	}
	if err := logAnswers(ctx, tx, answers); err != nil {
		return err
	}
	return insertWords(ctx, tx, words)
}

// inAnswer says whether the answer that it came with is what is kept of it.
func inAnswer(o *galena.Observation) bool {
	return o.RequestID != "" && (o.Class == galena.ClassProvider || o.Class == galena.ClassCrawl || o.Class == galena.ClassInferred)
}

// logRow is an answer in the log.
type logRow struct {
	RequestID    string `json:"request_id" db:"request_id"`
	Provider     string `json:"provider" db:"provider"`
	Domain       string `json:"domain" db:"domain"`
	FetchedAt    int64  `json:"fetched_at" db:"fetched_at"`
	CostMicros   int64  `json:"cost_micros" db:"cost_micros"`
	Fields       string `json:"fields" db:"fields"`
	Used         string `json:"used" db:"used"`
	Observations string `json:"observations" db:"observations"`
}

// logAnswers appends the answers that the observations came with.
func logAnswers(ctx context.Context, tx conn, obs []galena.Observation) error {
	if len(obs) == 0 {
		return nil
	}
	slices.SortStableFunc(obs, func(a, b galena.Observation) int {
		return cmp.Or(cmp.Compare(a.RequestID, b.RequestID), cmp.Compare(a.ID, b.ID))
	})
	var list []logRow
	for len(obs) > 0 {
		end := slices.IndexFunc(obs, func(o galena.Observation) bool { return o.RequestID != obs[0].RequestID })
		if end < 0 {
			end = len(obs)
		}
		row, err := logged(obs[:end])
		if err != nil {
			return err
		}
		list, obs = append(list, row), obs[end:]
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "log-answers", a)
	return err
}

// logged makes one row of the observations of an answer, some of which may come
// twice, one after the other.
func logged(answer []galena.Observation) (r logRow, err error) {
	first := &answer[0]
	r = logRow{RequestID: first.RequestID, Provider: first.Source, Domain: first.Entity, FetchedAt: micros(first.FetchedAt)}
	once := answer[:0]
	for _, o := range answer {
		if n := len(once); n > 0 && once[n-1].ID == o.ID {
			once[n-1].Used = once[n-1].Used || o.Used
			continue
		}
		once = append(once, o)
	}
	fields, used := make([]byte, 0, 32*len(once)), make([]byte, 0, 38*len(once))
	for i := range once {
		o := &once[i]
		r.CostMicros = max(r.CostMicros, o.CostMicros)
		fields = galena.AppendText(append(fields, ','), o.Field)
		if o.Used {
			used = append(galena.AppendText(append(used, ','), o.Field), ":true"...)
		}
	}
	fields[0] = '['
	used = append(used, '}')
	r.Fields = string(append(fields, ']'))
	r.Used = "{" + strings.TrimPrefix(string(used), ",")
	r.Observations, err = observed(once)
	return r, err
}

// insertWords appends observations that come with no answer.
func insertWords(ctx context.Context, tx conn, obs []galena.Observation) error {
	if len(obs) == 0 {
		return nil
	}
	list := make([]observationRow, len(obs))
	for i, o := range obs {
		id, err := orNewID(o.ID)
		if err != nil {
			return err
		}
		value, err := text(o.Value)
		if err != nil {
			return err
		}
		list[i] = observationRow{ID: id, Entity: o.Entity, Field: o.Field, Value: value, Absent: o.Absent, Source: o.Source,
			Class: string(o.Class), Ref: o.Ref, Method: o.Method, Confidence: o.Confidence,
			ObservedAt: micros(o.ObservedAt), FetchedAt: micros(o.FetchedAt), CostMicros: o.CostMicros,
			RequestID: o.RequestID, RunID: o.RunID, Used: o.Used}
	}
	slices.SortStableFunc(list, func(a, b observationRow) int { return cmp.Compare(a.ID, b.ID) })
	list = slices.CompactFunc(list, func(a, b observationRow) bool { return a.ID == b.ID })
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "insert-observations", a)
	return err
}

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
		if err := insertObservations(ctx, tx, obs); err != nil {
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
func (s *Store) SaveCompany(ctx context.Context, c galena.Company, learnt []galena.Observation) error {
	return s.inTx(ctx, "sql.save_company", func(tx conn) error { return s.learnFacts(ctx, tx, learnt, c) })
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

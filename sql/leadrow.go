package sql

import (
	"errors"

	"github.com/galenahq/galena"
)

// leadRow is a lead as its table keeps it.
type leadRow struct {
	ID         string `db:"id" json:"id"`
	ExternalID string `db:"external_id" json:"external_id"`
	Email      string `db:"email" json:"email"`
	Key        string `db:"email_key" json:"email_key"`
	Host       string `db:"host" json:"host"`
	Domain     string `db:"domain" json:"domain"`
	Verdict    string `db:"verdict" json:"verdict"`
	Codes      string `db:"codes" json:"codes"`
	Class      string `db:"email_class" json:"email_class"`
	Role       bool   `db:"role" json:"role"`
	Spendable  bool   `db:"spendable" json:"spendable"`
	Status     string `db:"status" json:"status"`
	Name       string `db:"name" json:"name"`
	FirstName  string `db:"first_name" json:"first_name"`
	LastName   string `db:"last_name" json:"last_name"`
	Company    string `db:"company" json:"company"`
	Website    string `db:"website" json:"website"`
	JobTitle   string `db:"job_title" json:"job_title"`
	Phone      string `db:"phone" json:"phone"`
	Country    string `db:"country" json:"country"`
	Form       string `db:"form" json:"form"`
	Source     string `db:"source" json:"source"`
	UTM        string `db:"utm" json:"utm"`
	Consent    string `db:"consent" json:"consent"`
	Fields     string `db:"fields" json:"fields"`
	Epoch      int    `db:"epoch" json:"epoch"`
	CreatedAt  int64  `db:"created_at" json:"created_at"`
	DecidedAt  int64  `db:"decided_at" json:"decided_at"`
}

// rowOf is the lead as insert-leads takes it.
func rowOf(l galena.Lead) (leadRow, error) {
	codes, err1 := text(l.Codes)
	utm, err2 := text(l.UTM)
	consent, err3 := text(l.Consent)
	fields, err4 := text(l.Fields)
	return leadRow{ID: l.ID, ExternalID: l.ExternalID, Email: l.Email, Key: l.Key, Host: l.Host,
		Domain: l.Domain, Verdict: string(l.Verdict), Codes: codes, Class: string(l.Class),
		Role: l.Role, Spendable: l.Spendable, Status: string(l.Status), Name: l.Name,
		FirstName: l.FirstName, LastName: l.LastName, Company: l.Company, Website: l.Website,
		JobTitle: l.JobTitle, Phone: l.Phone, Country: l.Country, Form: l.Form, Source: l.Source,
		UTM: utm, Consent: consent, Fields: fields, Epoch: l.Epoch,
		CreatedAt: micros(l.CreatedAt), DecidedAt: micros(l.DecidedAt),
	}, errors.Join(err1, err2, err3, err4)
}

// lead is the row as everybody else knows it.
func (r leadRow) lead() (galena.Lead, error) {
	l := galena.Lead{
		ID: r.ID, ExternalID: r.ExternalID, Status: galena.LeadStatus(r.Status),
		Judgement: galena.Judgement{Verdict: galena.Verdict(r.Verdict), Email: r.Email, Key: r.Key, Host: r.Host,
			Domain: r.Domain, Class: galena.EmailClass(r.Class), Role: r.Role, Spendable: r.Spendable},
		Name: r.Name, FirstName: r.FirstName, LastName: r.LastName, Company: r.Company, Website: r.Website,
		JobTitle: r.JobTitle, Phone: r.Phone, Country: r.Country, Form: r.Form, Source: r.Source,
		Epoch: r.Epoch, CreatedAt: at(r.CreatedAt), DecidedAt: at(r.DecidedAt),
	}
	var err1, err2, err3, err4 error
	l.Codes, err1 = parse[[]string](r.Codes)
	l.UTM, err2 = parse[map[string]string](r.UTM)
	l.Consent, err3 = members(r.Consent)
	l.Fields, err4 = members(r.Fields)
	return l, errors.Join(err1, err2, err3, err4)
}

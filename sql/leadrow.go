package sql

import (
	"errors"

	"github.com/galenahq/galena"
)

// leadRow is a lead as its table keeps it.
type leadRow struct {
	ID         string `db:"id"`
	ExternalID string `db:"external_id"`
	Email      string `db:"email"`
	Key        string `db:"email_key"`
	Host       string `db:"host"`
	Domain     string `db:"domain"`
	Verdict    string `db:"verdict"`
	Codes      string `db:"codes"`
	Class      string `db:"email_class"`
	Role       bool   `db:"role"`
	Spendable  bool   `db:"spendable"`
	Status     string `db:"status"`
	Name       string `db:"name"`
	FirstName  string `db:"first_name"`
	LastName   string `db:"last_name"`
	Company    string `db:"company"`
	Website    string `db:"website"`
	JobTitle   string `db:"job_title"`
	Phone      string `db:"phone"`
	Country    string `db:"country"`
	Form       string `db:"form"`
	Source     string `db:"source"`
	UTM        string `db:"utm"`
	Consent    string `db:"consent"`
	Fields     string `db:"fields"`
	Epoch      int    `db:"epoch"`
	CreatedAt  int64  `db:"created_at"`
	DecidedAt  int64  `db:"decided_at"`
}

// rowOf is the lead as parameters of insert-lead.
func rowOf(l galena.Lead) (args, error) {
	codes, err1 := text(l.Codes)
	utm, err2 := text(l.UTM)
	consent, err3 := text(l.Consent)
	fields, err4 := text(l.Fields)
	return args{
		"id": l.ID, "external_id": l.ExternalID, "email": l.Email, "email_key": l.Key, "host": l.Host,
		"domain": l.Domain, "verdict": string(l.Verdict), "codes": codes, "email_class": string(l.Class),
		"role": l.Role, "spendable": l.Spendable, "status": string(l.Status), "name": l.Name,
		"first_name": l.FirstName, "last_name": l.LastName, "company": l.Company, "website": l.Website,
		"job_title": l.JobTitle, "phone": l.Phone, "country": l.Country, "form": l.Form, "source": l.Source,
		"utm": utm, "consent": consent, "fields": fields, "epoch": l.Epoch,
		"created_at": micros(l.CreatedAt), "decided_at": micros(l.DecidedAt),
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
	l.Consent, err3 = parse[map[string]any](r.Consent)
	l.Fields, err4 = parse[map[string]any](r.Fields)
	return l, errors.Join(err1, err2, err3, err4)
}

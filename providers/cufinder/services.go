package cufinder

import (
	"context"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Revenue describes the revenue service, paid with the same key.
var Revenue = service(single{name: "revenue", path: "/v2/car", field: "company.annual_revenue_usd", read: revenue},
	"CUFinder revenue", 0.55)

// Tech describes the technologies service, paid with the same key.
var Tech = service(single{name: "tech", path: "/v2/fts", field: "company.technologies", read: technologies},
	"CUFinder technologies", 0.6)

// single is a service that tells one fact.
type single struct {
	settings   providers.Settings
	name, path string
	field      string
	read       func(data providers.Object) galena.Value
}

// service describes a further service: what is not said otherwise is as in Spec.
func service(a single, title string, hit float64) providers.Spec {
	s := Spec
	s.Name, s.Title, s.KeyOf = Spec.Name+"-"+a.name, title, Spec.Name
	s.Fields = map[string]float64{a.field: hit}
	s.New = func(settings providers.Settings) (providers.Provider, error) {
		opened := a // the description is shared by all that are built from it
		opened.settings = settings
		return opened, nil
	}
	return s
}

// Enrich asks for one company. The answer names no company but what was asked
// for: an answer to another question is refused. A fact that we cannot read,
// such as a revenue in euros, is paid for all the same.
func (a single) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	op := Spec.Name + "-" + a.name + ".enrich"
	data, err := ask(ctx, a.settings, op, a.path, q)
	if err != nil {
		return providers.Record{}, err
	}
	if data == nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no data")
	}
	if err := providers.CheckSubject(op, q.Domain, data.Text("query"), nil); err != nil {
		return providers.Record{}, err
	}
	var r providers.Record
	r.Add(a.field, a.read(data), a.name)
	vouch(&r, data)
	return r, nil
}

// Package gleif looks a company up in the global register of legal entities. The
// register knows names and no domains: it is a second hop, asked once somebody
// else has told the legal name and the country. Names are borne by many.
package gleif

import (
	"context"
	"net/url"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes the register.
var Spec = providers.Spec{
	Name: "gleif", Title: "The register of legal entities (GLEIF)", Docs: "https://www.gleif.org/en/lei-data/gleif-api",
	BaseURL: "https://api.gleif.org/api/v1", Keyless: true,
	Needs: []string{legalName, country},
	P95:   1200 * time.Millisecond, Timeout: 3 * time.Second, Trust: 0.9, Class: galena.ClassRegistry,
	Rate: 1, Burst: 5, // not published; 60 a minute is what others keep to
	Fields: map[string]float64{
		legalName: 0.3, country: 0.3, "company.registry_id": 0.3, "company.hq_city": 0.3, "company.status": 0.3,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const (
	op        = "gleif.enrich"
	legalName = "company.legal_name"
	country   = "company.hq_country"
)

type adapter struct{ settings providers.Settings }

// Enrich searches the legal name and takes the one entity of this name and
// country. A namesake elsewhere, a fund or a branch of the name is a miss, and
// so are two of whom nobody can say which it is.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{
		Op: op, Path: "/lei-records",
		Query:  url.Values{"filter[entity.legalName]": {q.Known[legalName]}, "page[size]": {"20"}},
		Header: map[string]string{"Accept": "application/vnd.api+json"},
	})
	if err != nil {
		return providers.Record{}, err
	}
	if _, ok := o["data"].([]any); !ok {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "the answer has no list of entities")
	}
	var same []providers.Object
	for _, record := range o.Objects("data") {
		if valid(record) && is(record.Object("attributes").Object("entity"), q) {
			same = append(same, record.Object("attributes"))
		}
	}
	if len(same) != 1 {
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "%d entities bear this name in this country", len(same))
	}
	return read(same[0], a.settings.Now()), nil
}

// valid says that the register stands by a record: it keeps those that it took back,
// beside the one that a duplicate doubles.
func valid(record providers.Object) bool {
	switch record.Object("attributes").Object("registration").Text("status") {
	case "DUPLICATE", "ANNULLED":
		return false
	default:
		return true
	}
}

// is says that an entity bears the name and has its seat in the country.
func is(entity providers.Object, q providers.Query) bool {
	switch entity.Text("category") {
	case "FUND", "BRANCH":
		return false
	}
	return providers.LegalKey(entity.Object("legalName").Text("name")) == providers.LegalKey(q.Known[legalName]) &&
		seat(entity).Text == q.Known[country]
}

// seat is the country of the headquarters; the legal address is often an agent's.
func seat(entity providers.Object) galena.Value {
	return providers.CountryOf(entity.Object("headquartersAddress").Text("country"), entity.Object("legalAddress").Text("country"))
}

// read takes the record. A lapsed registration says nothing of the company: it
// is the fee that was not paid.
func read(attributes providers.Object, now time.Time) providers.Record {
	var (
		r      providers.Record
		entity = attributes.Object("entity")
	)
	r.Add(legalName, galena.TextValue(entity.Object("legalName").Text("name")), "entity.legalName")
	r.Add(country, seat(entity), "entity.headquartersAddress")
	r.Add("company.hq_city", galena.TextValue(providers.Name(entity.Object("headquartersAddress").Text("city"))), "entity.headquartersAddress")
	r.Add("company.registry_id", galena.TextValue(attributes.Text("lei")), "lei")
	switch entity.Text("status") {
	case "ACTIVE":
		r.Add("company.status", galena.EnumValue("active"), "entity.status")
	case "INACTIVE":
		r.Add("company.status", galena.EnumValue("dead"), "entity.status")
	}
	r.Vouch(0, providers.When(attributes.Object("registration").Text("lastUpdateDate"), now))
	return r
}

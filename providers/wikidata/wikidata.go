// Package wikidata looks a company up by its web site in the encyclopaedia of
// facts that everybody may edit. It knows large and notable companies, with
// numbers that say of which year they are.
//
//	search P856 = the domain's home page ──► up to three items
//	read them, keep the one whose site it really is
//	read what it refers to: industry, seat, country
package wikidata

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// Spec describes Wikidata. Its operators want requests one after the other and
// to know who asks: whoever hides behind a common name is turned away.
var Spec = providers.Spec{
	Name: "wikidata", Title: "Wikidata", Docs: "https://www.wikidata.org/wiki/Wikidata:Data_access",
	BaseURL: "https://www.wikidata.org", Keyless: true, Contact: true,
	P95: 1500 * time.Millisecond, Timeout: 3 * time.Second, Trust: 0.65, Class: galena.ClassProvider,
	Rate: 1, Burst: 1,
	Fields: map[string]float64{
		"company.name": 0.15, "company.legal_name": 0.05, "company.description": 0.15, "company.industry": 0.1,
		"company.employee_count": 0.1, "company.annual_revenue_usd": 0.05, "company.founded_year": 0.13,
		"company.hq_country": 0.15, "company.hq_city": 0.12, "company.linkedin_url": 0.05, "company.status": 0.02,
	},
	New: func(s providers.Settings) (providers.Provider, error) { return adapter{s}, nil },
}

const op = "wikidata.enrich"

// The properties that we read.
const (
	pWebsite   = "P856"
	pIndustry  = "P452"
	pEmployees = "P1128"
	pRevenue   = "P2139"
	pFounded   = "P571"
	pDissolved = "P576"
	pSeat      = "P159"
	pCountry   = "P17"
	pOfficial  = "P1448"
	pLinkedIn  = "P4264"
	pCode      = "P297" // of a country: ISO 3166-1 alpha-2
)

type adapter struct{ settings providers.Settings }

// Enrich finds the item of a web site and reads it.
func (a adapter) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	ids, err := a.search(ctx, q.Domain)
	if err != nil {
		return providers.Record{}, err
	}
	if len(ids) == 0 {
		return providers.Record{}, galena.Errorf(galena.NotFound, op, "no item has this web site")
	}
	items, err := a.items(ctx, ids)
	if err != nil {
		return providers.Record{}, err
	}
	it, err := pick(items, ids, q.Domain)
	if err != nil {
		return providers.Record{}, err
	}
	var others map[string]item
	if refs := it.refs(pIndustry, pSeat, pCountry); len(refs) > 0 {
		// A record without them would be held for as long as a whole one.
		if others, err = a.items(ctx, refs); err != nil {
			return providers.Record{}, err
		}
	}
	return read(it, others, a.settings.Now()), nil
}

// search looks for all spellings of the home page at once: the value is
// compared as it is written.
func (a adapter) search(ctx context.Context, domain string) ([]string, error) {
	var terms []string
	for _, scheme := range []string{"https://", "http://"} {
		for _, www := range []string{"www.", ""} {
			for _, end := range []string{"/", ""} {
				terms = append(terms, pWebsite+"="+scheme+www+domain+end)
			}
		}
	}
	o, err := a.get(ctx, url.Values{"action": {"query"}, "list": {"search"}, "srlimit": {"3"},
		"srsearch": {"haswbstatement:" + strings.Join(terms, "|")}})
	if err != nil {
		return nil, err
	}
	query := o.Object("query")
	if query == nil {
		return nil, galena.Errorf(galena.Malformed, op, "the answer to the search has no result")
	}
	var ids []string
	for _, hit := range query.Objects("search") {
		if id := hit.Text("title"); strings.HasPrefix(id, "Q") {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// items reads items by their ids.
func (a adapter) items(ctx context.Context, ids []string) (map[string]item, error) {
	o, err := a.get(ctx, url.Values{"action": {"wbgetentities"}, "ids": {strings.Join(ids, "|")},
		"props": {"labels|descriptions|claims"}, "languages": {"en"}})
	if err != nil {
		return nil, err
	}
	entities := o.Object("entities")
	if entities == nil {
		return nil, galena.Errorf(galena.Malformed, op, "the answer has no entities")
	}
	out := map[string]item{}
	for id := range entities {
		if e := entities.Object(id); e.Object("claims") != nil {
			out[id] = item{e}
		}
	}
	return out, nil
}

// get asks the action API. It tells overload as an error inside a 200.
func (a adapter) get(ctx context.Context, query url.Values) (providers.Object, error) {
	query.Set("format", "json")
	o, err := providers.GetJSON(ctx, a.settings, providers.Request{Op: op, Path: "/w/api.php", Query: query})
	if err != nil {
		return nil, err
	}
	switch code := o.Object("error").Text("code"); code {
	case "":
		return o, nil
	case "maxlag", "ratelimited", "readonly":
		return nil, galena.Errorf(galena.RateLimited, op, "the service asks us to wait")
	default:
		return nil, galena.Errorf(galena.Malformed, op, "an error came as an answer")
	}
}

// pick is the item whose web site is the asked one. Products, universities'
// institutes and schools have sites too: a company has an industry or employees.
func pick(items map[string]item, ids []string, domain string) (item, error) {
	ours := false
	for _, id := range ids {
		it, ok := items[id]
		if !ok || !it.owns(domain) {
			continue
		}
		ours = true
		_, _, staffed := it.newest(pEmployees)
		if staffed || len(it.best(pIndustry)) > 0 {
			return it, nil
		}
	}
	if ours {
		return item{}, galena.Errorf(galena.NotFound, op, "the item with this web site is no company")
	}
	return item{}, galena.Errorf(galena.WrongSubject, op, "the items found have other web sites")
}

// owns says that one of the item's web sites is the domain's home.
func (it item) owns(domain string) bool {
	for _, s := range it.best(pWebsite) {
		if providers.Domain(s.value().Text("text")) == domain {
			return true
		}
	}
	return false
}

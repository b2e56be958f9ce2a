package providers

import (
	"cmp"

	"github.com/galenahq/galena"
)

// KeyIDs are the ids under which a catalogue's keys and addresses are looked up.
func (c Config) KeyIDs(specs []Spec) []string {
	var ids []string
	for _, e := range c.Entries(specs) {
		ids = append(ids, e.ID)
		if of := e.Spec(specs).KeyOf; of != "" {
			ids = append(ids, of)
		}
	}
	return ids
}

// List shows the catalogue as a waterfall with these keys, addresses and contact
// would use it.
func (c Config) List(specs []Spec, keys, urls func(id string) string, contact string) galena.Catalogue {
	out := galena.Catalogue{Budgets: c.Budgets()}
	for _, e := range c.Entries(specs) {
		l := fill(e, e.Spec(specs))
		l.url = cmp.Or(settingOf(l, urls), l.url)
		key := settingOf(l, keys)
		out.Providers = append(out.Providers, galena.Listed{ID: e.ID, Adapter: l.spec.Name, BaseURL: l.url,
			Keyless: l.spec.Keyless, KeyPresent: key != "", On: l.enabled != "false" && l.missing(key, contact) == ""})
	}
	return out
}

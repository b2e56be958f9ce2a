package providers

import "cmp"

// Listed is a catalogue entry as people see it.
type Listed struct {
	ID         string
	Adapter    string
	BaseURL    string
	KeyPresent bool
	On         bool // it is asked: switched on, or on auto with all it needs
}

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
func (c Config) List(specs []Spec, keys, urls func(id string) string, contact string) []Listed {
	var out []Listed
	for _, e := range c.Entries(specs) {
		l := fill(e, e.Spec(specs))
		l.url = cmp.Or(settingOf(l, urls), l.url)
		key := settingOf(l, keys)
		out = append(out, Listed{ID: e.ID, Adapter: l.spec.Name, BaseURL: l.url, KeyPresent: key != "",
			On: l.enabled != "false" && l.missing(key, contact) == ""})
	}
	return out
}

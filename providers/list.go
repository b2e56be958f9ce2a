package providers

// Listed is a catalogue entry as people see it.
type Listed struct {
	ID         string
	Adapter    string
	BaseURL    string
	KeyPresent bool
	On         bool // it is asked: switched on, or on auto with all it needs
}

// List shows the catalogue as a waterfall with these keys and addresses would
// use it.
func (c Config) List(specs []Spec, keys, urls func(id string) string) []Listed {
	var out []Listed
	for _, e := range c.Entries(specs) {
		l := fill(e, specOf(e, specs))
		at := l.url
		if u := urls(e.ID); u != "" {
			at = u
		}
		has := keys(e.ID) != ""
		out = append(out, Listed{ID: e.ID, Adapter: l.spec.Name, BaseURL: at, KeyPresent: has,
			On: l.enabled != "false" && at != "" && (has || l.spec.Keyless)})
	}
	return out
}

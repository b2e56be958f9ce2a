package providers

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// genericAdapter speaks for every catalogue id that no built-in vendor has.
const genericAdapter = "fixture"

const (
	defaultTimeout = 2 * time.Second
	defaultP95     = 500 * time.Millisecond
	defaultWait    = 5 * time.Minute // for a callback
)

// listing is one catalogue entry with everything filled in.
type listing struct {
	id         string
	spec       Spec
	enabled    Enabled
	url        string
	costMicros int64
	mostMicros int64 // of one call
	perMatch   bool
	p95        time.Duration
	timeout    time.Duration
	wait       time.Duration // for a callback; 0 = none is wanted
	trust      float64
	class      galena.SourceClass
	closed     bool
	rate       float64
	burst      int
	onlyIf     galena.Predicate
	fields     map[string]float64
}

// Entries is the catalogue that is in force: the file's, or every built-in
// vendor that has an address of its own and wants a key. One that wants none
// would be asked by an installation that nobody told to call out: it has to be
// named.
func (c Config) Entries(specs []Spec) []Entry {
	if c.Providers != nil {
		return c.Providers
	}
	var out []Entry
	for _, s := range specs {
		if s.BaseURL != "" && !s.Keyless {
			out = append(out, Entry{ID: s.Name})
		}
	}
	return out
}

// Fields tells for every field the best hit rate among the vendors that are not
// switched off: what can be bought at all.
func (c Config) Fields(specs []Spec) map[string]float64 {
	out := map[string]float64{}
	for _, e := range c.Entries(specs) {
		if e.Enabled == "false" {
			continue
		}
		for f, hit := range fill(e, e.Spec(specs)).fields {
			out[f] = max(out[f], hit)
		}
	}
	return out
}

// settingOf looks up a vendor's key or address under its own id, then under
// that of the vendor whose key it shares.
func settingOf(l listing, look func(id string) string) string {
	if own := look(l.id); own != "" || l.spec.KeyOf == "" {
		return own
	}
	return look(l.spec.KeyOf)
}

// missing names what a vendor needs and has not got.
func (l listing) missing(key, contact string) string {
	switch {
	case l.url == "" && !l.spec.Direct:
		return "address (url, or GALENA_PROVIDER_" + EnvName(l.id) + "_URL)"
	case key == "" && !l.spec.Keyless:
		return "key (GALENA_PROVIDER_" + EnvName(cmp.Or(l.spec.KeyOf, l.id)) + "_KEY)"
	case contact == "" && l.spec.Contact:
		return "contact (GALENA_CONTACT or GALENA_PUBLIC_URL)"
	default:
		return ""
	}
}

// Spec finds the adapter of an entry; its name is "" when there is none.
func (e Entry) Spec(specs []Spec) Spec {
	find := func(name string) (Spec, bool) {
		i := slices.IndexFunc(specs, func(s Spec) bool { return s.Name == name })
		if i < 0 {
			return Spec{}, false
		}
		return specs[i], true
	}
	if e.Kind == kindHTTP {
		s, _ := find(wireAdapter)
		return described(s, e.HTTP)
	}
	if e.Adapter != "" {
		s, _ := find(e.Adapter)
		return s
	}
	if s, ok := find(e.ID); ok {
		return s
	}
	s, _ := find(genericAdapter)
	return s
}

// fill completes an entry from its vendor's Spec.
func fill(e Entry, s Spec) listing {
	l := listing{
		id: e.ID, spec: s, enabled: cmp.Or(e.Enabled, "auto"), url: cmp.Or(e.URL, s.BaseURL),
		costMicros: s.CostMicros, perMatch: s.PerMatch, p95: cmp.Or(s.P95, defaultP95),
		timeout: cmp.Or(s.Timeout, defaultTimeout), wait: defaultWait, trust: cmp.Or(s.Trust, 0.5),
		class:  cmp.Or(galena.SourceClass(e.Class), s.Class, galena.ClassProvider),
		closed: s.SetClosed, rate: s.Rate, burst: s.Burst, fields: maps.Clone(s.Fields),
	}
	if e.CostCents != nil {
		l.costMicros = micros(*e.CostCents)
	}
	l.mostMicros = max(l.costMicros, micros(e.MaxCents))
	if e.Billing != "" {
		l.perMatch = e.Billing == "per_match"
	}
	if e.P95MS != nil {
		l.p95 = time.Duration(*e.P95MS) * time.Millisecond
	}
	if e.Trust != nil {
		l.trust = *e.Trust
	}
	if e.SetSemantics != "" {
		l.closed = e.SetSemantics == "closed"
	}
	if e.Timeout != nil {
		l.timeout = *e.Timeout
	}
	if e.CallbackWait != nil {
		l.wait = *e.CallbackWait
	}
	if e.Rate != nil {
		l.rate, l.burst = e.Rate.PerSecond, e.Rate.Burst
	}
	l.burst = max(l.burst, 1)
	if e.OnlyIf != nil {
		l.onlyIf, _ = e.OnlyIf.Compile("", nil, galena.AllowUnknown()) // faults are told by Validate
	}
	if e.Fields != nil {
		l.fields = maps.Clone(e.Fields)
	}
	return l
}

// offer is the listing as the planner needs it.
func (l listing) offer(available bool) galena.Offer {
	return galena.Offer{Provider: l.id, CostMicros: l.costMicros, MostMicros: l.mostMicros, PerMatch: l.perMatch, P95: l.p95,
		OnlyIf: l.onlyIf, Needs: l.spec.Needs, Hits: l.fields, Available: available}
}

// usableURL accepts a base URL that holds nothing secret.
func usableURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

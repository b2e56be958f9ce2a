package providers

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Config is the `spec` of a file of kind Providers (SEMANTICS 4.0): which
// vendors may be asked, in which order they are listed, and what may be spent.
type Config struct {
	// Providers is the catalogue. Absent means every built-in vendor that needs
	// no address, enabled: auto, as its Spec describes it; an empty list means none.
	Providers     []Entry `yaml:"providers"`
	Limits        Limits  `yaml:"limits"`
	AlwaysCollect Collect `yaml:"always_collect"`
	Audit         Audit   `yaml:"audit"`
}

// Audit is how many settled decisions are held against everything that could
// have been bought. It is what tells whether stopping early is right, and it
// costs the calls that stopping saved.
type Audit struct {
	Share float64 `yaml:"share"` // 0 to 1; 0 = none
}

// Entry is one vendor of the catalogue. What is left out comes from the
// adapter's Spec, hence the pointers: a price of 0 is not a missing price.
type Entry struct {
	ID           string             `yaml:"id"`
	Adapter      string             `yaml:"adapter,omitempty"` // default: the id if a vendor is built in, else fixture
	Kind         string             `yaml:"kind,omitempty"`    // http: the vendor is described by HTTP
	HTTP         *Wire              `yaml:"http,omitempty"`
	Enabled      Enabled            `yaml:"enabled,omitempty"`
	URL          string             `yaml:"url,omitempty"`
	CostCents    *float64           `yaml:"cost_cents,omitempty"`
	MaxCents     float64            `yaml:"max_cents,omitempty"`     // the most that one call may cost, which is what is reserved; 0 = cost_cents
	Billing      string             `yaml:"billing,omitempty"`       // per_call or per_match
	PerDayCents  float64            `yaml:"per_day_cents,omitempty"` // what a day may cost, 0 = no limit but that of all
	P95MS        *int               `yaml:"p95_ms,omitempty"`
	Trust        *float64           `yaml:"trust,omitempty"`
	Class        string             `yaml:"class,omitempty"`         // provider, registry or crawl
	SetSemantics string             `yaml:"set_semantics,omitempty"` // closed or open
	Timeout      *time.Duration     `yaml:"timeout,omitempty"`
	Auth         string             `yaml:"auth,omitempty"`          // bearer, basic or raw, of an adapter that speaks for several services
	CallbackWait *time.Duration     `yaml:"callback_wait,omitempty"` // for the call of one that answers later; 0 = it is asked again instead
	Rate         *Rate              `yaml:"rate,omitempty"`
	OnlyIf       *galena.Condition  `yaml:"only_if,omitempty"`
	Fields       map[string]float64 `yaml:"fields,omitempty"`
}

// Rate is how fast a vendor may be called, by all workers together.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int     `yaml:"burst"`
}

// Limits bound the spending and the waiting. Zero is no limit, but for refreshes.
type Limits struct {
	PerLeadCents float64 `yaml:"per_lead_cents"`
	PerDayCents  float64 `yaml:"per_day_cents"`
	// PerSourceCents is what the leads of a source may cost a day. A source is what
	// a lead's source or form says; refresh is what stale data are bought anew for.
	PerSourceCents        map[string]float64 `yaml:"per_source_cents,omitempty"`
	InteractiveDeadlineMS int                `yaml:"interactive_deadline_ms"`
	RefreshPerMinute      int                `yaml:"refresh_per_minute"` // companies asked for again; 0 = none
}

// PerLeadMicros is what one lead may cost, in millionths of a dollar.
func (l Limits) PerLeadMicros() int64 { return micros(l.PerLeadCents) }

// Deadline is how long a person waits for a decision.
func (l Limits) Deadline() time.Duration {
	return time.Duration(l.InteractiveDeadlineMS) * time.Millisecond
}

func micros(cents float64) int64 { return int64(math.Round(cents * 10_000)) }

// Enabled is auto, true or false; empty is auto: on when the vendor is keyless
// or its key is there.
type Enabled string

// UnmarshalYAML takes the booleans of YAML as well as the word.
func (e *Enabled) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	*e = Enabled(fmt.Sprint(v))
	return nil
}

// all in always_collect stands for every field that a vendor can supply.
const all = "all"

// Collect names fields to keep buying after a decision is settled.
type Collect []string

// UnmarshalYAML takes a list of fields or the word all.
func (c *Collect) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil {
		*c = Collect{word}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*c = list
	return nil
}

// Defaults are every built-in vendor whose key is there, 15 cents a lead, 50
// dollars a day, 2.2 seconds for a person who waits, ten companies a minute
// asked for again, and an audit of every fiftieth settled decision.
func Defaults() Config {
	return Config{Limits: Limits{PerLeadCents: 15, PerDayCents: 5000, InteractiveDeadlineMS: 2200, RefreshPerMinute: 10},
		Audit: Audit{Share: 0.02}}
}

// EnvName is the part of GALENA_PROVIDER_<NAME>_KEY and _URL that names a vendor.
func EnvName(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "_")) }

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Validate returns every fault of the catalogue. Adapters are the names of the
// built-in vendors; without any, adapter names are not looked at.
func (c Config) Validate(adapters ...string) error {
	var faults []error
	fail := func(path, code, format string, args ...any) {
		faults = append(faults, galena.Faultf(path, code, format, args...))
	}
	seen := map[string]string{}
	for i, e := range c.Providers {
		path := fmt.Sprintf("spec.providers[%d]", i)
		if !idPattern.MatchString(e.ID) {
			fail(path+".id", "E02", "id must be lower-case letters, digits and hyphens, is %q", e.ID)
		}
		// Two ids that differ in nothing an environment name keeps would share a key.
		if first, twice := seen[EnvName(e.ID)]; twice {
			fail(path+".id", "E03", "id %q is already used by %s", e.ID, first)
		}
		seen[EnvName(e.ID)] = path
		if e.Adapter != "" && len(adapters) > 0 && !slices.Contains(adapters, e.Adapter) {
			f := galena.Faultf(path+".adapter", "E11", "unknown adapter %q", e.Adapter)
			f.Hint = galena.Nearest(e.Adapter, adapters)
			faults = append(faults, f)
		}
		faults = append(faults, e.checkKind(path)...)
		faults = append(faults, e.validate(path)...)
	}
	for name, x := range map[string]float64{
		"per_lead_cents": c.Limits.PerLeadCents, "per_day_cents": c.Limits.PerDayCents,
		"interactive_deadline_ms": float64(c.Limits.InteractiveDeadlineMS), "refresh_per_minute": float64(c.Limits.RefreshPerMinute),
	} {
		if !(x >= 0 && x <= 1e9) {
			fail("spec.limits."+name, "E02", "%s must be from 0 to 1000000000, is %v", name, x)
		}
	}
	sources := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Limits.PerSourceCents)) {
		x := c.Limits.PerSourceCents[name]
		if !(x > 0 && x <= 1e9) {
			fail("spec.limits.per_source_cents", "E02", "the limit of %q must be above 0 and at most 1000000000, is %v", name, x)
		}
		if first, twice := sources[fold(name)]; twice {
			fail("spec.limits.per_source_cents", "E03", "%q and %q are the same source", first, name)
		}
		sources[fold(name)] = name
	}
	if !(c.Audit.Share >= 0 && c.Audit.Share <= 1) {
		fail("spec.audit.share", "E02", "share must be from 0 to 1, is %v", c.Audit.Share)
	}
	for i, name := range c.AlwaysCollect {
		if name != all || len(c.AlwaysCollect) > 1 {
			faults = append(faults, knownField(fmt.Sprintf("spec.always_collect[%d]", i), name)...)
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// validate checks one entry without its id and adapter.
func (e Entry) validate(path string) (faults []error) {
	fail := func(key, format string, args ...any) {
		faults = append(faults, galena.Faultf(path+"."+key, "E02", format, args...))
	}
	choice := func(key, got string, words ...string) {
		if got != "" && !slices.Contains(words, got) {
			fail(key, "%s must be one of %s, is %q", key, strings.Join(words, ", "), got)
		}
	}
	choice("enabled", string(e.Enabled), "auto", "true", "false")
	choice("billing", e.Billing, "per_call", "per_match")
	choice("auth", e.Auth, authBearer, authBasic, authRaw)
	choice("class", e.Class, string(galena.ClassProvider), string(galena.ClassRegistry), string(galena.ClassCrawl))
	choice("set_semantics", e.SetSemantics, "closed", "open")
	if e.URL != "" && !usableURL(e.URL) {
		fail("url", "url must be http:// or https:// with a host and without user, query or fragment")
	}
	faults = append(append(faults, e.prices(path)...), e.daily(path)...)
	if e.P95MS != nil && (*e.P95MS < 0 || *e.P95MS > 600_000) {
		fail("p95_ms", "p95_ms must be from 0 to 600000, is %d", *e.P95MS)
	}
	if e.Trust != nil && !(*e.Trust > 0 && *e.Trust <= 1) {
		fail("trust", "trust must be above 0 and at most 1, is %v", *e.Trust)
	}
	if e.Timeout != nil && (*e.Timeout < 10*time.Millisecond || *e.Timeout > lastResort) {
		fail("timeout", "timeout must be from 10ms to %s, is %s", lastResort, *e.Timeout)
	}
	if w := e.CallbackWait; w != nil && *w != 0 && (*w < time.Second || *w > day) {
		fail("callback_wait", "callback_wait must be 0 or from 1s to %s, is %s", day, *w)
	}
	if e.Rate != nil && !(e.Rate.PerSecond > 0 && e.Rate.PerSecond <= 1e6 && e.Rate.Burst >= 0) {
		fail("rate", "rate must have per_second above 0 and burst from 0")
	}
	for name, hit := range e.Fields {
		// Names of fields hold dots, so a path ends before them.
		faults = append(faults, knownField(path+".fields", name)...)
		if !(hit >= 0 && hit <= 1) {
			fail("fields", "hit rate of %s must be from 0 to 1, is %v", name, hit)
		}
	}
	if e.OnlyIf != nil {
		_, wrong := e.OnlyIf.Compile(path+".only_if", nil, galena.AllowUnknown())
		for _, f := range wrong {
			faults = append(faults, f)
		}
	}
	return faults
}

// prices checks what a call may cost.
func (e Entry) prices(path string) (faults []error) {
	cost := 0.0
	if e.CostCents != nil {
		cost = *e.CostCents
	}
	if !(cost >= 0 && cost <= 1e6) {
		faults = append(faults, galena.Faultf(path+".cost_cents", "E02", "cost_cents must be from 0 to 1000000, is %v", cost))
	}
	if e.MaxCents != 0 && !(e.MaxCents >= cost && e.MaxCents <= 1e6) {
		faults = append(faults, galena.Faultf(path+".max_cents", "E02", "max_cents must be from cost_cents to 1000000, is %v", e.MaxCents))
	}
	return faults
}

// daily checks what a day may cost.
func (e Entry) daily(path string) []error {
	path += ".per_day_cents"
	switch {
	case !(e.PerDayCents >= 0 && e.PerDayCents <= 1e9):
		return []error{galena.Faultf(path, "E02", "per_day_cents must be from 0 to 1000000000, is %v", e.PerDayCents)}
	case e.PerDayCents > 0 && e.CostCents != nil && *e.CostCents > e.PerDayCents:
		return []error{galena.Faultf(path, "E02", "per_day_cents must be at least cost_cents, %v: no call would ever fit", *e.CostCents)}
	case e.PerDayCents > 0 && e.MaxCents > e.PerDayCents:
		return []error{galena.Faultf(path, "E02", "per_day_cents must be at least max_cents, %v: no call would ever fit", e.MaxCents)}
	default:
		return nil
	}
}

// knownField refuses a name that is no field of a company.
func knownField(path, name string) []error {
	if _, ok := galena.LookupField(name); ok {
		return nil
	}
	var names []string
	for _, f := range galena.Fields() {
		names = append(names, f.Name)
	}
	f := galena.Faultf(path, "E04", "unknown field %q", name)
	f.Hint = galena.Nearest(name, names)
	return []error{f}
}

package routing

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Router is a checked configuration, ready to decide. It never changes and is
// safe for concurrent use.
type Router struct {
	cfg     Config
	rules   []rule
	reps    map[string]rep
	pools   map[string]Pool
	country map[string]string // country -> territory
	named   map[string]string // domain -> rep
	fields  []string
	least   float64 // the confidence below which a fact is unknown
}

// rep is a Rep with its schedule and with its languages and skills folded.
type rep struct {
	Rep
	schedule
	speaks  []string
	skilled []string
}

// rule is a Rule with its condition compiled and the skills that it wants folded.
type rule struct {
	Rule
	skills         []string
	test           test
	readsTier      bool
	readsTerritory bool // it leads elsewhere in another territory
}

// New checks the configuration and makes a router; warnings do not stop it.
func New(c Config) (*Router, error) {
	r, faults := build(c)
	faults = slices.DeleteFunc(faults, func(f *galena.Fault) bool { return strings.HasPrefix(f.Code, "W") })
	r.fields = r.reads()
	return r, join(faults)
}

// Believing is the router to which a fact of less confidence is unknown. It is the
// profile's own limit: a guess that scores nothing routes nobody.
func (r *Router) Believing(least float64) *Router {
	out := *r
	out.least = least
	return &out
}

// Validate returns every fault and every warning, joined.
func (c Config) Validate() error {
	_, faults := build(c)
	return join(faults)
}

func join(faults []*galena.Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// Fields lists the facts on which a match can hang, sorted. Nobody changes the list.
func (r *Router) Fields() []string { return r.fields }

func (r *Router) reads() []string {
	out := []string{"company.hq_country", "lead.country"} // of the territory
	for i := range r.rules {
		out = append(out, r.rules[i].test.when.Fields()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Reps lists the reps as configured.
func (r *Router) Reps() []Rep { return slices.Clone(r.cfg.Reps) }

// settleWindow is long enough for a vendor's hiccup and shorter than a rep's first look.
const settleWindow = 2 * time.Minute

// SettleWindow is how long after its decision an untouched lead may still be
// moved by what comes in late.
func (r *Router) SettleWindow() time.Duration {
	if w := r.cfg.SettleWindow; w != nil {
		return *w
	}
	return settleWindow
}

// NamedRep is the rep for whom the company is reserved, "" when it is nobody's.
func (r *Router) NamedRep(domain string) string { return r.named[strings.ToLower(domain)] }

// NamedDomains lists the reserved companies, sorted.
func (r *Router) NamedDomains() []string { return slices.Sorted(maps.Keys(r.named)) }

// builder compiles a configuration and gathers what is wrong with it.
type builder struct {
	*Router
	faults []*galena.Fault
}

func build(c Config) (*Router, []*galena.Fault) {
	b := &builder{Router: &Router{cfg: c, reps: map[string]rep{}, pools: map[string]Pool{},
		country: map[string]string{}, named: map[string]string{}}}
	b.addReps()
	b.addTerritories()
	b.addPools()
	b.addNamedAccounts()
	b.addRules()
	b.lintFallback()
	b.lintDeadRules()
	return b.Router, b.faults
}

func (b *builder) fail(path, code, format string, args ...any) {
	b.faults = append(b.faults, galena.Faultf(path, code, format, args...))
}

// undefined reports a name that nothing has, with the nearest one that exists.
func (b *builder) undefined(path, kind, name string, known []string) {
	f := galena.Faultf(path, "E11", "undefined %s %q", kind, name)
	f.Hint = galena.Nearest(name, known)
	b.faults = append(b.faults, f)
}

// unique reports an id that is empty or was seen before.
func unique[T any](b *builder, path, id string, seen map[string]T) {
	if _, twice := seen[id]; twice {
		b.fail(path, "E03", "id %q is used twice", id)
	} else if id == "" {
		b.fail(path, "E02", "must not be empty")
	}
}

func (b *builder) addReps() {
	for i, c := range b.cfg.Reps {
		path := fmt.Sprintf("spec.reps[%d]", i)
		unique(b, path+".id", c.ID, b.reps)
		for _, n := range []struct {
			key string
			cap *int
		}{{".max_open", c.MaxOpen}, {".max_per_day", c.MaxPerDay}} {
			if n.cap != nil && *n.cap < 0 {
				b.fail(path+n.key, "E08", "must not be negative, is %d", *n.cap)
			}
		}
		known := rep{Rep: c, schedule: b.schedule(path, c)}
		for _, l := range c.Languages {
			known.speaks = append(known.speaks, language(l))
		}
		for j, name := range c.Skills {
			skill := galena.Slug(name)
			if skill == "" {
				b.fail(fmt.Sprintf("%s.skills[%d]", path, j), "E02", "must not be empty")
			}
			known.skilled = append(known.skilled, skill)
		}
		b.reps[c.ID] = known
	}
	for i, c := range b.cfg.Reps {
		if _, ok := b.reps[c.Manager]; c.Manager != "" && !ok {
			b.undefined(fmt.Sprintf("spec.reps[%d].manager", i), "rep", c.Manager, b.repIDs())
		}
	}
}

// language folds a tag to its first part: a form that says "pt-BR" reaches who speaks "pt".
func language(tag string) string {
	first, _, _ := strings.Cut(galena.Slug(tag), "-")
	return first
}

func (b *builder) schedule(path string, c Rep) schedule {
	s := schedule{loc: time.UTC, always: len(c.Hours) == 0, holidays: map[string]bool{}}
	if loc, err := time.LoadLocation(c.TZ); err != nil || c.TZ == "Local" {
		b.fail(path+".tz", "E19", "%q is not a time zone such as Europe/Berlin", c.TZ)
	} else {
		s.loc = loc
	}
	if cal, ok := b.cfg.Calendars[c.Calendar]; ok {
		for _, d := range cal.Holidays {
			s.holidays[d] = true
		}
	} else if c.Calendar != "" {
		b.undefined(path+".calendar", "calendar", c.Calendar, slices.Sorted(maps.Keys(b.cfg.Calendars)))
	}
	for _, days := range slices.Sorted(maps.Keys(c.Hours)) {
		b.addHours(path+".hours."+days, days, c.Hours[days], &s)
	}
	for i, t := range c.TimeOff {
		at := fmt.Sprintf("%s.time_off[%d]", path, i)
		from, err1 := time.ParseInLocation(minuteLayout, t.From, s.loc)
		to, err2 := time.ParseInLocation(minuteLayout, t.To, s.loc)
		switch {
		case err1 != nil || err2 != nil:
			b.fail(at, "E02", "from and to must be local times such as 2026-12-21T00:00")
		case !from.Before(to):
			b.fail(at, "E06", "ends before it begins")
		default:
			s.off = append(s.off, span{from, to})
		}
	}
	slices.SortFunc(s.off, func(a, b span) int { return a.from.Compare(b.from) })
	return s
}

func (b *builder) addHours(path, days string, blocks []string, s *schedule) {
	on, err := parseDays(days)
	if err != nil {
		b.fail(path, "E02", "%v", err)
	}
	for i, text := range blocks {
		work, err := parseBlock(text)
		if err != nil {
			b.fail(fmt.Sprintf("%s[%d]", path, i), "E02", "%v", err)
			continue
		}
		for _, d := range on {
			if slices.ContainsFunc(s.week[d], func(o block) bool { return o.from < work.to && work.from < o.to }) {
				b.fail(fmt.Sprintf("%s[%d]", path, i), "E07", "%s overlaps other hours on %s", text, weekdays[d])
				continue
			}
			s.week[d] = append(s.week[d], work)
			slices.SortFunc(s.week[d], func(x, y block) int { return cmp.Compare(x.from, y.from) })
		}
	}
}

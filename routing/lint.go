package routing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

func (b *builder) repIDs() []string  { return slices.Sorted(maps.Keys(b.reps)) }
func (b *builder) poolIDs() []string { return slices.Sorted(maps.Keys(b.pools)) }

func (b *builder) addTerritories() {
	seen := map[string]bool{}
	for i, t := range b.cfg.Territories {
		path := fmt.Sprintf("spec.territories[%d]", i)
		unique(b, path+".id", t.ID, seen)
		seen[t.ID] = true
		for j, raw := range t.Countries {
			c, at := galena.Country(raw), fmt.Sprintf("%s.countries[%d]", path, j)
			if len(c) != 2 {
				b.fail(at, "E02", "%q is not a country code such as DE", raw)
			} else if first, taken := b.country[c]; taken {
				b.fail(at, "E18", "%s is already in territory %s and never reaches this one", c, first)
			} else {
				b.country[c] = t.ID
			}
		}
	}
}

func (b *builder) addPools() {
	for i, p := range b.cfg.Pools {
		path := fmt.Sprintf("spec.pools[%d]", i)
		unique(b, path+".id", p.ID, b.pools)
		b.pools[p.ID] = p
		if len(p.Members) == 0 {
			b.fail(path+".members", "E17", "pool %s has no members", p.ID)
		}
		active := 0
		for _, id := range slices.Sorted(maps.Keys(p.Members)) {
			r, ok := b.reps[id]
			if !ok {
				b.undefined(path+".members."+id, "rep", id, b.repIDs())
			} else if r.active() {
				active++
			}
			if w := p.Members[id]; w < 1 || w > 1000 {
				b.fail(path+".members."+id, "E09", "weight must be from 1 to 1000, is %d", w)
			}
		}
		if len(p.Members) > 0 && active == 0 {
			b.fail(path+".members", "W10", "nobody in pool %s is active", p.ID)
		}
	}
}

func (b *builder) addNamedAccounts() {
	for i, n := range b.cfg.NamedAccounts {
		path, domain := fmt.Sprintf("spec.named_accounts[%d]", i), strings.ToLower(n.Domain)
		unique(b, path+".domain", domain, b.named)
		b.named[domain] = n.Rep
		if _, ok := b.reps[n.Rep]; !ok {
			b.undefined(path+".rep", "rep", n.Rep, b.repIDs())
		}
	}
}

func (b *builder) addRules() {
	if len(b.cfg.Rules) == 0 {
		b.fail("spec.rules", "E02", "must not be empty")
	}
	seen := map[string]bool{}
	for i, c := range b.cfg.Rules {
		path := fmt.Sprintf("spec.rules[%d]", i)
		unique(b, path+".id", c.ID, seen)
		seen[c.ID] = true
		t, faults := compile(path+".when", c.When)
		b.faults = append(b.faults, faults...)
		b.rules = append(b.rules, rule{Rule: c, test: t, skills: b.skills(path+".to", c.To), readsTier: slices.Contains(t.when.Fields(), "decision.tier"),
			readsTerritory: readsTerritory(c.To)})
		b.lintTarget(path+".to", c.To)
		if c.SLA != nil {
			b.lintSLA(path+".sla", *c.SLA)
			b.lintClosures(path+".sla", c.To.Pool, *c.SLA)
		}
		if c.CountForFairness != nil && !*c.CountForFairness && c.To.Pool != "" {
			b.fail(path+".count_for_fairness", "W03", "has no effect on a pool, which rotates by it")
		}
	}
}

func (b *builder) lintTarget(path string, t Target) {
	kinds := 0
	for _, s := range []string{t.Sink, t.Queue, t.Pool, t.RepFrom} {
		if s != "" {
			kinds++
		}
	}
	if kinds != 1 {
		b.fail(path, "E02", "must name exactly one of sink, queue, pool and rep_from, has %d", kinds)
	}
	if t.Sink != "" && !slices.Contains(sinks(), t.Sink) {
		b.undefined(path+".sink", "sink", t.Sink, sinks())
	}
	for _, p := range []struct{ key, name string }{{".pool", t.Pool}, {".overflow", t.Overflow}} {
		b.lintPool(path+p.key, p.name)
		b.lintSkills(path+".skills", p.name, t.Skills)
	}
	if t.Overflow != "" && t.Pool == "" {
		b.fail(path+".overflow", "E02", "needs a pool")
	}
	if t.RepFrom != "" && !slices.Contains(matches(), t.RepFrom) {
		b.undefined(path+".rep_from", "field", t.RepFrom, matches())
	}
	iu := t.IfUnavailable
	switch {
	case iu == nil:
		return
	case t.RepFrom == "":
		b.fail(path+".if_unavailable", "E02", "needs rep_from")
	case iu.Wait < 0:
		b.fail(path+".if_unavailable.wait", "E02", "must not be negative")
	}
	if iu.Then == territoryPool {
		b.lintPool(path+".if_unavailable.then", territoryAll)
	} else {
		b.lintPool(path+".if_unavailable.then", iu.Then)
	}
}

// skills are those that a target wants, folded.
func (b *builder) skills(path string, t Target) []string {
	if len(t.Skills) > 0 && t.Pool == "" && t.RepFrom == "" {
		b.fail(path+".skills", "E02", "needs a pool or rep_from")
	}
	known, out := b.knownSkills(), []string(nil)
	for i, name := range t.Skills {
		out = append(out, galena.Slug(name))
		if !slices.Contains(known, out[i]) {
			b.undefined(fmt.Sprintf("%s.skills[%d]", path, i), "skill", name, known)
		}
	}
	return out
}

// knownSkills are those that some rep has.
func (b *builder) knownSkills() []string {
	var out []string
	for _, id := range b.repIDs() {
		out = append(out, b.reps[id].skilled...)
	}
	return out
}

// lintPool checks a pool's name, for every territory when it depends on one.
func (b *builder) lintPool(path, name string) {
	if name == "" {
		return
	}
	if strings.Contains(name, territoryMark) && len(b.cfg.Territories) == 0 {
		b.fail(path, "E11", "%s needs spec.territories", territoryMark)
	}
	for _, n := range b.everywhere(name) {
		if _, ok := b.pools[n]; !ok {
			b.undefined(path, "pool", n, b.poolIDs())
		}
	}
}

// everywhere lists the pools that a name means, one per territory when it depends on
// one. A territory without an id was told.
func (b *builder) everywhere(name string) []string {
	if !strings.Contains(name, territoryMark) {
		return []string{name}
	}
	var out []string
	for _, t := range b.cfg.Territories {
		if t.ID != "" {
			out = append(out, strings.ReplaceAll(name, territoryMark, t.ID))
		}
	}
	return out
}

// team are the active reps of a pool, in the order of their ids.
func (b *builder) team(pool string) []rep {
	var out []rep
	for _, id := range slices.Sorted(maps.Keys(b.pools[pool].Members)) {
		if r, ok := b.reps[id]; ok && r.active() {
			out = append(out, r)
		}
	}
	return out
}

// lintSkills warns of a pool in which nobody has all the skills that are wanted,
// each of which somebody has.
func (b *builder) lintSkills(path, pool string, skills []string) {
	hasAll := func(has []string) bool {
		return !slices.ContainsFunc(skills, func(s string) bool { return !slices.Contains(has, galena.Slug(s)) })
	}
	for _, id := range b.everywhere(pool) {
		team := b.team(id)
		able := func(r rep) bool { return hasAll(r.skilled) }
		if len(team) > 0 && hasAll(b.knownSkills()) && !slices.ContainsFunc(team, able) {
			b.fail(path, "W10", "nobody in pool %s has all the skills", id)
		}
	}
}

func (b *builder) lintSLA(path string, s SLA) {
	for _, d := range []struct {
		key string
		d   time.Duration
	}{{".accept", s.Accept}, {".first_touch", s.FirstTouch}} {
		if d.d < 0 {
			b.fail(path+d.key, "E02", "must not be negative")
		}
	}
	if s.Accept > 0 && s.FirstTouch > 0 && s.FirstTouch < s.Accept {
		b.fail(path+".first_touch", "E06", "is due before accept")
	}
	if s.Clock != "" && s.Clock != clockWall && s.Clock != clockWorking {
		b.undefined(path+".clock", "clock", s.Clock, []string{clockWall, clockWorking})
	}
	if s.OnBreach == nil {
		return
	}
	at := path + ".on_breach"
	if s.OnBreach.Action != actionReassign {
		b.undefined(at+".action", "action", s.OnBreach.Action, []string{actionReassign})
	}
	if s.OnBreach.To == "" {
		b.fail(at+".to", "E02", "must name a pool")
	}
	b.lintPool(at+".to", s.OnBreach.To)
	if s.OnBreach.Max < 0 {
		b.fail(at+".max", "E02", "must not be negative")
	}
}

func (b *builder) lintFallback() {
	if b.cfg.Fallback.Queue == "" {
		b.fail("spec.fallback.queue", "E02", "must not be empty")
	}
	for _, tier := range slices.Sorted(maps.Keys(b.cfg.OffHours)) {
		path := "spec.off_hours." + tier
		switch b.cfg.OffHours[tier] {
		case followTheSun:
			b.lintPool(path, territoryAll)
		case nextOpening:
		default:
			b.undefined(path, "policy", b.cfg.OffHours[tier], []string{followTheSun, nextOpening})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Calendars)) {
		for i, d := range b.cfg.Calendars[name].Holidays {
			if _, err := time.Parse(time.DateOnly, d); err != nil {
				b.fail(fmt.Sprintf("spec.calendars.%s.holidays[%d]", name, i), "E02", "%q is not a day such as 2026-12-25", d)
			}
		}
	}
}

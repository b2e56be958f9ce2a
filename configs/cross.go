package configs

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// use is a field that a file reads, with the place where it says so.
type use struct {
	path      string
	condition galena.Condition
}

// crossCheck compares files with each other, once each is right in itself.
func (l *loader) crossCheck() {
	if l.sound(KindICP) && l.sound(KindRouting) {
		l.checkTiers()
	}
	if l.sound(KindICP, KindRouting) {
		l.checkTaken()
	}
	if l.sound(KindProviders) && l.suppliable() {
		l.checkSupply()
	}
}

func (l *loader) sound(kinds ...string) bool {
	return !slices.ContainsFunc(kinds, func(k string) bool {
		d := l.byKind[k]
		return d == nil || d.report.Failed()
	})
}

// checkTiers refuses routing on a tier that the profile does not have.
func (l *loader) checkTiers() {
	tiers := []string{scoring.TierX}
	for _, t := range l.out.ICP.Tiers {
		tiers = append(tiers, t.Name)
	}
	d := l.byKind[KindRouting]
	unknown := func(path, tier, where string) {
		f := galena.Faultf(path, "E11", "undefined tier %q used in %s", tier, where)
		f.Hint = "the profile has " + strings.Join(tiers[1:], ", ")
		d.fail(*f)
	}
	known := func(tier string) bool {
		return slices.ContainsFunc(tiers, func(t string) bool { return galena.Slug(t) == galena.Slug(tier) })
	}
	for i, r := range l.out.Routing.Rules {
		if r.When == nil {
			continue
		}
		for _, u := range leaves(fmt.Sprintf("spec.rules[%d].when", i), *r.When) {
			if u.condition.Field != "decision.tier" {
				continue
			}
			for path, tier := range operands(u) {
				if !known(tier) {
					unknown(path, tier, "rule "+r.ID)
				}
			}
		}
	}
	for _, tier := range slices.Sorted(maps.Keys(l.out.Routing.OffHours)) {
		if tier != "default" && !known(tier) {
			unknown("spec.off_hours."+tier, tier, "off_hours")
		}
	}
}

// checkTaken warns of a tier whose leads only the fallback takes. It is told at
// the tier, or at the rules when the profile is not the operator's.
func (l *loader) checkTaken() {
	router, err := routing.New(l.out.Routing)
	if err != nil {
		return // what stops it was told
	}
	taken := func(path, tier string, s galena.Score) {
		if s.Tier = tier; router.Takes(s) {
			return
		}
		d := l.byKind[KindICP]
		if d.builtin {
			d, path = l.byKind[KindRouting], "spec.rules"
		}
		f := galena.Faultf(path, "W11", "no rule takes tier %s: a lead of it that nobody owns goes to the fallback", tier)
		f.Hint = "add a rule on decision.tier " + tier
		d.fail(*f)
	}
	top := galena.Tenths(1000)
	for i, t := range l.out.ICP.Tiers {
		least := galena.Tenths(math.Round(10 * t.Min))
		if least > top {
			continue // no lead reaches it
		}
		taken(fmt.Sprintf("spec.tiers[%d].name", i), t.Name, galena.Score{Lo: least, Hi: top})
		if t.MinCoverage == 0 && t.Requires == nil {
			top = least - 1 // nothing above falls through it
		}
	}
	if len(l.out.ICP.Disqualifiers) > 0 {
		taken("spec.disqualifiers", scoring.TierX, galena.Score{Hi: 1000, Disqualified: &galena.Disqualification{}})
	}
}

// operands are the words that a leaf compares with, by path.
func operands(u use) map[string]string {
	out := map[string]string{}
	put := func(key string, raw any) {
		if s, ok := raw.(string); ok {
			out[u.path+"."+key] = s
		}
	}
	put("eq", u.condition.Eq)
	put("ne", u.condition.Ne)
	for i, raw := range u.condition.In {
		put(fmt.Sprintf("in[%d]", i), raw)
	}
	for i, raw := range u.condition.NotIn {
		put(fmt.Sprintf("not_in[%d]", i), raw)
	}
	return out
}

// suppliable says that it is known what each enabled provider supplies: its
// entry lists it, or the built-in vendors were handed in.
func (l *loader) suppliable() bool {
	if l.options.Specs != nil {
		return true
	}
	entries := l.out.Providers.Providers
	for _, e := range entries {
		if e.Fields == nil {
			return false
		}
	}
	return entries != nil
}

// checkSupply warns of fields that nobody supplies, and of hard rules on fields
// that even the best provider answers for less than half of the companies.
func (l *loader) checkSupply() {
	hits := l.out.Providers.Fields(l.options.Specs)
	warn := func(kind string, u use) {
		if f := u.condition.Field; !given(f) && hits[f] == 0 {
			w := galena.Faultf(u.path+".field", "W04", "no enabled provider and no form supplies %s", f)
			w.Hint = "it stays unknown for every lead"
			l.byKind[kind].fail(*w)
		}
	}
	if l.sound(KindICP) {
		for _, u := range profileUses(l.out.ICP) {
			warn(KindICP, u)
		}
		for i, q := range l.out.ICP.Disqualifiers {
			for _, u := range leaves(fmt.Sprintf("spec.disqualifiers[%d].when", i), q.When) {
				if f := u.condition.Field; !given(f) && hits[f] > 0 && hits[f] < 0.5 {
					l.byKind[KindICP].fail(*galena.Faultf(u.path+".field", "W05",
						"disqualifier %s reads %s, which the best provider answers for only %.0f %% of companies", q.ID, f, 100*hits[f]))
				}
			}
		}
	}
	if l.sound(KindRouting) {
		for i, r := range l.out.Routing.Rules {
			if r.When != nil {
				for _, u := range leaves(fmt.Sprintf("spec.rules[%d].when", i), *r.When) {
					warn(KindRouting, u)
				}
			}
		}
	}
}

// given says that a field is known without asking a provider: the form or the
// gate says it, or it is made here.
func given(field string) bool {
	return strings.HasPrefix(field, "lead.") || strings.HasPrefix(field, "decision.") || strings.HasPrefix(field, "match.") ||
		slices.Contains([]string{"company.domain", "company.name", "company.registry_id", "company.competitor", "company.is_email_provider"}, field)
}

// profileUses lists what a profile reads.
func profileUses(c scoring.Config) []use {
	var out []use
	for i, q := range c.Disqualifiers {
		out = append(out, leaves(fmt.Sprintf("spec.disqualifiers[%d].when", i), q.When)...)
	}
	for i, k := range c.Criteria {
		path := fmt.Sprintf("spec.criteria[%d]", i)
		out = append(out, use{path + ".field", galena.Condition{Field: k.Field}})
		if k.AppliesWhen != nil {
			out = append(out, leaves(path+".applies_when", *k.AppliesWhen)...)
		}
	}
	for i, t := range c.Tiers {
		if t.Requires != nil {
			out = append(out, leaves(fmt.Sprintf("spec.tiers[%d].requires", i), *t.Requires)...)
		}
	}
	return out
}

// leaves lists the single tests of a condition.
func leaves(path string, c galena.Condition) []use {
	if c.Field != "" {
		return []use{{path, c}}
	}
	var out []use
	for i, sub := range c.All {
		out = append(out, leaves(fmt.Sprintf("%s.all[%d]", path, i), sub)...)
	}
	for i, sub := range c.Any {
		out = append(out, leaves(fmt.Sprintf("%s.any[%d]", path, i), sub)...)
	}
	if c.Not != nil {
		out = append(out, leaves(path+".not", *c.Not)...)
	}
	return out
}

package routing

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Input is what is known of a lead when a rule is sought.
type Input struct {
	Score     galena.Score
	Reachable []string     // tiers that the lead may still end in, highest first
	Moving    []string     // fields that can still move the score
	Facts     galena.Facts // company.*, lead.* and match.*
	Now       time.Time
	Final     bool // nobody is left to ask
}

// Outcome is the rule that was found, why, and what could still change it.
type Outcome struct {
	Rule      string           // "fallback" when none is TRUE
	Territory string           // "" when there is none, or none is known yet
	Tries     []galena.RuleTry // in order, up to the first TRUE one; what they saw only in a final match
	Open      []string         // unknown fields that could change the rule or its target, sorted
	Settled   bool             // no unknown can change the rule or its target
	rule      *rule            // nil for the fallback
}

// Match tries the rules in order. It is asked after every answer that a lead
// gets, but only what the final match saw is ever shown, so only that one is
// printed.
func (r *Router) Match(in Input) Outcome {
	in.Facts = r.believed(in.Facts)
	d := &decided{in, r.territory(in)}
	names := tiers(in)
	worlds := make([]world, len(names))
	for i, tier := range names {
		w := &worlds[i]
		w.decided, w.tier = d, tier
		w.known = w.lookup
	}
	out := Outcome{Rule: fallbackRule, Territory: d.territory.Value.Text, Tries: make([]galena.RuleTry, 0, len(r.rules))}
	for i := range r.rules {
		ru := &r.rules[i]
		try := galena.RuleTry{Rule: ru.ID, Result: out.try(ru, worlds)}
		if in.Final {
			try.Values = ru.test.values(worlds[0].known)
		}
		out.Tries = append(out.Tries, try)
		if try.Result == galena.True {
			out.Rule, out.rule = ru.ID, ru
			break
		}
	}
	slices.Sort(out.Open)
	out.Open = slices.Compact(out.Open)
	out.Settled = len(out.Open) == 0 &&
		!slices.ContainsFunc(worlds, func(w world) bool { return w.unsure || w.rule != out.rule })
	return out
}

// believed leaves out what is too uncertain to decide with: mostly nothing.
func (r *Router) believed(facts galena.Facts) galena.Facts {
	all := facts
	for name, f := range all {
		if f.Confidence >= r.least {
			continue
		}
		if len(facts) == len(all) {
			facts = maps.Clone(all)
		}
		delete(facts, name)
	}
	return facts
}

// try answers one rule over all worlds and notes what is open in those that have
// found no rule yet. Worlds differ in the tier alone: a rule that does not read
// it is asked once.
func (o *Outcome) try(ru *rule, worlds []world) galena.Truth {
	all, result := galena.UnknownTruth, galena.UnknownTruth
	for i := range worlds {
		w := &worlds[i]
		if i == 0 || ru.readsTier {
			result = ru.test.eval(w.known, w.in.Now)
		}
		if i == 0 {
			all = result
		} else if result != all {
			all = galena.UnknownTruth
		}
		switch {
		case w.rule != nil:
		case result == galena.UnknownTruth:
			w.unsure = true
			for _, f := range ru.test.unknown(w.known, w.in.Now) {
				o.note(f, w.in)
			}
		case result == galena.True:
			w.rule = ru
			if ru.readsTerritory && w.territory.State == galena.Unknown {
				o.note("decision.territory", w.in)
			}
		}
	}
	return all
}

// readsTerritory says that the territory decides where the rule leads. A rep
// may always turn out to have left, and then the territory's pool takes over.
func readsTerritory(t Target) bool {
	return strings.Contains(t.Pool, territoryMark) || strings.Contains(t.Overflow, territoryMark) || t.RepFrom != ""
}

// note turns an open field into what can be bought for it. The tier and the
// disqualifiers are on the shopping list by themselves.
func (o *Outcome) note(field string, in Input) {
	switch field {
	case "decision.territory":
		field = "company.hq_country"
		if in.Facts.Get(field).State != galena.Unknown {
			field = "lead.country"
		}
		o.Open = append(o.Open, field)
	case "decision.score":
		o.Open = append(o.Open, in.Moving...)
	case "decision.tier", "decision.disqualified", "decision.undecided":
	default:
		o.Open = append(o.Open, field)
	}
}

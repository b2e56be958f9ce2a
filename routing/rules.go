package routing

import (
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Input is what is known of a lead when a rule is sought.
type Input struct {
	Score     galena.Score
	Reachable []string     // tiers that the lead may still end in, highest first
	Facts     galena.Facts // company.*, lead.* and match.*
	Now       time.Time
	Final     bool // nobody is left to ask
}

// Outcome is the rule that was found, why, and what could still change it.
type Outcome struct {
	Rule      string           // "fallback" when none is TRUE
	Territory string           // "" when there is none, or none is known yet
	Tries     []galena.RuleTry // in order, up to the first TRUE one
	Open      []string         // unknown fields that could change the rule or its target, sorted
	Settled   bool             // no unknown can change the rule or its target
	rule      *rule            // nil for the fallback
}

// world is the lead under the assumption that it ends in one of the tiers it
// can reach. A rule is TRUE when it is in every world, so a rule on the tier
// needs no logic of its own.
type world struct {
	lookup galena.Lookup
	rule   *rule // first TRUE one
	unsure bool  // an UNKNOWN rule stands before it
}

// Match tries the rules in order.
func (r *Router) Match(in Input) Outcome {
	territory := r.territory(in)
	var worlds []*world
	for _, tier := range tiers(in) {
		worlds = append(worlds, &world{lookup: in.lookup(tier, territory)})
	}
	out := Outcome{Rule: fallbackRule, Territory: territory.Value.Text}
	open := map[string]bool{}
	for i := range r.rules {
		ru := &r.rules[i]
		result := tryRule(ru, worlds, in, territory, open)
		out.Tries = append(out.Tries, galena.RuleTry{Rule: ru.ID, Result: result, Values: ru.test.values(worlds)})
		if result == galena.True {
			out.Rule, out.rule = ru.ID, ru
			break
		}
	}
	for f := range open {
		out.Open = append(out.Open, f)
	}
	slices.Sort(out.Open)
	out.Settled = len(out.Open) == 0 &&
		!slices.ContainsFunc(worlds, func(w *world) bool { return w.unsure || w.rule != out.rule })
	return out
}

// tryRule answers one rule over all worlds and notes what is open in those that
// have found no rule yet.
func tryRule(ru *rule, worlds []*world, in Input, territory galena.Fact, open map[string]bool) galena.Truth {
	var results []galena.Truth
	for _, w := range worlds {
		t := ru.test.eval(w.lookup, in.Now)
		results = append(results, t)
		switch {
		case w.rule != nil:
		case t == galena.UnknownTruth:
			w.unsure = true
			for _, f := range ru.test.unknown(w.lookup, in.Now) {
				note(open, f, in)
			}
		case t == galena.True:
			w.rule = ru
			if ru.readsTerritory() && territory.State == galena.Unknown {
				note(open, "decision.territory", in)
			}
		}
	}
	if slices.Equal(results, slices.Repeat(results[:1], len(results))) {
		return results[0]
	}
	return galena.UnknownTruth
}

// readsTerritory says that the territory decides where the rule leads. A rep
// may always turn out to have left, and then the territory's pool takes over.
func (ru *rule) readsTerritory() bool {
	return strings.Contains(ru.To.Pool+ru.To.Overflow, territoryMark) || ru.To.RepFrom != ""
}

// note turns an open field into what can be bought for it. The tier and the
// disqualifiers are on the shopping list by themselves.
func note(open map[string]bool, field string, in Input) {
	switch field {
	case "decision.territory":
		field = "company.hq_country"
		if in.Facts.Get(field).State != galena.Unknown {
			field = "lead.country"
		}
		open[field] = true
	case "decision.score":
		for _, row := range in.Score.Rows {
			if row.Hi > row.Lo {
				open[row.Field] = true
			}
		}
	case "decision.tier", "decision.disqualified", "decision.undecided":
	default:
		open[field] = true
	}
}

package routing

import (
	"slices"

	"github.com/galenahq/galena"
)

// tiers are those that the lead may end in.
func tiers(in Input) []string {
	switch {
	case in.Score.Disqualified != nil, in.Final, in.Score.Settled, len(in.Reachable) == 0:
		return []string{in.Score.Tier}
	default:
		return in.Reachable
	}
}

// territory is derived from the company's country, else from the lead's own.
// While the first may still be bought, the second does not speak.
func (r *Router) territory(in Input) galena.Fact {
	unknown := galena.Fact{Field: "decision.territory", State: galena.Unknown}
	country := in.Facts.Get("company.hq_country")
	if country.State == galena.Unknown && !in.Final {
		return unknown
	}
	if country.State != galena.Known {
		country = in.Facts.Get("lead.country")
	}
	if country.State == galena.Unknown {
		return unknown
	}
	id := r.country[galena.Country(country.Value.Text)]
	return *galena.KnownFact("decision.territory", galena.Value{Type: galena.TypeEnum, Text: id}, "routing", in.Now)
}

// world is the lead under the assumption that it ends in one of the tiers it
// can reach. A rule is TRUE when it is in every world, so a rule on the tier
// needs no logic of its own.
type world struct {
	*decided
	tier   string
	known  galena.Lookup // the facts and what the decision itself says
	rule   *rule         // first TRUE one
	unsure bool          // an UNKNOWN rule stands before it
}

// decided is what all worlds of a lead have in common. What the decision says of
// itself is made into a fact when a rule asks for it: most rules ask for little
// of it, and a map of facts for every world was a third of the work of a match.
type decided struct {
	in        Input
	territory galena.Fact
}

func (w *world) lookup(field string) galena.Fact {
	switch field {
	case "decision.tier":
		return w.fact(field, galena.Value{Type: galena.TypeEnum, Text: w.tier})
	case "decision.score":
		return w.fact(field, galena.Value{Type: galena.TypeScore, Lo: int64(w.in.Score.Lo), Hi: int64(w.in.Score.Hi)})
	case "decision.territory":
		return w.territory
	case "decision.disqualified":
		open := func(d galena.DisqualifierState) bool { return d.Result == galena.UnknownTruth }
		sure := w.sure() || !slices.ContainsFunc(w.in.Score.Disqualifiers, open)
		return w.flag(field, w.in.Score.Disqualified != nil, sure)
	case "decision.undecided":
		sure := w.sure() || w.in.Score.Settled || len(w.in.Reachable) <= 1
		return w.flag(field, w.in.Score.Undecided && w.in.Final, sure)
	default:
		return w.in.Facts.Get(field)
	}
}

// sure says that no answer is waited for.
func (d *decided) sure() bool { return d.in.Final || d.in.Score.Disqualified != nil }

func (d *decided) fact(field string, v galena.Value) galena.Fact {
	return *galena.KnownFact(field, v, "scoring", d.in.Now)
}

func (d *decided) flag(field string, yes, sure bool) galena.Fact {
	if !sure {
		return galena.Fact{Field: field, State: galena.Unknown}
	}
	return d.fact(field, galena.BoolValue(yes))
}

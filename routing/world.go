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
	return galena.KnownFact("decision.territory", galena.Value{Type: galena.TypeEnum, Text: id}, "routing", in.Now)
}

// lookup adds to the facts what the decision itself says.
func (in Input) lookup(tier string, territory galena.Fact) galena.Lookup {
	s := in.Score
	flag := func(field string, yes, sure bool) galena.Fact {
		if !sure {
			return galena.Fact{Field: field, State: galena.Unknown}
		}
		return galena.KnownFact(field, galena.BoolValue(yes), "scoring", in.Now)
	}
	open := func(d galena.DisqualifierState) bool { return d.Result == galena.UnknownTruth }
	decided := in.Final || s.Disqualified != nil
	points := galena.Value{Type: galena.TypeScore, Lo: int64(s.Lo), Hi: int64(s.Hi)}
	own := galena.Facts{
		"decision.tier":         galena.KnownFact("decision.tier", galena.Value{Type: galena.TypeEnum, Text: tier}, "scoring", in.Now),
		"decision.score":        galena.KnownFact("decision.score", points, "scoring", in.Now),
		"decision.territory":    territory,
		"decision.disqualified": flag("decision.disqualified", s.Disqualified != nil, decided || !slices.ContainsFunc(s.Disqualifiers, open)),
		"decision.undecided":    flag("decision.undecided", s.Undecided && in.Final, decided || s.Settled || len(in.Reachable) <= 1),
	}
	return func(field string) galena.Fact {
		if f, ok := own[field]; ok {
			return f
		}
		return in.Facts.Get(field)
	}
}

package routing

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// drawCondition makes a condition on what may still be bought or decided.
func drawCondition(t *rapid.T, depth int) Condition {
	leaf := func(field string, o galena.Operators) Condition { return Condition{Field: field, Operators: o} }
	yes := true
	switch kind := rapid.IntRange(0, 10).Draw(t, "kind"); {
	case kind == 0 && depth > 0:
		return Condition{All: []Condition{drawCondition(t, depth-1), drawCondition(t, depth-1)}}
	case kind == 1 && depth > 0:
		return Condition{Any: []Condition{drawCondition(t, depth-1), drawCondition(t, depth-1)}}
	case kind == 2 && depth > 0:
		not := drawCondition(t, depth-1)
		return Condition{Not: &not}
	case kind < 5:
		return leaf("decision.tier", galena.Operators{In: []any{rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "tier"), "A"}})
	case kind == 5:
		return leaf("decision.territory", galena.Operators{Exists: &yes})
	case kind == 6:
		return leaf("decision.territory", galena.Operators{Eq: "emea"})
	case kind == 7:
		return leaf("company.employee_count", galena.Operators{Gte: rapid.SampledFrom([]int{50, 200}).Draw(t, "size")})
	case kind == 8:
		return leaf("company.technologies", galena.Operators{IncludesAny: []string{"hubspot"}})
	case kind == 9:
		return leaf("decision.disqualified", galena.Operators{Eq: true})
	default:
		return leaf("match.account_owner", galena.Operators{Exists: &yes})
	}
}

// drawRouter is the example with other rules. Everything else is compiled once:
// zones and calendars take longer than a case.
func drawRouter(t *rapid.T, base Router) *Router {
	base.cfg.Rules, base.rules = nil, nil
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		c := drawCondition(t, 2)
		base.cfg.Rules = append(base.cfg.Rules, Rule{ID: fmt.Sprint("r", i), When: &c, To: rapid.SampledFrom([]Target{
			{Pool: "{territory}-senior", Overflow: "{territory}-all"}, {Queue: "q"}, {Sink: "nurture"}, {Pool: "triage"},
			{RepFrom: "match.account_owner"}}).Draw(t, "to")})
	}
	b := &builder{Router: &base}
	if b.addRules(); len(b.faults) > 0 {
		t.Fatal(join(b.faults))
	}
	return b.Router
}

// drawFact is one of several values, a part of one, or nothing.
func drawFact(t *rapid.T, facts galena.Facts, field string, values ...galena.Value) {
	i := rapid.IntRange(-1, len(values)-1).Draw(t, field)
	if i < 0 {
		return
	}
	facts[field] = galena.KnownFact(field, values[i], "test", monday)
}

// complete fills in what is unknown.
func complete(t *rapid.T, facts galena.Facts) galena.Facts {
	out := maps.Clone(facts)
	if _, ok := out["company.hq_country"]; !ok {
		c := rapid.SampledFrom([]string{"DE", "BR", "JP", ""}).Draw(t, "then country")
		out["company.hq_country"] = galena.KnownFact("company.hq_country", country(c), "test", monday)
	}
	if !out.Get("company.employee_count").Value.Exact() {
		n := rapid.SampledFrom([]int64{51, 130, 200}).Draw(t, "then size")
		out["company.employee_count"] = galena.KnownFact("company.employee_count", galena.Number(n), "test", monday)
	}
	if f := out.Get("company.technologies"); !f.Value.Closed {
		set := slices.Concat(f.Value.Set, rapid.SampledFrom([][]string{nil, {"hubspot"}}).Draw(t, "then tech"))
		out["company.technologies"] = galena.KnownFact("company.technologies", galena.SetValue(set, true), "test", monday)
	}
	return out
}

func TestI4WhatIsSettledNoAnswerCanChange(t *testing.T) {
	t.Parallel()
	base := *exampleRouter(t)
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRouter(rt, base)
		facts := galena.Facts{}
		drawFact(rt, facts, "company.hq_country", country("DE"), country("BR"), country("JP"), country(""))
		drawFact(rt, facts, "company.employee_count", galena.Number(130), galena.Interval(51, 200, "51-200"))
		drawFact(rt, facts, "company.technologies", galena.SetValue([]string{"hubspot"}, false), galena.SetValue([]string{"wordpress"}, false), galena.SetValue(nil, true))
		owner := rapid.SampledFrom([]string{"", "frank.ito", "gone"}).Draw(rt, "owner")
		facts["match.account_owner"] = galena.KnownFact("match.account_owner", galena.TextValue(owner), "test", monday)
		all := []string{"A", "B", "C"}
		reachable := all[:rapid.IntRange(1, 3).Draw(rt, "reachable")]
		in := Input{Score: galena.Score{Tier: reachable[0]}, Reachable: reachable, Facts: facts, Now: monday}
		hard := rapid.SampledFrom([]galena.Truth{galena.False, galena.UnknownTruth}).Draw(rt, "disqualifier")
		in.Score.Disqualifiers = []galena.DisqualifierState{{ID: "embargo", Result: hard}}
		early := r.Match(in)
		if early.Settled {
			late := in
			if hard == galena.UnknownTruth && rapid.Bool().Draw(rt, "then disqualified") {
				late.Score.Disqualified = &galena.Disqualification{ID: "embargo", Sink: "reject"}
			}
			late.Facts, late.Reachable = complete(rt, facts), []string{rapid.SampledFrom(reachable).Draw(rt, "then tier")}
			late.Score.Tier, late.Final = late.Reachable[0], true
			got := r.Match(late)
			reads := early.rule != nil && early.rule.readsTerritory
			if got.Rule != early.Rule || reads && got.Territory != early.Territory {
				rt.Fatalf("settled on %s in %q, then %s in %q", early.Rule, early.Territory, got.Rule, got.Territory)
			}
		}
		in.Now, in.Final = monday.Add(time.Duration(rapid.IntRange(0, 10000).Draw(rt, "minutes"))*time.Minute), true
		o := r.Match(in)
		a, cs, _ := r.Assign(o, in, galena.Roster{}, "l", 1, galena.Held{})
		if a.To == "" {
			rt.Fatalf("a lead went nowhere: %+v", a)
		}
		pools, reps := r.Locks(o, in)
		for _, c := range cs {
			if _, known := r.reps[c.Rep]; known && !slices.Contains(reps, c.Rep) || c.Pool != "" && !slices.Contains(pools, c.Pool) {
				rt.Fatalf("%s of %q was considered without a lock", c.Rep, c.Pool)
			}
		}
	})
}

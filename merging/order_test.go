package merging

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// observations draws what sources might say of a few fields, with many ties.
func observations(t *rapid.T, sources []string) []galena.Observation {
	said := map[string][]string{
		headcount:              {"45", "50", "60", "460", "51-200", "101-500", "10,001+", "-"},
		industry:               {"software", "Software", "energy", "-"},
		tech:                   {"[a b]", "[b c]!", "[]!", "[c]", "-"},
		"company.name":         {"Acme", "ACME", "Globex"},
		"company.competitor":   {"true", "false"},
		"company.founded_year": {"1999", "2001", "0"},
	}
	names := []string{headcount, industry, tech, "company.name", "company.competitor", "company.founded_year"}
	var out []galena.Observation
	for i := range rapid.IntRange(0, 14).Draw(t, "n") {
		field := rapid.SampledFrom(names).Draw(t, "field")
		days := rapid.SampledFrom([]int{0, 0, 1, 30, 100, 400}).Draw(t, "days")
		o := obs(t, fmt.Sprintf("%02d", i), rapid.SampledFrom(sources).Draw(t, "source"), field,
			rapid.SampledFrom(said[field]).Draw(t, "value"), time.Duration(days)*day)
		o.Confidence = rapid.SampledFrom([]float64{0.3, 0.8, 1}).Draw(t, "confidence")
		out = append(out, o)
	}
	return out
}

func machines() []string {
	return []string{"alpha-firmo", "beta-prime", "gamma-tech", "own-crawl", "stranger", "form", "crm:twenty", "import"}
}

func TestI5TheOrderOfObservationsDoesNotMatter(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	rapid.Check(t, func(rt *rapid.T) {
		all := observations(rt, append(machines(), "human:ana", "human:ben"))
		want := p.Merge(galena.Refs(all), now)
		mixed := slices.Concat(all, all[:len(all)/2]) // and repeats do not either
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, p.Merge(galena.Refs(mixed), now)); diff != "" {
			rt.Fatalf("the order changed the profile:\n%s", diff)
		}
		if diff := cmp.Diff(p.Conflicts(galena.Refs(all), now, Lens{}), p.Conflicts(galena.Refs(mixed), now, Lens{})); diff != "" {
			rt.Fatalf("the order changed the conflicts:\n%s", diff)
		}
	})
}

func TestI6WhatAPersonSaidWinsOverAnyMachine(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	rapid.Check(t, func(rt *rapid.T) {
		all := observations(rt, machines())
		human := obs(t, "h", "human:ana", headcount, "7", time.Duration(rapid.IntRange(0, 9000).Draw(rt, "days"))*day)
		human.Confidence = rapid.Float64Range(0.01, 1).Draw(rt, "confidence")
		stack := obs(t, "s", "human:ana", tech, "[x]!", 4000*day)
		at := rapid.IntRange(0, len(all)).Draw(rt, "at")
		got := p.Merge(galena.Refs(slices.Insert(slices.Clone(all), at, human, stack)), now)
		if f := got.Get(headcount); f.ObservationID != "h" || f.Value.Lo != 7 {
			rt.Fatalf("got %+v, want what the person said", f)
		}
		if f := got.Get(tech); f.Value.String() != "x" {
			rt.Fatalf("got %s, want what the person said", f.Value)
		}
	})
}

func TestAFactIsWhatSomebodySaid(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	rapid.Check(t, func(rt *rapid.T) {
		all := observations(rt, append(machines(), "human:ana"))
		for field, f := range p.Merge(galena.Refs(all), now) {
			i := slices.IndexFunc(all, func(o galena.Observation) bool { return o.ID == f.ObservationID })
			if i < 0 || all[i].Field != field || all[i].Source != f.Source {
				rt.Fatalf("%s names observation %q, which nobody made", field, f.ObservationID)
			}
			if f.State == galena.Unknown || f.Confidence < 0 || f.Confidence > 1 {
				rt.Fatalf("got %+v", f)
			}
		}
	})
}

func BenchmarkMerge(b *testing.B) {
	p := policy(b, Defaults())
	var all []galena.Observation
	for i, s := range machines() {
		for j, said := range [][2]string{{headcount, "51-200"}, {headcount, "130"}, {industry, "software"}, {tech, "[hubspot snowflake]!"}, {"company.hq_country", "BR"}} {
			all = append(all, obs(b, fmt.Sprintf("%d-%d", i, j), s, said[0], said[1], time.Duration(i)*day))
		}
	}
	for b.Loop() {
		p.Merge(galena.Refs(all), now)
	}
}

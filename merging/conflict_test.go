package merging

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// lens is a profile with one band edge, at 200 employees, and a rule that looks
// for a technology.
func lens() Lens {
	return Lens{
		Band: func(field string, v galena.Value) string {
			return map[bool]string{true: "large", false: "small"}[field == headcount && v.Lo >= 200]
		},
		Judge: func(f galena.Facts) Outcome {
			out := Outcome{Tier: "C"}
			if f.Get(headcount).Value.Lo >= 200 {
				out.Tier = "B"
			}
			if slices.Contains(f.Get(tech).Value.Set, "basalt-crm") {
				out.Rule = "competitor-stack"
			}
			return out
		},
	}
}

// brief prints a conflict as "460 > 45 decision".
func brief(c galena.Dispute) string {
	said := make([]string, len(c.Candidates))
	for i, s := range c.Candidates {
		if said[i] = s.Value.String(); s.Absent {
			said[i] = "none"
		}
	}
	return strings.Join(said, " > ") + " " + string(c.Severity)
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		field string
		said  []said
		want  string
	}{
		{"TheSampleLead", headcount, []said{{"alpha-firmo", "45", 0}, {"beta-prime", "460", 0}}, "460 > 45 decision"},
		{"TheSameDecisionEitherWay", headcount, []said{{"alpha-firmo", "300", 0}, {"beta-prime", "460", 0}}, "460 > 300 info"},
		{"TwoThirdsOfTheWeight", headcount, []said{{"own-crawl", "45", 0}, {"beta-prime", "460", 0}}, "460 > 45 decision"},
		{"LessThanThreeFifthsDoNotMatter", headcount, []said{{"stranger", "45", 0}, {"beta-prime", "460", 0}}, ""},
		{"CompatibleAndOfOneBand", headcount, []said{{"alpha-firmo", "420", 0}, {"beta-prime", "431", 0}}, ""},
		{"CompatibleOnTwoSidesOfABand", headcount, []said{{"alpha-firmo", "190", 0}, {"beta-prime", "210", 0}}, "210 > 190 decision"},
		{"CompatibleButTooLightToCount", headcount, []said{{"stranger", "190", 0}, {"beta-prime", "210", 0}}, ""},
		{"ThreeOpinions", headcount, []said{{"own-crawl", "45", 0}, {"gamma-tech", "300", 0}, {"beta-prime", "460", 0}}, "300 > 460 > 45 decision"},
		{"AnIntervalThatHoldsTheNumber", headcount, []said{{"alpha-firmo", "51-500", 0}, {"beta-prime", "460", 0}}, ""},
		{"AnIntervalThatDoesNot", headcount, []said{{"alpha-firmo", "51-200", 0}, {"beta-prime", "460", 0}}, "460 > 51-200 decision"},
		{"AnElementDenied", tech, []said{{"own-crawl", "[basalt-crm hubspot]!", day}, {"gamma-tech", "[hubspot]!", 0}}, "hubspot > basalt-crm,hubspot decision"},
		{"AnElementNotSeenIsNotDenied", tech, []said{{"own-crawl", "[hubspot]", day}, {"gamma-tech", "[basalt-crm]", 0}}, ""},
		{"NothingAgainstSomething", "company.parent_domain", []said{{"alpha-firmo", "globex.example", 0}, {"beta-prime", "-", 0}}, "none > globex.example info"},
		{"AgreedBySeveral", industry, []said{{"alpha-firmo", "software", 0}, {"beta-prime", "Software", 0}}, ""},
		{"AHigherClassEndsIt", headcount, []said{{"alpha-firmo", "45", 0}, {"beta-prime", "460", 0}, {"human:ana", "45", 0}}, ""},
		{"TheNewerWordOfASourceReplacesItsOld", headcount, []said{{"beta-prime", "45", day}, {"beta-prime", "460", 0}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var all []galena.Observation
			for i, s := range c.said {
				all = append(all, obs(t, string(rune('a'+i)), s.source, c.field, s.value, s.ago))
			}
			var got []string
			for _, x := range policy(t, Defaults()).Conflicts(galena.Refs(all), now, lens()) {
				got = append(got, brief(x))
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAConflictSaysWhatWouldFollow(t *testing.T) {
	t.Parallel()
	got := policy(t, Defaults()).Conflicts(galena.Refs([]galena.Observation{obs(t, "a", "alpha-firmo", headcount, "45", 0),
		obs(t, "b", "beta-prime", headcount, "460", 0)}), now, lens())
	if len(got) != 1 || got[0].Margin != 0.17 || got[0].Status != galena.ConflictOpen {
		t.Fatalf("got %+v, want one of margin 0.17", got)
	}
	chosen, other := got[0].Candidates[0], got[0].Candidates[1]
	if !chosen.Same(got[0].Chosen) || chosen.Tier != "B" || other.Tier != "C" ||
		other.ObservationID != "a" || other.Source != "alpha-firmo" || other.Confidence != 1 {
		t.Errorf("chosen %+v, other %+v; want tiers B and C", chosen, other)
	}
}

func TestWithoutAJudgeEveryConflictIsInformative(t *testing.T) {
	t.Parallel()
	got := policy(t, Defaults()).Conflicts(galena.Refs([]galena.Observation{obs(t, "a", "alpha-firmo", headcount, "45", 0),
		obs(t, "b", "beta-prime", headcount, "460", 0)}), now, Lens{})
	if len(got) != 1 || got[0].Severity != galena.SeverityInfo || got[0].Chosen.Tier != "" {
		t.Errorf("got %+v, want one of info", got)
	}
}

func TestAConflictIsBetweenDifferentValuesOfOneClass(t *testing.T) {
	t.Parallel()
	p := policy(t, Defaults())
	rapid.Check(t, func(rt *rapid.T) {
		all := observations(rt, append(machines(), "human:ana"))
		facts := p.Merge(galena.Refs(all), now)
		for _, c := range p.Conflicts(galena.Refs(all), now, lens()) {
			f := facts.Get(c.Field)
			if len(c.Candidates) < 2 || !c.Candidates[0].Same(c.Chosen) {
				rt.Fatalf("%s: candidates %+v do not begin with the chosen one", c.Field, c.Candidates)
			}
			if f.ObservationID != c.Chosen.ObservationID || f.State != galena.Absent && !f.Value.Equal(c.Chosen.Value) {
				rt.Fatalf("%s: chosen %+v, merged %+v", c.Field, c.Chosen, f)
			}
			if c.Margin < 0 || c.Margin > 0.4 {
				rt.Fatalf("%s: margin %v", c.Field, c.Margin)
			}
			differ := false
			for i, s := range c.Candidates {
				for _, o := range c.Candidates[:i] {
					if s.Same(o) {
						rt.Fatalf("%s: %+v stands twice", c.Field, s)
					}
				}
				if s.Class == galena.ClassHuman && f.Value.Type != galena.TypeSet {
					rt.Fatalf("%s: a person's word is in conflict: %+v", c.Field, s)
				}
				differ = differ || s.Tier != c.Chosen.Tier || s.Rule != c.Chosen.Rule
			}
			if differ != (c.Severity == galena.SeverityDecision) {
				rt.Fatalf("%s: severity %s with %+v", c.Field, c.Severity, c.Candidates)
			}
		}
	})
}

// Of two long lists a record is kept that a person can read, and that can be stored;
// what the decision hangs on is in it wherever it stands.
func TestAConflictOfLongListsIsShort(t *testing.T) {
	t.Parallel()
	words := func(of string) (out []string) {
		for i := range 1000 {
			out = append(out, fmt.Sprintf("%s-%03d", of, i))
		}
		return out
	}
	one := append(words("c"), "basalt-crm", "zircon")
	got := policy(t, Defaults()).Conflicts(galena.Refs([]galena.Observation{
		obs(t, "a", "own-crawl", tech, "["+strings.Join(words("a"), " ")+"]!", day),
		obs(t, "b", "gamma-tech", tech, "["+strings.Join(one, " ")+"]!", 0)}), now, lens())
	if len(got) != 1 || got[0].Severity != galena.SeverityDecision || len(got[0].Candidates) != 1+mostSides {
		t.Fatalf("%d conflicts %+v, want one of decision with %d sides", len(got), got, 1+mostSides)
	}
	if !slices.ContainsFunc(got[0].Candidates, func(c galena.Claim) bool { return c.Rule != got[0].Chosen.Rule }) {
		t.Error("the value on which the decision hangs is not in it")
	}
}

package worker

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/merging"
)

func TestLeadsOfACompanyShareAProfileForAMinute(t *testing.T) {
	t.Parallel()
	r := halfway(t)
	var kept profiles
	first := kept.of(r.rules, r.observed, afternoon)
	if again := kept.of(r.rules, r.observed, afternoon.Add(profileKept-time.Second)); again != first {
		t.Error("the next lead of the company weighs the same again")
	}
	if late := kept.of(r.rules, r.observed, afternoon.Add(profileKept)); late == first || !late.at.Equal(afternoon.Add(profileKept)) {
		t.Error("a profile is used that is a minute old: values age")
	}
	if other := kept.of(r.rules, r.observed[1:], afternoon); other == first || len(other.facts) == 0 {
		t.Error("other observations have the same profile")
	}
	reloaded := *r.rules
	again := *r.rules.Merging
	reloaded.Merging = &again
	if other := kept.of(&reloaded, r.observed, afternoon); other == first {
		t.Error("other rules have the same profile")
	}
	r.observed[0].ID = ""
	first = kept.of(r.rules, r.observed, afternoon)
	if again := kept.of(r.rules, r.observed, afternoon); again == first {
		t.Error("an observation without an id may be any other")
	}
}

func TestProfilesAreForgottenInTime(t *testing.T) {
	t.Parallel()
	r := halfway(t)
	var kept profiles
	for i := range 3 * profilesMost {
		r.observed[0].ID = strconv.Itoa(i)
		kept.of(r.rules, r.observed, afternoon)
		kept.of(r.rules, r.observed[:2], afternoon) // takes nobody's place
	}
	if n := len(kept.now) + len(kept.old); n > profilesMost || n < profilesMost/2 {
		t.Errorf("%d profiles are kept, want no more than %d", n, profilesMost)
	}
	for _, p := range kept.now {
		if p.facts.Get("company.employee_count").State != galena.Known {
			t.Errorf("what is weighed in no time is kept: %v", p.facts)
		}
	}
}

// Where nothing hangs on a conflict it is not judged, and is written as if it had
// been: with the decision that is made, on each side.
func TestAConflictThatNobodyReadsIsWrittenAsIfItWereJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field, one, other string
		tense             bool
	}{
		"nobody reads it":   {"company.description", "makes software for farms", "sells cars", false},
		"a criterion reads": {"company.industry", "software", "retail", true},
	} {
		r := halfway(t)
		r.observed = galena.Refs([]galena.Observation{said(t, "o-6", "alpha-firmo", c.field, c.one), said(t, "o-7", "beta-signals", c.field, c.other)})
		v := r.look(true)
		if r.profile.tense != c.tense || len(r.profile.conflicts) == 0 {
			t.Fatalf("%s: tense is %v, with %d conflicts", name, r.profile.tense, len(r.profile.conflicts))
		}
		want := r.rules.Merging.Conflicts(r.observed, r.began, merging.Lens{Band: r.rules.band(r.began), Judge: r.judgement()})
		for i := range want {
			want[i].Entity, want[i].LeadID, want[i].Epoch = "northwind-analytics.example", "l-1", 1
		}
		if got := r.disputes(1, v); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
		}
		for _, kept := range r.profile.conflicts {
			if kept.LeadID != "" || kept.Chosen.Tier != "" || kept.Candidates[0].Rule != "" {
				t.Errorf("%s: what leads share was written on: %+v", name, kept)
			}
		}
	}
}

// BenchmarkProfile is what two vendors say of a company, weighed for its first
// lead and for the next.
func BenchmarkProfile(b *testing.B) {
	r := halfway(b)
	for _, f := range galena.Fields() {
		if f.Type == galena.TypeText && len(r.observed) < 25 {
			r.observed = append(r.observed, galena.Refs([]galena.Observation{said(b, "a "+f.Name, "alpha-firmo", f.Name, "one"), said(b, "b "+f.Name, "own-crawl", f.Name, "one")})...)
		}
	}
	for _, name := range []string{"Anew", "Known"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var kept profiles
			for b.Loop() {
				if name == "Anew" {
					kept = profiles{}
				}
				kept.of(r.rules, r.observed, afternoon)
			}
		})
	}
}

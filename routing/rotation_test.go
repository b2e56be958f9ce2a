package routing

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// poolOf is a router with one pool that takes every lead.
func poolOf(t testing.TB, reps []Rep, weights map[string]int) *Router {
	t.Helper()
	r, err := New(Config{Reps: reps, Pools: []Pool{{ID: "p", Members: weights}},
		Rules: []Rule{{ID: "all", To: Target{Pool: "p"}}}, Fallback: Fallback{Queue: "unrouted"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func drawPool(rt *rapid.T) ([]Rep, map[string]int) {
	weights := map[string]int{}
	var reps []Rep
	for i := range rapid.IntRange(1, 7).Draw(rt, "reps") {
		id := fmt.Sprintf("rep-%d", i)
		weights[id] = rapid.IntRange(1, 9).Draw(rt, "weight")
		open, daily := rapid.IntRange(0, 60).Draw(rt, "max_open"), rapid.IntRange(0, 30).Draw(rt, "max_per_day")
		reps = append(reps, Rep{ID: id, TZ: "America/New_York", MaxOpen: &open, MaxPerDay: &daily})
	}
	return reps, weights
}

// replay is the rule of SEMANTICS 2.4 in exact arithmetic on the log alone.
type replay struct {
	credits map[string]int64
	lastSeq map[string]int64
}

func (p replay) apply(weights map[string]int, a galena.Assignment, eligible []string) {
	total := new(big.Int)
	for _, id := range eligible {
		total.Add(total, big.NewInt(int64(weights[id])))
	}
	left := int64(1_000_000)
	for _, id := range eligible {
		share := new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(int64(weights[id])))
		share.Quo(share, total)
		p.credits[id] += share.Int64()
		left -= share.Int64()
	}
	slices.SortFunc(eligible, func(a, b string) int {
		if p.lastSeq[a] != p.lastSeq[b] {
			return int(p.lastSeq[a] - p.lastSeq[b])
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	for i := range left {
		p.credits[eligible[i]]++
	}
	p.credits[a.Rep] -= 1_000_000
	p.lastSeq[a.Rep] = a.Seq
}

func eligibleIn(cs []galena.Candidate) []string {
	var out []string
	for _, c := range cs {
		if c.Eligible {
			out = append(out, c.Rep)
		}
	}
	return out
}

func TestCreditsSumToZeroAndTheLogReproducesThemAndCapsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		reps, weights := drawPool(rt)
		log := replay{map[string]int64{}, map[string]int64{}}
		var roster galena.Roster
		now := monday
		for n := range rapid.IntRange(1, 120).Draw(rt, "leads") {
			for i := range reps { // who is away changes from lead to lead
				reps[i].Paused = rapid.IntRange(0, 9).Draw(rt, "away") < 3
			}
			r := poolOf(t, reps, weights)
			in := Input{Now: now}
			a, cs, next := r.Assign(r.Match(in), in, roster, fmt.Sprint(n), 1, nil)
			if a.Rep != "" {
				log.apply(weights, a, eligibleIn(cs))
			}
			sum := int64(0)
			for id, c := range next.Credits["p"] {
				sum += c
				if c != log.credits[id] {
					rt.Fatalf("lead %d: %s has %d, the log says %d", n, id, c, log.credits[id])
				}
			}
			if sum != 0 {
				rt.Fatalf("credits sum to %d", sum)
			}
			for _, rep := range reps {
				if s := next.Reps[rep.ID]; s.Open > *rep.MaxOpen || s.Days[a.Day] > *rep.MaxPerDay {
					rt.Fatalf("%s holds %d of %d open and %d of %d today", rep.ID, s.Open, *rep.MaxOpen, s.Days[a.Day], *rep.MaxPerDay)
				}
			}
			roster = next
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(rt, "gap")) * time.Minute)
		}
	})
}

func TestSharesFollowTheWeightsWhenAllAreEligible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		reps, weights := drawPool(rt)
		total := 0
		for i := range reps {
			reps[i].MaxOpen, reps[i].MaxPerDay = nil, nil
			total += weights[reps[i].ID]
		}
		r := poolOf(t, reps, weights)
		in := Input{Now: monday}
		o := r.Match(in)
		got := map[string]int{}
		var roster galena.Roster
		for n := 1; n <= 200; n++ {
			var a galena.Assignment
			a, _, roster = r.Assign(o, in, roster, "", 1, nil)
			got[a.Rep]++
			for id, w := range weights {
				if fair := float64(n*w) / float64(total); math.Abs(float64(got[id])-fair) >= 2 {
					rt.Fatalf("after %d leads %s has %d, a fair share is %.2f", n, id, got[id], fair)
				}
			}
		}
	})
}

func TestNobodyIsFloodedOnReturn(t *testing.T) {
	t.Parallel()
	weights := map[string]int{"ann": 1, "bob": 1}
	var roster galena.Roster
	give := func(away bool) string {
		r := poolOf(t, []Rep{{ID: "ann"}, {ID: "bob", Paused: away}}, weights)
		in := Input{Now: monday}
		var a galena.Assignment
		a, _, roster = r.Assign(r.Match(in), in, roster, "", 1, nil)
		return a.Rep
	}
	for range 50 {
		give(true)
	}
	got := map[string]int{}
	for range 10 {
		got[give(false)]++
	}
	if got["bob"] != 5 {
		t.Errorf("bob got %d of 10 after an absence, want 5", got["bob"])
	}
}

func TestAssignLeavesTheRosterAlone(t *testing.T) {
	t.Parallel()
	r := poolOf(t, []Rep{{ID: "ann"}, {ID: "bob"}}, map[string]int{"ann": 1, "bob": 1})
	roster := galena.Roster{Credits: map[string]map[string]int64{"p": {"ann": 7, "bob": -7}}, NextSeq: 9,
		Reps: map[string]galena.RepState{"ann": {Days: map[string]int{"2026-11-23": 1}}}}
	before := maps.Clone(roster.Credits["p"])
	in := Input{Now: monday}
	a, _, next := r.Assign(r.Match(in), in, roster, "l", 1, nil)
	if !maps.Equal(roster.Credits["p"], before) || roster.Reps["ann"].Days["2026-11-23"] != 1 || roster.NextSeq != 9 {
		t.Error("the roster handed in was changed")
	}
	if a.Rep != "ann" || a.Seq != 9 || next.NextSeq != 10 || next.Reps["ann"].Days["2026-11-23"] != 2 {
		t.Errorf("got %+v and %+v, want ann with number 9", a, next)
	}
}

func BenchmarkAssign(b *testing.B) {
	r := exampleRouter(b)
	in := input("A").with("company.hq_country", country("BR")).final()
	var roster galena.Roster
	for b.Loop() {
		r.Assign(r.Match(in), in, roster, "l", 1, nil)
	}
}

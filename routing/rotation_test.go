package routing

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

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

// drawPool is made of cheap chance: what is shown of it takes many leads a case.
func drawPool(rnd *rand.Rand) ([]Rep, map[string]int) {
	weights := map[string]int{}
	var reps []Rep
	for i := range 1 + rnd.IntN(7) {
		id := fmt.Sprintf("rep-%d", i)
		weights[id] = 1 + rnd.IntN(9)
		open, daily := rnd.IntN(30), rnd.IntN(8)
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

// cases is how many random cases a loop tries, as TestMain tells rapid.
func cases() int {
	if testing.Short() {
		return 1_000
	}
	return 10_000
}

// I7, as far as it is a matter of values: F2, F3 and F4.
func TestI7CreditsSumToZeroAndTheLogReproducesThemAndCapsHold(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	for i := range cases() {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		if err := rotate(t, rnd); err != nil {
			t.Fatalf("seed %d, case %d: %v", seed, i, err)
		}
	}
}

// rotate gives some leads to a random pool whose members come and go.
func rotate(t *testing.T, rnd *rand.Rand) error {
	reps, weights := drawPool(rnd)
	r := poolOf(t, reps, weights)
	log := replay{map[string]int64{}, map[string]int64{}}
	var roster galena.Roster
	now := monday
	for n := range 1 + rnd.IntN(24) {
		for id, rep := range r.reps { // who is away changes from lead to lead
			rep.Paused, rep.skilled = rnd.IntN(10) < 3, drawSkills(rnd, 9)
			r.reps[id] = rep
		}
		r.rules[0].skills = drawSkills(rnd, 2)
		in := Input{Now: now}
		a, cs, next := r.Assign(r.Match(in), in, roster, "l", 1, galena.Held{})
		if a.Rep != "" {
			log.apply(weights, a, eligibleIn(cs))
		} else if len(eligibleIn(cs)) > 0 || a.To != "queue:unrouted" {
			return fmt.Errorf("lead %d went to %s past %v", n, a.To, cs)
		}
		sum := int64(0)
		for id, c := range next.Credits["p"] {
			sum += c
			if c != log.credits[id] {
				return fmt.Errorf("lead %d: %s has %d, the log says %d", n, id, c, log.credits[id])
			}
		}
		if sum != 0 {
			return fmt.Errorf("credits sum to %d", sum)
		}
		for _, rep := range reps {
			if s := next.Reps[rep.ID]; s.Open > *rep.MaxOpen || s.Days[a.Day] > *rep.MaxPerDay {
				return fmt.Errorf("%s holds %d of %d open and %d of %d today", rep.ID, s.Open, *rep.MaxOpen, s.Days[a.Day], *rep.MaxPerDay)
			}
		}
		if a.Rep != "" && r.reps[a.Rep].Paused {
			return fmt.Errorf("%s is away and got lead %d", a.Rep, n)
		}
		if a.Rep != "" && lacks(r.reps[a.Rep].skilled, r.rules[0].skills) {
			return fmt.Errorf("%s has %v and got lead %d, which wants %v", a.Rep, r.reps[a.Rep].skilled, n, r.rules[0].skills)
		}
		roster = next
		now = now.Add(time.Duration(rnd.IntN(121)) * time.Minute)
	}
	return nil
}

// drawSkills draws from two skills, each with so many chances in ten.
func drawSkills(rnd *rand.Rand, chances int) []string {
	var out []string
	for _, s := range []string{"fintech", "tenders"} {
		if rnd.IntN(10) < chances {
			out = append(out, s)
		}
	}
	return out
}

func lacks(has, wants []string) bool {
	return slices.ContainsFunc(wants, func(s string) bool { return !slices.Contains(has, s) })
}

func TestSharesFollowTheWeightsWhenAllAreEligible(t *testing.T) {
	t.Parallel()
	for range 100 {
		reps, weights := drawPool(rand.New(rand.NewPCG(rand.Uint64(), 1)))
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
			a, _, roster = r.Assign(o, in, roster, "", 1, galena.Held{})
			got[a.Rep]++
			for id, w := range weights {
				if fair := float64(n*w) / float64(total); math.Abs(float64(got[id])-fair) >= 2 {
					t.Fatalf("%v: after %d leads %s has %d, a fair share is %.2f", weights, n, id, got[id], fair)
				}
			}
		}
	}
}

// F1 and F2 through every way a lead can take: one place to go, never to who had
// it before or lacks a skill, never above a cap, and no credit made or lost.
func TestI7EveryWayEndsOnceAndKeepsTheCaps(t *testing.T) {
	t.Parallel()
	r := exampleRouter(t)
	places := []galena.Value{country("DE"), country("BR"), country("US"), country("JP"), country("")}
	seed := rand.Uint64()
	for i := range cases() {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		in := lead([]string{"A", "B", "C", "D"}[rnd.IntN(4)], "", monday.Add(time.Duration(rnd.IntN(7*24*60))*time.Minute))
		in.with("company.hq_country", places[rnd.IntN(len(places))])
		people := []string{"", "erin.walsh", "dylan.okafor", "gone"}
		in.with("match.account_owner", galena.TextValue(people[rnd.IntN(4)]))
		roster := galena.Roster{Reps: map[string]galena.RepState{}}
		var earlier []string
		wants := drawSkills(rnd, 2)
		for i := range r.rules {
			r.rules[i].skills = wants
		}
		for _, rep := range r.Reps() {
			known := r.reps[rep.ID]
			known.skilled = drawSkills(rnd, 8)
			r.reps[rep.ID] = known
			roster.Reps[rep.ID] = galena.RepState{Open: *rep.MaxOpen - rnd.IntN(2), LastSeq: rnd.Int64N(9)}
			if rnd.IntN(5) == 0 {
				earlier = append(earlier, rep.ID)
			}
		}
		o := r.Match(in)
		a, _, next := r.Assign(o, in, roster, "l", 1, galena.Held{Reps: earlier, Breaches: rnd.IntN(len(earlier) + 1)})
		if a.To == "" || (a.Rep != "") != (a.To == a.Rep) || slices.Contains(earlier, a.Rep) {
			t.Fatalf("seed %d, case %d: went to %q, rep %q, held before by %v", seed, i, a.To, a.Rep, earlier)
		}
		if a.Rep != "" && lacks(r.reps[a.Rep].skilled, wants) {
			t.Fatalf("seed %d, case %d: %s has %v and got a lead that wants %v", seed, i, a.Rep, r.reps[a.Rep].skilled, wants)
		}
		for _, rep := range r.Reps() {
			given := next.Reps[rep.ID].Open - roster.Reps[rep.ID].Open
			if given != 0 && (given != 1 || rep.ID != a.Rep) || next.Reps[rep.ID].Open > *rep.MaxOpen {
				t.Fatalf("seed %d, case %d: %s has %d of %d, given %d, the lead went to %s", seed, i, rep.ID,
					next.Reps[rep.ID].Open, *rep.MaxOpen, given, a.To)
			}
		}
		for pool, credits := range next.Credits {
			sum := int64(0)
			for _, c := range credits {
				sum += c
			}
			if sum != 0 {
				t.Fatalf("seed %d, case %d: the credits of %s sum to %d", seed, i, pool, sum)
			}
		}
	}
}

func TestNobodyIsFloodedOnReturn(t *testing.T) {
	t.Parallel()
	weights := map[string]int{"ann": 1, "bob": 1}
	var roster galena.Roster
	give := func(away bool) string {
		r := poolOf(t, []Rep{{ID: "ann"}, {ID: "bob", Paused: away}}, weights)
		in := Input{Now: monday}
		var a galena.Assignment
		a, _, roster = r.Assign(r.Match(in), in, roster, "", 1, galena.Held{})
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
	a, _, next := r.Assign(r.Match(in), in, roster, "l", 1, galena.Held{})
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
		r.Assign(r.Match(in), in, roster, "l", 1, galena.Held{})
	}
}

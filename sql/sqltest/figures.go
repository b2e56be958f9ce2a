package sqltest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// figureRules: what a provider is worth follows from what is written, however it
// is counted.
var figureRules = map[string]func(*bench){
	"ProvidersHaveAScorecard":                  scorecard,
	"TheScorecardIsTheSameWhereDaysAreCounted": countedDays,
}

// scorecard: twenty hits at 3 cents, of which one is used, a miss, an error that
// was slow, and what was before the time asked for.
func scorecard(s *bench) {
	now := s.clock.now()
	call := func(domain, outcome string, cost int64, took time.Duration, at time.Time) {
		e := galena.LedgerEntry{Provider: "alpha", Domain: domain, Outcome: outcome, CostMicros: cost, Took: took, At: at}
		s.ok(s.SaveAnswer(s.ctx, galena.Answer{Provider: "alpha", Domain: domain, Kind: "unavailable"}, e))
	}
	said := func(domain, field string, used bool, at time.Time) galena.Observation {
		return galena.Observation{ID: domain + field, Entity: domain, Field: field, Value: galena.EnumValue("x"), Source: "alpha",
			Class: galena.ClassProvider, RequestID: domain, CostMicros: 30_000, FetchedAt: at, ObservedAt: at, Used: used}
	}
	old := now.Add(-25 * time.Hour)
	call("old.test", "hit", 30_000, time.Minute, old)
	all := []galena.Observation{said("old.test", "company.name", true, old)}
	for i := range 20 {
		domain := fmt.Sprintf("c%d.test", i)
		call(domain, "hit", 30_000, time.Duration(i+1)*time.Millisecond, now)
		all = append(all, said(domain, "company.name", false, now))
	}
	call("miss.test", "not_found", 10_000, time.Millisecond, now)
	call("error.test", "unavailable", 0, 2*time.Second, now)
	all = append(all, said("c3.test", "company.industry", false, now))
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, galena.Refs(all)))
	for range 2 { // known before it was used, and said again: used once
		s.ok(s.SaveCompany(s.ctx, galena.Company{}, galena.Refs([]galena.Observation{said("c3.test", "company.industry", true, now)})))
	}
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, galena.Refs([]galena.Observation{said("c3.test", "company.industry", false, now)})))
	got, err := s.Scorecard(s.ctx, now.Add(-24*time.Hour))
	s.ok(err)
	want := []galena.Scores{{Provider: "alpha", Calls: 22, Hits: 20, Misses: 1, P95: 20 * time.Millisecond, CostMicros: 610_000, MissMicros: 10_000,
		UnusedMicros: 570_000, Useful: 1, Fields: []galena.FieldCount{{Field: "company.name", Answers: 20}, {Field: "company.industry", Answers: 1}}}}
	if !reflect.DeepEqual(got, want) {
		s.Errorf("got %+v, want %+v", got, want)
	}
	if none, err := s.Scorecard(s.ctx, now); err != nil || len(none) != 0 {
		s.Errorf("of no time at all: %+v, %v", none, err)
	}
}

// past is what vendors did over 40 days, to be counted by hand.
type past struct {
	calls  []galena.LedgerEntry
	values []galena.Observation
}

// someTime makes the past of two vendors: each call brings up to three values, of
// which some are used. One vendor was not called lately.
func someTime(now time.Time) past {
	var p past
	chance := rand.New(rand.NewPCG(7, 11))
	for i := range 400 {
		at := now.Add(-time.Duration(chance.Int64N(int64(40 * 24 * time.Hour)))).Truncate(time.Microsecond)
		e := galena.LedgerEntry{Provider: "alpha", Domain: fmt.Sprintf("c%d.test", i), CostMicros: 10_000 * chance.Int64N(4), At: at,
			Took: time.Duration(chance.Int64N(int64(3 * time.Second))), Outcome: []string{"hit", "hit", "not_found", "unavailable"}[chance.IntN(4)]}
		if at.Before(now.Add(-3*24*time.Hour)) && i%3 == 0 {
			e.Provider = "beta"
		}
		p.calls = append(p.calls, e)
		for j := range chance.IntN(4) {
			if e.Outcome == "hit" {
				p.values = append(p.values, galena.Observation{ID: fmt.Sprintf("v%d-%d", i, j), Entity: e.Domain, Source: e.Provider,
					Field: []string{"company.name", "company.industry", "company.phone"}[j], Value: galena.TextValue("x"), Class: galena.ClassProvider,
					RequestID: e.Domain, CostMicros: e.CostMicros * int64(1-min(j, 1)), FetchedAt: at, ObservedAt: at, Used: chance.IntN(3) == 0})
			}
		}
	}
	return p
}

// scores counts in the slow and obvious way.
func (p past) scores(since time.Time) []galena.Scores {
	var out []galena.Scores
	for _, id := range []string{"alpha", "beta"} {
		x, took := galena.Scores{Provider: id}, []time.Duration{}
		used, fields := map[string]bool{}, map[string]int{}
		for _, o := range p.values {
			if o.Source == id && o.FetchedAt.After(since) {
				fields[o.Field]++
				if o.Used {
					x.Useful++
					used[o.RequestID] = true
				}
			}
		}
		for _, e := range p.calls {
			if e.Provider != id || !e.At.After(since) {
				continue
			}
			took = append(took, e.Took)
			x.CostMicros += e.CostMicros
			switch e.Outcome {
			case "not_found":
				x.Misses++
				x.MissMicros += e.CostMicros
				continue
			case "hit":
				x.Hits++
			}
			if !used[e.Domain] {
				x.UnusedMicros += e.CostMicros
			}
		}
		if x.Calls = len(took); x.Calls == 0 {
			continue
		}
		slices.Sort(took)
		x.P95 = took[(95*len(took)+99)/100-1]
		for f, n := range fields {
			x.Fields = append(x.Fields, galena.FieldCount{Field: f, Answers: n})
		}
		slices.SortFunc(x.Fields, func(a, b galena.FieldCount) int {
			return cmp.Or(cmp.Compare(b.Answers, a.Answers), cmp.Compare(a.Field, b.Field))
		})
		out = append(out, x)
	}
	return out
}

// fares compares with what was counted by hand. The time may be up to 3.2 % and a
// millisecond too long, never too short.
func (s *bench) fares(when string, p past) {
	s.Helper()
	for _, over := range []time.Duration{time.Minute, 24 * time.Hour, 30 * 24 * time.Hour} {
		since := s.clock.now().Add(-over)
		got, err := s.Scorecard(s.ctx, since)
		s.ok(err)
		want := p.scores(since)
		for i := range min(len(got), len(want)) {
			if exact, x := want[i].P95, got[i].P95; x < exact || x > exact+exact*32/1000+time.Millisecond {
				s.Errorf("%s, over %s: 95 %% of %s within %s, want %s", when, over, want[i].Provider, x, exact)
			}
			want[i].P95 = got[i].P95
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			s.Errorf("%s, over %s:\n%+v, want\n%+v", when, over, got, want)
		}
	}
}

func countedDays(s *bench) {
	s.clock.pass(10 * time.Minute) // past the hour that closes the day
	p := someTime(s.clock.now())
	for _, e := range p.calls {
		s.ok(s.SaveAnswer(s.ctx, galena.Answer{Provider: e.Provider, Domain: e.Domain, Kind: galena.Unavailable}, e))
	}
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, galena.Refs(p.values)))
	s.fares("uncounted", p)
	parallel(2, func(int) {
		if err := s.CountDays(s.ctx); err != nil {
			s.Error(err)
		}
	})
	s.fares("counted", p)
	before, err := s.Scorecard(s.ctx, s.clock.now().Add(-30*24*time.Hour))
	s.ok(err)

	for i := range p.values { // each day's values turn out to be of use, after the day
		p.values[i].Used = true
	}
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, galena.Refs(p.values)))
	s.ok(s.CountDays(s.ctx))
	after, err := s.Scorecard(s.ctx, s.clock.now().Add(-30*24*time.Hour))
	s.ok(err)
	if beta := len(after) - 1; beta < 1 || !reflect.DeepEqual(before[beta], after[beta]) {
		s.Error("days are counted anew before the night")
	}
	s.clock.pass(15*time.Hour + 40*time.Minute) // 00:50: the day is over, and not closed
	s.ok(s.CountDays(s.ctx))
	last := galena.LedgerEntry{Provider: "alpha", Domain: "late.test", Outcome: "hit", CostMicros: 10_000, Took: time.Second, At: s.clock.now().Add(-time.Hour)}
	s.ok(s.SaveAnswer(s.ctx, galena.Answer{Provider: "alpha", Domain: "late.test", Kind: galena.Unavailable}, last))
	p.calls = append(p.calls, last)
	s.clock.pass(11 * time.Minute)
	s.ok(s.CountDays(s.ctx))
	s.fares("after a night", p)
	s.clock.pass(40 * 24 * time.Hour)
	s.ok(s.CountDays(s.ctx))
	s.fares("when all is forgotten", past{})
}

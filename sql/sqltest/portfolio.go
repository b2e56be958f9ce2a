package sqltest

import (
	"maps"
	"time"

	"github.com/galenahq/galena"
)

// portfolioRules: what all criteria mostly earn is counted once for a profile.
var portfolioRules = map[string]func(*bench){
	"TheFirstToFreezeMeansIsTheOneWhoseNumbersStand": func(s *bench) {
		_, err := s.Means(s.ctx, "f00d")
		s.refused(err, galena.NotFound, "")
		got := make([]galena.Means, 16)
		parallel(len(got), func(i int) {
			m, err := s.FreezeMeans(s.ctx, galena.Means{Profile: "f00d", Leads: 200 + i, Values: map[string]int64{"size": int64(i), "penalty": int64(-i)}})
			if err != nil {
				s.Error(err)
			}
			got[i] = m
		})
		s.clock.pass(time.Hour)
		stands, err := s.Means(s.ctx, "f00d")
		s.ok(err)
		own := int64(stands.Leads - 200)
		if !maps.Equal(stands.Values, map[string]int64{"size": own, "penalty": -own}) || !stands.FrozenAt.Equal(s.clock.now().Add(-time.Hour)) {
			s.Errorf("kept %+v", stands)
		}
		for _, m := range got {
			if m.Leads != stands.Leads || !maps.Equal(m.Values, stands.Values) {
				s.Errorf("one process has %+v, another %+v", m, stands)
			}
		}
		_, err = s.Means(s.ctx, "beef")
		s.refused(err, galena.NotFound, "")
	},
	"APortfolioIsTheLatestDecidedLeads": func(s *bench) {
		for i := range 4 {
			id := s.begun(person(i))
			_, err := s.Rule(s.ctx, s.ruling(id, func(r galena.Roster, d *galena.Decision) galena.Roster {
				d.Took = time.Second
				d.Facts = galena.Facts{"company.employee_count": galena.KnownFact("company.employee_count", galena.Number(int64(i)), "alpha", d.DecidedAt)}
				return r
			}))
			s.ok(err)
		}
		s.accept(person(9)) // not decided
		none, err := s.Portfolio(s.ctx, 5, 10)
		s.ok(err)
		if len(none) != 0 {
			s.Errorf("four leads are decided, and five were too many to ask for: %+v", none)
		}
		got, err := s.Portfolio(s.ctx, 4, 2)
		s.ok(err)
		if len(got) != 2 {
			s.Fatalf("%d leads, want the latest 2", len(got))
		}
		for i, past := range got {
			size := past.Facts.Get("company.employee_count")
			if size.Value.Lo != int64(3-i) || size.Confidence != 1 || !past.At.Equal(s.clock.now().Add(-time.Second)) {
				s.Errorf("lead %d is %+v", i, past)
			}
		}
	},
}

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
		const decided, most = 103, 101 // more than are read at a time
		for i := range decided {
			id := s.begun(person(i))
			_, err := s.Rule(s.ctx, s.ruling(id, func(r galena.Roster, d *galena.Decision) galena.Roster {
				shared := galena.KnownFact("company.type", galena.EnumValue("private"), "alpha", d.DecidedAt)
				shared.ObservationID = "o1" // what was observed of a company is kept once for all of its leads
				d.Took = time.Second
				d.Facts = galena.Facts{"company.employee_count": galena.KnownFact("company.employee_count", galena.Number(int64(i)), "alpha", d.DecidedAt),
					"company.type": shared, "lead.job_title": galena.KnownFact("lead.job_title", galena.TextValue("CTO"), "form", d.DecidedAt),
					"company.name": galena.KnownFact("company.name", galena.Value{Type: galena.TypeText, Text: "Acme", Raw: "ACME"}, "alpha", d.DecidedAt)}
				return r
			}))
			s.ok(err)
		}
		s.accept(person(999)) // not decided
		fields := []string{"company.employee_count", "company.type", "lead.job_title", "company.funding"}
		none, err := s.Portfolio(s.ctx, decided+1, 10, fields)
		s.ok(err)
		if len(none) != 0 {
			s.Errorf("%d leads are decided, and one more was too many to ask for: %+v", decided, none)
		}
		got, err := s.Portfolio(s.ctx, decided, most, fields)
		s.ok(err)
		if len(got) != most {
			s.Fatalf("%d leads, want the latest %d", len(got), most)
		}
		for i, past := range got {
			size := past.Facts.Get("company.employee_count")
			if size.Value.Lo != int64(decided-1-i) || size.Confidence != 1 || !past.At.Equal(s.clock.now().Add(-time.Second)) ||
				past.Facts.Get("company.type").Value.Text != "private" || past.Facts.Get("lead.job_title").Value.Text != "CTO" || len(past.Facts) > 3 {
				s.Fatalf("lead %d is %+v", i, past)
			}
		}
	},
}

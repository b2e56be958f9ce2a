package sqltest

import (
	"reflect"

	"github.com/galenahq/galena"
)

// hitRateRules: what vendors were seen to know is counted once for a day.
var hitRateRules = map[string]func(*bench){
	"TheFirstToCountADayIsTheOneWhoseNumbersStand": func(s *bench) {
		_, err := s.HitRates(s.ctx, "2026-11-23")
		s.refused(err, galena.NotFound, "")
		parallel(16, func(i int) {
			h := galena.HitRates{Day: "2026-11-23", Companies: i + 1, Tallies: map[string]map[string]galena.Tally{
				"com/DE": {"alpha": {Asked: i + 1, Found: map[string]int{"company.phone": i}, Unasked: 3}}}}
			if err := s.FreezeHitRates(s.ctx, h); err != nil {
				s.Error(err)
			}
		})
		stands, err := s.HitRates(s.ctx, "2026-11-23")
		s.ok(err)
		n := stands.Companies
		want := galena.Tally{Asked: n, Found: map[string]int{"company.phone": n - 1}, Unasked: 3}
		if got := stands.Tallies["com/DE"]["alpha"]; !reflect.DeepEqual(got, want) || !stands.CountedAt.Equal(s.clock.now()) {
			s.Errorf("kept %+v", stands)
		}
		// A day without a count of its own has that of the day before, and none before that.
		s.ok(s.FreezeHitRates(s.ctx, galena.HitRates{Day: "2026-11-25", Companies: 99}))
		if got, err := s.HitRates(s.ctx, "2026-11-24"); err != nil || !reflect.DeepEqual(got, stands) {
			s.Errorf("the next day has %+v, %v", got, err)
		}
		if got, err := s.HitRates(s.ctx, "2026-11-25"); err != nil || got.Companies != 99 || got.Tallies != nil {
			s.Errorf("the day after has %+v, %v", got, err)
		}
		_, err = s.HitRates(s.ctx, "2026-11-22")
		s.refused(err, galena.NotFound, "")
	},
	"OutcomesAreTheLatestDecisionsWithWhatTheirAuditAsked": func(s *bench) {
		steps := []galena.Call{{Provider: "alpha", Outcome: "hit", Cents: 2, Added: []string{"company.phone"}}}
		segment := galena.Segment{TLD: "com", Country: "DE", Size: "11-50"}
		sampled := []galena.Call{{Provider: "beta", Outcome: "miss"}}
		var ids []string
		for i := range 3 {
			id := s.begun(person(i))
			r := s.ruling(id, func(r galena.Roster, d *galena.Decision) galena.Roster {
				d.Steps, d.Segment = steps, segment
				if i == 2 {
					d.Stop = galena.StopExhausted
				}
				return r
			})
			r.Audit = i < 2
			_, err := s.Rule(s.ctx, r)
			s.ok(err)
			ids = append([]string{id}, ids...)
		}
		for _, step := range s.handed(galena.StepAudit) {
			_, err := s.Begin(s.ctx, step.Kind, step.ID, step.Epoch, step.Run)
			s.ok(err)
			a := galena.RegretAudit{LeadID: step.ID, Epoch: 1, At: s.clock.now()}
			if step.ID == ids[1] {
				a.Steps = sampled
			}
			s.ok(s.SaveAudit(s.ctx, step, a, nil))
		}
		s.accept(person(9)) // not decided
		domain := func(id string) string {
			m, err := s.Memory(s.ctx, id)
			s.ok(err)
			return m.CompanyDomain()
		}
		want := []galena.Outcome{
			{LeadID: ids[0], Domain: domain(ids[0]), Segment: segment, Steps: steps},
			{LeadID: ids[1], Domain: domain(ids[1]), Segment: segment, Settled: true, Steps: steps, Audited: true, Sampled: sampled},
			{LeadID: ids[2], Domain: domain(ids[2]), Segment: segment, Settled: true, Steps: steps, Audited: true},
		}
		first, err := s.Outcomes(s.ctx, "", 2)
		s.ok(err)
		rest, err := s.Outcomes(s.ctx, ids[1], 2)
		s.ok(err)
		if got := append(first, rest...); !reflect.DeepEqual(got, want) {
			s.Errorf("outcomes\n%+v\nwant\n%+v", got, want)
		}
	},
	"ACompanyCountsByTheDomainThatItIsKeptBy": func(s *bench) {
		id := s.decidedOn(nil)
		m, err := s.Memory(s.ctx, id)
		s.ok(err)
		s.link(m.Lead.Domain, "group.test", "alias")
		got, err := s.Outcomes(s.ctx, "", 10)
		s.ok(err)
		if len(got) != 1 || got[0].Domain != "group.test" {
			s.Errorf("outcomes %+v", got)
		}
	},
}

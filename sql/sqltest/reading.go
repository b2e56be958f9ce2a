package sqltest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/galenahq/galena"
)

var readingRules = map[string]func(*bench){
	"RecordsPageFromTheNewest":            recordsPage,
	"RecordsAreFilteredByWhatWasDecided":  recordsFiltered,
	"ALeadNobodyKnowsIsNotFound":          leadNotFound,
	"AnAnswerIsKeptWithItsAge":            answerHeld,
	"AFailureIsNeverHeld":                 failureNotHeld,
	"ProvidersHaveAScorecard":             scorecard,
	"AnOlderAnswerDoesNotReplaceANewer":   answerNewest,
	"ProviderStatesKeepTheNewestWord":     statesNewest,
	"AConfigIsKeptAtFirstUse":             configKept,
	"AnAccountIsACompanyBeforeAnyLead":    accountCompany,
	"FactsOfAnOlderRulingDoNotWinAgain":   factsNewest,
	"AnEmptyStoreHasNoBacklog":            func(s *bench) { s.backlog(0, 0) },
	"TheStoreAnswersAPing":                func(s *bench) { s.ok(s.Ping(s.ctx)) },
	"AnObservationIDIsMadeWhereThereNone": observationID,
}

func recordsPage(s *bench) {
	var ids []string
	for i := range 7 {
		ids = append(ids, s.accept(person(i)).ID)
	}
	var got []string
	filter := galena.LeadFilter{Limit: 3}
	for range 4 {
		page, err := s.Records(s.ctx, filter)
		s.ok(err)
		for _, r := range page {
			got = append([]string{r.Lead.ID}, got...)
			filter.Before = r.Lead.ID
		}
	}
	if !reflect.DeepEqual(got, ids) {
		s.Errorf("pages %v, want %v", got, ids)
	}
}

func recordsFiltered(s *bench) {
	a := s.begun(person(1))
	_, err := s.Rule(s.ctx, s.ruling(a, to("ana", false)))
	s.ok(err)
	b := s.accept(person(2)).ID
	tests := []struct {
		filter galena.LeadFilter
		want   []string
	}{
		{galena.LeadFilter{}, []string{b, a}},
		{galena.LeadFilter{Status: galena.StatusAccepted}, []string{b}},
		{galena.LeadFilter{Tier: "A"}, []string{a}},
		{galena.LeadFilter{Tier: "B"}, nil},
		{galena.LeadFilter{Owner: "ana", Status: galena.StatusDecided}, []string{a}},
		{galena.LeadFilter{Owner: "ben"}, nil},
	}
	for _, tt := range tests {
		page, err := s.Records(s.ctx, tt.filter)
		s.ok(err)
		var got []string
		for _, r := range page {
			got = append(got, r.Lead.ID)
			if (r.Decision != nil) != (r.Lead.ID == a) {
				s.Errorf("%s: decision %v", r.Lead.ID, r.Decision)
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			s.Errorf("%+v: %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func leadNotFound(s *bench) {
	_, err := s.Record(s.ctx, "nobody")
	s.refused(err, galena.NotFound, "")
	_, err = s.Delivery(s.ctx, "nobody")
	s.refused(err, galena.NotFound, "")
	_, err = s.Company(s.ctx, "nobody.test")
	s.refused(err, galena.NotFound, "")
}

func (s *bench) hit(at time.Time) galena.Answer {
	return galena.Answer{Provider: "alpha", Domain: "acme.test", CostMicros: 30_000, FetchedAt: at,
		FreshUntil: at.Add(30 * time.Minute), ExpiresAt: at.Add(time.Hour),
		Observations: []galena.Observation{{ID: "o1", Entity: "acme.test", Field: "company.industry", Source: "alpha",
			Value: galena.EnumValue("software"), Confidence: 1, ObservedAt: at, FetchedAt: at}}}
}

func ledger(outcome string, at time.Time) galena.LedgerEntry {
	return galena.LedgerEntry{Provider: "alpha", Domain: "acme.test", Outcome: outcome, CostMicros: 30_000, Took: time.Second, At: at}
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
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, all))
	for range 2 { // known before it was used, and said again: used once
		s.ok(s.SaveCompany(s.ctx, galena.Company{}, []galena.Observation{said("c3.test", "company.industry", true, now)}))
	}
	s.ok(s.SaveCompany(s.ctx, galena.Company{}, []galena.Observation{said("c3.test", "company.industry", false, now)}))
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

func answerHeld(s *bench) {
	want := s.hit(s.clock.now())
	if _, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); held || err != nil {
		s.Errorf("held before it was saved: %v", err)
	}
	s.ok(s.SaveAnswer(s.ctx, want, ledger("hit", s.clock.now())))
	got, held, _, err := s.Answer(s.ctx, "alpha", "acme.test")
	s.ok(err)
	if !held || !reflect.DeepEqual(got, want) {
		s.Errorf("answer\n%+v, want\n%+v", got, want)
	}
	if _, held, _, _ := s.Answer(s.ctx, "beta", "acme.test"); held {
		s.Error("another provider's answer was held")
	}
	s.clock.pass(time.Hour)
	if got, _, _, err := s.Answer(s.ctx, "alpha", "acme.test"); err != nil || !reflect.DeepEqual(got, want) {
		s.Errorf("after it expired %+v, %v: want it as it was, so that misses can be counted", got, err)
	}
}

func failureNotHeld(s *bench) {
	now := s.clock.now()
	s.ok(s.SaveAnswer(s.ctx, s.hit(now), ledger("hit", now)))
	failed := s.hit(now.Add(time.Minute))
	failed.Kind, failed.Observations = galena.Unavailable, nil
	s.ok(s.SaveAnswer(s.ctx, failed, ledger("unavailable", now)))
	if got, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); !held || err != nil || got.Kind != "" {
		s.Errorf("answer %+v, held %v, %v: want the hit", got, held, err)
	}
}

func answerNewest(s *bench) {
	now := s.clock.now()
	miss := galena.Answer{Provider: "alpha", Domain: "acme.test", Kind: galena.NotFound, FetchedAt: now, ExpiresAt: now.Add(time.Hour), Misses: 2}
	s.ok(s.SaveAnswer(s.ctx, miss, ledger("not_found", now)))
	s.ok(s.SaveAnswer(s.ctx, s.hit(now.Add(-time.Minute)), ledger("hit", now)))
	if got, held, _, err := s.Answer(s.ctx, "alpha", "acme.test"); !held || err != nil || got.Kind != galena.NotFound || got.Misses != 2 {
		s.Errorf("answer %+v, held %v, %v: want the second miss", got, held, err)
	}
}

func statesNewest(s *bench) {
	now := s.clock.now()
	open := galena.ProviderState{Provider: "alpha", Breaker: "open", PausedUntil: now.Add(time.Hour), PauseReason: galena.Exhausted, ChangedAt: now}
	s.ok(s.SaveProviderState(s.ctx, open))
	s.ok(s.SaveProviderState(s.ctx, galena.ProviderState{Provider: "alpha", Breaker: "closed", ChangedAt: now.Add(-time.Second)}))
	got, err := s.ProviderStates(s.ctx)
	s.ok(err)
	if want := []galena.ProviderState{open}; !reflect.DeepEqual(got, want) {
		s.Errorf("states %+v, want %+v", got, want)
	}
}

func configKept(s *bench) {
	ref := galena.ConfigRef{Kind: "ICP", Name: "default", Version: 3, Hash: "abc"}
	s.ok(s.SaveConfig(s.ctx, ref, []byte("kind: ICP\n")))
	s.ok(s.SaveConfig(s.ctx, ref, []byte("kind: ICP\n")))
}

func accountCompany(s *bench) {
	s.ok(s.SetAccountOwner(s.ctx, "acme.test", "max"))
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if c.Owner != "max" || c.Facts != nil || !c.UpdatedAt.IsZero() {
		s.Errorf("company %+v", c)
	}
}

func factsNewest(s *bench) {
	newer, older := s.ruling(s.begun(person(1)), nil), s.ruling(s.begun(person(2)), nil)
	older.Company.UpdatedAt = older.Company.UpdatedAt.Add(-time.Hour)
	older.Company.Facts = galena.Facts{}
	for _, r := range []galena.Ruling{newer, older} {
		_, err := s.Rule(s.ctx, r)
		s.ok(err)
	}
	c, err := s.Company(s.ctx, "acme.test")
	s.ok(err)
	if len(c.Facts) != 1 {
		s.Errorf("facts %+v, want those of the newer ruling", c.Facts)
	}
}

func observationID(s *bench) {
	o := galena.Observation{Entity: "acme.test", Field: "company.name", Source: "crm:twenty", Class: galena.ClassCRM, Value: galena.TextValue("Acme")}
	s.ok(s.AddObservations(s.ctx, []galena.Observation{o, o}))
	m, err := s.Memory(s.ctx, s.accept(person(1)).ID)
	s.ok(err)
	if len(m.Observations) != 2 || m.Observations[0].ID == "" {
		s.Errorf("observations %+v", m.Observations)
	}
}

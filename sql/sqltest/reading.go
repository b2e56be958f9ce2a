package sqltest

import (
	"reflect"
	"time"

	"github.com/galenahq/galena"
)

var readingRules = map[string]func(*bench){
	"RecordsPageFromTheNewest":             recordsPage,
	"RecordsAreFilteredByWhatWasDecided":   recordsFiltered,
	"ACompanyIsJudgedByTheLeadDecidedLast": latestRecord,
	"ALeadNobodyKnowsIsNotFound":           leadNotFound,
	"AnAnswerIsKeptWithItsAge":             answerHeld,
	"AFailureIsNeverHeld":                  failureNotHeld,
	"AnOlderAnswerDoesNotReplaceANewer":    answerNewest,
	"ProviderStatesKeepTheNewestWord":      statesNewest,
	"AConfigIsKeptAtFirstUse":              configKept,
	"AnAccountIsACompanyBeforeAnyLead":     accountCompany,
	"FactsOfAnOlderRulingDoNotWinAgain":    factsNewest,
	"AnEmptyStoreHasNoBacklog":             func(s *bench) { s.backlog(0, 0) },
	"TheStoreAnswersAPing":                 func(s *bench) { s.ok(s.Ping(s.ctx)) },
	"AnObservationIDIsMadeWhereThereNone":  observationID,
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

func latestRecord(s *bench) {
	if _, err := s.LatestRecord(s.ctx, "acme.test"); galena.KindOf(err) != galena.NotFound {
		s.Errorf("error %v before anybody came, want not_found", err)
	}
	first, second := s.begun(person(1)), s.begun(person(2))
	s.accept(person(3))
	for _, id := range []string{second, first} {
		s.clock.pass(time.Minute)
		_, err := s.Rule(s.ctx, s.ruling(id, to("ana", false)))
		s.ok(err)
	}
	got, err := s.LatestRecord(s.ctx, "acme.test")
	s.ok(err)
	if got.Lead.ID != first || got.Decision == nil || got.Company.Domain != "acme.test" {
		s.Errorf("lead %s with %+v, want %s, which was decided last", got.Lead.ID, got.Decision, first)
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
	shorter := galena.ProviderState{Provider: "alpha", Breaker: "closed", PausedUntil: now.Add(time.Minute), PauseReason: galena.RateLimited, ChangedAt: now.Add(time.Second)}
	s.ok(s.SaveProviderState(s.ctx, shorter))
	got, err = s.ProviderStates(s.ctx)
	s.ok(err)
	if len(got) != 1 || !got[0].PausedUntil.Equal(open.PausedUntil) || got[0].PauseReason != open.PauseReason || got[0].Breaker != "closed" {
		s.Errorf("states %+v: a shorter pause ended a longer one", got)
	}
	s.ok(s.SaveProviderState(s.ctx, galena.ProviderState{Provider: "alpha", Breaker: "open", BreakerOnly: true, ChangedAt: now.Add(2 * time.Second)}))
	if got, err = s.ProviderStates(s.ctx); err != nil || len(got) != 1 || !got[0].PausedUntil.Equal(open.PausedUntil) || got[0].PauseReason != open.PauseReason || got[0].Breaker != "open" {
		s.Errorf("states %+v, %v: a breaker took back a pause of which its process had not heard", got, err)
	}
	s.ok(s.SaveProviderState(s.ctx, galena.ProviderState{Provider: "alpha", Breaker: "closed", ChangedAt: now.Add(2 * time.Second)}))
	if got, err = s.ProviderStates(s.ctx); err != nil || len(got) != 1 || !got[0].PausedUntil.IsZero() {
		s.Errorf("states %+v, %v: the pause is over", got, err)
	}
	shorter.ChangedAt = now.Add(3 * time.Second)
	s.ok(s.SaveProviderState(s.ctx, shorter))
	if got, err = s.ProviderStates(s.ctx); err != nil || len(got) != 1 || !got[0].PausedUntil.Equal(shorter.PausedUntil) || got[0].PauseReason != shorter.PauseReason {
		s.Errorf("states %+v, %v: a longer pause that was over came back", got, err)
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

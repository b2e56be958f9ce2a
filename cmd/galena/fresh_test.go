package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

// holds puts an answer into the store as if it had been bought a while ago: 300
// people in software, fresh for 89 days and held for 178.
func (s *system) holds(domain string, age time.Duration) {
	s.t.Helper()
	store, err := sql.Open(s.t.Context(), s.variable("GALENA_DATABASE_URL"), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	at := time.Now().Add(-age)
	a := galena.Answer{Provider: "testvendor", Domain: domain, CostMicros: 10_000, FetchedAt: at,
		FreshUntil: at.Add(89 * 24 * time.Hour), ExpiresAt: at.Add(178 * 24 * time.Hour)}
	for field, v := range map[string]galena.Value{"company.employee_count": galena.Number(300),
		"company.industry": galena.EnumValue("software"), "company.hq_country": galena.CountryValue("US")} {
		a.Observations = append(a.Observations, galena.Observation{ID: domain + field, Entity: domain, Field: field, Value: v, Source: "testvendor",
			Class: galena.ClassProvider, Method: "api", Confidence: 1, ObservedAt: at, FetchedAt: at})
	}
	if err := store.SaveAnswer(context.Background(), a, galena.LedgerEntry{Provider: "testvendor", Domain: domain, Outcome: "hit", CostMicros: 10_000, At: at}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAStaleAnswerServesTwentyLeadsAndIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.holds("herd.example", 100*24*time.Hour)
	s.start("serve")
	s.ready()
	const leads = 20
	for i := range leads {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p%d@herd.example"}`, i)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v", i, status, body)
		}
	}
	eventually(t, 30*time.Second, "every lead is decided on what is held", func() bool { return len(s.sink.events()) == leads })
	employees := func() any {
		_, company, _ := s.do(http.MethodGet, "/v1/companies/herd.example", testToken, "")
		fields, _ := company["fields"].(map[string]any)
		f, _ := fields["employee_count"].(map[string]any)
		return fmt.Sprint(f["value"], " ", f["age_days"], " ", f["freshness"])
	}
	eventually(t, 30*time.Second, "the record is merged anew", func() bool { return employees() == "420 0 fresh" })
	if status, body, _ := s.post(testToken, `{"email":"late@herd.example"}`); status != http.StatusAccepted {
		t.Fatal(status, body)
	}
	eventually(t, 30*time.Second, "a late lead is decided too", func() bool { return len(s.sink.events()) == leads+1 })
	time.Sleep(6 * time.Second) // a second hand-out would come within five
	if n := s.vendor.asked(); n != 1 {
		t.Errorf("the vendor was asked %d times, want one refresh for %d leads of one company", n, leads+1)
	}
	if m := s.metrics(); !strings.Contains(m, `galena_refreshes_total{outcome="done"} 1`) {
		t.Error("the metrics do not tell of one refresh")
	}
}

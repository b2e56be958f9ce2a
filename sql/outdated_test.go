package sql_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

var saidFirst = time.Now().Add(-2 * time.Hour).Truncate(time.Second)

// says takes in lead n of a company, whose form says the word of every field.
func says(ctx context.Context, s *sql.Store, n int, word string, fields ...string) error {
	l := lead(n)
	l.CreatedAt = saidFirst.Add(time.Duration(n) * time.Second)
	in := galena.Intake{RepeatWithin: time.Hour, Lead: l}
	for _, f := range fields {
		value := galena.TextValue(word)
		if f == "company.tags" {
			value = galena.SetValue([]string{word}, false)
		}
		in.Observations = append(in.Observations, galena.Observation{Entity: "acme.test", Field: f, Value: value, Source: "form",
			Class: galena.ClassForm, Method: "form", Ref: l.Key, Confidence: 1, ObservedAt: l.CreatedAt, FetchedAt: l.CreatedAt})
	}
	_, err := s.Accept(ctx, in)
	return err
}

// heard is what the next lead's worker reads of a field.
func heard(t *testing.T, s *sql.Store, field string) (words []string) {
	t.Helper()
	m, err := s.CompanyMemory(t.Context(), "acme.test")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range m.Observations {
		if o.Field == field {
			words = append(words, cmp.Or(o.Value.Text, strings.Join(o.Value.Set, ",")))
		}
	}
	return words
}

// count is how many observations are so.
func count(t *testing.T, s *sql.Store, so string) (n string) {
	t.Helper()
	n, err := s.Text(t.Context(), "SELECT count(*) FROM observations WHERE "+so)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOfWhatFormsSayTheLastWordsAloneAreRead(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, time.Now)
			for n := range 20 {
				if err := says(t.Context(), s, n, fmt.Sprint("w", n/2), "company.name", "company.city", "company.tags"); err != nil {
					t.Fatal(err)
				}
			}
			if got := count(t, s, "NOT outdated AND field <> 'company.tags'"); got != "2" {
				t.Errorf("%s words of two fields are read, want 2", got)
			}
			if got := count(t, s, "outdated"); got != "18" {
				t.Errorf("%s words are outdated, want 18", got)
			}
			if got := heard(t, s, "company.name"); !slices.Equal(got, []string{"w9"}) {
				t.Errorf("name %q, want the last word", got)
			}
			if got := heard(t, s, "company.tags"); len(got) != 10 {
				t.Errorf("tags %q, want all ten", got)
			}
			if err := says(t.Context(), s, 5, "late", "company.name"); err != nil { // of a process whose clock is behind
				t.Fatal(err)
			}
			if got := heard(t, s, "company.name"); !slices.Equal(got, []string{"w9"}) {
				t.Errorf("name %q, want the word that is later by its time", got)
			}
		})
	}
}

func TestWordsOfProcessesThatSpeakAtOnce(t *testing.T) {
	t.Parallel()
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores := []*sql.Store{open(t, address, time.Now), open(t, address, time.Now)}
			var all errgroup.Group
			all.SetLimit(8)
			for n := range 80 {
				all.Go(func() error {
					return says(t.Context(), stores[n%2], n, fmt.Sprint("w", n), "company.name", "company.city")
				})
			}
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			s := stores[0]
			for _, field := range []string{"company.name", "company.city"} {
				if got := heard(t, s, field); !slices.Equal(got, []string{"w79"}) {
					t.Errorf("%s %q, want the last word", field, got)
				}
			}
			if err := says(t.Context(), s, 80, "w80", "company.name", "company.city"); err != nil {
				t.Fatal(err)
			}
			if got := count(t, s, "NOT outdated"); got != "2" {
				t.Errorf("%s words of two fields are read, want 2", got)
			}
		})
	}
}

// Nothing was marked before there was a mark.
func TestWordsOfAnOlderProgramAreMarkedWithTheNext(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, time.Now)
			for n := range 10 {
				if err := says(t.Context(), s, n, fmt.Sprint("w", n), "company.name"); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Exec(t.Context(), "UPDATE observations SET outdated = FALSE"); err != nil {
				t.Fatal(err)
			}
			if got := heard(t, s, "company.name"); !slices.Equal(got, []string{"w9"}) {
				t.Errorf("name %q, want the last word", got)
			}
			if err := says(t.Context(), s, 10, "w10", "company.name"); err != nil {
				t.Fatal(err)
			}
			if got := count(t, s, "NOT outdated"); got != "1" {
				t.Errorf("%s words are read, want 1", got)
			}
		})
	}
}

// The mark saves reading; no lead waits for it.
func TestALeadDoesNotWaitForAnOldWord(t *testing.T) {
	t.Parallel()
	s, address := onPostgres(t)
	if s == nil {
		return
	}
	if err := says(t.Context(), s, 0, "w0", "company.name"); err != nil {
		t.Fatal(err)
	}
	tx, err := beside(t, address).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "UPDATE observations SET used = TRUE"); err != nil {
		t.Fatal(err)
	}
	if err := says(t.Context(), s, 1, "w1", "company.name"); err != nil {
		t.Errorf("%v, want no waiting for what another transaction holds", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := says(t.Context(), s, 2, "w2", "company.name"); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, "NOT outdated"); got != "1" {
		t.Errorf("%s words are read, want 1", got)
	}
}

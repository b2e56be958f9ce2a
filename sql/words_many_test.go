package sql

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// What a lead costs does not grow with what other forms said of its company before.
func TestManyWordsOfFormsAreNotReadWithEveryLead(t *testing.T) { // not beside others: it counts what the process allocates
	s := openFile(t)
	begin := time.Now().Add(-time.Hour)
	post := func(i int) (bytes uint64) {
		person := fmt.Sprintf("ana%d@acme.test", i)
		in := galena.Intake{RepeatWithin: time.Hour, Lead: galena.Lead{Judgement: galena.Judgement{Verdict: galena.Accept, Email: person, Key: person,
			Host: "acme.test", Domain: "acme.test"}, Status: galena.StatusAccepted, Form: "demo", CreatedAt: begin.Add(time.Duration(i) * time.Second)}}
		for f := range 10 {
			in.Observations = append(in.Observations, galena.Observation{Entity: "acme.test", Field: fmt.Sprintf("company.f%d", f),
				Value: galena.TextValue(fmt.Sprint(i, strings.Repeat("x", 4000))), Source: "form", Class: galena.ClassForm, Method: "form", Ref: person, Confidence: 1,
				ObservedAt: in.Lead.CreatedAt, FetchedAt: in.Lead.CreatedAt})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := s.Accept(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	early := post(0)
	recall := func() uint64 { // what its worker reads
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := s.CompanyMemory(t.Context(), "acme.test")
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		t.Logf("the worker reads %d observations, %d KB", len(m.Observations), (after.TotalAlloc-before.TotalAlloc)>>10)
		return after.TotalAlloc - before.TotalAlloc
	}
	firstRead := recall()
	var late uint64
	for i := 1; i <= 60; i++ {
		late = post(i)
	}
	lastRead := recall()
	t.Logf("the first lead took %d KB, the 61st %d KB", early>>10, late>>10)
	if late > 4*early+1<<20 {
		t.Errorf("the 61st lead of a company took %d KB, the first %d KB", late>>10, early>>10)
	}
	if lastRead > 4*firstRead+1<<20 {
		t.Errorf("the 61st lead's worker reads %d KB, the first one's %d KB", lastRead>>10, firstRead>>10)
	}
}

// The lists among the fields stand in the statements by name.
func TestEveryListOfFormsIsReadWhole(t *testing.T) {
	t.Parallel()
	for _, f := range galena.Fields() {
		for _, file := range []string{"queries/company.sql", "queries/sqlite/company.sql"} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"standing-observations", "outdate-words"} {
				_, said, _ := strings.Cut(string(text), "-- name: "+name)
				if said, _, _ = strings.Cut(said, "-- name:"); f.Type == galena.TypeSet && !strings.Contains(said, "'"+f.Name+"'") {
					t.Errorf("%s, %s: of the list %s only the last word of a form is read", file, name, f.Name)
				}
			}
		}
	}
}

// What is outdated stays in the index, where nobody asks for it.
func TestNobodyReadsWhatIsOutdated(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	for _, name := range []string{"standing-observations", "outdate-words", "words-of-forms", "put-conflicts"} {
		stmt := s.writes[name]
		var plan []struct {
			Detail string `db:"detail"`
		}
		if err := s.write.Unsafe().SelectContext(t.Context(), &plan, "EXPLAIN QUERY PLAN "+stmt.QueryString, make([]any, len(stmt.Params))...); err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			if (strings.Contains(step.Detail, "INDEX observations_") || strings.HasPrefix(step.Detail, "SCAN o")) && !strings.Contains(step.Detail, "outdated=?") {
				t.Errorf("%s: %s", name, step.Detail)
			}
		}
	}
}

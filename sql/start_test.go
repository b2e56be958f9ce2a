package sql_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql/sqltest"
)

// A lead that cannot be read is ours all the same, so that its step can say why;
// those that were begun with it are read.
func TestALeadThatCannotBeReadKeepsNobody(t *testing.T) {
	t.Parallel()
	engines := map[string]sqltest.Open{"SQLite": openSQLite}
	if server := postgresURL(t); server != "" {
		engines["Postgres"] = openPostgres(server)
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, time.Now)
			ids := make([]string, 20)
			for i := range ids {
				email := fmt.Sprintf("ana%d@acme.test", i)
				r, err := s.Accept(t.Context(), galena.Intake{Lead: galena.Lead{
					Judgement: galena.Judgement{Verdict: galena.Accept, Email: email, Key: email, Host: "acme.test", Domain: "acme.test", Class: galena.Corporate},
					Status:    galena.StatusAccepted, Form: "demo", Source: "web",
				}})
				if err != nil {
					t.Fatal(err)
				}
				ids[i] = r.ID
			}
			if err := s.Exec(t.Context(), "UPDATE leads SET codes = 'broken' WHERE id = '"+ids[7]+"'"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i, id := range ids {
				all.Go(func() {
					m, ours, err := s.Start(t.Context(), galena.Step{Kind: galena.StepLead, ID: id, Epoch: 1, Run: 1})
					if !ours || (err != nil) != (i == 7) || err == nil && m.Lead.ID != id {
						t.Errorf("lead %d: ours %v, error %v, read %q", i, ours, err, m.Lead.ID)
					}
				})
			}
			all.Wait()
		})
	}
}

package sql_test

import (
	"sync"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A lead that cannot be read is ours all the same, so that its step can say why;
// those that were begun with it are read.
func TestALeadThatCannotBeReadKeepsNobody(t *testing.T) {
	t.Parallel()
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, time.Now)
			ids := make([]string, 20)
			for i := range ids {
				ids[i] = accepted(t, s, i)
			}
			if err := s.Exec(t.Context(), "UPDATE leads SET codes = 'broken' WHERE id = '"+ids[7]+"'"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i, id := range ids {
				all.Go(func() {
					m, tries, err := s.Start(t.Context(), galena.Step{Kind: galena.StepLead, ID: id, Epoch: 1, Run: 1})
					if tries != 1 || (err != nil) != (i == 7) || err == nil && m.Lead.ID != id {
						t.Errorf("lead %d: tries %d, error %v, read %q", i, tries, err, m.Lead.ID)
					}
				})
			}
			all.Wait()
		})
	}
}

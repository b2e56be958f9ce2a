package sql_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A stranger chooses the name of a form, and with whom he comes.
func TestAFormOfAnyNameChangesNobodyElse(t *testing.T) {
	t.Parallel()
	again := galena.Intake{RepeatWithin: time.Hour, Lead: lead(1)}
	forgotten := galena.Intake{RepeatWithin: time.Hour, Lead: lead(2), Forget: true}
	for name, open := range engines(t) {
		for what, beside := range map[string]galena.Intake{"a repeat": again, "one who is forgotten": forgotten} {
			for _, form := range []string{"demo\x00", "demo\xff\xff"} {
				t.Run(fmt.Sprintf("%s %s %q", name, what, form), func(t *testing.T) {
					t.Parallel()
					s := open(t, time.Now)
					if _, err := s.Accept(t.Context(), again); err != nil {
						t.Fatal(err)
					}
					odd := galena.Intake{RepeatWithin: time.Hour, Lead: lead(3)}
					odd.Lead.Form = form
					if _, err := s.AcceptTogether(t.Context(), beside, odd); err != nil {
						t.Fatal(err)
					}
					if got, err := s.Text(t.Context(), "SELECT count(*) FROM leads"); err != nil || got != "2" {
						t.Errorf("%s leads, %v, want 2: %s is none", got, err, what)
					}
				})
			}
		}
	}
}

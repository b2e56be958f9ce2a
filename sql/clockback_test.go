package sql_test

import (
	"testing"
	"time"

	"github.com/galenahq/galena/sql"
)

// A server's clock was an hour ahead for a while, and is put right: the jobs go on at
// once, not when the hour is over.
func TestJobsGoOnWhenTheServersClockWasAhead(t *testing.T) {
	t.Parallel()
	stores := map[string]*sql.Store{"sqlite": openSQLite(t, time.Now)}
	if s, _ := onPostgres(t); s != nil {
		stores["postgres"] = s
	}
	for name, s := range stores {
		if ours, _, err := s.ClaimJob(t.Context(), "sweep", "a", time.Second); !ours || err != nil {
			t.Fatal(name, ours, err)
		}
		if err := s.ReleaseJob(t.Context(), "sweep", "a"); err != nil {
			t.Fatal(name, err)
		}
		// As it had been written by the clock of then.
		if err := s.Exec(t.Context(), "UPDATE jobs SET tick = tick + 3600000000, ran_at = ran_at + 3600000000"); err != nil {
			t.Fatal(name, err)
		}
		ran := false
		for end := time.Now().Add(3 * time.Second); !ran && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			ours, _, err := s.ClaimJob(t.Context(), "sweep", "a", time.Second)
			if err != nil {
				t.Fatal(name, err)
			}
			ran = ours
		}
		if !ran {
			t.Errorf("%s: no sweep in three seconds, and none for an hour", name)
		}
	}
}

package sql_test

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Lines that are being given up, one after the other, keep nobody from keeping a new one.
func TestALineThatIsMadeBesideSilentOnesIsKept(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	var f freezer
	address := strings.Replace(schema(t, server), "pool_max_conns=8", "pool_max_conns=16", 1) // four for questions
	s := open(t, f.listen(t, address+"&statement_timeout=1s"), time.Now)
	ask := func() {
		if _, err := s.Spent(t.Context(), "2026-11-23"); err != nil {
			t.Error(err)
		}
	}
	for range 2 { // a line that is new, or was idle for a second, is asked first whether it is there
		tx, err := beside(t, address).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "LOCK TABLE budgets"); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 { // lines
			all.Go(ask)
		}
		time.Sleep(100 * time.Millisecond)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		all.Wait()
	}
	f.freeze()
	ask()
	n := f.lines.Load()
	for range 20 {
		ask()
	}
	if more := f.lines.Load() - n; more > 3 {
		t.Errorf("20 questions made %d lines, want that they share one", more)
	}
}

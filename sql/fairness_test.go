package sql_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/sql"
	"github.com/galenahq/galena/sql/sqltest"
)

// TestFairnessOnPostgres is the promise of fairness on the database that serves
// many workers at once. GALENA_FAIRNESS=full plays 6,000 leads, else 600.
func TestFairnessOnPostgres(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	leads := 600
	if os.Getenv("GALENA_FAIRNESS") == "full" {
		leads = 6000
	}
	sqltest.Fairness(t, func(t testing.TB, now func() time.Time) *sql.Store {
		t.Helper()
		return open(t, strings.Replace(schema(t, server), "pool_max_conns=8", "pool_max_conns=18", 1), now)
	}, leads)
}

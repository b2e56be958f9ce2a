package crm_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain tries every property on 10,000 cases, a hundred times what rapid does
// by itself: an invariant that a hundred cases do not break is a hope. With -short
// it is 1,000; -rapid.checks says otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	checks := "10000"
	if testing.Short() {
		checks = "1000"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(checks); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

package main

import (
	"slices"
	"testing"

	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
)

func TestTheCatalogueThatComesWithItNamesEveryVendor(t *testing.T) {
	t.Parallel()
	rules, err := rulesOf("")
	if err != nil {
		t.Fatal(err)
	}
	entries := rules.Providers.Providers
	for _, s := range registry.All() {
		i := slices.IndexFunc(entries, func(e providers.Entry) bool { return e.ID == s.Name })
		switch {
		case s.Name == "fixture", s.Name == "custom": // for what an operator brings
		case i < 0:
			t.Errorf("configs/providers.yaml does not name %s", s.Name)
		case s.Keyless != (entries[i].Enabled == "false"):
			t.Errorf("%s is enabled: %s, but only who wants no key waits to be switched on", s.Name, entries[i].Enabled)
		}
	}
}

package registry

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// notVendors are the folders beside ours that hold no vendor.
func notVendors() []string { return []string{"registry", "providertest", "testdata"} }

func TestEveryFolderIsRegistered(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var folders, registered []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notVendors(), e.Name()) {
			folders = append(folders, e.Name())
		}
	}
	for _, s := range All() {
		folder, _, _ := strings.Cut(s.Name, "-") // a vendor's further services share its folder
		registered = append(registered, folder)
	}
	slices.Sort(registered)
	registered = slices.Compact(registered)
	if !slices.Equal(folders, registered) {
		t.Errorf("folders %v, registered %v", folders, registered)
	}
}

package registry

import (
	"os"
	"slices"
	"testing"
)

// notVendors are the folders beside ours that hold no vendor.
func notVendors() []string { return []string{"registry", "providertest"} }

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
		registered = append(registered, s.Name)
	}
	slices.Sort(registered)
	if !slices.Equal(folders, registered) {
		t.Errorf("folders %v, registered %v", folders, registered)
	}
}

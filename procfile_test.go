package galena_test

import (
	"slices"
	"strings"
	"testing"
)

// A platform runs these lines as they stand, so a renamed command must not
// leave one behind.
func TestTheProcfileRunsCommandsThatExist(t *testing.T) {
	t.Parallel()
	known := commands(t)
	var names []string
	for line := range strings.Lines(readFile(t, "Procfile")) {
		name, command, ok := strings.Cut(strings.TrimSpace(line), ": ")
		words := strings.Fields(command)
		if !ok || len(words) < 2 || words[0] != "galena" {
			t.Errorf("line %q, want `name: galena command`", line)
			continue
		}
		names = append(names, name)
		if !slices.Contains(known, words[1]) {
			t.Errorf("%s runs galena %s, which is not among %v", name, words[1], known)
		}
	}
	if want := []string{"release", "web", "worker", "scheduler"}; !slices.Equal(names, want) {
		t.Errorf("processes %v, want %v", names, want)
	}
}

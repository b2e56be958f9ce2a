package galena_test

import (
	"os/exec"
	"strings"
	"testing"
)

// quiet runs what `go test -v` printed through the filter of make test.
func quiet(t *testing.T, verbose string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "awk", "-f", ".ci/quiet.awk")
	cmd.Stdin = strings.NewReader(verbose)
	out, err := cmd.Output()
	return string(out), err == nil
}

func TestMakeTestSaysWhatFailedAndRefusesSkips(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, verbose, want string
		passes              bool
	}{
		{"a pass is one line",
			"=== RUN   TestA\n    a_test.go:1: noise\n--- PASS: TestA (0.00s)\nPASS\nok  \tx/a\t0.1s\n?   \tx/b\t[no test files]\n",
			"ok  \tx/a\t0.1s\n?   \tx/b\t[no test files]\n", true},
		{"a failure says what it said, and only that",
			"=== RUN   TestA\n    a_test.go:1: noise\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n=== RUN   TestB/sub\n" +
				"    b_test.go:2: got 1\n        want 2\n--- FAIL: TestB (0.00s)\n    --- FAIL: TestB/sub (0.00s)\nFAIL\nFAIL\tx/a\t0.1s\nok  \tx/b\t0.1s\n",
			"--- FAIL: TestB (0.00s)\n    --- FAIL: TestB/sub (0.00s)\n    b_test.go:2: got 1\n        want 2\nFAIL\tx/a\t0.1s\nok  \tx/b\t0.1s\n", true},
		{"a test that never ended is named",
			"=== RUN   TestA\n    a_test.go:1: waiting\npanic: test timed out after 1s\nFAIL\tx/a\t1.0s\nok  \tx/b\t0.1s\n",
			"--- UNFINISHED: TestA\n    a_test.go:1: waiting\npanic: test timed out after 1s\nFAIL\tx/a\t1.0s\nok  \tx/b\t0.1s\n", true},
		{"a build that failed is shown at once",
			"# x/a\na.go:3: undefined: y\nFAIL\tx/a [build failed]\nok  \tx/b\t0.1s\n",
			"# x/a\na.go:3: undefined: y\nFAIL\tx/a [build failed]\nok  \tx/b\t0.1s\n", true},
		{"a skip fails the run",
			"=== RUN   TestA\n=== RUN   TestA/deep\n    a_test.go:1: no redis\n--- PASS: TestA (0.00s)\n    --- SKIP: TestA/deep (0.00s)\nPASS\nok  \tx/a\t0.1s\n",
			"ok  \tx/a\t0.1s\nskipped: TestA/deep (a_test.go:1: no redis)\n1 skipped: with the real parts at hand every test must run\n", false},
		{"nothing tested fails the run", "?   \tx/b\t[no test files]\n", "?   \tx/b\t[no test files]\nno package passed a test\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, passes := quiet(t, tc.verbose)
			if got != tc.want || passes != tc.passes {
				t.Errorf("passes %v, want %v; printed\n%s\nwant\n%s", passes, tc.passes, got, tc.want)
			}
		})
	}
}

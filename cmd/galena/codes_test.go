package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

// TestTheProgramTellsEachCode runs `galena check` on a folder per code: one
// finding, at its place, and the exit code that a build needs. W08 is left to
// the running program, which knows what was in force before.
func TestTheProgramTellsEachCode(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../../configs/testdata/codes/[EW]*")
	if err != nil || len(folders) < 30 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, dir := range folders {
		code := filepath.Base(dir)
		if code == "W08" {
			continue
		}
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join(dir, "want"))
			if err != nil {
				t.Fatal(err)
			}
			exit := map[byte]int{'E': exitNo, 'W': exitOK}[code[0]]
			text := checked(t, exit, "--configs", dir)
			if prefix := filepath.Join(dir, strings.TrimSpace(string(want))) + " "; !strings.HasPrefix(text, prefix) || strings.Count(text, "\n") != 1 {
				t.Errorf("printed %q, want one line that begins %q", text, prefix)
			}
			var f galena.Finding
			if err := json.Unmarshal([]byte(checked(t, exit, "--format", "json", "--configs", dir)), &f); err != nil {
				t.Fatal(err)
			}
			severity := map[byte]string{'E': galena.SeverityError, 'W': galena.SeverityWarning}[code[0]]
			if place := fmt.Sprintf("%s:%d:%d: %s\n", filepath.Base(f.Path), f.Line, f.Column, f.Code); place != string(want) || f.Severity != severity {
				t.Errorf("as JSON %+v, want %s", f, want)
			}
		})
	}
}

// checked runs `galena check` and demands its exit code.
func checked(t *testing.T, exit int, args ...string) string {
	t.Helper()
	cmd := exec.Command("galena", append([]string{"check"}, args...)...)
	cmd.Env = foreign(os.Environ())
	out, err := cmd.Output()
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	}
	if got != exit {
		t.Errorf("ended with %d, want %d", got, exit)
	}
	return string(out)
}

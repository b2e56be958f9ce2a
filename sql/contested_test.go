package sql

import (
	"strconv"
	"testing"
)

// A conflict is read anew when anything of its row has changed, and only then.
func TestAConflictIsReadOnceWhileItStands(t *testing.T) {
	t.Parallel()
	var c contested
	row := conflictRow{ID: "c1", Entity: "acme.test", Field: "company.name", Status: "open", UpdatedAt: 1,
		Candidates: `[{"source":"alpha"},{"source":"beta"}]`, Chosen: `{"source":"alpha"}`}
	first, err := c.dispute(row)
	if err != nil || len(first.Candidates) != 2 || first.Chosen.Source != "alpha" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := c.dispute(row); err != nil || &again.Candidates[0] != &first.Candidates[0] {
		t.Errorf("the next lead reads the same row again: %v", err)
	}
	for what, change := range map[string]func(*conflictRow){
		"candidates": func(r *conflictRow) { r.Candidates = `[{"source":"alpha"},{"source":"gamma"}]` },
		"chosen":     func(r *conflictRow) { r.Chosen = `{"source":"beta"}` },
		"status":     func(r *conflictRow) { r.Status = "resolved" },
		"time":       func(r *conflictRow) { r.UpdatedAt++ },
	} {
		was, err1 := c.dispute(row)
		other := row
		change(&other)
		now, err2 := c.dispute(other)
		if err1 != nil || err2 != nil || &now.Candidates[0] == &was.Candidates[0] {
			t.Errorf("another %s is not read: %v, %v", what, err1, err2)
		}
	}
	for i := range 2 * readMost {
		row.ID = strconv.Itoa(i)
		if _, err := c.dispute(row); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.read); n == 0 || n > readMost {
		t.Errorf("%d conflicts are kept, want no more than %d", n, readMost)
	}
}

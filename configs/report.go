package configs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Finding is one thing wrong in one file, at the place where it stands.
type Finding = galena.Finding

// finding places a fault.
func finding(path string, at position, f galena.Fault) Finding {
	severity := galena.SeverityError
	if strings.HasPrefix(f.Code, "W") {
		severity = galena.SeverityWarning
	}
	return Finding{Path: path, Line: at.line, Column: at.column, Code: f.Code, Severity: severity,
		Message: sentence(f), Hint: f.Hint}
}

// sentence puts the path before a message that speaks of "it": "must be from 1
// to 100" becomes "criteria[0].weight must be from 1 to 100".
func sentence(f galena.Fault) string {
	first, _, _ := strings.Cut(f.Message, " ")
	if f.Path != "" && slices.Contains([]string{"must", "is", "has", "needs", "may", "cannot"}, first) {
		return strings.TrimPrefix(f.Path, "spec.") + " " + f.Message
	}
	return f.Message
}

// Report is every finding of a set of files, in the order of path and place.
// It is the error of Load when it holds an error.
type Report []Finding

// Error prints one finding a line.
func (r Report) Error() string {
	lines := make([]string, len(r))
	for i, f := range r {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Failed says that at least one finding is an error, not a warning.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r, func(f Finding) bool { return f.Severity == galena.SeverityError })
}

func (r Report) sorted() Report {
	slices.SortFunc(r, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(r)
}

package galena

import (
	"fmt"
	"time"
)

// The severities of a finding.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
)

// Finding is one thing wrong in one configuration file, at the place where it
// stands.
type Finding struct {
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

// String prints "path:line:column: CODE message (hint)".
func (f Finding) String() string {
	hint := ""
	if f.Hint != "" {
		hint = " (" + f.Hint + ")"
	}
	return fmt.Sprintf("%s:%d:%d: %s %s%s", f.Path, f.Line, f.Column, f.Code, f.Message, hint)
}

// ConfigFile is one file in force and since when this process obeys it.
type ConfigFile struct {
	ConfigRef
	Path  string    `json:"path"`
	Since time.Time `json:"since"`
}

// ConfigState is what a process obeys and what it found in the files as they
// are now. A finding that is an error keeps all of them out of force.
type ConfigState struct {
	Files    []ConfigFile
	Findings []Finding
	LoadedAt time.Time // when the set in force came into force
}

// Errors counts the findings that keep the files out of force.
func (s ConfigState) Errors() int {
	n := 0
	for _, f := range s.Findings {
		if f.Severity == SeverityError {
			n++
		}
	}
	return n
}

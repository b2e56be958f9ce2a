package api

import (
	"context"
	"time"

	"github.com/galenahq/galena"
)

// Configs is which rules a process obeys.
type Configs struct {
	Files    []ConfigFile    `json:"files" nullable:"false" doc:"In force, one a kind"`
	LoadedAt time.Time       `json:"loaded_at" doc:"When this set came into force"`
	Errors   int             `json:"errors" doc:"Above 0 the files as they are now are not in force: those of before are"`
	Findings []ConfigFinding `json:"findings" nullable:"false" doc:"What is wrong with the files as they are now"`
}

// ConfigFile is one file in force.
type ConfigFile struct {
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Version int       `json:"version"`
	Hash    string    `json:"hash" doc:"SHA-256 of its bytes; decisions name it"`
	Path    string    `json:"path"`
	Since   time.Time `json:"since"`
}

// ConfigFinding is one thing wrong, at its place.
type ConfigFinding struct {
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Code     string `json:"code"`
	Severity string `json:"severity" enum:"error,warning"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

func (h *handlers) getConfigs(context.Context, *struct{}) (*struct{ Body Configs }, error) {
	var s galena.ConfigState
	if h.deps.Rules != nil {
		s = h.deps.Rules()
	}
	out := Configs{Files: []ConfigFile{}, LoadedAt: s.LoadedAt.UTC(), Errors: s.Errors(), Findings: []ConfigFinding{}}
	for _, f := range s.Files {
		out.Files = append(out.Files, ConfigFile{f.Kind, f.Name, f.Version, f.Hash, f.Path, f.Since.UTC()})
	}
	for _, f := range s.Findings {
		out.Findings = append(out.Findings, ConfigFinding(f))
	}
	return &struct{ Body Configs }{out}, nil
}

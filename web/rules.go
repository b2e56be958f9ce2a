package web

import (
	"fmt"
	"net/http"

	"github.com/galenahq/galena"
)

// ruleFile is one file in force.
type ruleFile struct {
	Kind, Name, Path, Hash, Short string
	Version                       int
	Since, SinceAt                string
}

// ruleFault is one finding.
type ruleFault struct{ Place, Code, Class, Message, Hint string }

// rulesView is the page of rules.
type rulesView struct {
	Errors   int
	Findings []ruleFault
	Files    []ruleFile
}

func (s *server) rules(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "rules", page{Title: "Rules", Nav: "rules", Body: rulesOf(s.Deps.Rules())})
}

// shortHash is how much of a hash tells editions apart at a glance.
const shortHash = 12

func rulesOf(c galena.ConfigState) rulesView {
	v := rulesView{Errors: c.Errors()}
	for _, f := range c.Findings {
		class := "breaker-open"
		if f.Severity != galena.SeverityError {
			class = "warn"
		}
		v.Findings = append(v.Findings, ruleFault{Place: fmt.Sprintf("%s:%d:%d", f.Path, f.Line, f.Column),
			Code: f.Code, Class: class, Message: f.Message, Hint: f.Hint})
	}
	for _, f := range c.Files {
		v.Files = append(v.Files, ruleFile{Kind: f.Kind, Name: f.Name, Path: f.Path, Hash: f.Hash,
			Short: f.Hash[:min(len(f.Hash), shortHash)], Version: f.Version,
			Since: moment(f.Since), SinceAt: stamp(f.Since)})
	}
	return v
}

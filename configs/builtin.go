package configs

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml
var builtinFiles embed.FS

//go:embed demo/*.yaml
var demoFiles embed.FS

// Builtin are the files in force where an operator gives none.
func Builtin() fs.FS { return builtinFiles }

// Demo are the files of the demo: a fictional vendor's profile, catalogue and
// routing, and leads.yaml, a scenario that plays them.
func Demo() fs.FS {
	sub, err := fs.Sub(demoFiles, "demo")
	if err != nil {
		return demoFiles // the name is a constant and valid
	}
	return sub
}

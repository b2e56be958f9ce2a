package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Help is shown by --help.
func (versionCmd) Help() string { return `Example: galena version` }

// Run prints the module's version, the commit where one is known, and Go's.
func (versionCmd) Run(std streams) error {
	version, commit, golang := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, golang = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	_, err := fmt.Fprintf(std.Out, "galena %s%s %s\n", version, commit, golang)
	return err
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers/registry"
)

type checkCmd struct {
	Files   []string `arg:"" optional:"" help:"Single files to lint." placeholder:"FILE"`
	Configs string   `help:"Folder to lint as it would be loaded; without it, the one of GALENA_CONFIG_DIR." placeholder:"DIR"`
	Format  string   `help:"text or json." enum:"text,json" default:"text"`
}

// Help is shown by --help.
func (checkCmd) Help() string {
	return `Example: galena check --configs ./configs
Example: galena check --format json icp.yaml routing.yaml

Ends with 3 when there is an error, with 0 when there are warnings only.`
}

// Run prints every finding of every file.
func (c checkCmd) Run(std streams) error {
	if c.Configs != "" && len(c.Files) > 0 {
		return usageError{fmt.Errorf("give either --configs or files, not both")}
	}
	if len(c.Files) == 0 {
		var err error
		if c.Configs, err = folder(c.Configs); err != nil {
			return err
		}
	}
	report := c.report()
	for _, f := range report {
		if c.Format == "text" {
			fmt.Fprintln(std.Out, f)
			continue
		}
		b, err := json.Marshal(f)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.Out, "%s\n", b)
	}
	if report.Failed() {
		return errNo
	}
	return nil
}

func (c checkCmd) report() configs.Report {
	o := configs.Options{Path: c.Configs, Specs: registry.All()}
	if len(c.Files) == 0 {
		if c.Configs == "" {
			return configs.Check(nil, o)
		}
		return configs.Check(os.DirFS(c.Configs), o)
	}
	var sources []configs.Source
	for _, f := range c.Files {
		sources = append(sources, configs.File(os.DirFS(filepath.Dir(f)), filepath.Base(f), f))
	}
	return configs.CheckFiles(sources, o)
}

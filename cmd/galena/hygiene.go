package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/providers/registry"
)

type hygieneCmd struct {
	File    string `help:"Addresses, one a line; standard input without it." placeholder:"FILE"`
	Configs string `help:"Folder of configuration files; without it, the one of GALENA_CONFIG_DIR." placeholder:"DIR"`
}

// Help is shown by --help.
func (hygieneCmd) Help() string {
	return `Example: echo 'ana@acme.com' | galena hygiene

Prints one JSON object per address. Lists decide; nothing is looked up.`
}

// hygieneLine is what is said of one address.
type hygieneLine struct {
	Email     string            `json:"email"`
	Verdict   galena.Verdict    `json:"verdict"`
	Codes     []string          `json:"codes"`
	Host      string            `json:"host"`
	Domain    string            `json:"domain"`
	Class     galena.EmailClass `json:"class"`
	Role      bool              `json:"role"`
	Spendable bool              `json:"spendable"`
}

// Run judges every line.
func (c hygieneCmd) Run(std streams) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	rules, err := rulesOf(cmp.Or(c.Configs, env.ConfigDir))
	if err != nil {
		return err
	}
	judge, err := judgeOf(rules, env)
	if err != nil {
		return err
	}
	in := std.In
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return usageError{err}
		}
		defer f.Close()
		in = f
	}
	return c.judge(judge, in, std.Out)
}

func (hygieneCmd) judge(judge *intake.Judge, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		email := lines.Text()
		j := judge.Judge(galena.Submission{Email: email}, intake.Known{})
		b, err := json.Marshal(hygieneLine{email, j.Verdict, j.Codes, j.Host, j.Domain, j.Class, j.Role, j.Spendable})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", b); err != nil {
			return err
		}
	}
	return lines.Err()
}

// folder is the one that was named, else the one that a start would read.
func folder(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	env, err := configs.ReadEnv()
	if err != nil {
		return "", usageError{err}
	}
	return env.ConfigDir, nil
}

// rulesOf loads a folder, or the built-in files when there is none.
func rulesOf(dir string) (configs.Rules, error) {
	o := configs.Options{Path: dir, Specs: registry.All()}
	if dir == "" {
		return configs.Load(nil, o)
	}
	return configs.Load(os.DirFS(dir), o)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/providers"
)

type listsCmd struct {
	Show   listsShowCmd   `cmd:"" default:"withargs" help:"Show the lists in force and their age."`
	Update listsUpdateCmd `cmd:"" help:"Compare a list with a newer edition, and take it."`
}

type listsShowCmd struct {
	Configs string `help:"Folder of configuration files; GALENA_CONFIG_DIR without it." placeholder:"DIR"`
	JSON    bool   `help:"Print a list of objects."`
}

// Help is shown by --help.
func (listsShowCmd) Help() string { return `Example: galena lists` }

// listLine is one list as it is printed.
type listLine struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Date    string `json:"date"`
	Entries int    `json:"entries"`
	Sum     string `json:"sha256"`
	Source  string `json:"source"`
	AgeDays int    `json:"age_days"`
	Stale   bool   `json:"stale"`
}

func lineOf(l intake.List, now time.Time) listLine {
	return listLine{l.Name, l.File, l.Date.Format(time.DateOnly), len(l.Entries), l.Sum, l.Source,
		max(0, int(now.Sub(l.Date).Hours()/24)), l.Stale(now)}
}

// Run shows the lists.
func (c listsShowCmd) Run(std streams) error {
	_, rules, err := c.rules()
	if err != nil {
		return err
	}
	lists, err := rules.Hygiene.InForce()
	if err != nil {
		return err
	}
	lines := make([]listLine, 0, len(lists))
	for _, l := range lists {
		lines = append(lines, lineOf(l, time.Now()))
	}
	if c.JSON {
		return json.NewEncoder(std.Out).Encode(lines)
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tDATE\tENTRIES\tSHA-256\tAGE\t")
	for _, l := range lines {
		stale := ""
		if l.Stale {
			stale = "stale"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%.12s\t%d d\t%s\n", l.Name, l.Date, l.Entries, l.Sum, l.AgeDays, stale)
	}
	return w.Flush()
}

func (c *listsShowCmd) rules() (configs.Env, configs.Rules, error) {
	env, err := configs.ReadEnv()
	if err != nil {
		return env, configs.Rules{}, usageError{err}
	}
	if c.Configs == "" {
		c.Configs = env.ConfigDir
	}
	rules, err := rulesOf(c.Configs)
	return env, rules, err
}

type listsUpdateCmd struct {
	listsShowCmd
	List    string `help:"disposable or freemail." enum:"disposable,freemail" default:"disposable"`
	From    string `help:"File or https address: one domain a line, or a JSON array." required:"" placeholder:"FILE|URL"`
	Licence string `help:"What the source says of its licence." default:"not stated"`
	Apply   bool   `help:"Write the list into the folder, where running processes find it."`
	Force   bool   `help:"Take it in spite of doubts."`
}

// Help is shown by --help.
func (listsUpdateCmd) Help() string {
	return `Example: galena lists update --from disposable.txt
Example: galena lists update --from https://lists.example/disposable.txt --apply

Ends with 0 when nothing differs or the list was written, with 3 when it differs
and was not.`
}

// listUpdate is what the command found and did.
type listUpdate struct {
	List    listLine         `json:"list"`
	Next    listLine         `json:"next"`
	Added   []string         `json:"added"`
	Removed []string         `json:"removed"`
	LeftOut []intake.LeftOut `json:"left_out,omitempty"`
	Doubts  []string         `json:"doubts,omitempty"`
	Written string           `json:"written,omitempty"`
}

// Run compares, and writes what it was told to.
func (c listsUpdateCmd) Run(ctx context.Context, std streams) error {
	env, rules, err := c.rules()
	if err != nil {
		return err
	}
	if c.Apply && c.Configs == "" {
		return usageError{fmt.Errorf("a list is written into a folder of yours: give --configs or GALENA_CONFIG_DIR")}
	}
	now, u, err := c.compare(ctx, env, rules)
	if err != nil {
		return err
	}
	out := listUpdate{List: lineOf(now, u.Next.Date), Next: lineOf(u.Next, u.Next.Date),
		Added: u.Added, Removed: u.Removed, LeftOut: u.LeftOut, Doubts: u.Doubts}
	differs := len(u.Added)+len(u.Removed) > 0
	if c.Apply && (len(u.Doubts) == 0 || c.Force) {
		if out.Written, err = writeList(c.Configs, u.Next); err != nil {
			return err
		}
	}
	if err := c.print(std.Out, out); err != nil {
		return err
	}
	if differs && out.Written == "" {
		return errNo
	}
	return nil
}

// compare holds the source against the list in force.
func (c listsUpdateCmd) compare(ctx context.Context, env configs.Env, rules configs.Rules) (now intake.List, u intake.Update, err error) {
	lists, err := rules.Hygiene.InForce()
	if err != nil {
		return now, u, err
	}
	for _, l := range lists {
		if l.Name == c.List {
			now = l
		}
	}
	judge, err := judgeOf(rules, env)
	if err != nil {
		return now, u, err
	}
	raw, source, err := c.read(ctx, env)
	if err != nil {
		return now, u, err
	}
	u, err = judge.Edition(now, raw, source, c.Licence, time.Now().UTC())
	return now, u, err
}

// fetchWait is how long a source may take.
const fetchWait = 30 * time.Second

// read reads the source, and says what it is called without what an address may
// hide: who asks, and with which key.
func (c listsUpdateCmd) read(ctx context.Context, env configs.Env) (raw []byte, source string, err error) {
	if !strings.Contains(c.From, "://") {
		raw, err = readFile(c.From, intake.MaxListBytes)
		return raw, filepath.Base(c.From), err
	}
	u, err := url.Parse(c.From)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, "", usageError{fmt.Errorf("--from must be a file or https://host/path")}
	}
	client, err := providers.NewClient(env.AllowPrivateTargets)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	raw, err = providers.GetFile(ctx, client, "lists.update", c.From, intake.MaxListBytes)
	return raw, u.Scheme + "://" + u.Host + u.EscapedPath(), err
}

func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return b, err
}

// writeList puts the file in its place in one step, so that no process reads
// half of it.
func writeList(dir string, l intake.List) (string, error) {
	f, err := os.CreateTemp(dir, "."+l.Name+"-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(l.Bytes())
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644) //nolint:gosec // a list is no secret, and the processes may be another user's
	}
	to := filepath.Join(dir, l.File)
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	return to, err
}

// firstLines is how much of a difference is shown to a person.
const firstLines = 10

func (c listsUpdateCmd) print(w io.Writer, u listUpdate) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(u)
	}
	fmt.Fprintf(w, "%s of %s: %d entries, then %d: %d added, %d removed\n", u.List.Name, u.List.Date, u.List.Entries, u.Next.Entries, len(u.Added), len(u.Removed))
	left := make([]string, 0, len(u.LeftOut))
	for _, l := range u.LeftOut {
		left = append(left, fmt.Sprintf("%q: %s", l.Line, l.Why))
	}
	for _, part := range []struct {
		mark  string
		lines []string
	}{{"+", u.Added}, {"-", u.Removed}, {"left out", left}, {"doubt:", u.Doubts}} {
		for _, l := range part.lines[:min(len(part.lines), firstLines)] {
			fmt.Fprintln(w, " ", part.mark, l)
		}
		if more := len(part.lines) - firstLines; more > 0 {
			fmt.Fprintf(w, "  %s … and %d more\n", part.mark, more)
		}
	}
	_, err := fmt.Fprintln(w, c.outcome(u))
	return err
}

func (c listsUpdateCmd) outcome(u listUpdate) string {
	switch {
	case u.Written != "":
		return "written to " + u.Written
	case len(u.Doubts) > 0 && !c.Force:
		return "refused: look at the doubts, then --force takes it all the same"
	case len(u.Added)+len(u.Removed) == 0:
		return "nothing differs"
	default:
		return "nothing is written without --apply"
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/sql"
)

type suppressCmd struct {
	Add    suppressAddCmd    `cmd:"" help:"Keep people and domains out from now on."`
	Remove suppressRemoveCmd `cmd:"" help:"Let them in again."`
	Check  suppressCheckCmd  `cmd:"" help:"Say who of them is kept out."`
	List   suppressListCmd   `cmd:"" help:"List when and why somebody was suppressed; not who."`
}

// suppressed is who a command is about. Arguments stay in a shell's history: a
// file or standard input does not.
type suppressed struct {
	Who  []string `arg:"" optional:"" help:"Addresses or domains; without any, one a line from --file or standard input."`
	File string   `help:"Read them from a file, one a line." placeholder:"PATH"`
	JSON bool     `help:"Print an object."`
}

// suppressedCount is what a command did, as programs read it.
type suppressedCount struct {
	Changed int `json:"changed"`
	Already int `json:"already"`
}

type suppressAddCmd struct {
	suppressed

	Reason string `help:"Why; kept as it is, so name nobody." default:"asked"`
}

// Help is shown by --help.
func (suppressAddCmd) Help() string {
	return `Example: galena suppress add --file opted-out.txt --reason "privacy request"

What is kept is a digest made with GALENA_SECRET_KEY, never the address. A lead of theirs is
answered like any other and forgotten at once; nobody is asked about a suppressed domain. Leads
that came before stay. The first reason is kept.`
}

// Run suppresses all of them or, when one cannot be read, none.
func (c suppressAddCmd) Run(ctx context.Context, std streams) error {
	return c.each(ctx, std, "suppress.add", "suppressed", func(store *sql.Store, digest []byte) (bool, error) {
		return store.Suppress(ctx, digest, c.Reason)
	})
}

type suppressRemoveCmd struct{ suppressed }

// Help is shown by --help.
func (suppressRemoveCmd) Help() string { return `Example: galena suppress remove ana@acme.com` }

// Run lets all of them in again or, when one cannot be read, none.
func (c suppressRemoveCmd) Run(ctx context.Context, std streams) error {
	return c.each(ctx, std, "suppress.remove", "let in again", func(store *sql.Store, digest []byte) (bool, error) {
		return store.Unsuppress(ctx, digest)
	})
}

// each changes what is kept of everybody, and leaves a line in the audit trail
// that says how many they were.
func (s suppressed) each(ctx context.Context, std streams, action, done string, change func(*sql.Store, []byte) (bool, error)) error {
	return s.with(ctx, std, func(store *sql.Store, all []who) error {
		var n suppressedCount
		for _, w := range all {
			changed, err := change(store, w.digest)
			if err != nil {
				return err
			}
			if changed {
				n.Changed++
			} else {
				n.Already++
			}
		}
		if n.Changed > 0 {
			if err := store.Audit(ctx, galena.AuditEntry{At: time.Now(), Actor: "cli", Action: action, Target: fmt.Sprint(n.Changed)}); err != nil {
				return err
			}
		}
		if s.JSON {
			return json.NewEncoder(std.Out).Encode(n)
		}
		_, err := fmt.Fprintf(std.Out, "%d %s, %d already\n", n.Changed, done, n.Already)
		return err
	})
}

type suppressCheckCmd struct{ suppressed }

// Help is shown by --help.
func (suppressCheckCmd) Help() string {
	return `Example: galena suppress check ana@acme.com

An address is kept out also by its domain. Ends with 3 when somebody is not kept out.`
}

// Run prints a verdict for each, in their order.
func (c suppressCheckCmd) Run(ctx context.Context, std streams) error {
	return c.with(ctx, std, func(store *sql.Store, all []who) error {
		free := false
		for _, w := range all {
			out, _, err := store.Recall(ctx, append([][]byte{w.digest}, w.domains...), "")
			if err != nil {
				return err
			}
			free = free || !out
			if err := printKept(std.Out, w.name, out, c.JSON); err != nil {
				return err
			}
		}
		if free {
			return errNo
		}
		return nil
	})
}

func printKept(w io.Writer, name string, out, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			Who        string `json:"who"`
			Suppressed bool   `json:"suppressed"`
		}{name, out})
	}
	verdict := "not suppressed"
	if out {
		verdict = "suppressed"
	}
	_, err := fmt.Fprintf(w, "%s  %s\n", name, verdict)
	return err
}

type suppressListCmd struct {
	JSON bool `help:"Print an object a line."`
}

// Help is shown by --help.
func (suppressListCmd) Help() string {
	return `Example: galena suppress list

Who it is cannot be read from a digest: ask galena suppress check.`
}

// Run prints them, oldest first.
func (c suppressListCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		all, err := store.Suppressions(ctx)
		if err != nil {
			return err
		}
		for _, s := range all {
			line := suppressionLine{s.Digest, s.Reason, s.At.UTC().Format(time.RFC3339)}
			if c.JSON {
				err = json.NewEncoder(std.Out).Encode(line)
			} else {
				_, err = fmt.Fprintf(std.Out, "%s  %.12s  %s\n", line.At, line.Digest, line.Reason)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// suppressionLine is one suppression as programs read it.
type suppressionLine struct {
	Digest string `json:"digest"`
	Reason string `json:"reason"`
	At     string `json:"at"`
}

// who is one that was named, and how they are kept.
type who struct {
	name    string
	digest  []byte
	domains [][]byte // of an address: what keeps everybody of its domain out
}

// with opens the store and reads who is meant.
func (s suppressed) with(ctx context.Context, std streams, do func(*sql.Store, []who) error) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	key, err := secretKey(env, newLog(env, std.Err))
	if err != nil {
		return usageError{err}
	}
	pepper, err := suppressionPepper(key)
	if err != nil {
		return err
	}
	all, err := s.read(std.In, pepper)
	if err != nil {
		return usageError{err}
	}
	return withStore(ctx, std, func(store *sql.Store) error { return do(store, all) })
}

// read takes everybody, or tells every line that cannot be one. It names the line
// and not who stands in it: what goes to standard error may be kept.
func (s suppressed) read(in io.Reader, pepper []byte) ([]who, error) {
	names := s.Who
	if len(names) > 0 && s.File != "" {
		return nil, errors.New("give them as arguments or in a file, not both")
	}
	if len(names) == 0 {
		var err error
		if names, err = s.lines(in); err != nil {
			return nil, err
		}
	}
	var all []who
	var faults []error
	for i, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		digests, err := intake.SuppressionHashes(pepper, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		all = append(all, who{name, digests[0], digests[1:]})
	}
	if len(all) == 0 && len(faults) == 0 {
		faults = append(faults, errors.New("nobody is named"))
	}
	return all, errors.Join(faults...)
}

func (s suppressed) lines(in io.Reader) (names []string, err error) {
	if s.File != "" {
		f, err := os.Open(s.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		names = append(names, lines.Text())
	}
	return names, lines.Err()
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

type conflictsCmd struct {
	List       conflictsListCmd `cmd:"" help:"List the fields in which a CRM holds another value than ours."`
	KeepTheirs keepTheirsCmd    `cmd:"" help:"Say that the CRM is right, as long as it holds what it holds now."`
	Ignore     ignoreCmd        `cmd:"" help:"Never report this field of this record again."`
}

type conflictsListCmd struct {
	CRM  string `help:"Of this CRM only." placeholder:"NAME"`
	All  bool   `help:"Also those that are resolved."`
	JSON bool   `help:"Print a list of objects."`
}

// Help is shown by --help.
func (conflictsListCmd) Help() string {
	return `Example: galena conflicts list --crm twenty

Theirs stands in the CRM. It exits with 3 when a conflict is open. What sources
say of a company among themselves is on the page Conflicts.`
}

// Run prints the conflicts, those seen last first.
func (c conflictsListCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		f := galena.CRMConflictFilter{CRM: c.CRM, Status: galena.ConflictOpen}
		if c.All {
			f.Status = ""
		}
		found, err := store.CRMConflicts(ctx, f)
		if err != nil {
			return err
		}
		if err := printConflicts(std, found, c.JSON); err != nil {
			return err
		}
		for _, k := range found {
			if k.Status == galena.ConflictOpen {
				return errNo
			}
		}
		return nil
	})
}

func printConflicts(std streams, found []galena.CRMConflict, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.Out).Encode(found)
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CONFLICT\tCRM\tRECORD\tFIELD\tTHEIRS\tOURS\tSAYS\tWHY THEIRS STANDS\tLAST SEEN\tSTATUS")
	for _, k := range found {
		status := string(k.Status)
		if k.Resolution != "" {
			status = string(k.Resolution) + " by " + k.ResolvedBy
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\t%s %.2f\t%s\t%s\t%s\n", k.ID, k.Record.CRM, k.Record.Object, k.Record.ID, k.Field,
			k.Theirs.Raw, k.Ours.Raw, k.Source, k.Confidence, k.Evidence, k.LastSeen.UTC().Format(time.RFC3339), status)
	}
	return w.Flush()
}

type keepTheirsCmd struct {
	Conflict string `arg:"" help:"Id of the conflict."`
	JSON     bool   `help:"Print an object."`
}

// Help is shown by --help.
func (keepTheirsCmd) Help() string {
	return `Example: galena conflicts keep-theirs 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f

The conflict opens again when the CRM holds another value than now.`
}

// Run closes the conflict in the CRM's favour.
func (c keepTheirsCmd) Run(ctx context.Context, std streams) error {
	return resolveCRM(ctx, std, c.Conflict, galena.KeepTheirs, c.JSON)
}

type ignoreCmd struct {
	Conflict string `arg:"" help:"Id of the conflict."`
	JSON     bool   `help:"Print an object."`
}

// Help is shown by --help.
func (ignoreCmd) Help() string {
	return `Example: galena conflicts ignore 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f`
}

// Run closes the conflict for good.
func (c ignoreCmd) Run(ctx context.Context, std streams) error {
	return resolveCRM(ctx, std, c.Conflict, galena.Ignore, c.JSON)
}

func resolveCRM(ctx context.Context, std streams, id string, word galena.CRMResolution, asJSON bool) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		k, err := store.ResolveCRMConflict(ctx, id, word, "cli")
		if galena.KindOf(err) == galena.NotFound {
			return fmt.Errorf("no conflict has the id %q", id)
		}
		if err != nil {
			return err
		}
		return printConflicts(std, []galena.CRMConflict{k}, asJSON)
	})
}

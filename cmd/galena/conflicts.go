package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/sql"
)

type conflictsCmd struct {
	List       conflictsListCmd `cmd:"" help:"List the fields in which a CRM holds another value than ours."`
	TakeOurs   takeOursCmd      `cmd:"" help:"Write our value into the CRM."`
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

type takeOursCmd struct {
	Conflict string `arg:"" help:"Id of the conflict."`
	JSON     bool   `help:"Print an object."`
}

// Help is shown by --help.
func (takeOursCmd) Help() string {
	return `Example: galena conflicts take-ours 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f

It is the only way in which a person's value is overwritten. It is done only
where the CRM still holds what the list showed, else nothing is written and it
exits with 3. galena runs revert undoes it.`
}

// Run writes our side and closes the conflict.
func (c takeOursCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		k, err := store.CRMConflict(ctx, c.Conflict)
		switch {
		case galena.KindOf(err) == galena.NotFound:
			return fmt.Errorf("no conflict has the id %q", c.Conflict)
		case err != nil:
			return err
		case k.Status != galena.ConflictOpen:
			return fmt.Errorf("the conflict is %s already, by %s", k.Status, k.ResolvedBy)
		}
		return withCRM(k.Record.CRM, func(t connector, _ configs.Env) error {
			return takeOurs(ctx, std, store, t, k, c.JSON)
		})
	})
}

func takeOurs(ctx context.Context, std streams, store *sql.Store, target crm.CRM, k galena.CRMConflict, asJSON bool) error {
	w := crm.Writer{CRM: target, Ledger: store, Now: time.Now}
	p, err := w.TakeOurs(ctx, "take-ours/"+k.ID+"/"+uuid.NewString(), k, "cli")
	if err != nil {
		return err
	}
	if len(p.Decisions) != 1 || p.Decisions[0].Outcome != crm.Write && p.Decisions[0].Outcome != crm.Same {
		if k, err = store.CRMConflict(ctx, k.ID); err == nil {
			err = errors.Join(printConflicts(std, []galena.CRMConflict{k}, asJSON), errNo)
		}
		return err
	}
	return resolveIn(ctx, std, store, k.ID, galena.TakeOurs, asJSON)
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
	return withStore(ctx, std, func(store *sql.Store) error { return resolveIn(ctx, std, store, id, word, asJSON) })
}

func resolveIn(ctx context.Context, std streams, store *sql.Store, id string, word galena.CRMResolution, asJSON bool) error {
	k, err := store.ResolveCRMConflict(ctx, id, word, "cli")
	if galena.KindOf(err) == galena.NotFound {
		return fmt.Errorf("no conflict has the id %q", id)
	}
	if err != nil {
		return err
	}
	return printConflicts(std, []galena.CRMConflict{k}, asJSON)
}

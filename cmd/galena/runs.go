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

type runsCmd struct {
	List   runsListCmd   `cmd:"" help:"List what was written to CRMs, the newest first."`
	Show   runsShowCmd   `cmd:"" help:"Show each field that a run wrote, with before and after."`
	Revert runsRevertCmd `cmd:"" help:"Put back what stood there before, where the CRM still holds what the run wrote."`
}

type runsListCmd struct {
	Limit int  `help:"How many." default:"50"`
	JSON  bool `help:"Print a list of objects."`
}

// Help is shown by --help.
func (runsListCmd) Help() string { return `Example: galena runs list --limit 20` }

// Run prints a line for each run that wrote something.
func (c runsListCmd) Run(ctx context.Context, std streams) error {
	if c.Limit < 1 {
		return usageError{fmt.Errorf("--limit must be at least 1, is %d", c.Limit)}
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		runs, err := store.CRMRuns(ctx, c.Limit)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(runs)
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "RUN\tCRM\tKIND\tAT\tLEAD\tRECORDS\tMADE\tFIELDS\tPUT BACK\tBY")
		for _, r := range runs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.ID, r.CRM, r.Kind, r.At.UTC().Format(time.RFC3339), r.LeadID,
				r.Records, r.Created, r.Fields, r.Reverted, r.By)
		}
		return w.Flush()
	})
}

type runsShowCmd struct {
	ID   string `arg:"" name:"run" help:"Id of the run."`
	JSON bool   `help:"Print a list of objects."`
}

// Help is shown by --help.
func (runsShowCmd) Help() string {
	return `Example: galena runs show 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f

A write in state sent is one whose answer never came: it is looked for at the
next run of that record.`
}

// Run prints what one run wrote, the latest first.
func (c runsShowCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		writes, err := writesOf(ctx, store, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(writes)
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "CRM\tRECORD\tFIELD\tBEFORE\tAFTER\tSOURCE\tSTATE")
		for _, x := range writes {
			fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s %.2f\t%s\n", x.Record.CRM, x.Record.Object, x.Record.ID, x.Field, x.Before.Raw,
				x.After.Raw, x.Source, x.Confidence, x.State)
		}
		return w.Flush()
	})
}

// writesOf is what one run wrote, the latest first.
func writesOf(ctx context.Context, store *sql.Store, run string) ([]galena.CRMWrite, error) {
	writes, err := store.CRMRun(ctx, run)
	if galena.KindOf(err) == galena.NotFound {
		return nil, fmt.Errorf("no run %q wrote anything", run)
	}
	return writes, err
}

type runsRevertCmd struct {
	ID   string `arg:"" name:"run" help:"Id of the run."`
	JSON bool   `help:"Print a list of objects."`
}

// Help is shown by --help.
func (runsRevertCmd) Help() string {
	return `Example: galena runs revert 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f

A field that holds something else by now is listed and left alone; then it exits
with 3. Records that the run made stay: delete them in the CRM.`
}

// Run undoes one run.
func (c runsRevertCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		writes, err := writesOf(ctx, store, c.ID)
		if err != nil {
			return err
		}
		return withCRM(writes[0].Record.CRM, func(t connector, _ configs.Env) error {
			return revert(ctx, std, store, t, c.ID, writes, c.JSON)
		})
	})
}

// revertedLine is one field that was put back, or was not.
type revertedLine struct {
	Object  crm.Object  `json:"object"`
	ID      string      `json:"id"`
	Field   crm.Field   `json:"field"`
	Outcome crm.Outcome `json:"outcome"`
	Now     any         `json:"now"`
	Before  any         `json:"before"`
	Reason  string      `json:"reason"`
}

func revert(ctx context.Context, std streams, store *sql.Store, target crm.CRM, id string, writes []galena.CRMWrite, asJSON bool) error {
	w := crm.Writer{CRM: target, Ledger: store, Now: time.Now}
	plans, err := w.Revert(ctx, "revert/"+id+"/"+uuid.NewString(), writes, "cli")
	lines, differs := []revertedLine{}, false
	for _, p := range plans {
		for _, d := range p.Decisions {
			lines = append(lines, revertedLine{p.Object, p.Key.ID, d.Field, d.Outcome, d.Theirs.Raw, d.Ours.Raw, d.Reason})
			differs = differs || d.Outcome != crm.Write && d.Outcome != crm.Same
		}
	}
	if err := errors.Join(printReverted(std, lines, asJSON), err); err != nil {
		return err
	}
	if differs {
		return errNo
	}
	return nil
}

func printReverted(std streams, lines []revertedLine, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.Out).Encode(lines)
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RECORD\tFIELD\tOUTCOME\tSTOOD THERE\tPUT BACK\tWHY")
	for _, l := range lines {
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%v\t%v\t%s\n", l.Object, l.ID, l.Field, l.Outcome, l.Now, l.Before, l.Reason)
	}
	return w.Flush()
}

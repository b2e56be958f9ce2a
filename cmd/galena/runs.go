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

type runsCmd struct {
	List runsListCmd `cmd:"" help:"List what was written to CRMs, the newest first."`
	Show runsShowCmd `cmd:"" help:"Show each field that a run wrote, with before and after."`
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
		writes, err := store.CRMRun(ctx, c.ID)
		if galena.KindOf(err) == galena.NotFound {
			return fmt.Errorf("no run %q wrote anything", c.ID)
		}
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

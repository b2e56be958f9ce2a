package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/scoring"
	"github.com/galenahq/galena/sql"
)

type explainCmd struct {
	Lead string `arg:"" help:"Id of the lead."`
}

// Help is shown by --help.
func (explainCmd) Help() string {
	return `Example: galena explain 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f`
}

// Run prints why the lead got its score and its rep, and who else was considered.
func (c explainCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		r, err := store.Record(ctx, c.Lead)
		if galena.KindOf(err) == galena.NotFound {
			return fmt.Errorf("no lead has the id %q", c.Lead)
		}
		if err != nil {
			return err
		}
		if r.Decision == nil {
			_, err = fmt.Fprintf(std.Out, "Not decided: the lead is %s (%s)\n", r.Lead.Status, r.Lead.Verdict)
			return err
		}
		explain(std.Out, r)
		return nil
	})
}

// explain tells of a decision and of what came after it.
func explain(w io.Writer, r galena.Record) {
	fmt.Fprint(w, scoring.Explain(*r.Decision))
	fmt.Fprintf(w, "\nGoes to %s by rule %s\n", r.Decision.To, r.Decision.Rule)
	for _, t := range r.Decision.Tries {
		fmt.Fprintf(w, "  %-8s %s\n", t.Result, t.Rule)
	}
	for _, k := range r.Decision.Candidates {
		fmt.Fprintf(w, "  %-20s %-14s %s\n", k.Rep, k.Pool, considered(k))
	}
	if len(r.Notices) > 0 {
		fmt.Fprintln(w, "\nSince then")
	}
	for _, n := range r.Notices {
		fmt.Fprintf(w, "  %s  %s\n", n.At.UTC().Format(time.RFC3339), n.Text)
	}
}

// considered says what became of a candidate.
func considered(k galena.Candidate) string {
	if !k.Eligible {
		return "not eligible: " + k.Why
	}
	return fmt.Sprintf("eligible, owed %.2f leads before and %.2f after", float64(k.Before)/1e6, float64(k.After)/1e6)
}

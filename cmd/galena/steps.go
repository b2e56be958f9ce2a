package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/sql"
)

type stepsCmd struct {
	List   stepsListCmd   `cmd:"" help:"List the work that was put aside, with its reason."`
	Replay stepsReplayCmd `cmd:"" help:"Run it again: one piece, or all that a filter finds."`
}

// stepsFilter selects work that was put aside.
type stepsFilter struct {
	Kind   string `help:"Such as lead:created, lead:complete or lead:deliver."`
	Reason string `help:"A kind of error (docs/errors.md), or killed: workers died on it."`
	Lead   string `help:"Only what belongs to this lead." placeholder:"ID"`
	Since  string `help:"Only what was put aside in this time, such as 7d or 12h." default:"never" placeholder:"7d"`
}

func (c stepsFilter) filter(now time.Time) (galena.FailedFilter, error) {
	f := galena.FailedFilter{Kind: c.Kind, Reason: c.Reason, LeadID: c.Lead, Limit: stepsPage}
	then, err := expiry(c.Since, now)
	if err != nil {
		return f, usageError{fmt.Errorf("--since must be such as 7d or 12h, is %q", c.Since)}
	}
	if !then.IsZero() {
		f.Since = now.Add(now.Sub(then))
	}
	return f, nil
}

// stepsPage is how many steps are read, or handed out, at a time.
const stepsPage = 1000

type stepsListCmd struct {
	stepsFilter
	JSON bool `help:"Print an object a line."`
}

// Help is shown by --help.
func (stepsListCmd) Help() string {
	return `Example: galena steps list --reason killed --since 7d

Newest first. Ends with 0 also when there is none.`
}

// failedLine is one step as programs read it.
type failedLine struct {
	Kind     string `json:"kind"`
	ID       string `json:"id"`
	Epoch    int    `json:"epoch"`
	LeadID   string `json:"lead_id"`
	Reason   string `json:"reason"`
	Note     string `json:"note"`
	Attempts int    `json:"attempts"`
	Kills    int    `json:"kills"`
	FailedAt string `json:"failed_at"`
}

// Run prints every step, however many there are.
func (c stepsListCmd) Run(ctx context.Context, std streams) error {
	f, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		return pages(ctx, store, f, func(page []galena.FailedStep) error {
			for _, s := range page {
				line := failedLine{s.Kind, s.ID, s.Epoch, s.LeadID, s.Reason, s.Note, s.Attempts, s.Kills, s.At.UTC().Format(time.RFC3339)}
				if !c.JSON {
					fmt.Fprintf(std.Out, "%s  %-15s %s  %s: %s\n", line.FailedAt, line.Kind, line.ID, line.Reason, line.Note)
					continue
				}
				if err := json.NewEncoder(std.Out).Encode(line); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

type stepsReplayCmd struct {
	ID string `arg:"" optional:"" help:"Of one step, as steps list shows it."`
	stepsFilter
	All  bool `help:"Everything that was put aside."`
	JSON bool `help:"Print an object."`
}

// Help is shown by --help.
func (stepsReplayCmd) Help() string {
	return `Example: galena steps replay 01931f3e-8f00-7000-8000-000000000001
Example: galena steps replay --kind lead:deliver --since 12h

Each step runs as if it had never been tried. What would kill its worker again
is put aside again.`
}

// Run hands the steps out.
func (c stepsReplayCmd) Run(ctx context.Context, std streams) error {
	now := time.Now()
	f, err := c.filter(now)
	if err != nil {
		return err
	}
	if f.ID = c.ID; c.All == (f != galena.FailedFilter{Limit: stepsPage}) {
		return usageError{errors.New("give the id of a step, a filter, or --all")}
	}
	n := 0
	err = withStore(ctx, std, func(store *sql.Store) error {
		return pages(ctx, store, f, func(page []galena.FailedStep) error {
			k, err := store.Replay(ctx, page, galena.AuditEntry{At: now, Actor: "cli", Action: "steps.replay", Target: c.ID,
				Detail: c.Kind + " " + c.Reason})
			n += k
			return err
		})
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(std.Out).Encode(map[string]int{"replayed": n})
	}
	fmt.Fprintln(std.Out, n, "run again")
	if n == 0 && c.ID != "" {
		return errNo
	}
	return nil
}

// pages reads what the filter finds, a page at a time. The cursor goes on by
// time, so a page may be replayed before the next is read, and what fails again
// meanwhile is not met twice.
func pages(ctx context.Context, store *sql.Store, f galena.FailedFilter, do func([]galena.FailedStep) error) error {
	for {
		page, err := store.FailedSteps(ctx, f)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := do(page); err != nil {
			return err
		}
		f.After = page[len(page)-1].Cursor
	}
}

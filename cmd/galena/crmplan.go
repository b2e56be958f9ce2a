package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/sql"
)

type crmPlanCmd struct {
	Leads []string `arg:"" optional:"" name:"lead" help:"Ids of decided leads."`
	List  string   `help:"File with an id a line; - is standard input." placeholder:"FILE"`
	JSON  bool     `help:"Print an object for each field, one a line."`
}

// Help is shown by --help.
func (crmPlanCmd) Help() string {
	return `Example: galena crm plan 0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f
Example: galena crm plan --list leads.txt --json

It goes the way of a delivery up to the write: the records are looked up, and each
field is decided. Ends with 3 when a person would have to choose.`
}

// plannedLine is one field of one record, as programs read it.
type plannedLine struct {
	Lead    string      `json:"lead"`
	Object  crm.Object  `json:"object"`
	ID      string      `json:"id"` // "" = the record would be made
	Field   crm.Field   `json:"field"`
	Outcome crm.Outcome `json:"outcome"`
	Old     any         `json:"old"`
	New     any         `json:"new"`
	Source  string      `json:"source"`
	Reason  string      `json:"reason"`
}

// Run plans each lead.
func (c crmPlanCmd) Run(ctx context.Context, std streams) error {
	leads, err := c.leads(std)
	if err != nil {
		return err
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		return withCRM("", func(t connector, env configs.Env) error {
			log := slog.New(slog.DiscardHandler)
			if env.LogLevel < slog.LevelInfo {
				log = newLog(env, std.Err)
			}
			s := newScribe(t, store, time.Now, func(galena.ProviderState) {}, nil, log)
			return c.plan(ctx, std, s, leads)
		})
	})
}

// leads are those of the command line, then those of the list.
func (c crmPlanCmd) leads(std streams) ([]string, error) {
	var list []byte
	var err error
	switch c.List {
	case "":
	case "-":
		list, err = io.ReadAll(std.In)
	default:
		list, err = os.ReadFile(c.List)
	}
	if err != nil {
		return nil, usageError{err}
	}
	leads := append(slices.Clone(c.Leads), strings.Fields(string(list))...)
	if len(leads) == 0 {
		return nil, usageError{errors.New("name a lead, or a --list of them")}
	}
	return leads, nil
}

func (c crmPlanCmd) plan(ctx context.Context, std streams, s *scribe, leads []string) error {
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, "LEAD\tRECORD\tFIELD\tOUTCOME\tOLD\tNEW\tSAYS\tWHY")
	}
	disputed := false
	for _, lead := range leads {
		plans, err := atOurPace(ctx, func() ([]crm.Plan, error) { return s.plan(ctx, lead) })
		if galena.KindOf(err) == galena.NotFound {
			err = fmt.Errorf("no lead has the id %q", lead)
		}
		if err != nil {
			return errors.Join(w.Flush(), err)
		}
		for _, p := range plans {
			disputed = disputed || p.Disputed()
			for _, line := range plannedLines(lead, p) {
				if err := line.print(w, std, c.JSON); err != nil {
					return err
				}
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if disputed {
		return errNo
	}
	return nil
}

// atOurPace waits for our own pace: whoever plans a list has the time.
func atOurPace(ctx context.Context, plan func() ([]crm.Plan, error)) ([]crm.Plan, error) {
	for {
		plans, err := plan()
		if galena.CauseOf(err) != galena.CausePace {
			return plans, err
		}
		select {
		case <-time.After(galena.RetryAfterOf(err)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func plannedLines(lead string, p crm.Plan) []plannedLine {
	var out []plannedLine
	id := ""
	if p.Record != nil {
		id = p.Record.ID
	}
	for _, d := range p.Decisions {
		out = append(out, plannedLine{lead, p.Object, id, d.Field, d.Outcome, d.Theirs.Raw, d.Ours.Raw, d.Source, d.Reason})
	}
	return out
}

func (l plannedLine) print(w *tabwriter.Writer, std streams, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.Out).Encode(l)
	}
	record := string(l.Object) + " " + l.ID
	if l.ID == "" {
		record = "new " + string(l.Object)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Lead, record, l.Field, l.Outcome, oldOrNew(l.Old), oldOrNew(l.New), l.Source, l.Reason)
	return nil
}

// oldOrNew is a value in one line; - is none.
func oldOrNew(v any) string {
	if v == nil || v == "" {
		return "-"
	}
	return cut(strings.ReplaceAll(fmt.Sprint(v), "\n", "; "), 50)
}

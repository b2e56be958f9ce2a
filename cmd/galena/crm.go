package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/providers"
)

type crmCmd struct {
	Check        crmCheckCmd        `cmd:"" help:"Ask whether the key may read and write. Writes nothing."`
	Discover     crmDiscoverCmd     `cmd:"" help:"Show where each of our fields stands in the CRM."`
	EnsureFields crmEnsureFieldsCmd `cmd:"" help:"Show which fields the CRM lacks for score, tier and reasons, and make them."`
}

// crmTarget is which CRM a command is about.
type crmTarget struct {
	CRM  string `arg:"" help:"The CRM: twenty." enum:"twenty"`
	JSON bool   `help:"Print JSON."`
}

type crmCheckCmd struct {
	crmTarget
}

// Help is shown by --help.
func (crmCheckCmd) Help() string {
	return `Example: galena crm check twenty

Needs GALENA_CRM_TWENTY_URL and GALENA_CRM_TWENTY_KEY, or …_KEY_FILE. Ends with 3 when the CRM refuses.`
}

// Run prints one finding.
func (c crmCheckCmd) Run(ctx context.Context, std streams) error {
	return c.with(func(t *twenty.CRM, _ configs.Env) error {
		f := finding{"crm", fine, t.Name() + " lets the key read and write companies and people", ""}
		if err := t.Check(ctx); err != nil {
			f = finding{"crm", wrong, oneLine(err), ""}
		}
		if err := f.print(std, c.JSON); err != nil {
			return err
		}
		if f.Verdict == wrong {
			return errNo
		}
		return nil
	})
}

type crmDiscoverCmd struct {
	crmTarget
}

// Help is shown by --help.
func (crmDiscoverCmd) Help() string { return `Example: galena crm discover twenty --json` }

// Run prints every field that the connector knows.
func (c crmDiscoverCmd) Run(ctx context.Context, std streams) error {
	return c.with(func(t *twenty.CRM, _ configs.Env) error {
		columns, err := t.Discover(ctx)
		if err != nil {
			return err
		}
		return printColumns(std, columns, c.JSON)
	})
}

type crmEnsureFieldsCmd struct {
	crmTarget
	DryRun bool `help:"Only show what would be made; so it is without --apply." xor:"how"`
	Apply  bool `help:"Make what is missing. The key's role must be allowed to change the data model." xor:"how"`
}

// Help is shown by --help.
func (crmEnsureFieldsCmd) Help() string {
	return `Example: galena crm ensure-fields --apply twenty

What is there is never changed. Ends with 3 while something is missing or does not fit.`
}

// Run prints the wanted fields, and makes those that are missing if asked to.
func (c crmEnsureFieldsCmd) Run(ctx context.Context, std streams) error {
	return c.with(func(t *twenty.CRM, env configs.Env) error {
		rules, err := rulesOf(env.ConfigDir)
		if err != nil {
			return err
		}
		columns, err := t.Schema(ctx, twenty.Wanted(tiers(rules)), c.Apply)
		if len(columns) > 0 {
			if err := printColumns(std, columns, c.JSON); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(columns, func(col twenty.Column) bool { return col.State != twenty.There && col.State != twenty.Created }) {
			return errNo
		}
		return nil
	})
}

// with makes the connector from the environment and closes its connections.
func (c crmTarget) with(do func(*twenty.CRM, configs.Env) error) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	client, err := providers.NewClient(env.AllowPrivateTargets)
	if err != nil {
		return usageError{err}
	}
	defer client.CloseIdleConnections()
	t, err := twentyOf(env.CRM(c.CRM), client)
	if err != nil {
		return usageError{err}
	}
	return do(t, env)
}

// twentySettings are what may follow GALENA_CRM_TWENTY_.
var twentySettings = []string{"URL", "KEY", "KEY_NAME", "APP_URL", "WEBHOOK_SECRET"}

// twentyOf makes the connector from its settings.
func twentyOf(settings map[string]configs.Secret, client *http.Client) (*twenty.CRM, error) {
	for name := range settings {
		if !slices.Contains(twentySettings, name) {
			return nil, galena.Errorf(galena.Invalid, "GALENA_CRM_TWENTY_"+name, "unknown setting (there are %s)", strings.Join(twentySettings, ", "))
		}
	}
	if !settings["URL"].Set() || !settings["KEY"].Set() {
		return nil, galena.Errorf(galena.Invalid, "crm", "set GALENA_CRM_TWENTY_URL and GALENA_CRM_TWENTY_KEY, or …_KEY_FILE")
	}
	return twenty.New(twenty.Config{URL: settings["URL"].Reveal(), App: settings["APP_URL"].Reveal(), Key: settings["KEY"].Reveal(),
		KeyName: settings["KEY_NAME"].Reveal()}, twenty.Deps{Client: client, Now: time.Now})
}

func printColumns(std streams, columns []twenty.Column, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.Out).Encode(columns)
	}
	w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OBJECT\tFIELD\tPLACE\tTYPE\tSTATE")
	for _, c := range columns {
		kind := c.Type
		if kind == "" {
			kind = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Object, c.Field, c.Place, kind, strings.ReplaceAll(string(c.State), "_", " "))
	}
	return w.Flush()
}

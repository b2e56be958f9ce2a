package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/redis"
)

type crmCmd struct {
	Check        crmCheckCmd        `cmd:"" help:"Ask whether the key may read and write. Writes nothing."`
	Discover     crmDiscoverCmd     `cmd:"" help:"Show where each of our fields stands in the CRM."`
	Plan         crmPlanCmd         `cmd:"" help:"Show what would be written for a lead, field by field, and write nothing."`
	EnsureFields crmEnsureFieldsCmd `cmd:"" help:"Show which fields the CRM lacks for score, tier and reasons, and make them."`
	Record       crmRecordCmd       `cmd:"" help:"Save one real exchange with the CRM as a fixture, without secrets and people."`
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

// with makes the connector and closes its connections.
func (c crmTarget) with(do func(*twenty.CRM, configs.Env) error) error {
	return withCRM(c.CRM, func(t connector, env configs.Env) error {
		workspace, ok := t.(*twenty.CRM)
		if !ok {
			return usageError{fmt.Errorf("%s is a CRM that its file describes: only Twenty shows its fields", c.CRM)}
		}
		return do(workspace, env)
	})
}

// withCRM makes the connector of a CRM as the files in force describe it, and
// closes its connections. It keeps to the pace of the workers where it can ask for it.
func withCRM(id string, do func(connector, configs.Env) error) error {
	return withCRMThrough(id, nil, do)
}

// withCRMThrough lets something stand between the connector and the network.
func withCRMThrough(id string, through func(next http.RoundTripper, env configs.Env, id string) http.RoundTripper, do func(connector, configs.Env) error) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	rules, err := rulesOf(env.ConfigDir)
	if err != nil {
		return err
	}
	described := rules.CRM
	switch {
	case described.Chosen() && (id == "" || id == described.ID):
	case id == twentyID: // needs no file to be looked at
		described = configs.CRM{ID: id, Kind: twentyID}
	case described.Chosen():
		return usageError{fmt.Errorf("no CRM is called %q, the one in force is %s", id, described.ID)}
	default:
		return usageError{errors.New("no CRM is configured: copy a file of configs/crm into GALENA_CONFIG_DIR")}
	}
	client, err := providers.NewClient(env.AllowPrivateTargets)
	if err != nil {
		return usageError{err}
	}
	defer client.CloseIdleConnections()
	own := *client
	if through != nil {
		own.Transport = through(client.Transport, env, described.ID)
	}
	w := wires{env: env, client: &own, now: time.Now}
	if env.RedisURL.Set() {
		shared, err := redis.Open(env.RedisURL.Reveal(), 1, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer shared.Close()
		w.limiter = redis.NewLimiter(shared)
	}
	t, err := w.connect(described)
	if err != nil {
		return usageError{err}
	}
	return do(t, env)
}

// twentyID is what Twenty is called where no file calls it otherwise.
const twentyID = "twenty"

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

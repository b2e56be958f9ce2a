package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/api"
	"github.com/galenahq/galena/configs"
)

type enrichCmd struct {
	Domain   string   `arg:"" help:"Any domain of the company."`
	Fresh    bool     `help:"Ask also those whose answer is held."`
	MaxCents *float64 `help:"What it may cost, instead of what one lead may." placeholder:"N"`
	JSON     bool     `help:"Print an object at the end."`
}

// Help is shown by --help.
func (enrichCmd) Help() string {
	return `Example: galena enrich acme.com --max-cents 5

Asks as for a lead of the company of whom nothing is known: until no fact of the
company can change a decision, or money or providers end it. What is learnt is kept.
Ends with 3 when nobody knows the company.`
}

// Run enriches one company, and tells each step as it happens.
func (c enrichCmd) Run(ctx context.Context, std streams) error {
	app, done, err := openShop(ctx, std)
	if err != nil {
		return err
	}
	defer done()
	o, err := c.order(app)
	if err != nil {
		return usageError{err}
	}
	if !c.JSON {
		steps := 0
		o.Told = func(call galena.Call) {
			steps++
			fmt.Fprintf(std.Out, "%2d  %s\n", steps, stepLine(call))
		}
	}
	e, err := app.lookup().Enrich(ctx, o)
	if galena.KindOf(err) == galena.Invalid {
		return usageError{fmt.Errorf("%s: %w", c.Domain, err)}
	}
	if err != nil {
		return err
	}
	view := api.ViewEnrichment(e, app.now(), app.book.ttl)
	if c.JSON {
		err = json.NewEncoder(std.Out).Encode(view)
	} else {
		err = printEnrichment(std.Out, view)
	}
	if err == nil && len(view.Fields) <= 1 { // its domain is all there is
		return errNo
	}
	return err
}

// openShop wires what it takes to ask vendors, and nothing that serves or works.
func openShop(ctx context.Context, std streams) (app *App, done func(), err error) {
	env, err := configs.ReadEnv()
	if err != nil {
		return nil, nil, usageError{err}
	}
	log := newLog(env, std.Err)
	s := settings{env: env, roles: roles{worker: true}, log: log, now: time.Now, follows: true}
	if s.rules, err = loadRules(env, log); err != nil {
		return nil, nil, err
	}
	if s.key, err = secretKey(env, log); err != nil {
		return nil, nil, usageError{err}
	}
	if !env.DatabaseURL.Set() {
		if err := migrate(ctx, env, log); err != nil {
			return nil, nil, err
		}
	}
	app = &App{settings: s, reg: prometheus.NewRegistry()}
	for _, open := range []func(context.Context) error{app.open, app.derive, app.wireRules, app.adopt} {
		if err := open(ctx); err != nil {
			app.close()
			return nil, nil, err
		}
	}
	return app, app.close, nil
}

func (c enrichCmd) order(app *App) (o galena.EnrichOrder, err error) {
	if o.Domain, err = app.book.current().judge.CompanyDomain(c.Domain); err != nil {
		return o, fmt.Errorf("%s: %w", c.Domain, err)
	}
	o.UseCache, o.LimitMicros, o.Patient = galena.CacheIfPresent, -1, true
	if c.Fresh {
		o.UseCache = galena.CacheNever
	}
	if n := c.MaxCents; n != nil {
		if !(*n >= 0 && *n <= 1e6) {
			return o, fmt.Errorf("--max-cents must be from 0 to 1000000")
		}
		o.LimitMicros = int64(math.Round(*n * 10_000))
	}
	return o, nil
}

// stepLine is one step: who, outcome, price and time, what it added and why it
// was asked.
func stepLine(c galena.Call) string {
	added := make([]string, len(c.Added))
	for i, f := range c.Added {
		added[i] = strings.TrimPrefix(f, "company.")
	}
	slices.Sort(added)
	what := "adds " + strings.Join(added, ", ")
	switch {
	case len(added) == 0:
		what = "adds nothing"
	case strings.HasPrefix(c.Outcome, "error:"):
		what = "what it said before counts: " + strings.Join(added, ", ")
	}
	return fmt.Sprintf("%-18s %-20s %6.2f cents %6d ms  %s\n    asked for: %s", c.Provider, c.Outcome, c.Cents, c.MS, what, c.Why)
}

// stopWords say why no more was bought for a company.
var stopWords = map[galena.Stop]string{
	galena.StopDisqualified: "the company is disqualified, whoever asks",
	galena.StopSettled:      "no fact of the company can change a decision any more",
	galena.StopExhausted:    "nobody is left to ask",
	galena.StopDegraded:     "providers failed or are away, nobody else is left to ask",
	galena.StopBudget:       "the next answer would cost more than is left",
	galena.StopDeadline:     "the time was up",
}

func printEnrichment(w io.Writer, e api.Enrichment) error {
	fmt.Fprintf(w, "Stopped: %s (%s)\n", e.Stop, stopWords[e.Stop])
	calls := "calls"
	if len(e.Steps) == 1 {
		calls = "call"
	}
	fmt.Fprintf(w, "Spent %.2f of %.2f cents in %d %s\n", e.Cents, e.LimitCents, len(e.Steps), calls)
	for _, l := range []struct {
		words string
		names []string
	}{{"Still unknown", e.Open}, {"Not answered by", e.Away}} {
		if len(l.names) > 0 {
			fmt.Fprintf(w, "%s: %s\n", l.words, strings.ReplaceAll(strings.Join(l.names, ", "), "company.", ""))
		}
	}
	fmt.Fprintf(w, "\n%s\n", e.Domain)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIELD\tVALUE\tSOURCE\tAGE\tCONFIDENCE")
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		f := e.Fields[name]
		age := "-"
		if f.AgeDays != nil {
			age = fmt.Sprintf("%d d", *f.AgeDays)
		}
		if f.Freshness != galena.Fresh {
			age += " " + string(f.Freshness)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.2f\n", name, shown(f), f.Source, age, f.Confidence)
	}
	return t.Flush()
}

// shown is a value as a terminal may print it: vendors wrote it.
func shown(f api.CompanyFact) string {
	text := fmt.Sprint(f.Value)
	if list, ok := f.Value.([]string); ok {
		text = strings.Join(list, ", ")
	}
	if f.State == galena.Absent {
		text = "none"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

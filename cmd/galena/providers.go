package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

type providersCmd struct {
	JSON bool `help:"Print a list of objects."`
}

// Help is shown by --help.
func (providersCmd) Help() string { return `Example: galena providers --json` }

// providerLine is one provider; docs/providers.md says what the figures mean. One
// that nobody has measured is null.
type providerLine struct {
	ID           string     `json:"id"`
	Adapter      string     `json:"adapter"`
	Enabled      bool       `json:"enabled"`
	KeyPresent   bool       `json:"key_present"`
	BaseURL      string     `json:"base_url"`
	Breaker      string     `json:"breaker"`
	PausedUntil  *time.Time `json:"paused_until"`
	PauseReason  *string    `json:"pause_reason"`
	BudgetLeft   *float64   `json:"budget_left_cents"`
	Calls24h     int        `json:"calls_24h"`
	HitRate      *float64   `json:"hit_rate"`
	P95          *int64     `json:"p95_ms"`
	CentsPerFact *float64   `json:"cents_per_useful_field"`
}

// Run prints the catalogue with the state that workers published.
func (c providersCmd) Run(ctx context.Context, std streams) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	rules, err := rulesOf(env.ConfigDir)
	if err != nil {
		return err
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		states, err := store.ProviderStates(ctx)
		if err != nil {
			return err
		}
		scores, err := store.Scorecard(ctx, time.Now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		spent, err := store.Spent(ctx, galena.DayOf(time.Now()))
		if err != nil {
			return err
		}
		catalogue := catalogueOf(rules, env)
		lines := []providerLine{}
		for _, l := range catalogue.Providers {
			line := providerLineOf(l, states, scores)
			if left, bounded := catalogue.Left(l.ID, spent); bounded {
				line.BudgetLeft = &left
			}
			lines = append(lines, line)
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(lines)
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "PROVIDER\tADAPTER\tENABLED\tKEY\tBREAKER\tCALLS 24H\tHIT RATE\tP95 MS\tCENTS/USEFUL FIELD\tBUDGET LEFT\tPAUSED UNTIL")
		for _, l := range lines {
			paused := "-"
			if l.PausedUntil != nil {
				paused = l.PausedUntil.UTC().Format(time.RFC3339) + " (" + *l.PauseReason + ")"
			}
			fmt.Fprintf(w, "%s\t%s\t%t\t%t\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Adapter, l.Enabled, l.KeyPresent, l.Breaker, l.Calls24h,
				orDash("%.2f", l.HitRate), orDash("%d", l.P95), orDash("%.2f", l.CentsPerFact), orDash("%.2f", l.BudgetLeft), paused)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		return printRegret(ctx, std, store)
	})
}

// printRegret says how often stopping early was wrong, once there is something
// to say.
func printRegret(ctx context.Context, std streams, store *sql.Store) error {
	r, err := store.Regret(ctx)
	if err != nil || r.Audits == 0 {
		return err
	}
	low, high := r.Interval()
	_, err = fmt.Fprintf(std.Out, "\nStopped too early in %d of %d audited decisions: %.1f %% (between %.1f and %.1f %%)\n",
		r.Changed, r.Audits, 100*r.Share(), 100*low, 100*high)
	return err
}

// orDash prints a figure, if there is one.
func orDash[T any](format string, figure *T) string {
	if figure == nil {
		return "-"
	}
	return fmt.Sprintf(format, *figure)
}

func providerLineOf(e galena.Listed, states []galena.ProviderState, scores []galena.Scores) providerLine {
	l := providerLine{ID: e.ID, Adapter: e.Adapter, Enabled: e.On, KeyPresent: e.KeyPresent, BaseURL: e.BaseURL, Breaker: "unknown"}
	for _, s := range states {
		if s.Provider != e.ID {
			continue
		}
		l.Breaker = s.Breaker
		if s.PausedUntil.After(time.Now()) {
			reason := string(s.PauseReason)
			l.PausedUntil, l.PauseReason = &s.PausedUntil, &reason
		}
	}
	for _, s := range scores {
		if s.Provider != e.ID {
			continue
		}
		p95 := s.P95.Milliseconds()
		l.Calls24h, l.P95 = s.Calls, &p95
		if rate, ok := s.HitRate(); ok {
			l.HitRate = &rate
		}
		if cents, ok := s.CentsPerUseful(); ok {
			l.CentsPerFact = &cents
		}
	}
	return l
}

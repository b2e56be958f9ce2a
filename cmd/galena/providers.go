package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/sql"
)

type providersCmd struct {
	Credits bool `help:"Ask the vendors that tell for free how many credits are left."`
	JSON    bool `help:"Print a list of objects."`
}

// Help is shown by --help.
func (providersCmd) Help() string {
	return `Example: galena providers --json

Calls nobody, unless --credits asks for it: Hunter tells what is left, and does not charge for it.`
}

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
	*creditLine             // nil = nobody asked
}

// creditLine is what a vendor says of its account. All is null of one that does
// not tell for free.
type creditLine struct {
	Left     *int64  `json:"credits_left"`
	RenewsOn *string `json:"credits_renew_on"`
	Failed   *string `json:"credits_error"`
}

// String is the column of the table.
func (c *creditLine) String() string {
	switch {
	case c.Failed != nil:
		return "? (" + *c.Failed + ")"
	case c.Left == nil:
		return "-"
	case c.RenewsOn != nil:
		return fmt.Sprintf("%d, new ones on %s", *c.Left, *c.RenewsOn)
	default:
		return fmt.Sprint(*c.Left)
	}
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
		lines := c.lines(catalogueOf(rules, env), states, scores, spent)
		if c.Credits {
			if err := addCredits(ctx, lines, env, rules.Providers); err != nil {
				return err
			}
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(lines)
		}
		if err := c.print(std.Out, lines); err != nil {
			return err
		}
		return printRegret(ctx, std, store)
	})
}

func (providersCmd) lines(c galena.Catalogue, states []galena.ProviderState, scores []galena.Scores, spent map[string]int64) []providerLine {
	lines := []providerLine{}
	for _, l := range c.Providers {
		line := providerLineOf(l, states, scores)
		if left, bounded := c.Left(l.ID, spent); bounded {
			line.BudgetLeft = &left
		}
		lines = append(lines, line)
	}
	return lines
}

// addCredits asks those who tell. One that fails is no reason to hide the others.
func addCredits(ctx context.Context, lines []providerLine, env configs.Env, c providers.Config) error {
	told, err := accounts(ctx, env, c)
	if err != nil {
		return err
	}
	for i := range lines {
		lines[i].creditLine = &creditLine{}
		for _, t := range told {
			if t.Provider != lines[i].ID {
				continue
			}
			lines[i].Left = t.Account.CreditsLeft
			if at := t.Account.RenewsAt; !at.IsZero() {
				day := at.Format(time.DateOnly)
				lines[i].RenewsOn = &day
			}
			if t.Err != nil {
				kind := string(galena.KindOf(t.Err))
				lines[i].Failed = &kind
			}
		}
	}
	return nil
}

func (c providersCmd) print(out io.Writer, lines []providerLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "PROVIDER\tADAPTER\tENABLED\tKEY\tBREAKER\tCALLS 24H\tHIT RATE\tP95 MS\tCENTS/USEFUL FIELD\tBUDGET LEFT\tPAUSED UNTIL")
	if c.Credits {
		fmt.Fprint(w, "\tCREDITS LEFT")
	}
	fmt.Fprintln(w)
	for _, l := range lines {
		paused := "-"
		if l.PausedUntil != nil {
			paused = l.PausedUntil.UTC().Format(time.RFC3339) + " (" + *l.PauseReason + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%t\t%t\t%s\t%d\t%s\t%s\t%s\t%s\t%s", l.ID, l.Adapter, l.Enabled, l.KeyPresent, l.Breaker, l.Calls24h,
			orDash("%.2f", l.HitRate), orDash("%d", l.P95), orDash("%.2f", l.CentsPerFact), orDash("%.2f", l.BudgetLeft), paused)
		if l.creditLine != nil {
			fmt.Fprintf(w, "\t%s", l.creditLine)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
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

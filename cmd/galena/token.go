package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/api"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/sql"
)

type tokenCmd struct {
	Create     tokenCreateCmd     `cmd:"" help:"Make a token and print it once."`
	List       tokenListCmd       `cmd:"" help:"List tokens; their values are kept nowhere."`
	Regenerate tokenRegenerateCmd `cmd:"" help:"Replace a token: the old value ends at once."`
	Revoke     tokenRevokeCmd     `cmd:"" help:"End a token at once."`
}

type tokenCreateCmd struct {
	Description string   `required:"" help:"What the token is for."`
	Group       string   `help:"forms, integration, ops or admin."`
	Scopes      []string `help:"Single scopes instead of a group." placeholder:"a,b"`
	Expires     string   `help:"How long it lives, such as 90d or 12h, or never." default:"90d"`
	JSON        bool     `help:"Print an object instead of the bare token."`
}

// Help is shown by --help.
func (tokenCreateCmd) Help() string {
	return `Example: galena token create --description "website forms" --group forms
Example: galena token create --description "CRM sync" --scopes leads:read,ops:read --expires 30d --json`
}

// Run makes a token.
func (c tokenCreateCmd) Run(ctx context.Context, std streams) error {
	scopes, err := c.scopes()
	if err != nil {
		return usageError{err}
	}
	now := time.Now()
	expires, err := expiry(c.Expires, now)
	if err != nil {
		return usageError{err}
	}
	if strings.TrimSpace(c.Description) == "" {
		return usageError{errors.New("--description must say what the token is for")}
	}
	return withStore(ctx, std, func(store *sql.Store) error {
		value, t := api.NewToken(api.PrefixLive, now, expires)
		t.Description, t.Group, t.Scopes, t.CreatedBy = c.Description, c.Group, scopes, "cli"
		if err := store.CreateToken(ctx, t); err != nil {
			return err
		}
		if err := audit(ctx, store, "token.create", t.ID); err != nil {
			return err
		}
		return printToken(std, value, t, c.JSON)
	})
}

// scopes resolves exactly one of group and scopes.
func (c tokenCreateCmd) scopes() ([]string, error) {
	if (c.Group == "") == (len(c.Scopes) == 0) {
		return nil, errors.New("give exactly one of --group and --scopes")
	}
	if c.Group != "" {
		scopes, ok := galena.GroupScopes()[c.Group]
		if !ok {
			return nil, fmt.Errorf("unknown group %q, must be forms, integration, ops or admin", c.Group)
		}
		return scopes, nil
	}
	for _, s := range c.Scopes {
		if !slices.Contains(galena.Scopes(), s) {
			return nil, fmt.Errorf("unknown scope %q, must be one of %s", s, strings.Join(galena.Scopes(), ", "))
		}
	}
	return c.Scopes, nil
}

// expiry reads "90d", "12h" or "never".
func expiry(s string, now time.Time) (time.Time, error) {
	if s == "never" {
		return time.Time{}, nil
	}
	age, err := galena.ParseAge(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("--expires %w, or never", err)
	}
	return now.Add(age), nil
}

// tokenLine is a token as programs read it.
type tokenLine struct {
	ID          string   `json:"id"`
	Token       string   `json:"token,omitempty"`
	Description string   `json:"description"`
	Scopes      []string `json:"scopes"`
	ExpiresAt   *string  `json:"expires_at"`
}

func printToken(std streams, value string, t galena.Token, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintln(std.Out, value)
		return err
	}
	line := tokenLine{ID: t.ID, Token: value, Description: t.Description, Scopes: t.Scopes}
	if !t.ExpiresAt.IsZero() {
		at := t.ExpiresAt.UTC().Format(time.RFC3339)
		line.ExpiresAt = &at
	}
	return json.NewEncoder(std.Out).Encode(line)
}

type tokenListCmd struct {
	JSON bool `help:"Print a list of objects."`
}

// Help is shown by --help.
func (tokenListCmd) Help() string { return `Example: galena token list` }

// Run lists the tokens.
func (c tokenListCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		tokens, err := store.Tokens(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			lines := make([]tokenState, 0, len(tokens))
			for _, t := range tokens {
				lines = append(lines, stateOf(t))
			}
			return json.NewEncoder(std.Out).Encode(lines)
		}
		w := tabwriter.NewWriter(std.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tTOKEN\tDESCRIPTION\tSCOPES\tEXPIRES\tLAST USED\tSTATE")
		for _, t := range tokens {
			s := stateOf(t)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Token, s.Description, strings.Join(s.Scopes, ","), s.ExpiresAt, s.LastUsedAt, s.State)
		}
		return w.Flush()
	})
}

// tokenState is one line of the list.
type tokenState struct {
	ID          string   `json:"id"`
	Token       string   `json:"token"` // prefix and last four only
	Description string   `json:"description"`
	Scopes      []string `json:"scopes"`
	ExpiresAt   string   `json:"expires_at"`
	LastUsedAt  string   `json:"last_used_at"`
	State       string   `json:"state"`
}

func stateOf(t galena.Token) tokenState {
	s := tokenState{ID: t.ID, Token: t.Prefix + "…" + t.Last4, Description: t.Description, Scopes: t.Scopes,
		ExpiresAt: orWord(t.ExpiresAt, "never"), LastUsedAt: orWord(t.LastUsedAt, "never"), State: "valid"}
	switch {
	case !t.RevokedAt.IsZero():
		s.State = "revoked"
	case !t.ExpiresAt.IsZero() && time.Now().After(t.ExpiresAt):
		s.State = "expired"
	}
	return s
}

func orWord(t time.Time, word string) string {
	if t.IsZero() {
		return word
	}
	return t.UTC().Format(time.RFC3339)
}

type tokenRegenerateCmd struct {
	ID   string `arg:"" help:"Id of the token."`
	JSON bool   `help:"Print an object instead of the bare token."`
}

// Help is shown by --help.
func (tokenRegenerateCmd) Help() string { return `Example: galena token regenerate 0197a8c2-…` }

// Run makes a token like the old one, with a life as long, and revokes the old one.
func (c tokenRegenerateCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		old, err := findToken(ctx, store, c.ID)
		if err != nil {
			return err
		}
		now, expires := time.Now(), time.Time{}
		if !old.ExpiresAt.IsZero() {
			expires = now.Add(max(old.ExpiresAt.Sub(old.CreatedAt), time.Hour))
		}
		value, t := api.NewToken(old.Prefix, now, expires)
		t.Description, t.Group, t.Scopes, t.CreatedBy = old.Description, old.Group, old.Scopes, "cli"
		// The old one ends first: between the two there is none rather than both.
		if err := store.RevokeToken(ctx, old.ID); err != nil {
			return err
		}
		if err := store.CreateToken(ctx, t); err != nil {
			return err
		}
		if err := audit(ctx, store, "token.regenerate", old.ID); err != nil {
			return err
		}
		return printToken(std, value, t, c.JSON)
	})
}

type tokenRevokeCmd struct {
	ID string `arg:"" help:"Id of the token."`
}

// Help is shown by --help.
func (tokenRevokeCmd) Help() string { return `Example: galena token revoke 0197a8c2-…` }

// Run ends a token.
func (c tokenRevokeCmd) Run(ctx context.Context, std streams) error {
	return withStore(ctx, std, func(store *sql.Store) error {
		t, err := findToken(ctx, store, c.ID)
		if err != nil {
			return err
		}
		if err := store.RevokeToken(ctx, t.ID); err != nil {
			return err
		}
		return audit(ctx, store, "token.revoke", t.ID)
	})
}

func findToken(ctx context.Context, store *sql.Store, id string) (galena.Token, error) {
	tokens, err := store.Tokens(ctx)
	if err != nil {
		return galena.Token{}, err
	}
	i := slices.IndexFunc(tokens, func(t galena.Token) bool { return t.ID == id })
	if i < 0 {
		return galena.Token{}, fmt.Errorf("no token has the id %q: galena token list", id)
	}
	return tokens[i], nil
}

func audit(ctx context.Context, store *sql.Store, action, target string) error {
	return store.Audit(ctx, galena.AuditEntry{At: time.Now(), Actor: "cli", Action: action, Target: target})
}

// withStore opens the store for one command. An embedded database is brought up
// to date first, so that a first token can be made before the first start.
func withStore(ctx context.Context, std streams, do func(*sql.Store) error) error {
	env, err := configs.ReadEnv()
	if err != nil {
		return usageError{err}
	}
	log := newLog(env, std.Err)
	if !env.DatabaseURL.Set() {
		if err := migrate(ctx, env, log); err != nil {
			return err
		}
	}
	store, err := sql.Open(ctx, databaseURL(env), log, time.Now)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}
